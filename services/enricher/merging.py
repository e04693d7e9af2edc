"""Where rules and tagger meet: the tagger's names, with the identities that the gazetteer knows.

The tagger has seen what the rules say of every token, so it decides boundaries and types. With the rules stay
countries, identities, the bounds between two names that the gazetteer knows (a lost paragraph break must not
glue them), and sentences all in capital letters.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from services.enricher.gazetteer import Match
from services.enricher.names import Span
from services.enricher.sentence import Sentence
from services.enricher.tagger import Tagged
from services.runtime.records import EntityType

_COUNTRY = "country:"
_GENERIC = "-vn"
_STREET_AND_PERSON = {"PER", "LOC"}
_SHORTEST_ABBREVIATION = 2
_CLOSING = frozenset([")", "]", '"', "”", "’", "'", "+", "!", "?", "."])
"""Signs that can end a name: a nickname in quotation marks, a brand with a plus."""


def merge(
    sentences: Sequence[Sentence],
    tagged: Sequence[Sequence[Tagged]],
    spans: Sequence[Span],
    matches: Sequence[dict[int, Match]],
) -> list[Span]:
    """Return the names of an article, in order of their places, none overlapping another.

    All four speak of the same sentences; `spans` are the names that the rules found, `matches` the forms of
    the gazetteer by their first token.
    """
    by_sentence: list[list[Span]] = [[] for _ in sentences]
    for span in spans:
        by_sentence[span.sentence].append(span)
    merged: list[Span] = []
    for number, sentence in enumerate(sentences):
        if sentence.headline:
            merged.extend(by_sentence[number])
        else:
            names = [_trimmed(name, sentence) for name in tagged[number]]
            merged.extend(_merge(number, names, by_sentence[number], matches[number]))
    return _agreed(sentences, merged)


def _agreed(sentences: Sequence[Sentence], spans: Sequence[Span]) -> list[Span]:
    """Give a name that no table knows the type that most of its mentions in the article have.

    An abbreviation in brackets after an organisation is that organisation's. Left as they are: Vietnamese
    names that are a person's here and a place's there, with a word before them (a street bears the name of a
    person), and single Vietnamese words.
    """
    keys = [tuple(sentences[s.sentence].keys[s.first : s.last]) for s in spans]
    counts: dict[tuple[str, ...], dict[EntityType, int]] = {}
    for span, key in zip(spans, keys, strict=True):
        types = counts.setdefault(key, {})
        types[span.type] = types.get(span.type, 0) + 1
    best = {key: max(types, key=lambda kind: types[kind]) for key, types in counts.items()}
    for before, span, key in zip(spans, spans[1:], keys[1:], strict=False):
        if before.type == "ORG" and _abbreviates(sentences[span.sentence], before, span):
            best[key] = "ORG"
    agreed: list[Span] = []
    for span, key in zip(spans, keys, strict=True):
        if span.entry is None and span.type != best[key]:
            shapes = sentences[span.sentence].shapes[span.first : span.last]
            vietnamese = all(shape.vietnamese for shape in shapes)
            clear = counts[key].get(best[key], 0) > counts[key][span.type] or shapes[0].upper
            street = {span.type, best[key]} == _STREET_AND_PERSON and _after_a_word(sentences, span)
            if clear and (not vietnamese or (len(key) > 1 and not street)):
                span = span._replace(type=best[key])
        agreed.append(span)
    return agreed


def _after_a_word(sentences: Sequence[Sentence], span: Span) -> bool:
    """Return whether a word stands right before, which may say what the name is: `đường`, `ông`."""
    return span.first > 0 and sentences[span.sentence].shapes[span.first - 1].letter


def _abbreviates(sentence: Sentence, before: Span, span: Span) -> bool:
    """Return whether a span is an abbreviation in brackets right after another."""
    return (
        (span.sentence, span.first) == (before.sentence, before.last + 1)
        and span.last - span.first == 1
        and sentence.keys[before.last] == "("
        and sentence.shapes[span.first].upper
        and len(sentence.keys[span.first]) > _SHORTEST_ABBREVIATION
    )


def _trimmed(name: Tagged, sentence: Sentence) -> Tagged:
    """Return the name without signs at its end that belong to none, as in `Reuters™`."""
    last = name.last
    while last - name.first > 1 and not (
        sentence.shapes[last - 1].letter or sentence.keys[last - 1] in _CLOSING
    ):
        last -= 1
    return name._replace(last=last)


def _merge(
    number: int, tagged: Sequence[Tagged], spans: Sequence[Span], matches: dict[int, Match]
) -> list[Span]:
    rules = {(s.first, s.last): s for s in spans}
    chosen: list[Span] = []
    for name in _whole(tagged, rules):
        inside = [s for s in spans if name.first <= s.first and s.last <= name.last]
        if len(inside) > 1 and inside[0].first == name.first and all(s.entry is not None for s in inside):
            chosen.extend(inside)
        else:
            chosen.append(_identified(number, name, rules.get((name.first, name.last)), matches))
    covered = {at for s in chosen for at in range(s.first, s.last)}
    chosen.extend(
        s
        for s in spans
        if s.entry is not None
        and s.entry.id.startswith(_COUNTRY)
        and covered.isdisjoint(range(s.first, s.last))
    )
    return sorted(chosen, key=lambda s: (s.first, s.last))


def _whole(tagged: Sequence[Tagged], rules: dict[tuple[int, int], Span]) -> list[Tagged]:
    """Join an organisation and the person after it where the rules see one name: a school or a hospital."""
    names: list[Tagged] = []
    for name in tagged:
        before = names[-1] if names else None
        if before is not None and (before.last, before.type, name.type) == (name.first, "ORG", "PER"):
            rule = rules.get((before.first, name.last))
            if rule is not None and rule.type == "ORG":
                names[-1] = before._replace(last=name.last)
                continue
        names.append(name)
    return names


def _identified(number: int, name: Tagged, rule: Span | None, matches: dict[int, Match]) -> Span:
    """Return the span of a tagged name, with its identity if the rules or the gazetteer know one."""
    kind = cast(EntityType, name.type)
    if rule is not None and (
        rule.type == kind or (rule.entry is not None and rule.entry.id.startswith(_COUNTRY))
    ):
        return rule
    span = Span(number, name.first, name.last, kind, None, rule is not None and rule.titled)
    match = matches.get(name.first)
    if match is None or match.entry.type != kind or match.mark == "+":
        return span
    if match.last == name.last:
        return span._replace(entry=match.entry)
    country = matches.get(match.last)
    if (
        match.entry.id.endswith(_GENERIC)
        and country is not None
        and country.last == name.last
        and country.entry.id.startswith(_COUNTRY)
    ):
        return span._replace(entry=match.entry, variant=country.entry.id.removeprefix(_COUNTRY))
    return span
