"""Two sparse vectors, each with ascending ids, compared in compiled code.

Both lists are walked once. Which of them to go on with is computed, not branched on: a processor cannot
guess it, and a wrong guess costs more than all else in the loop.
"""

from __future__ import annotations

import numba


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
def spread(ids_a, weights_a, lo_a, hi_a, ids_b, weights_b, lo_b, hi_b, rare):  # type: ignore[no-untyped-def]
    """Return the inner product, the sum of the squares of its terms, and how many of its ids are rare.

    `rare`: a flag for each id of `a[lo_a:hi_a]`.
    """
    total = 0.0
    squares = 0.0
    found = 0
    i = lo_a
    j = lo_b
    while i < hi_a and j < hi_b:
        mine = ids_a[i]
        other = ids_b[j]
        if mine == other:
            share = float(weights_a[i]) * float(weights_b[j])
            total += share
            squares += share * share
            found += rare[i - lo_a]
        i += mine <= other
        j += other <= mine
    return total, squares, found
