"""Where names stand in an article, and of what type they are.

Three sources meet here, sentence by sentence: the gazetteer, the heads of organisations and places
(`Công an tỉnh …`, `xã …`), and runs of capital words, which are split where a country stands before a
person. Runs are typed over the whole article: each occurrence votes with its context, and the type that
gathers enough votes holds for all of them. The tagger's label of a run is one vote among others.
"""

from __future__ import annotations

from services.enricher.context import Context
from services.enricher.gazetteer import Gazetteer, Match
from services.enricher.lexicon import Lexicon, WordStatistics
from services.enricher.names import Run, Span
from services.enricher.scanner import Scanner
from services.enricher.sentence import Sentence
from services.enricher.voting import decide

_SPORT_WORDS = 3
_ABROAD = frozenset(
    ["nước", "tại", "ở", "từ", "đến", "sang", "quân", "tiếng", "người", "phủ", "thống", "trưởng", "đội"]
)
"""After these a country's name is the country's even where somebody of the article is called so."""


class Recognizer:
    """Finds the names of one article. Holds tables only."""

    def __init__(self, lexicon: Lexicon, statistics: WordStatistics, gazetteer: Gazetteer) -> None:
        self._lexicon = lexicon
        self._statistics = statistics
        self._gazetteer = gazetteer
        self._sport_seconds: dict[str, set[str]] = {}
        for phrase in lexicon.sport:
            first, _, second = phrase.partition(" ")
            if second:
                self._sport_seconds.setdefault(first, set()).add(second)

    def recognize(self, sentences: list[Sentence]) -> tuple[list[Span], list[Run], list[dict[int, Match]]]:
        """Return the names found, in order of their places, the weak runs left over for linking, and the
        forms of the gazetteer in each sentence, by the token where they begin.
        """
        sport = self._about_sport(sentences)
        spans: list[Span] = []
        runs: list[Run] = []
        found = [self._gazetteer.find(sentence, sport=sport) for sentence in sentences]
        for sentence, matches in zip(sentences, found, strict=True):
            context = Context(self._lexicon, self._statistics, sentence, matches)
            Scanner(context, self._gazetteer.entries, spans, runs).scan()
        runs, named_elsewhere = _known_elsewhere(sentences, spans, runs)
        spans.extend(named_elsewhere)
        decided, left = decide(runs)
        spans.extend(decided)
        spans = _given_names_first(sentences, spans)
        spans.sort(key=lambda s: (s.sentence, s.first, s.last))
        return spans, left, found

    def _about_sport(self, sentences: list[Sentence]) -> bool:
        """Return whether the words of sport are many here; bigrams are looked up by their first word."""
        words, seconds = self._lexicon.sport, self._sport_seconds
        seen = 0
        for sentence in sentences:
            keys = sentence.keys
            for at, key in enumerate(keys):
                if key in words or (key in seconds and at + 1 < len(keys) and keys[at + 1] in seconds[key]):
                    seen += 1
                    if seen >= _SPORT_WORDS:
                        return True
        return False


def _known_elsewhere(
    sentences: list[Sentence], spans: list[Span], runs: list[Run]
) -> tuple[list[Run], list[Span]]:
    """Give a run the identity of a town that the article names elsewhere in a context that speaks for it."""
    towns = {
        tuple(sentences[s.sentence].keys[s.first : s.last]): s.entry
        for s in spans
        if s.entry is not None and s.entry.id.startswith(("geonames:", "place:"))
    }
    named = [
        Span(run.sentence, run.first, run.last, "LOC", towns[run.keys], False)
        for run in runs
        if run.keys in towns and not run.titled
    ]
    return [run for run in runs if run.keys not in towns or run.titled], named


def _given_names_first(sentences: list[Sentence], spans: list[Span]) -> list[Span]:
    """Take `Đức` for Trần Thiện Đức, if the article names him and nowhere clearly the country."""
    given = set()
    for span in spans:
        if span.type == "PER" and span.last - span.first > 1:
            sentence = sentences[span.sentence]
            if all(shape.vietnamese for shape in sentence.shapes[span.first : span.last]):
                given.add(sentence.keys[span.last - 1])
    doubtful: dict[str, list[Span]] = {}
    for span in spans:
        key = sentences[span.sentence].keys[span.first]
        if key in given and span.last - span.first == 1 and span.entry is not None and span.type == "LOC":
            doubtful.setdefault(key, []).append(span)
    people = {
        span
        for same in doubtful.values()
        if not any(s.first and sentences[s.sentence].keys[s.first - 1] in _ABROAD for s in same)
        for span in same
    }
    return [s._replace(type="PER", entry=None) if s in people else s for s in spans]
