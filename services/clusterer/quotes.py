"""Which quotes two stories have in common: half of the shorter one's triples of syllables."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from services.clusterer.state import StoryState, Told
from services.clusterer.vectors import fold_table, points_of

SAME_QUOTE = 0.5
SHORTEST_QUOTE = 5
"""Quotes of fewer syllables are too common to prove anything."""

REMEMBERED_QUOTES = 4096
"""Quotes whose triples are kept at hand: one decision looks at those of the same story several times."""


@numba.njit(cache=True)
def _triples(points, table):  # type: ignore[no-untyped-def]
    """Return the hashed triples of neighbouring syllables, ascending and distinct."""
    found = np.empty(len(points) // 2 + 1, dtype=np.uint64)
    count = 0
    syllables = 0
    value = np.uint64(0xCBF29CE484222325)
    first = np.uint64(0)
    second = np.uint64(0)
    inside = False
    for i in range(len(points) + 1):
        code = np.uint32(0)
        if i < len(points):
            code = table[points[i]] if points[i] < 0x10000 else np.uint32(0)
        if code == np.uint32(0xFFFFFFFF):
            continue
        if code != 0:
            value = (value ^ np.uint64(code)) * np.uint64(0x100000001B3)
            inside = True
            continue
        if not inside:
            continue
        syllables += 1
        if syllables >= 3:
            mixed = (first * np.uint64(0x9E3779B97F4A7C15)) ^ second
            mixed = ((mixed ^ (mixed >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)) ^ value
            found[count] = mixed * np.uint64(0x94D049BB133111EB)
            count += 1
        first = second
        second = value
        value = np.uint64(0xCBF29CE484222325)
        inside = False
    if syllables < SHORTEST_QUOTE:
        return found[:0]
    return np.unique(found[:count])


@lru_cache(maxsize=REMEMBERED_QUOTES)
def quote_triples(text: str) -> npt.NDArray[np.uint64]:
    """Return the hashed syllable triples of a quote, ascending; none for one too short to be telling."""
    triples: npt.NDArray[np.uint64] = _triples(points_of(text), fold_table())
    return triples


class Quotes(NamedTuple):
    """The quotes of a story as hashed syllable triples: quote q is `triples[offsets[q]:offsets[q + 1]]`."""

    triples: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int32]


NO_QUOTES = Quotes(np.empty(0, dtype=np.uint64), np.zeros(1, dtype=np.int32))


def quotes_of(record: Told | StoryState) -> Quotes:
    """Return what a story's quotes are compared by."""
    if not record["quotes"]:
        return NO_QUOTES
    found = [quote_triples(quote["text"]) for quote in record["quotes"]]
    sizes = accumulate((len(triples) for triples in found), initial=0)
    return Quotes(np.concatenate(found), np.array([*sizes], dtype=np.int32))


def shared_quotes(a: Quotes, b: Quotes) -> npt.NDArray[np.intp]:
    """Return which quotes of `a` stand in `b` too: half of the shorter one's syllable triples in common."""
    if not len(a.triples) or not len(b.triples):
        return np.zeros(0, dtype=np.intp)
    found: npt.NDArray[np.intp] = np.flatnonzero(_matches(a.triples, a.offsets, b.triples, b.offsets))
    return found


def quotes_shared(mine: Quotes, others: Sequence[Quotes]) -> list[int]:
    """Return how many quotes one story shares with each of several others, most of which share nothing."""
    if not others:
        return []
    triples = [other.triples for other in others]
    ends = np.array([*accumulate(map(len, triples))], dtype=np.int64)
    touching = _touching(np.sort(mine.triples), np.concatenate(triples), ends).tolist()
    return [
        len(shared_quotes(mine, other)) if touches else 0
        for other, touches in zip(others, touching, strict=True)
    ]


@numba.njit(cache=True)
def _touching(mine, others, ends):  # type: ignore[no-untyped-def]
    """Return whether `others`, which end at `ends`, have anything of `mine`, which is ascending."""
    found = np.zeros(len(ends), dtype=np.bool_)
    i = 0
    for k in range(len(ends)):
        while i < ends[k]:
            place = np.searchsorted(mine, others[i])
            found[k] = found[k] or (place < len(mine) and mine[place] == others[i])
            i += 1
    return found


@numba.njit(cache=True)
def _matches(mine, my_offsets, other, other_offsets):  # type: ignore[no-untyped-def]
    found = np.zeros(len(my_offsets) - 1, dtype=np.bool_)
    for q in range(len(my_offsets) - 1):
        for r in range(len(other_offsets) - 1):
            shorter = min(my_offsets[q + 1] - my_offsets[q], other_offsets[r + 1] - other_offsets[r])
            if shorter == 0:
                continue
            common = 0
            i = my_offsets[q]
            j = other_offsets[r]
            while i < my_offsets[q + 1] and j < other_offsets[r + 1]:
                if mine[i] == other[j]:
                    common += 1
                    i += 1
                    j += 1
                elif mine[i] < other[j]:
                    i += 1
                else:
                    j += 1
            if common >= SAME_QUOTE * shorter:
                found[q] = True
                break
    return found
