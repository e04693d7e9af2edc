"""What speaks for two stories belonging to one saga, and what they share by name."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from services.clusterer.evidence import (
    CHANNELS,
    FLOOR,
    PAIR_MEASURES,
    compare_days,
    compare_pair,
    words_contents,
)
from services.clusterer.pool import Profiles, fetch
from services.clusterer.profile import Profile
from services.clusterer.state import StoryState, Told
from services.runtime.records import Record

LINK_FEATURES = (*PAIR_MEASURES, "dates_shared", "quotes_shared")
"""Measures between the centres of both stories: links are judged by what the stories are about, never by a
member at their edge, and never through a third story. dates_shared: 1 if both name a common day, -1 if they
name none of the other's; quotes_shared: ln(1 + number of common quotes)."""

_SCALED = len(CHANNELS) + 1  # the channels and words_shared
_DATES, QUOTES_SHARED = range(len(PAIR_MEASURES), len(LINK_FEATURES))

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
    features[:, :_SCALED] = np.log(features[:, :_SCALED] + FLOOR)
    return features


@numba.njit(cache=True)
def _compare(ids, weights, at, rare, other_ids, other_weights, places, others, features):  # type: ignore[no-untyped-def]
    fetched = fetch(other_ids, other_weights, places, others)
    contents = words_contents(ids, at)
    for s in range(len(features)):
        o = places[others[s]]
        compare_pair(ids, weights, at, contents, rare, other_ids, other_weights, o, features[s])
        features[s, _DATES] = compare_days(ids, weights, at, other_ids, other_weights, o)[0]
    return fetched


def shared(a: Told | StoryState, b: StoryState, quotes: npt.NDArray[np.intp]) -> Record:
    """Return what two stories have in common, by name: entities, keywords and the given quotes of `a`."""
    ids = {e["id"] for e in b["entities"]}
    terms = {k["term"] for k in b["keywords"]}
    return {
        "entities": [e["name"] for e in a["entities"] if e["id"] in ids][:MOST_NAMES_LISTED],
        "terms": [k["term"] for k in a["keywords"] if k["term"] in terms][:MOST_LISTED],
        "quotes": [a["quotes"][q]["text"] for q in quotes[:MOST_LISTED]],
    }
