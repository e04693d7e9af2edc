"""When a form of the gazetteer is a name where it stands, and when it is a part of another one."""

from __future__ import annotations

from services.enricher.context import Context
from services.enricher.gazetteer import Match

_PEOPLES = frozenset(["thái"])
"""Names of peoples of Vietnam as well: `tiếng Thái` is spoken in Sơn La."""
_SURE_COUNTRIES = frozenset(
    ["mỹ", "mĩ", "nga", "nhật", "pháp", "đức", "israel", "india", "jordan", "georgia"]
)
"""Ambiguous forms that mean the country even at the opening of a sentence (`Anh` there is mostly `he`)."""


def accepts(context: Context, match: Match) -> bool:
    """Return whether a match stands for itself here and is not part of a longer or another name."""
    s, first, last = context.sentence, match.first, match.last
    if match.entry.type == "PER":
        if match.mark == "+" and not context.title_before(first):
            return False
        end = context.run_end(first)
        return end <= last or match.last - match.first > 1
    if s.headline:
        return match.mark == "" or s.keys[first] in _SURE_COUNTRIES
    if s.ordinary[first] and last - first == 1 and s.shapes[first].vietnamese:
        # `Nhật báo` and `Pháp luật` are words; where the list does not know it, the segmenter has erred.
        word = " ".join(t.text for t in s.tokens[first : context.word_end(first)]).lower()
        if context.statistics.knows(word) or s.opens(first):
            return False
    if match.mark == "~" and not speaks_for(context, match):
        return False
    if (
        match.mark == "~"
        and last < len(s.keys)
        and last not in context.matches
        and s.shapes[first].vietnamese
    ):
        # `Anh Ngọc tưởng …`: the segmenter may hide the second part of a name in a longer word.
        after = s.shapes[last]
        if after.capital and after.vietnamese and s.ordinary[last] and last - first == 1:
            return False
    if not s.shapes[first].capital:
        return True
    if last - first == 1 and not s.shapes[first].vietnamese and context.address_before(first):
        return False
    end = context.run_end(first)
    if end - first in (3, 4) and end > last and context.is_full_name(tuple(s.keys[first:end])):
        return False
    if end <= last:
        return True
    following = context.matches.get(last)
    if following is not None and following.entry.type != "PER":
        return True
    vietnamese = all(shape.vietnamese for shape in s.shapes[first:last])
    if not s.shapes[last].vietnamese:
        if s.keys[first] in context.lexicon.given_names:
            return end - last > 1 or context.phrase_before(first, context.lexicon.state_titles)
        return vietnamese or end - last > 1 or context.title_before(first)
    if s.keys[last] in context.lexicon.common_family_names and end - last > 1:
        return True
    return last - first > 1 and match.mark == ""


def speaks_for(context: Context, match: Match) -> bool:
    """Return whether the context asks for an ambiguous form: Anh the country, not `he`."""
    s, first, last = context.sentence, match.first, match.last
    key = s.keys[first]
    if match.entry.id.startswith("country:"):
        if context.address_before(first):
            return False
        if key in _PEOPLES and first and s.keys[first - 1] in ("tiếng", "tộc", "người", "bào", "bản", ","):
            return False
        if context.paired(first, last):
            return True
        if s.opens(first):
            return key in _SURE_COUNTRIES or context.listed(last)
        return True
    before = s.keys[first - 1] if first else ""
    return (
        before in context.lexicon.place_prepositions
        or context.phrase_before(first, context.lexicon.place_heads)
        or context.listed(last)
        or (before in (",", "và") and context.place_until == first - 1)
    )


def splits(context: Context, first: int, at: int, match: Match) -> bool:
    """Return whether a known name at `at` ends the run before it."""
    s = context.sentence
    if all(shape.upper for shape in s.shapes[first:at]):
        return True
    if match.mark == "~" and match.last - match.first == 1:
        return False
    foreign = any(not shape.vietnamese for shape in s.shapes[first:at])
    match_foreign = any(not shape.vietnamese for shape in s.shapes[match.first : match.last])
    if foreign != match_foreign:
        return True
    return at - first >= 3 and s.keys[first] in context.lexicon.common_family_names
