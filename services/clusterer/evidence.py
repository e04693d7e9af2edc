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
from services.clusterer.profile import Profile

CHANNELS = ("text", "title", "names", "numbers", "rare", "title_found", "title_finds")
"""text: cosine of the vectors; title: of the titles; names: of the entities weighted by rarity and salience;
numbers: of the numbers; rare: ln(1 + number of shared terms that are as rare as unseen ones);
title_found: share of the article's title that the other text holds; title_finds: the reverse."""
STATISTICS = ("mean", "best", "founder")
FLOOR = 0.02

PAIR_FEATURES = tuple(f"{channel}_{statistic}" for channel in CHANNELS for statistic in STATISTICS)
TIME_FEATURES = ("dates_shared", "dates_differ", "near_newest", "near_oldest", "near_mean", "gap_days")
SIZE_FEATURES = ("size", "single", "tightness", "level", "margin")
FEATURES = PAIR_FEATURES + TIME_FEATURES + SIZE_FEATURES
"""In the order of the arrays. dates_shared, dates_differ: share of the exemplars that name a common day, or
days but no common one. near_*: Gaussians (sigma 72 h, after Miranda et al. 2018) of the gap to the story's
newest, oldest and mean publication time; gap_days: minus the gap to the newest. size: -ln(1 + articles);
single: 1 for a story of one. tightness: mean text cosine with the story over that within the story, 1 for a
story of one. level: mean text cosine; margin: how much of it the next best story does not have."""

SIGMA_HOURS = 72.0
NEUTRAL_GAP_HOURS = 36.0
"""The gap assumed where a date is unknown: unknown is neither near nor far."""
MOST_GAP_DAYS = 30.0
MOST_TIGHTNESS = 2.0

_CHANNELS = len(CHANNELS)
_PAIR = len(PAIR_FEATURES)


class Profiles(NamedTuple):
    """Several profiles one after the other: the sections of profile e start at `offsets[5 * e]`."""

    ids: npt.NDArray[np.uint32]
    weights: npt.NDArray[np.float32]
    offsets: npt.NDArray[np.int32]


def joined(profiles: list[Profile]) -> Profiles:
    """Return profiles in one piece, as the compiled comparison reads them."""
    starts = np.cumsum([0, *(len(p.ids) for p in profiles)])
    return Profiles(
        np.concatenate([p.ids for p in profiles]),
        np.concatenate([p.weights for p in profiles]),
        np.concatenate(
            [p.offsets[:-1] + start for p, start in zip(profiles, starts, strict=False)] + [starts[-1:]]
        ).astype(np.int32),
    )


@numba.njit(cache=True)
def _inner(ids_a, weights_a, lo_a, hi_a, ids_b, weights_b, lo_b, hi_b):  # type: ignore[no-untyped-def]
    total = 0.0
    i = lo_a
    j = lo_b
    while i < hi_a and j < hi_b:
        if ids_a[i] == ids_b[j]:
            total += float(weights_a[i]) * float(weights_b[j])
            i += 1
            j += 1
        elif ids_a[i] < ids_b[j]:
            i += 1
        else:
            j += 1
    return total


@numba.njit(cache=True)
def _covered(ids_a, weights_a, lo_a, hi_a, ids_b, lo_b, hi_b):  # type: ignore[no-untyped-def]
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
def _length(weights, lo, hi):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(lo, hi):
        total += float(weights[i]) * float(weights[i])
    return math.sqrt(total)


@numba.njit(cache=True)
def _pair(ids, weights, offsets, rare, other_ids, other_weights, other_offsets, e, out):  # type: ignore[no-untyped-def]
    """Fill `out` with the channels of one article and exemplar `e` of a story; return -1, 0, 1 for dates."""
    o = other_offsets[5 * e : 5 * e + 6]
    total = 0.0
    shared_rare = 0
    i = offsets[0]
    j = o[0]
    while i < offsets[1] and j < o[1]:
        if ids[i] == other_ids[j]:
            total += float(weights[i]) * float(other_weights[j])
            if rare[i]:
                shared_rare += 1
            i += 1
            j += 1
        elif ids[i] < other_ids[j]:
            i += 1
        else:
            j += 1
    out[0] = total
    length = _length(weights, offsets[1], offsets[2]) * _length(other_weights, o[1], o[2])
    title = _inner(ids, weights, offsets[1], offsets[2], other_ids, other_weights, o[1], o[2])
    out[1] = title / length if length > 0 else 0.0
    out[2] = _inner(ids, weights, offsets[2], offsets[3], other_ids, other_weights, o[2], o[3])
    out[3] = _inner(ids, weights, offsets[3], offsets[4], other_ids, other_weights, o[3], o[4])
    out[4] = math.log(1.0 + shared_rare)
    out[5] = _covered(ids, weights, offsets[1], offsets[2], other_ids, o[0], o[1])
    out[6] = _covered(other_ids, other_weights, o[1], o[2], ids, offsets[0], offsets[1])
    if offsets[5] == offsets[4] or o[5] == o[4]:
        return 0
    dates = _inner(ids, weights, offsets[4], offsets[5], other_ids, other_weights, o[4], o[5])
    return 1 if dates > 0 else -1


@numba.njit(cache=True)
def _compare(ids, weights, offsets, rare, other_ids, other_weights, other_offsets, out):  # type: ignore[no-untyped-def]
    """Fill `out` with the pair and date features; return the position of the closest exemplar."""
    exemplars = (len(other_offsets) - 1) // 5
    channels = np.empty(7, dtype=np.float64)
    best = 0
    closest = -1.0
    out[:] = 0.0
    shared = 0
    differ = 0
    for e in range(exemplars):
        date = _pair(ids, weights, offsets, rare, other_ids, other_weights, other_offsets, e, channels)
        if date > 0:
            shared += 1
        elif date < 0:
            differ += 1
        if channels[0] > closest:
            closest = channels[0]
            best = e
        for c in range(7):
            out[3 * c] += channels[c] / exemplars
            if channels[c] > out[3 * c + 1]:
                out[3 * c + 1] = channels[c]
            if e == 0:
                out[3 * c + 2] = channels[c]
    out[21] = shared / exemplars
    out[22] = differ / exemplars
    return best


@numba.njit(cache=True)
def compare_pair(ids, weights, offsets, rare, other_ids, other_weights, other_offsets, e, out):  # type: ignore[no-untyped-def]
    """Fill `out` with the channels of one article and exemplar `e`, and its last place with the dates."""
    out[7] = _pair(ids, weights, offsets, rare, other_ids, other_weights, other_offsets, e, out)


class Seen(NamedTuple):
    """One article against one story: raw values in the order of FEATURES, and the closest exemplar."""

    values: npt.NDArray[np.float64]
    closest: int


class Times(NamedTuple):
    """Known publication times of a story in seconds since the epoch; None where none is known."""

    newest: int
    oldest: int
    mean: int


def times_of(newest: str | None, oldest: str | None, mean: str | None) -> Times | None:
    """Return a record's event times as numbers, None where they are unknown."""
    if newest is None or oldest is None or mean is None:
        return None
    return Times(seconds(newest), seconds(oldest), seconds(mean))


def compare(
    article: Profile,
    rare: npt.NDArray[np.bool_],
    published: int | None,
    story: Profiles,
    times: Times | None,
    articles: int,
    cohesion: float,
) -> Seen:
    """Return the raw features of an article against a story; `margin` is left at 0.

    `published`: seconds since the epoch, None if unknown; `cohesion`: see `cohesion_of`.
    """
    values = np.zeros(len(FEATURES))
    closest = _compare(
        article.ids, article.weights, article.offsets, rare, story.ids, story.weights, story.offsets,
        values[: _PAIR + 2],
    )  # fmt: skip
    gaps = [NEUTRAL_GAP_HOURS] * 3
    if published is not None and times is not None:
        gaps = [abs(published - time) / 3600 for time in times]
    at = _PAIR + 2
    for i, gap in enumerate(gaps):
        values[at + i] = math.exp(-((gap / SIGMA_HOURS) ** 2) / 2)
    values[at + 3] = -min(gaps[0] / 24, MOST_GAP_DAYS)
    values[at + 4] = -math.log(1 + articles)
    values[at + 5] = float(articles == 1)
    values[at + 6] = min(values[0] / cohesion, MOST_TIGHTNESS) if cohesion > 0 else 1.0
    values[at + 7] = values[0]
    return Seen(values, int(closest))


def cohesion_of(story: Profiles) -> float:
    """Return the mean text cosine of a story's exemplars with each other, 0 if there is only one."""
    return float(_cohesion(story.ids, story.weights, story.offsets))


@numba.njit(cache=True)
def _cohesion(ids, weights, offsets):  # type: ignore[no-untyped-def]
    exemplars = (len(offsets) - 1) // 5
    total = 0.0
    for a in range(exemplars):
        for b in range(a):
            total += _inner(
                ids, weights, offsets[5 * a], offsets[5 * a + 1],
                ids, weights, offsets[5 * b], offsets[5 * b + 1],
            )  # fmt: skip
    return 2 * total / (exemplars * (exemplars - 1)) if exemplars > 1 else 0.0


def with_margins(seen: list[Seen]) -> None:
    """Fill in `margin`: the mean text cosine minus the largest one of the other stories."""
    cosines = [s.values[0] for s in seen]
    for i, s in enumerate(seen):
        others = cosines[:i] + cosines[i + 1 :]
        s.values[-1] = cosines[i] - max(others, default=0.0)


def without_rivals(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return raw features as they are when no other story competes."""
    alone = values.copy()
    alone[-1] = alone[-2]
    return alone


def scaled(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return features as the rules take them: pair features as ln(value + FLOOR), the rest as they are."""
    features = values.copy()
    features[..., :_PAIR] = np.log(features[..., :_PAIR] + FLOOR)
    return features
