"""Keywords: the words that tell this article from others, weighted by frequency, place and rarity."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from operator import attrgetter

from services.enricher.analyzer import Word
from services.enricher.lexicon import WordStatistics, key_of
from services.runtime.records import Keyword

MAX_KEYWORDS = 32
MAX_TERM = 60
_TITLE_WEIGHT = 3.0
_LEAD_WEIGHT = 1.5
_LEAD_SENTENCES = 3
_MIN_IDF = 1.5
"""Words that stand in more than a fifth of all articles say nothing about this one."""
_TAGS = frozenset(["N", "Np", "V", "Nu", "Ny", "A", "M", "FW", "Nb"])
_TEXT_AND_TAG = attrgetter("text", "tag")
_MULTI_ONLY = frozenset(["V", "A", "M", "Nu"])
"""Of these classes single syllables are mostly function words."""


def keywords(title: Iterable[Word], sentences: list[list[Word]], statistics: WordStatistics) -> list[Keyword]:
    """Return at most MAX_KEYWORDS terms, heaviest first, then by term; weights are within 0..1.

    weight = (1 + ln tf) · idf, where an occurrence counts 3 in the title, 1.5 in the first three sentences
    and 1 elsewhere; divided by the heaviest.
    """
    counted = Counter(map(_TEXT_AND_TAG, chain.from_iterable(sentences)))
    raw: dict[tuple[str, str], float] = dict(counted)
    for word in chain.from_iterable(sentences[:_LEAD_SENTENCES]):
        raw[word.text, word.tag] += _LEAD_WEIGHT - 1.0
    for word in title:
        key = (word.text, word.tag)
        raw[key] = raw.get(key, 0.0) + _TITLE_WEIGHT
    counts: dict[str, float] = {}
    for (text, tag), count in raw.items():
        if _is_term(text, tag):
            term = _term(text)
            counts[term] = counts.get(term, 0.0) + count
    scored = []
    for term, count in counts.items():
        idf = statistics.idf(term)
        if idf >= _MIN_IDF:
            scored.append(((1.0 + math.log(max(count, 1.0))) * idf, term))
    return ranked(scored)


def ranked(scored: list[tuple[float, str]]) -> list[Keyword]:
    """Return the heaviest terms with their weights relative to the first."""
    scored.sort(key=lambda pair: (-pair[0], pair[1]))
    if not scored:
        return []
    top = scored[0][0]
    return [{"term": term, "weight": round(score / top, 4)} for score, term in scored[:MAX_KEYWORDS]]


def _is_term(text: str, tag: str) -> bool:
    return (
        tag in _TAGS
        and 2 <= len(text) <= MAX_TERM
        and text[0].isalpha()
        and not (tag in _MULTI_ONLY and " " not in text)
    )


@lru_cache(maxsize=65536)
def _term(text: str) -> str:
    """Return the word in lower case with one placement of tone marks (but `quý` stays as it is printed)."""
    return " ".join(s if s.startswith("qu") else key_of(s) for s in text.lower().split(" "))
