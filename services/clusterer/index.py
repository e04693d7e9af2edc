"""Which stories share rare terms with a new article: an inverted index with compiled scoring.

Documents are the exemplars of the stories, each in the group of its story. A term's postings lie in one
piece of a common pool; a list that outgrows its piece moves to one of twice the size. Terms that many
documents share are not searched for: they name no event, and would cost the most. What a search returns
depends on the documents alone, not on the order in which they came and went.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from services.clusterer.vectors import BUCKETS, Terms, Weights

COMMON_SHARE = 0.01
COMMON_AT_LEAST = 64
COMMON_AT_MOST = 512
"""A term is searched for if at most this many documents have it: 1 %, within these bounds."""
FIRST_PIECE = 4
GROWTH = 1.5
"""How much larger the pool is made than its lists: the price of moving them seldom."""


@numba.njit(cache=True)
def _insert(terms, weights, slot, start, used, room, pool_slots, pool_weights, end):  # type: ignore[no-untyped-def]
    """Add postings; return the new end of the pool, or minus the room needed if it does not suffice."""
    need = 0
    for term in terms:
        if used[term] == room[term]:
            need += max(FIRST_PIECE, 2 * room[term])
    if end + need > len(pool_slots):
        return -need
    for k in range(len(terms)):
        term = terms[k]
        if used[term] == room[term]:
            piece = max(FIRST_PIECE, 2 * room[term])
            for x in range(used[term]):
                pool_slots[end + x] = pool_slots[start[term] + x]
                pool_weights[end + x] = pool_weights[start[term] + x]
            start[term] = end
            room[term] = piece
            end += piece
        at = start[term] + used[term]
        pool_slots[at] = slot
        pool_weights[at] = weights[k]
        used[term] += 1
    return end


@numba.njit(cache=True)
def _delete(terms, slot, start, used, pool_slots, pool_weights):  # type: ignore[no-untyped-def]
    for term in terms:
        last = start[term] + used[term] - 1
        for at in range(start[term], last + 1):
            if pool_slots[at] == slot:
                pool_slots[at] = pool_slots[last]
                pool_weights[at] = pool_weights[last]
                used[term] -= 1
                break


@numba.njit(cache=True)
def _compact(start, used, room, pool_slots, pool_weights, new_slots, new_weights):  # type: ignore[no-untyped-def]
    """Move all postings to the front of a new pool, each list with some room to grow; return its end."""
    end = 0
    for term in range(len(start)):
        n = used[term]
        if n == 0:
            room[term] = 0
            continue
        for x in range(n):
            new_slots[end + x] = pool_slots[start[term] + x]
            new_weights[end + x] = pool_weights[start[term] + x]
        start[term] = end
        room[term] = n + n // 4
        end += room[term]
    return end


LINE = 16
"""So many postings come from memory at once: a line of a processor's cache."""


@numba.njit(cache=True)
def _fetch(terms, common, start, used, pool_slots, pool_weights):  # type: ignore[no-untyped-def]
    """Look at every line of the postings that are searched for, and at nothing else.

    The lists lie far apart in memory. Like this the processor fetches many of them at a time; when they are
    added up, each would be waited for. Returns a sum, lest the compiler leave the whole out.
    """
    total = np.float32(0.0)
    for term in terms:
        size = used[term] if used[term] <= common else 0
        for at in range(start[term], start[term] + size, LINE):
            total += pool_weights[at] + np.float32(pool_slots[at])
    return total


@numba.njit(cache=True)
def _least(scores, touched, most):  # type: ignore[no-untyped-def]
    """Return bits of a score, such that the `most` best of the touched slots have these or higher ones.

    The bits of positive floats are ordered as the floats are. The first ones (exponent and a little more)
    sort the scores into so many levels that few beyond the best are left.
    """
    bits = scores.view(np.uint32)
    levels = np.zeros(1 << 12, dtype=np.int32)
    for slot in touched:
        levels[bits[slot] >> np.uint32(20)] += 1
    level = len(levels)
    above = 0
    while level > 0 and above < most:
        level -= 1
        above += levels[level]
    return level << 20


@numba.njit(cache=True)
def _search(terms, weights, common, start, used, pool_slots, pool_weights, scores, touched, keys, best):  # type: ignore[no-untyped-def]
    """Fill `best` with the slots of the largest inner products, best first, ties by key; return how many.

    `scores`: a zero for each slot, and zeros again afterwards. Also returned is what `_fetch` returns.
    """
    fetched = _fetch(terms, common, start, used, pool_slots, pool_weights)
    count = 0
    for k in range(len(terms)):
        term = terms[k]
        weight = weights[k]
        size = used[term] if used[term] <= common else 0
        for at in range(start[term], start[term] + size):
            slot = pool_slots[at]
            if scores[slot] == 0:
                touched[count] = slot
                count += 1
            scores[slot] += weight * pool_weights[at]
    found = 0
    most = len(best)
    tops = np.empty(most, dtype=np.float32)
    least = _least(scores, touched[:count], most)
    bits = scores.view(np.uint32)
    for i in range(count):
        slot = touched[i]
        promising = bits[slot] >= least
        score = scores[slot]
        scores[slot] = 0
        if not promising:
            continue
        if found == most:
            last = tops[most - 1]
            if score < last or (score == last and keys[slot] > keys[best[most - 1]]):
                continue
        at = found if found < most else most - 1
        while at > 0:
            above = tops[at - 1]
            if above > score or (above == score and keys[best[at - 1]] < keys[slot]):
                break
            best[at] = best[at - 1]
            tops[at] = above
            at -= 1
        best[at] = slot
        tops[at] = score
        if found < most:
            found += 1
    return found, fetched


@numba.njit(cache=True)
def _groups(documents, group_of, most):  # type: ignore[no-untyped-def]
    """Return the first `most` different groups of some documents."""
    groups = np.empty(most, dtype=np.int32)
    count = 0
    for document in documents:
        group = group_of[document]
        if group not in groups[:count]:
            groups[count] = group
            count += 1
            if count == most:
                break
    return groups[:count]


class Index:
    """Documents by slot, searched by inner product."""

    def __init__(self) -> None:
        self._start = np.zeros(BUCKETS, dtype=np.int64)
        self._used = np.zeros(BUCKETS, dtype=np.int32)
        self._room = np.zeros(BUCKETS, dtype=np.int32)
        self._pool_slots = np.empty(1 << 14, dtype=np.int32)
        self._pool_weights = np.empty(1 << 14, dtype=np.float32)
        self._end = 0
        self._scores = np.zeros(1024, dtype=np.float32)
        self._touched = np.empty(1024, dtype=np.int32)
        self._keys = np.zeros(1024, dtype=np.uint64)
        self._group_of = np.zeros(1024, dtype=np.int32)
        self._free: list[int] = []
        self._next = 0

    def __len__(self) -> int:
        return self._next - len(self._free)

    def add(self, key: int, group: int, terms: Terms, weights: Weights) -> int:
        """Add a document and return its slot. `key` (64 bits) orders documents of equal score."""
        slot = self._free.pop() if self._free else self._next
        if slot == self._next:
            self._next += 1
            if slot == len(self._scores):
                self._scores = _grown(self._scores)
                self._touched = _grown(self._touched)
                self._keys = _grown(self._keys)
                self._group_of = _grown(self._group_of)
        self._keys[slot] = key
        self._group_of[slot] = group
        end = self._insert(terms, weights, slot)
        if end < 0:
            self.compact(-end)
            end = self._insert(terms, weights, slot)
        self._end = end
        return slot

    def remove(self, slot: int, terms: Terms) -> None:
        """Remove a document: its slot and the terms it was added with."""
        _delete(terms, slot, self._start, self._used, self._pool_slots, self._pool_weights)
        self._free.append(slot)

    def search(self, terms: Terms, weights: Weights, documents: int, most: int) -> list[int]:
        """Return up to `most` groups, in the order of the `documents` with the largest inner products."""
        common = min(max(COMMON_AT_LEAST, int(COMMON_SHARE * len(self))), COMMON_AT_MOST)
        best = np.empty(documents, dtype=np.int32)
        found, _ = _search(
            terms, weights, common, self._start, self._used, self._pool_slots, self._pool_weights,
            self._scores, self._touched, self._keys, best,
        )  # fmt: skip
        groups: list[int] = _groups(best[:found], self._group_of, most).tolist()
        return groups

    def _insert(self, terms: Terms, weights: Weights, slot: int) -> int:
        return int(
            _insert(
                terms, weights, slot, self._start, self._used, self._room, self._pool_slots,
                self._pool_weights, self._end,
            )
        )  # fmt: skip

    def compact(self, need: int = 0) -> None:
        """Give back the room that lists do not use, and make some for `need` more postings and growth."""
        postings = int(self._used.sum())
        size = int(GROWTH * (postings + postings // 4 + need)) + (1 << 14)
        slots = np.empty(size, dtype=np.int32)
        weights = np.empty(size, dtype=np.float32)
        self._end = int(
            _compact(
                self._start, self._used, self._room, self._pool_slots, self._pool_weights, slots, weights
            )
        )
        self._pool_slots, self._pool_weights = slots, weights

    @property
    def memory_bytes(self) -> int:
        """Bytes of the arrays, unused room included."""
        arrays = (
            self._start, self._used, self._room, self._pool_slots, self._pool_weights, self._scores,
            self._touched, self._keys, self._group_of,
        )  # fmt: skip
        return sum(array.nbytes for array in arrays)


def _grown(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.concatenate([array, np.zeros_like(array)])
