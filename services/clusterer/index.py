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

Numbers = npt.NDArray[np.int32]

NO_NUMBERS: Numbers = np.zeros(0, dtype=np.int32)

COMMON_SHARE = 0.01
COMMON_AT_LEAST = 64
COMMON_AT_MOST = 512
"""A term is searched for if at most this many documents have it: 1 %, within these bounds."""
FIRST_PIECE = 4
GROWTH = 1.5
"""How much larger the pool is made than its lists: the price of moving them seldom."""


START, USED, ROOM = range(3)
"""A term's list: where in the pool it begins, how many postings it has, for how many there is room."""
SLOT, WEIGHT = range(2)
"""A posting: the slot of a document, and the bits of its weight. What is read together lies together: a line
of a processor's cache holds the whole of a short list."""


@numba.njit(cache=True)
def _insert(terms, weights, slot, lists, pool, end):  # type: ignore[no-untyped-def]
    """Add postings; return the new end of the pool, or minus the room needed if it does not suffice."""
    need = 0
    for term in terms:
        if lists[term, USED] == lists[term, ROOM]:
            need += max(FIRST_PIECE, 2 * lists[term, ROOM])
    if end + need > len(pool):
        return -need
    bits = weights.view(np.int32)
    for k in range(len(terms)):
        own = lists[terms[k]]
        if own[USED] == own[ROOM]:
            piece = max(FIRST_PIECE, 2 * own[ROOM])
            pool[end : end + own[USED]] = pool[own[START] : own[START] + own[USED]]
            own[START] = end
            own[ROOM] = piece
            end += piece
        at = own[START] + own[USED]
        pool[at, SLOT] = slot
        pool[at, WEIGHT] = bits[k]
        own[USED] += 1
    return end


@numba.njit(cache=True)
def _delete(terms, slot, lists, pool):  # type: ignore[no-untyped-def]
    for term in terms:
        own = lists[term]
        last = own[START] + own[USED] - 1
        for at in range(own[START], last + 1):
            if pool[at, SLOT] == slot:
                pool[at] = pool[last]
                own[USED] -= 1
                break


@numba.njit(cache=True)
def _compact(lists, pool, new_pool):  # type: ignore[no-untyped-def]
    """Move all postings to the front of a new pool, each list with some room to grow; return its end."""
    end = 0
    for term in range(len(lists)):
        own = lists[term]
        used = own[USED]
        if used == 0:
            own[ROOM] = 0
            continue
        new_pool[end : end + used] = pool[own[START] : own[START] + used]
        own[START] = end
        own[ROOM] = used + used // 4
        end += own[ROOM]
    return end


LINE = 8
"""So many postings come from memory at once: a line of a processor's cache."""


@numba.njit(cache=True)
def _fetch(terms, common, lists, pool):  # type: ignore[no-untyped-def]
    """Look at every line of the postings that are searched for, and at nothing else.

    The lists lie far apart in memory. Like this the processor fetches many of them at a time; when they are
    added up, each would be waited for. Returns a sum, lest the compiler leave the whole out.
    """
    total = 0
    for term in terms:
        size = lists[term, USED] if lists[term, USED] <= common else 0
        for at in range(lists[term, START], lists[term, START] + size, LINE):
            total += pool[at, SLOT]
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
def _search(terms, weights, common, lists, pool, scores, touched, keys, best):  # type: ignore[no-untyped-def]
    """Fill `best` with the slots of the largest inner products, best first, ties by key; return how many.

    `scores`: a zero for each slot, and zeros again afterwards. Also returned is what `_fetch` returns.
    """
    fetched = _fetch(terms, common, lists, pool)
    pool_weights = pool.view(np.float32)
    count = 0
    for k in range(len(terms)):
        term = terms[k]
        weight = weights[k]
        size = lists[term, USED] if lists[term, USED] <= common else 0
        for at in range(lists[term, START], lists[term, START] + size):
            slot = pool[at, SLOT]
            if scores[slot] == 0:
                touched[count] = slot
                count += 1
            scores[slot] += weight * pool_weights[at, WEIGHT]
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
        self._lists = np.zeros((BUCKETS, 4), dtype=np.int32)  # a fourth number, so that none crosses a line
        self._pool = np.empty((1 << 14, 2), dtype=np.int32)
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
                self._scores = grown(self._scores)
                self._touched = grown(self._touched)
                self._keys = grown(self._keys)
                self._group_of = grown(self._group_of)
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
        _delete(terms, slot, self._lists, self._pool)
        self._free.append(slot)

    def search(self, terms: Terms, weights: Weights, documents: int, most: int) -> Numbers:
        """Return up to `most` groups, in the order of the `documents` with the largest inner products."""
        common = min(max(COMMON_AT_LEAST, int(COMMON_SHARE * len(self))), COMMON_AT_MOST)
        best = np.empty(documents, dtype=np.int32)
        found, _ = _search(
            terms, weights, common, self._lists, self._pool, self._scores, self._touched, self._keys, best
        )
        groups: Numbers = _groups(best[:found], self._group_of, most)
        return groups

    def _insert(self, terms: Terms, weights: Weights, slot: int) -> int:
        return int(_insert(terms, weights, slot, self._lists, self._pool, self._end))

    def compact(self, need: int = 0) -> None:
        """Give back the room that lists do not use, and make some for `need` more postings and growth."""
        postings = int(self._lists[:, USED].sum())
        pool = np.empty((int(GROWTH * (postings + postings // 4 + need)) + (1 << 14), 2), dtype=np.int32)
        self._end = int(_compact(self._lists, self._pool, pool))
        self._pool = pool

    @property
    def memory_bytes(self) -> int:
        """Bytes of the arrays, unused room included."""
        arrays = (self._lists, self._pool, self._scores, self._touched, self._keys, self._group_of)
        return sum(array.nbytes for array in arrays)


def grown(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array twice as long that begins like the given one and goes on with zeros."""
    return np.concatenate([array, np.zeros_like(array)])
