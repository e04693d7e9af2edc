"""Sparse vectors, each with ascending ids, compared in compiled code.

Two lists are walked once, side by side. Which of them to go on with is computed, not branched on: a
processor cannot guess it, and a wrong guess costs more than all else in the loop. One list that is compared
with many gets a table of contents, so that an id which is not in it, as most are not, is passed over with
one look. Either way products are added in ascending order of ids: the sums are the same to the last bit.
"""

from __future__ import annotations

import numba
import numpy as np

SHELF_BITS = 12
"""Ids of a list of contents lie on so many shelves (a power of two), by their first bits: ids are hashes, so
most shelves hold none of a hundred ids."""


@numba.njit(cache=True)
def inner(ids_a, weights_a, lo_a, hi_a, ids_b, weights_b, lo_b, hi_b):  # type: ignore[no-untyped-def]
    """Return the inner product of `a[lo_a:hi_a]` and `b[lo_b:hi_b]`."""
    total = 0.0
    i = lo_a
    j = lo_b
    while i < hi_a and j < hi_b:
        mine = ids_a[i]
        other = ids_b[j]
        if mine == other:
            total += float(weights_a[i]) * float(weights_b[j])
        i += mine <= other
        j += other <= mine
    return total


@numba.njit(cache=True)
def overlap(ids_a, weights_a, lo_a, hi_a, ids_b, weights_b, lo_b, hi_b):  # type: ignore[no-untyped-def]
    """Return the sum of what both lists have: of each id the smaller weight (Swain & Ballard 1991)."""
    total = 0.0
    i = lo_a
    j = lo_b
    while i < hi_a and j < hi_b:
        mine = ids_a[i]
        other = ids_b[j]
        if mine == other:
            total += min(weights_a[i], weights_b[j])
        i += mine <= other
        j += other <= mine
    return total


@numba.njit(cache=True)
def contents_of(ids, lo, hi, bits):  # type: ignore[no-untyped-def]
    """Return where in `ids[lo:hi]` each shelf begins, `hi` where it is empty; ids have up to `bits` bits."""
    begins = np.full(1 << SHELF_BITS, hi, dtype=np.int32)
    for i in range(hi - 1, lo - 1, -1):
        begins[ids[i] >> np.uint32(bits - SHELF_BITS)] = i
    return begins


@numba.njit(cache=True)
def spread(ids_a, weights_a, lo_a, hi_a, begins, bits, ids_b, weights_b, lo_b, hi_b, rare):  # type: ignore[no-untyped-def]
    """Return the inner product, the sum of the squares of its terms, how many these are and how many rare.

    `begins`: the contents of `a[lo_a:hi_a]`, whose ids have up to `bits` bits; `rare`: a flag for each.
    """
    total = 0.0
    squares = 0.0
    shared = 0
    found = 0
    for j in range(lo_b, hi_b):
        i = begins[ids_b[j] >> np.uint32(bits - SHELF_BITS)]
        if i == hi_a:
            continue
        while i < hi_a and ids_a[i] < ids_b[j]:
            i += 1
        if i < hi_a and ids_a[i] == ids_b[j]:
            share = float(weights_a[i]) * float(weights_b[j])
            total += share
            squares += share * share
            shared += 1
            found += rare[i - lo_a]
    return total, squares, shared, found


@numba.njit(cache=True)
def common(ids_a, ids_b):  # type: ignore[no-untyped-def]
    """Return the ids that two lists share, ascending."""
    found = np.empty(min(len(ids_a), len(ids_b)), dtype=np.uint32)
    count = 0
    i = 0
    j = 0
    while i < len(ids_a) and j < len(ids_b):
        mine = ids_a[i]
        other = ids_b[j]
        if mine == other:
            found[count] = mine
            count += 1
        i += mine <= other
        j += other <= mine
    return found[:count]
