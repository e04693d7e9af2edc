"""What speaks for two stories belonging to one saga, and what they share by name."""

from __future__ import annotations

import math

import numba
import numpy as np
import numpy.typing as npt

from services.clusterer.evidence import (
    CHANNELS,
    FLOOR,
    PAIR_MEASURES,
    TITLE_FINDS,
    TITLE_FOUND,
    compare_days,
    compare_pair,
    words_contents,
)
from services.clusterer.pool import Profiles, fetch
from services.clusterer.profile import NAMES, PLACES, Profile
from services.clusterer.sparse import overlap
from services.clusterer.state import StoryState, Told
from services.runtime.records import Record

LINK_FEATURES = (
    *PAIR_MEASURES, "names_shared", "place_shared", "dates_shared", "quotes_shared",
)  # fmt: skip
"""Measures between the centres of both stories: links are judged by what the stories are about, never by a
member at their edge, and never through a third story. title_found: the larger of both ways, title_finds the
smaller; names_shared: ln(0.1 + what the weights of the names have in common); place_shared: 1 if
each names the place that the other one names most; dates_shared: 1 if both name a common day; quotes_shared:
ln(1 + number of common quotes)."""

_NAMES_SHARED, _PLACE_SHARED, _DATES_SHARED, QUOTES_SHARED = range(len(PAIR_MEASURES), len(LINK_FEATURES))
_SCALED = len(CHANNELS) + 1  # the channels and words_shared
NAMES_FLOOR = 0.1

MOST_LISTED = 8
MOST_NAMES_LISTED = 16


def link_features(
    centre: Profile, rare: npt.NDArray[np.bool_], profiles: Profiles, others: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Return the features of one story with each of several others, a row each, but for the shared quotes.

    `rare`: which words of its centre are; `others`: where in `profiles` the other centres are.
    """
    features = np.zeros((len(others), len(LINK_FEATURES)))
    _compare(centre.ids, centre.weights, centre.offsets, rare, *profiles, others, features)
    return features


@numba.njit(cache=True)
def _compare(ids, weights, at, rare, other_ids, other_weights, places, others, features):  # type: ignore[no-untyped-def]
    fetched = fetch(other_ids, other_weights, places, others)
    contents = words_contents(ids, at)
    for s in range(len(features)):
        o = places[others[s]]
        row = features[s]
        compare_pair(ids, weights, at, contents, rare, other_ids, other_weights, o, row)
        if row[TITLE_FINDS] > row[TITLE_FOUND]:
            row[TITLE_FOUND], row[TITLE_FINDS] = row[TITLE_FINDS], row[TITLE_FOUND]
        for measure in range(_SCALED):
            row[measure] = math.log(row[measure] + FLOOR)
        lo, hi = o[NAMES], o[NAMES + 1]
        names = overlap(ids, weights, at[NAMES], at[NAMES + 1], other_ids, other_weights, lo, hi)
        row[_NAMES_SHARED] = math.log(NAMES_FLOOR + names)
        row[_PLACE_SHARED] = _place_known(ids, weights, at, other_ids, o) and _place_known(
            other_ids, other_weights, o, ids, at
        )
        row[_DATES_SHARED] = compare_days(ids, weights, at, other_ids, other_weights, o)[0] > 0
    return fetched


@numba.njit(cache=True)
def _place_known(ids, weights, at, other_ids, o):  # type: ignore[no-untyped-def]
    """Return whether the place that weighs most, if there is any, is one of the other's."""
    lo, hi = at[PLACES], at[PLACES + 1]
    if lo == hi:
        return False
    return ids[lo + np.argmax(weights[lo:hi])] in other_ids[o[PLACES] : o[PLACES + 1]]


def shared(a: Told | StoryState, b: StoryState, quotes: npt.NDArray[np.intp]) -> Record:
    """Return what two stories have in common, by name: entities, keywords and the given quotes of `a`."""
    ids = {e["id"] for e in b["entities"]}
    terms = {k["term"] for k in b["keywords"]}
    return {
        "entities": [e["name"] for e in a["entities"] if e["id"] in ids][:MOST_NAMES_LISTED],
        "terms": [k["term"] for k in a["keywords"] if k["term"] in terms][:MOST_LISTED],
        "quotes": [a["quotes"][q]["text"] for q in quotes[:MOST_LISTED]],
    }
