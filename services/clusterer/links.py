"""What speaks for two stories belonging to one saga, and what they share by name."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from services.clusterer.evidence import CHANNELS, FLOOR, compare_days, compare_pair, words_contents
from services.clusterer.pool import Profiles
from services.clusterer.profile import Profile
from services.clusterer.state import StoryState, Told
from services.clusterer.vectors import quote_triples
from services.runtime.records import Record

LINK_FEATURES = (*CHANNELS, "breadth", "dates_shared", "quotes_shared")
"""Channels between the centres of both stories: links are judged by what the stories are about, never by a
member at their edge, and never through a third story. breadth: over how many words their text cosine is
spread, as a logarithm; dates_shared: 1 if both name a common day, -1 if they name none of the other's;
quotes_shared: ln(1 + number of common quotes)."""

SAME_QUOTE = 0.5
MOST_LISTED = 8
MOST_NAMES_LISTED = 16


def link_features(
    mine: Profile, rare: npt.NDArray[np.bool_], profiles: Profiles, others: list[int], quotes: list[int]
) -> npt.NDArray[np.float64]:
    """Return the features of one story with each of several others, a row each.

    `mine`: its centre; `rare`: which words of that are; `others`: where in `profiles` the other centres are;
    `quotes`: how many quotes it shares with each.
    """
    features = np.zeros((len(quotes), len(LINK_FEATURES)))
    _compare(
        mine.ids, mine.weights, mine.offsets, rare, *profiles, np.array(others, dtype=np.int64), features
    )
    channels = len(CHANNELS)
    features[:, :channels] = np.log(features[:, :channels] + FLOOR)
    features[:, -1] = np.log(1.0 + np.array(quotes))
    return features


@numba.njit(cache=True)
def _compare(ids, weights, at, rare, other_ids, other_weights, places, others, features):  # type: ignore[no-untyped-def]
    contents = words_contents(ids, at)
    for s in range(len(features)):
        o = places[others[s]]
        compare_pair(ids, weights, at, contents, rare, other_ids, other_weights, o, features[s])
        features[s, 8] = compare_days(ids, weights, at, other_ids, other_weights, o)[0]


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
    if mine is NO_QUOTES or not others:
        return [0] * len(others)
    ends = np.array([*accumulate(len(other.triples) for other in others)], dtype=np.int64)
    touching = _touching(np.sort(mine.triples), np.concatenate([other.triples for other in others]), ends)
    return [
        len(shared_quotes(mine, other)) if touches else 0
        for other, touches in zip(others, touching.tolist(), strict=True)
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


def shared(a: Told | StoryState, b: StoryState, quotes: npt.NDArray[np.intp]) -> Record:
    """Return what two stories have in common, by name: entities, keywords and the given quotes of `a`."""
    ids = {e["id"] for e in b["entities"]}
    terms = {k["term"] for k in b["keywords"]}
    return {
        "entities": [e["name"] for e in a["entities"] if e["id"] in ids][:MOST_NAMES_LISTED],
        "terms": [k["term"] for k in a["keywords"] if k["term"] in terms][:MOST_LISTED],
        "quotes": [a["quotes"][q]["text"] for q in quotes[:MOST_LISTED]],
    }
