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
    compare_days,
    compare_pair,
    covered,
    words_contents,
)
from services.clusterer.pool import Profiles, fetch
from services.clusterer.profile import Profile
from services.clusterer.sparse import overlap
from services.clusterer.state import StoryState, Told
from services.runtime.records import Record

LINK_FEATURES = (
    *PAIR_MEASURES, "title_words_found", "names_shared", "place_shared", "dates_shared", "quotes_shared",
)  # fmt: skip
"""Measures between the centres of both stories: links are judged by what the stories are about, never by a
member at their edge, and never through a third story. title_words_found: share of one title's words, names
left out, that the other text holds, the larger of both ways: a saga is about something that has happened, not
only about somebody; names_shared: ln(0.1 + what the weights of the names have in common); place_shared: 1 if
each names the place that the other one names most; dates_shared: 1 if both name a common day; quotes_shared:
ln(1 + number of common quotes)."""

_TITLE_WORDS, _NAMES, _PLACE, _DATES, QUOTES_SHARED = range(len(PAIR_MEASURES), len(LINK_FEATURES))
_SCALED = len(CHANNELS) + 1  # the channels and words_shared; title_words_found beside them
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
        for measure in range(_SCALED):
            row[measure] = math.log(row[measure] + FLOOR)
        title_words = max(
            covered(ids, weights, at[6], at[7], other_ids, o[0], o[1]),
            covered(other_ids, other_weights, o[6], o[7], ids, at[0], at[1]),
        )
        row[_TITLE_WORDS] = math.log(title_words + FLOOR)
        names = overlap(ids, weights, at[2], at[3], other_ids, other_weights, o[2], o[3])
        row[_NAMES] = math.log(NAMES_FLOOR + names)
        row[_PLACE] = _heaviest_known(ids, weights, at[7], at[8], other_ids, o[7], o[8]) and _heaviest_known(
            other_ids, other_weights, o[7], o[8], ids, at[7], at[8]
        )
        row[_DATES] = compare_days(ids, weights, at, other_ids, other_weights, o)[0] > 0
    return fetched


@numba.njit(cache=True)
def _heaviest_known(ids_a, weights_a, lo_a, hi_a, ids_b, lo_b, hi_b):  # type: ignore[no-untyped-def]
    """Return whether `b` has the id that weighs most in `a`, which may have none."""
    if lo_a == hi_a:
        return False
    heaviest = ids_a[lo_a + np.argmax(weights_a[lo_a:hi_a])]
    return heaviest in ids_b[lo_b:hi_b]


def shared(a: Told | StoryState, b: StoryState, quotes: npt.NDArray[np.intp]) -> Record:
    """Return what two stories have in common, by name: entities, keywords and the given quotes of `a`."""
    ids = {e["id"] for e in b["entities"]}
    terms = {k["term"] for k in b["keywords"]}
    return {
        "entities": [e["name"] for e in a["entities"] if e["id"] in ids][:MOST_NAMES_LISTED],
        "terms": [k["term"] for k in a["keywords"] if k["term"] in terms][:MOST_LISTED],
        "quotes": [a["quotes"][q]["text"] for q in quotes[:MOST_LISTED]],
    }
