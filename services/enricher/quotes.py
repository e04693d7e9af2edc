"""Direct speech and who said it.

Quotation marks are paired by their own shapes (“…”, "…", «…», ‘…’ is left alone: it is an apostrophe too
often). The speaker is looked for where Vietnamese news puts it: after the quote and a comma
(`"…", ông X nói`), before it (`Ông X nói: "…"`, `Theo ông X, "…"`), in that order.

The published text of a quote is its wording as printed. Two quotes are compared by their words: take
`services.runtime.text.syllables` of both (no case, no accents, no punctuation, no segmentation) and the
share of common word pairs. Equal lists are the same quote; see docs/entities.md for close translations.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

from services.enricher.lexicon import Lexicon, key_of
from services.enricher.resolution import Named
from services.runtime.records import Quote

MAX_QUOTES = 20
MIN_LENGTH, MAX_LENGTH = 20, 600
MIN_WORDS = 5
MIN_UNATTRIBUTED = 10
"""Words of a quote without a speaker: shorter ones are titles of works and scare quotes."""
_REACH = 240
"""How far from the quote, in characters, its speaker may stand."""

_PRONOUN_REACH = 400
_PRONOUN = re.compile(r"\s*[,–-]?\s*(?:ông|bà|anh|chị|cô|cậu|bác|cụ|em)\s+(?![A-ZĐÀ-Ỹ])")
_LONGEST = f"{{1,{4 * MAX_LENGTH}}}"
_PAIRS = re.compile(rf"“([^“”\n]{_LONGEST})”|«([^«»\n]{_LONGEST})»|\"([^\"\n]{_LONGEST})\"")
_WORD = re.compile(r"[^\W_]+")
_SENTENCE_BREAK = re.compile(r"[.!?…]\s|\n")


class _Place(NamedTuple):
    start: int
    end: int


class QuoteFinder:
    """Finds quotes. Holds the speech verbs only."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._verbs = lexicon.speech_verbs

    def find(self, text: str, mentions: list[Named]) -> list[Quote]:
        """Return at most MAX_QUOTES quotes in order; `mentions` are sorted by place and do not overlap."""
        speakers = [m for m in mentions if m.type in ("PER", "ORG")]
        starts = [m.start for m in speakers]
        quotes: list[Quote] = []
        for match in _PAIRS.finditer(text):
            group = match.lastindex or 1
            said = text[match.start(group) : match.end(group)].strip().strip(",").strip()
            if len(said) < MIN_LENGTH or len(_WORD.findall(said)) < MIN_WORDS:
                continue
            speaker = self._speaker(text, _Place(*match.span()), speakers, starts)
            if speaker is None and len(_WORD.findall(said)) < MIN_UNATTRIBUTED:
                continue
            quotes.append({"text": _shortened(said), "speaker": speaker})
            if len(quotes) == MAX_QUOTES:
                break
        return quotes

    def _speaker(self, text: str, quote: _Place, speakers: list[Named], starts: list[int]) -> str | None:
        after = self._after(text, quote, speakers, starts)
        return after if after is not None else self._before(text, quote, speakers, starts)

    def _after(self, text: str, quote: _Place, speakers: list[Named], starts: list[int]) -> str | None:
        """`"…", người phát ngôn Điện Kremlin Dmitry Peskov bình luận`: the last name before the verb."""
        tail = text[quote.end : quote.end + _REACH]
        stop = _SENTENCE_BREAK.search(tail)
        tail = tail[: stop.start()] if stop else tail
        if not re.match(r"\s*[,.–-]?\s*[^\W\d_]", tail) or (
            re.match(r"\s*[.]", tail) or (not re.match(r"\s*[,–-]", tail) and not self._verb(tail))
        ):
            return None
        verb = self._verb(tail)
        if verb is None:
            return None
        if _PRONOUN.match(tail):
            return _last_person(text, speakers, starts, quote.start)
        return _choose(
            text, speakers, starts, quote.end, quote.end + verb.start, quote.end + len(tail), verb.end
        )

    def _before(self, text: str, quote: _Place, speakers: list[Named], starts: list[int]) -> str | None:
        """`Ông X nói: "…"`, `Ông X nói rằng … "…"`, `Theo ông X, "…"`: in the same sentence."""
        begin = max(0, quote.start - _REACH)
        head = text[begin : quote.start]
        breaks = [m.end() for m in _SENTENCE_BREAK.finditer(head)]
        if breaks:
            begin += breaks[-1]
            head = head[breaks[-1] :]
        verb = self._verb(head)
        reported = key_of(head.lstrip()[:5]).startswith("theo ")
        if verb is None and not reported:
            return None
        inside = speakers[bisect_left(starts, begin) : bisect_left(starts, quote.start)]
        if not inside:
            return None
        people = [m for m in inside if m.type == "PER"]
        if verb is not None:
            earlier = [m for m in people or inside if m.end <= begin + verb.start]
            if earlier:
                return earlier[-1].id
            return None if not reported else (people or inside)[0].id
        return (people or inside)[0].id

    def _verb(self, text: str) -> _Place | None:
        """Return the place of the first verb of speech."""
        words = list(_WORD.finditer(text))
        keys = [key_of(w[0]) for w in words]
        for first in range(len(keys)):
            last = self._verbs.longest_at(keys, first)
            if last > first:
                return _Place(words[first].start(), words[last - 1].end())
        return None


def _last_person(text: str, speakers: list[Named], starts: list[int], before: int) -> str | None:
    """Return the person named last before a quote that `ông`, `bà`, `chị` … speaks, in the same paragraph."""
    for mention in reversed(speakers[: bisect_left(starts, before)]):
        if before - mention.end > _PRONOUN_REACH or "\n" in text[mention.end : before]:
            return None
        if mention.type == "PER":
            return mention.id
    return None


def _choose(
    text: str, speakers: list[Named], starts: list[int], begin: int, verb: int, end: int, verb_end: int
) -> str | None:
    """Return the first person in the clause after a quote; else the body before, or right after, its verb."""
    named = speakers[bisect_left(starts, begin) : bisect_left(starts, end)]
    people = [m for m in named if m.type == "PER"]
    if people:
        return people[0].id
    before = [m for m in named if m.start < verb]
    if before:
        return before[-1].id
    after = speakers[bisect_left(starts, begin + verb_end) : bisect_left(starts, end)]
    if after and "," not in text[begin + verb_end : after[0].start]:
        return after[0].id
    return None


def _shortened(said: str) -> str:
    if len(said) <= MAX_LENGTH:
        return said
    cut = said.rfind(" ", 0, MAX_LENGTH)
    return said[: cut if cut > MIN_LENGTH else MAX_LENGTH]
