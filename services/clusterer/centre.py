"""What a story is about as a whole: the sum of its exemplars' profiles, a profile itself.

Articles join by what single articles say; stories are linked by their centres, in which what most articles
share outweighs what one of them mentions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from services.clusterer.pool import together
from services.clusterer.profile import DATES, SECTIONS, TITLE, TITLE_NAMES, Profile
from services.clusterer.vectors import unit

MOST = (160, 40, 24, 24, 16, 16)
"""How many ids a centre keeps of each section: the heaviest."""


def centre_of(profiles: Sequence[Profile]) -> Profile:
    """Return the centre of one or more profiles."""
    if len(profiles) == 1:
        return profiles[0]
    whole = together(profiles)
    ids, sums, offsets = _sums(*whole, np.array(MOST))
    for section in range(SECTIONS):
        if section not in (TITLE, DATES, TITLE_NAMES):
            place = slice(offsets[section], offsets[section + 1])
            sums[place] = unit(sums[place])
    return Profile(ids, sums, offsets)


@numba.njit(cache=True)
def _sums(ids, weights, places, most):  # type: ignore[no-untyped-def]
    """Return the heaviest ids of each section with the sums of their weights, and where sections begin."""
    total = 0
    for profile in places:
        total += profile[-1] - profile[0]
    found = np.empty(total, dtype=np.uint32)
    sums = np.empty(total, dtype=np.float32)
    offsets = np.zeros(len(most) + 1, dtype=np.int32)
    end = 0
    for section in range(len(most)):
        size = 0
        for profile in places:
            size += profile[section + 1] - profile[section]
        at = np.empty(size, dtype=np.int64)
        size = 0
        for profile in places:
            for i in range(profile[section], profile[section + 1]):
                at[size] = i
                size += 1
        at = at[np.argsort(ids[at], kind="mergesort")]
        count = 0
        i = 0
        while i < size:
            same = ids[at[i]]
            sum_ = 0.0
            while i < size and ids[at[i]] == same:
                sum_ += float(weights[at[i]])
                i += 1
            found[end + count] = same
            sums[end + count] = sum_
            count += 1
        if count > most[section]:
            heaviest = np.argsort(-sums[end : end + count], kind="mergesort")[: most[section]]
            kept = 0
            for i in np.sort(heaviest):
                found[end + kept] = found[end + i]
                sums[end + kept] = sums[end + i]
                kept += 1
            count = kept
        end += count
        offsets[section + 1] = end
    return found[:end].copy(), sums[:end].copy(), offsets
