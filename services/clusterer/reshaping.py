"""When two stories are one and when one story is two: the join rule, asked of whole stories.

Would each article of one story join the other, and each of the other this one, though it has one already?
The mean of the log-odds over all of them decides. Two stories are merged when it is very high, a
story is split along its weakest seam when it is very low.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from services.clusterer.evidence import (
    FEATURES,
    UNKNOWN,
    closeness,
    cohesion,
    compare_stories,
    scaled,
    with_rivals,
)
from services.clusterer.parameters import Rule
from services.clusterer.pool import together
from services.clusterer.profile import Profile
from services.clusterer.sparse import inner
from services.clusterer.vectors import Vectorizer


class Group(NamedTuple):
    """Articles that are compared as one story."""

    profiles: list[Profile]
    published: list[int]
    """Seconds since the epoch, or UNKNOWN."""

    def part(self, positions: list[int]) -> Group:
        """Return some of the articles."""
        return Group([self.profiles[i] for i in positions], [self.published[i] for i in positions])


def mutual_odds(a: Group, b: Group, rule: Rule, vectorizer: Vectorizer) -> float:
    """Return the mean log-odds of each article of `a` joining `b` and each of `b` joining `a`.

    An article's own side is the rival of the other one: if the two are one story, it is as close to both.
    """
    whole = together([*a.profiles, *b.profiles])
    values = np.zeros((len(whole.places), len(FEATURES)))
    own = np.zeros(len(whole.places))
    published = np.array([*a.published, *b.published], dtype=np.int64)
    _cross(*whole, vectorizer.rare(whole.ids), published, len(a.profiles), values, own)
    odds = rule.odds(scaled(with_rivals(values, own)))
    return sum(odds) / len(odds)


@numba.njit(cache=True)
def _cross(ids, weights, places, rare, published, first, values, own):  # type: ignore[no-untyped-def]
    """Fill a row of `values` for each article: its raw features with the story that it does not belong to.

    The `first` articles are of one story, the others of another one. `own`: see `closeness`.
    """
    articles = np.arange(len(places))
    closest = np.empty(1, dtype=np.int64)
    for side in range(2):
        mine = articles[:first] if side == 0 else articles[first:]
        other = articles[first:] if side == 0 else articles[:first]
        closeness(ids, weights, places, mine, own[mine[0] : mine[-1] + 1])
        times = _times(published[other])
        bounds = np.array([0, len(other)])
        sizes = np.array([len(other)])
        cohesions = np.array([cohesion(ids, weights, places, other)])
        for article in mine:
            at = places[article]
            compare_stories(
                ids, weights, at, rare[at[0] : at[1]], published[article], ids, weights, places, other,
                bounds, times, sizes, cohesions, values[article : article + 1], closest,
            )  # fmt: skip


@numba.njit(cache=True)
def _times(published):  # type: ignore[no-untyped-def]
    """Return the newest, the oldest and the mean time of a story's articles in a row."""
    known = published[published != UNKNOWN]
    times = np.full((1, 3), UNKNOWN, dtype=np.int64)
    if len(known):
        times[0, 0] = known.max()
        times[0, 1] = known.min()
        times[0, 2] = known.sum() // len(known)
    return times


def weakest_seam(story: Group) -> tuple[list[int], list[int]] | None:
    """Return the positions of a story's exemplars on both sides of its weakest seam, the founder's first.

    The seam is the weakest link of the strongest chain that holds the story together (the lightest edge of
    the maximum spanning tree over text cosines). None where a side would be a single article: that one may
    just be written differently.
    """
    count = len(story.profiles)
    if count < SMALLEST_SPLIT:
        return None
    side = _cut(*together(story.profiles))
    first = [i for i in range(count) if side[i] == side[0]]
    second = [i for i in range(count) if side[i] != side[0]]
    return (first, second) if min(len(first), len(second)) > 1 else None


SMALLEST_SPLIT = 4


@numba.njit(cache=True)
def _cut(ids, weights, places):  # type: ignore[no-untyped-def]
    """Return a side (0 or 1) for each exemplar."""
    n = len(places)
    similar = np.zeros((n, n))
    for a in range(n):
        for b in range(a):
            similar[a, b] = inner(
                ids, weights, places[a, 0], places[a, 1], ids, weights, places[b, 0], places[b, 1]
            )
            similar[b, a] = similar[a, b]
    parent = np.full(n, -1, dtype=np.int64)
    strength = np.full(n, -1.0)
    inside = np.zeros(n, dtype=np.bool_)
    inside[0] = True
    for a in range(1, n):
        parent[a] = 0
        strength[a] = similar[a, 0]
    for _ in range(n - 1):
        best = -1
        for a in range(n):
            if not inside[a] and (best < 0 or strength[a] > strength[best]):
                best = a
        inside[best] = True
        for a in range(n):
            if not inside[a] and similar[a, best] > strength[a]:
                strength[a] = similar[a, best]
                parent[a] = best
    weakest = 1
    for a in range(2, n):
        if strength[a] < strength[weakest]:
            weakest = a
    side = np.zeros(n, dtype=np.int64)
    side[weakest] = 1
    changed = True
    while changed:
        changed = False
        for a in range(1, n):
            if a != weakest and side[a] != side[parent[a]]:
                side[a] = side[parent[a]]
                changed = True
    return side
