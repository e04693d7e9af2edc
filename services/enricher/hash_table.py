"""An open-addressing table from integer keys to rows, made once and read by compiled code."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def hash_table(keys: list[int]) -> tuple[Ints, Ints]:
    """Return an open-addressing table: key k of `keys` maps to its position + 1; size a power of two."""
    size = 8
    while size < 2 * len(keys):
        size *= 2
    slots = np.full(size, -1, np.int64)
    rows = np.zeros(size, np.int64)
    if keys:
        _fill(slots, rows, np.array(keys, np.int64))
    return slots, rows


@njit(cache=True, inline="always")
def _slot(key: int, size: int) -> np.int64:
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)  # Knuth's multiplicative hash, 64 bits
    return np.int64((mixed >> np.uint64(32)) & np.uint64(size - 1))


@njit(cache=True)
def _fill(slots: Ints, rows: Ints, keys: Ints) -> None:
    for i in range(keys.shape[0]):
        at = _slot(keys[i], slots.shape[0])
        while slots[at] != -1:
            at = (at + 1) & (slots.shape[0] - 1)
        slots[at] = keys[i]
        rows[at] = i + 1


@njit(cache=True)
def row_of(key: int, slots: Ints, rows: Ints) -> int:
    """Return the position + 1 that a key of the table `slots`, `rows` maps to, 0 if it is not in it."""
    at = _slot(key, slots.shape[0])
    while slots[at] != -1:
        if slots[at] == key:
            row: int = rows[at]
            return row
        at = (at + 1) & (slots.shape[0] - 1)
    return 0
