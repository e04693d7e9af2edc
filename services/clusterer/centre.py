"""What a story is about as a whole: the sum of its exemplars' profiles, a profile itself.

Articles join by what single articles say; stories are linked by their centres, in which what most articles
share outweighs what one of them mentions. Names have their mean weight, so that stories of any size compare.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np

from services.clusterer.pool import together
from services.clusterer.profile import NAMES, NUMBERS, SECTIONS, TEXT, Profile
from services.clusterer.vectors import heaviest, unit

MOST = (160, 40, 24, 24, 16, 16, 40, 24)
"""How many ids a centre keeps of each section: the heaviest."""


def centre_of(profiles: Sequence[Profile]) -> Profile:
    """Return the centre of one or more profiles."""
    if len(profiles) == 1:
        return profiles[0]
    whole = together(profiles)
    ids, sums, offsets = _sums(*whole, np.array(MOST))
    for section in range(SECTIONS):
        place = slice(offsets[section], offsets[section + 1])
        if section in (TEXT, NUMBERS):
            sums[place] = unit(sums[place])
        elif section == NAMES:
            sums[place] /= len(profiles)
    return Profile(ids, sums, offsets)


@numba.njit(cache=True)
def _sums(ids, weights, places, most):  # type: ignore[no-untyped-def]
    """Return the heaviest ids of each section with the sums of their weights, and where sections begin."""
    found = np.empty(len(ids), dtype=np.uint32)
    sums = np.empty(len(ids), dtype=np.float32)
    offsets = np.zeros(len(most) + 1, dtype=np.int32)
    end = 0
    for section in range(len(most)):
        known = found[:0]
        total = np.empty(0, dtype=np.float64)
        for profile in places:
            lo = profile[section]
            hi = profile[section + 1]
            known, total = _sum(known, total, ids[lo:hi], weights[lo:hi])
        kept, heavy = heaviest(known, total.astype(np.float32), most[section])
        found[end : end + len(kept)] = kept
        sums[end : end + len(kept)] = heavy
        end += len(kept)
        offsets[section + 1] = end
    return found[:end].copy(), sums[:end].copy(), offsets


@numba.njit(cache=True)
def _sum(ids_a, weights_a, ids_b, weights_b):  # type: ignore[no-untyped-def]
    """Return the ids, ascending, of two lists of ascending ids, and the sums of their weights."""
    ids = np.empty(len(ids_a) + len(ids_b), dtype=np.uint32)
    sums = np.empty(len(ids), dtype=np.float64)
    i = 0
    j = 0
    count = 0
    while i < len(ids_a) or j < len(ids_b):
        mine = i < len(ids_a) and (j == len(ids_b) or ids_a[i] <= ids_b[j])
        other = j < len(ids_b) and (i == len(ids_a) or ids_b[j] <= ids_a[i])
        ids[count] = ids_a[i] if mine else ids_b[j]
        sums[count] = (weights_a[i] if mine else 0.0) + (weights_b[j] if other else 0.0)
        i += mine
        j += other
        count += 1
    return ids[:count], sums[:count]
