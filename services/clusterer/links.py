"""What speaks for two stories belonging to one saga, and what they share by name."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from services.clusterer.evidence import CHANNELS, FLOOR, compare_pair
from services.clusterer.pool import Profiles
from services.clusterer.profile import Profile
from services.clusterer.state import StoryState, Told
from services.clusterer.vectors import quote_triples
from services.runtime.records import Record

LINK_FEATURES = (
    *(f"{channel}_{statistic}" for channel in CHANNELS for statistic in ("mean", "best")),
    "dates_shared",
    "quotes_shared",
)
"""Mean and best over the pairs of founder and lead article of both stories: links are judged by what the
stories are about, never by a member at their edge, and never through a third story."""

SAME_QUOTE = 0.5
MOST_LISTED = 8
MOST_NAMES_LISTED = 16


def link_features(
    mine: list[tuple[Profile, npt.NDArray[np.bool_]]],
    profiles: Profiles,
    members: npt.NDArray[np.int64],
    bounds: npt.NDArray[np.int64],
    quotes: list[int],
) -> npt.NDArray[np.float64]:
    """Return the features of one story with each of several others, a row each.

    `mine`: the profiles (and rare words) that stand for the one; `members`: the places in `profiles` of those
    that stand for the others, other s from `bounds[s]` to `bounds[s + 1]`; `quotes`: how many quotes it
    shares with each.
    """
    features = np.zeros((len(quotes), len(LINK_FEATURES)))
    for profile, rare in mine:
        _add_pairs(profile.ids, profile.weights, profile.offsets, rare, *profiles, members, bounds, features)
    pairs = 2 * len(CHANNELS)
    features[:, 0:pairs:2] /= (len(mine) * np.diff(bounds))[:, np.newaxis]
    features[:, :pairs] = np.log(features[:, :pairs] + FLOOR)
    features[:, -1] = np.log(1.0 + np.array(quotes))
    return features


@numba.njit(cache=True)
def _add_pairs(ids, weights, at, rare, other_ids, other_weights, places, members, bounds, features):  # type: ignore[no-untyped-def]
    """Add one article's channels with others' exemplars: sums at even places, largest at odd ones."""
    channels = np.empty(7, dtype=np.float64)
    for s in range(len(bounds) - 1):
        for m in members[bounds[s] : bounds[s + 1]]:
            dates = compare_pair(ids, weights, at, rare, other_ids, other_weights, places[m], channels)
            for c in range(7):
                features[s, 2 * c] += channels[c]
                features[s, 2 * c + 1] = max(features[s, 2 * c + 1], channels[c])
            features[s, 14] = max(features[s, 14], float(dates))


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
    return Quotes(
        np.concatenate([*found, np.empty(0, dtype=np.uint64)]),
        np.cumsum([0, *(len(triples) for triples in found)], dtype=np.int32),
    )


def shared_quotes(a: Quotes, b: Quotes) -> npt.NDArray[np.intp]:
    """Return which quotes of `a` stand in `b` too: half of the shorter one's syllable triples in common."""
    if not len(a.triples) or not len(b.triples):
        return np.zeros(0, dtype=np.intp)
    found: npt.NDArray[np.intp] = np.flatnonzero(_matches(a.triples, a.offsets, b.triples, b.offsets))
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
