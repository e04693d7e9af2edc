"""What speaks for an article and a story being one event: the features of the learned rules.

Two articles are compared by several channels (`CHANNELS`), each 0..1 or a small logarithm. An article and a
story are compared by the mean and the largest value over the story's exemplars and the value for its
founder. The rules see ln(value + 0.02): between nothing and little lies more than between much and more.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from services.clusterer.clock import seconds
from services.clusterer.pool import Profiles
from services.clusterer.profile import OTHER_DAY, TITLE_WORDS, Profile
from services.clusterer.sparse import contents_of, inner, spread
from services.clusterer.vectors import TERM_BITS

CHANNELS = ("text", "title", "names", "numbers", "rare", "title_found", "title_finds")
"""text: cosine of the vectors; title: of the titles; names: of the entities weighted by rarity and salience;
numbers: of the numbers; rare: ln(1 + number of shared terms that are as rare as unseen ones);
title_found: share of the words of the article's title, names left out, that the other text holds: what has
happened, not whom to; title_finds: the reverse."""
PAIR_MEASURES = (*CHANNELS, "words_shared", "breadth")
"""Beside the channels: words_shared: share of the shorter text's words that the other one has; breadth: over
how many words the text cosine is spread, ln(1 + the number of equal shares that would make it up as its terms
do)."""
TITLE_FOUND, TITLE_FINDS = CHANNELS.index("title_found"), CHANNELS.index("title_finds")
STATISTICS = ("mean", "best", "founder")
FLOOR = 0.02

PAIR_FEATURES = tuple(f"{channel}_{statistic}" for channel in CHANNELS for statistic in STATISTICS)
TITLE_FEATURES = ("title_names_unknown", "title_names_missed")
TIME_FEATURES = (
    "dates_shared", "dates_differ", "first_day_same", "first_day_differs",
    "near_newest", "near_oldest", "near_mean", "gap_days",
)  # fmt: skip
SIZE_FEATURES = ("size", "single", "tightness", "level", "margin")
FEATURES = PAIR_FEATURES + TITLE_FEATURES + TIME_FEATURES + SIZE_FEATURES
"""In the order of the arrays. title_names_unknown: share, by weight, of the names in the article's title that
no exemplar has; title_names_missed: of those in the exemplars' titles, the mean share that the article lacks.
Two matches of one team, two visits of one president differ in these. dates_shared, dates_differ: share of the
exemplars that name a common day, or days but no common one. first_day_same, first_day_differs: share of which
the first day named, mostly that of the event, is the article's first, or of which neither names the other's
first day. near_*: Gaussians (sigma 72 h, after Miranda et al. 2018) of the gap to the story's newest, oldest
and mean publication time; gap_days: minus the gap to the newest. size: -ln(1 + articles); single: 1 for a
story of one. tightness: mean text cosine with the story over that within the story, 1 for a story of one.
level: mean text cosine; margin: how much of it the next best story does not have."""

SIGMA_HOURS = 72.0
NEUTRAL_GAP_HOURS = 96.0
"""The gap assumed where a date is unknown: nearer than most stories, farther than most of one event."""
UNKNOWN = -1
"""A publication time that nobody gave. Known ones are later than 1990, see `clock.known_time`."""
MOST_GAP_DAYS = 30.0
MOST_TIGHTNESS = 2.0
MOST_MARGIN = 0.08
"""More lead over the next best story says no more: in a young or quiet edition there is no rival at all."""

_PAIR = len(PAIR_FEATURES)
_UNKNOWN_NAMES, _MISSED_NAMES = _PAIR, _PAIR + 1
_DATES_SHARED, _DATES_DIFFER, _FIRST_SAME, _FIRST_DIFFERS, _NEAR = range(_PAIR + 2, _PAIR + 7)
_GAP = _NEAR + 3
_SIZE, _SINGLE, _TIGHTNESS, LEVEL, _MARGIN = range(_GAP + 1, _GAP + 6)


@numba.njit(cache=True)
def covered(ids_a, weights_a, lo_a, hi_a, ids_b, lo_b, hi_b):  # type: ignore[no-untyped-def]
    """Return the share of a's weight that stands on ids of b."""
    total = 0.0
    found = 0.0
    j = lo_b
    for i in range(lo_a, hi_a):
        total += weights_a[i]
        while j < hi_b and ids_b[j] < ids_a[i]:
            j += 1
        if j < hi_b and ids_b[j] == ids_a[i]:
            found += weights_a[i]
    return found / total if total > 0 else 0.0


@numba.njit(cache=True)
def words_contents(ids, at):  # type: ignore[no-untyped-def]
    """Return the contents of a profile's text, which is to be compared with many others."""
    return contents_of(ids, at[0], at[1], TERM_BITS)


@numba.njit(cache=True)
def _length(weights, lo, hi):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(lo, hi):
        total += float(weights[i]) * float(weights[i])
    return math.sqrt(total)


@numba.njit(cache=True)
def _cosine(ids_a, weights_a, lo_a, hi_a, ids_b, weights_b, lo_b, hi_b):  # type: ignore[no-untyped-def]
    """Return the cosine of two lists that need not have unit length, 0 where one is empty."""
    length = _length(weights_a, lo_a, hi_a) * _length(weights_b, lo_b, hi_b)
    return inner(ids_a, weights_a, lo_a, hi_a, ids_b, weights_b, lo_b, hi_b) / length if length > 0 else 0.0


@numba.njit(cache=True)
def compare_pair(ids, weights, at, contents, rare, other_ids, other_weights, o, out):  # type: ignore[no-untyped-def]
    """Fill `out` with the channels of two profiles and with what links look at beside them (PAIR_MEASURES).

    `at`, `o`: where the sections of each begin and the last one ends; `contents`: see `words_contents`, and
    `rare`: which of its words are, of the first one.
    """
    total, squares, shared, shared_rare = spread(
        ids, weights, at[0], at[1], contents, TERM_BITS, other_ids, other_weights, o[0], o[1], rare
    )
    out[0] = total
    out[1] = _cosine(ids, weights, at[1], at[2], other_ids, other_weights, o[1], o[2])
    out[2] = _cosine(ids, weights, at[2], at[3], other_ids, other_weights, o[2], o[3])
    out[3] = inner(ids, weights, at[3], at[4], other_ids, other_weights, o[3], o[4])
    out[4] = math.log(1.0 + shared_rare)
    words, end = TITLE_WORDS, TITLE_WORDS + 1
    out[TITLE_FOUND] = covered(ids, weights, at[words], at[end], other_ids, o[0], o[1])
    out[TITLE_FINDS] = covered(other_ids, other_weights, o[words], o[end], ids, at[0], at[1])
    out[7] = shared / max(1, min(at[1] - at[0], o[1] - o[0]))
    out[8] = math.log(1.0 + total * total / squares) if squares > 0 else 0.0


@numba.njit(cache=True)
def compare_days(ids, weights, at, other_ids, other_weights, o):  # type: ignore[no-untyped-def]
    """Return how the days named in two profiles agree, and how the first ones do: 1, 0 or -1 each.

    Days agree (1) if one is in common, the first ones if they are the same; they differ (-1) if both name
    days and none is in common, or neither names the other's first; else nothing is said (0).
    """
    if at[5] == at[4] or o[5] == o[4]:
        return 0, 0
    days = -1
    first = -1
    i = at[4]
    j = o[4]
    while i < at[5] and j < o[5]:
        if ids[i] == other_ids[j]:
            days = 1
            mine = weights[i] > OTHER_DAY
            theirs = other_weights[j] > OTHER_DAY
            if mine and theirs:
                first = 1
            elif (mine or theirs) and first < 0:
                first = 0
            i += 1
            j += 1
        elif ids[i] < other_ids[j]:
            i += 1
        else:
            j += 1
    return days, first


@numba.njit(cache=True)
def _missed(ids, weights, at, other_ids, o):  # type: ignore[no-untyped-def]
    """Return the share of the names in a title, by weight, that the other article lacks; 0 without names."""
    if at[6] == at[5]:
        return 0.0
    return 1.0 - covered(ids, weights, at[5], at[6], other_ids, o[2], o[3])


@numba.njit(cache=True)
def _unknown(ids, weights, at, other_ids, places, members):  # type: ignore[no-untyped-def]
    """Return the share of the names in an article's title, by weight, that no member of a story has."""
    total = 0.0
    unknown = 0.0
    for i in range(at[5], at[6]):
        total += weights[i]
        found = False
        for member in members:
            o = places[member]
            for j in range(o[2], o[3]):
                found = found or other_ids[j] == ids[i]
        if not found:
            unknown += weights[i]
    return unknown / total if total > 0 else 0.0


@numba.njit(cache=True)
def _exemplars(ids, weights, at, contents, rare, other_ids, other_weights, places, members, channels, out):  # type: ignore[no-untyped-def]
    """Fill `out` with what a story's members say one by one; return the position of the closest member."""
    exemplars = len(members)
    best = 0
    closest = -1.0
    for e in range(exemplars):
        o = places[members[e]]
        compare_pair(ids, weights, at, contents, rare, other_ids, other_weights, o, channels)
        out[_MISSED_NAMES] += _missed(other_ids, other_weights, o, ids, at) / exemplars
        days, first = compare_days(ids, weights, at, other_ids, other_weights, o)
        if days != 0:
            out[_DATES_SHARED if days > 0 else _DATES_DIFFER] += 1 / exemplars
        if first != 0:
            out[_FIRST_SAME if first > 0 else _FIRST_DIFFERS] += 1 / exemplars
        if channels[0] > closest:
            closest = channels[0]
            best = e
        for c in range(7):
            out[3 * c] += channels[c] / exemplars
            if channels[c] > out[3 * c + 1]:
                out[3 * c + 1] = channels[c]
            if e == 0:
                out[3 * c + 2] = channels[c]
    out[_UNKNOWN_NAMES] = _unknown(ids, weights, at, other_ids, places, members)
    return best


@numba.njit(cache=True)
def compare_stories(  # type: ignore[no-untyped-def]
    ids, weights, at, rare, published, other_ids, other_weights, places, members, bounds, times, sizes,
    cohesions, out, closest,
):  # fmt: skip
    """Fill a row of `out` and a place of `closest` for each story, see `compare`."""
    channels = np.empty(len(PAIR_MEASURES), dtype=np.float64)
    contents = words_contents(ids, at)
    stories = len(bounds) - 1
    for s in range(stories):
        values = out[s]
        closest[s] = _exemplars(
            ids, weights, at, contents, rare, other_ids, other_weights, places,
            members[bounds[s] : bounds[s + 1]], channels, values,
        )  # fmt: skip
        for t in range(3):
            gap = NEUTRAL_GAP_HOURS
            if published != UNKNOWN and times[s, t] != UNKNOWN:
                gap = abs(published - times[s, t]) / 3600
            values[_NEAR + t] = math.exp(-((gap / SIGMA_HOURS) ** 2) / 2)
            if t == 0:
                values[_GAP] = -min(gap / 24, MOST_GAP_DAYS)
        values[_SIZE] = -math.log(1.0 + sizes[s])
        values[_SINGLE] = 1.0 if sizes[s] == 1 else 0.0
        values[_TIGHTNESS] = min(values[0] / cohesions[s], MOST_TIGHTNESS) if cohesions[s] > 0 else 1.0
        values[LEVEL] = values[0]
    for s in range(stories):
        rival = 0.0
        first = True
        for other in range(stories):
            if other != s and (first or out[other, 0] > rival):
                rival = out[other, 0]
                first = False
        out[s, _MARGIN] = min(out[s, 0] - rival, MOST_MARGIN)


class Compared(NamedTuple):
    """What an article is compared with: story s has the members `bounds[s]` to `bounds[s + 1]`."""

    profiles: Profiles
    members: npt.NDArray[np.int64]
    """Places in `profiles` of the stories' exemplars."""
    bounds: npt.NDArray[np.int64]
    times: npt.NDArray[np.int64]
    """Newest, oldest and mean publication time of each story, see `times_of`."""
    sizes: npt.NDArray[np.int64]
    """How many articles each story has, copies left out."""
    cohesions: npt.NDArray[np.float64]
    """See `cohesion_of`."""


class Seen(NamedTuple):
    """One article against several stories: a row of raw values in the order of FEATURES for each."""

    values: npt.NDArray[np.float64]
    closest: npt.NDArray[np.int64]
    """Which of its exemplars is the closest, for each story."""


def times_of(newest: str | None, oldest: str | None, mean: str | None) -> tuple[int, int, int]:
    """Return a record's event times in seconds since the epoch, UNKNOWN where they are."""
    if newest is None or oldest is None or mean is None:
        return (UNKNOWN, UNKNOWN, UNKNOWN)
    return (seconds(newest), seconds(oldest), seconds(mean))


def compare(article: Profile, rare: npt.NDArray[np.bool_], published: int, stories: Compared) -> Seen:
    """Return the raw features of an article against each story, each the others' rival.

    `rare`: which of the article's words are; `published`: seconds since the epoch, or UNKNOWN.
    """
    count = len(stories.sizes)
    seen = Seen(np.zeros((count, len(FEATURES))), np.zeros(count, dtype=np.int64))
    compare_stories(
        article.ids, article.weights, article.offsets, rare, published, *stories.profiles, stories.members,
        stories.bounds, stories.times, stories.sizes, stories.cohesions, *seen,
    )  # fmt: skip
    return seen


def cohesion_of(profiles: Profiles, members: npt.NDArray[np.int64]) -> float:
    """Return the mean text cosine of a story's exemplars with each other, 0 if there is only one."""
    return float(cohesion(profiles.ids, profiles.weights, profiles.places, members))


@numba.njit(cache=True)
def cohesion(ids, weights, places, members):  # type: ignore[no-untyped-def]
    """Return what `cohesion_of` does."""
    exemplars = len(members)
    total = 0.0
    for a in range(exemplars):
        for b in range(a):
            p = places[members[a]]
            q = places[members[b]]
            total += inner(ids, weights, p[0], p[1], ids, weights, q[0], q[1])
    return 2 * total / (exemplars * (exemplars - 1)) if exemplars > 1 else 0.0


@numba.njit(cache=True)
def closeness(ids, weights, places, members, out):  # type: ignore[no-untyped-def]
    """Add to `out` the mean text cosine of each of a story's exemplars with the others, if there are any."""
    exemplars = len(members)
    for a in range(exemplars):
        for b in range(a):
            p = places[members[a]]
            q = places[members[b]]
            cosine = inner(ids, weights, p[0], p[1], ids, weights, q[0], q[1]) / (exemplars - 1)
            out[a] += cosine
            out[b] += cosine


def with_rivals(values: npt.NDArray[np.float64], cosines: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return rows of raw features as they are when a story of this mean text cosine competes, one a row."""
    rivalled = values.copy()
    rivalled[:, _MARGIN] = np.minimum(rivalled[:, LEVEL] - cosines, MOST_MARGIN)
    return rivalled


@numba.njit(cache=True)
def scaled(values):  # type: ignore[no-untyped-def]
    """Return rows of features as the rules take them: pair features as ln(value + FLOOR)."""
    features = values.copy()
    for row in features:
        for feature in range(_PAIR):
            row[feature] = math.log(row[feature] + FLOOR)
    return features
