"""Hash tables of 32-bit entries that grow and forget a little at a time, so that no article waits for them.

One table lists the rows of a whole edition, whatever their age: a look-up reads one place in memory. It is
divided into many small open hash tables, by the first bits of the hash; each grows on its own, and what has
expired is swept out of one at a time. Collisions are resolved by Robin Hood hashing (Celis 1986): entries
stand in the order of their homes, equal homes in the order in which they came, so that a look-up ends at the
first entry that is nearer to its home, and sweeping needs nothing but the entries. An entry has

    7 bits    distance from its home
    4 bits    tag, a part of the hash, never 0
   21 bits    row number modulo 2^21

Distance and tag together say whose entry it is; one in 16 entries of the same home is taken for another's,
which whoever looks it up has to bear or to check.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from services.deduplicator.native import U32, compiled, words_at

ROW_BITS = 21
ROW_MASK = (1 << ROW_BITS) - 1
_TAG_SHIFT = ROW_BITS
_DISTANCE_SHIFT = ROW_BITS + 4
MOST = 127
"""Largest distance that fits, and so the rows listed under one hash at most."""

_FULL = 0.85
"""Share of a part in use at which it is swept, and enlarged if that does not help."""
_SPARE = 8
"""Slots that it has left then at least: one row may be listed several times before there is more room."""
_SWEPT = 0.9
"""Share of what makes a part full up to which sweeping is help enough."""
_SMALLEST = 16
"""Slots of a part at first, up to twice as many, so that the parts do not all grow at once."""

ARRAY_BYTES = 112
"""What an array takes beside its content."""

# Columns of the directory of parts.
_AT, _SIZE, _USED = range(3)


@compiled
def part_of(directory, hashed):
    """Return the number of the part to which a 64-bit hash belongs, and the rest of it: 32 bits."""
    scaled = (hashed >> np.uint64(32)) * np.uint64(directory.shape[0])
    return np.int64(scaled >> np.uint64(32)), np.int64(scaled & np.uint64(0xFFFFFFFF))


@compiled
def tag_of(hashed):
    """Return the tag of a hash: 1 to 15."""
    return np.int64(1) + np.int64((hashed & np.uint64(0xFFFFFF)) * np.uint64(15) >> np.uint64(24))


@compiled
def entries_of(directory, part):
    """Return the entries of a part; 0 stands for none."""
    return words_at(directory[part, _AT], directory[part, _SIZE])


@compiled
def home_of(directory, hashed):
    """Return the entries of the part to which a 64-bit hash belongs, its home among them, and its tag."""
    part, rest = part_of(directory, hashed)
    entries = entries_of(directory, part)
    return entries, rest * entries.size >> 32, tag_of(hashed)


@compiled
def may_follow(entry, distance):
    """Say whether a look-up that comes to this entry so far from home goes on."""
    return entry != 0 and np.int64(entry >> np.uint32(_DISTANCE_SHIFT)) >= distance


@compiled
def is_marked(entry, distance, tag):
    """Say whether an entry is so far from its home and has this tag."""
    return np.int64(entry >> np.uint32(_TAG_SHIFT)) == distance << 4 | tag


@compiled
def most_used(size):
    """Return how many slots of a part may be in use before it is too full."""
    return min(np.int64(_FULL * size), size - _SPARE)


@compiled
def _insert(entries, at, distance, tag, row):
    """Put an entry at a place and move what follows by one; False if anything would be too far from home."""
    gap = at
    farthest = distance
    while entries[gap] != 0:
        farthest = max(farthest, 1 + np.int64(entries[gap] >> np.uint32(_DISTANCE_SHIFT)))
        gap = gap + 1 if gap + 1 < entries.size else 0
    if farthest > MOST:
        return False
    while gap != at:
        before = gap - 1 if gap > 0 else entries.size - 1
        entries[gap] = entries[before] + np.uint32(1 << _DISTANCE_SHIFT)
        gap = before
    entries[at] = np.uint32((distance << 4 | tag) << _TAG_SHIFT | row)
    return True


@compiled
def _add(entries, used, rest, tag, row, most):
    """List a row, the newest so far, in a part; return how many slots are in use now.

    Of more than `most` rows under one hash the oldest makes room, and also where there is none.
    """
    at = rest * entries.size >> 32
    distance = 0
    same = 0
    oldest = -1
    while may_follow(entries[at], distance):
        if is_marked(entries[at], distance, tag):
            if same == 0:
                oldest = at
            same += 1
        distance += 1
        at = at + 1 if at + 1 < entries.size else 0
    if same < most and used + 1 < entries.size and _insert(entries, at, distance, tag, row):
        return used + 1
    if same > 0:  # all entries from the oldest on have the same home
        after = oldest + 1 if oldest + 1 < entries.size else 0
        while after != at:
            entries[oldest] = entries[after] - np.uint32(1 << _DISTANCE_SHIFT)
            oldest = after
            after = after + 1 if after + 1 < entries.size else 0
        entries[oldest] = np.uint32(((distance - 1) << 4 | tag) << _TAG_SHIFT | row)
    return used


@compiled
def add_entry(directory, hashed, row, most):
    """List a row, the newest so far, under a hash; return the number of the part if it is too full, else -1.

    Of more than `most` rows under one hash the oldest makes room, and also where there is none.
    """
    part, rest = part_of(directory, hashed)
    entries = entries_of(directory, part)
    used = _add(entries, directory[part, _USED], rest, tag_of(hashed), row, most)
    directory[part, _USED] = used
    return part if used > most_used(entries.size) else -1


@compiled
def first_slot(entries):
    """Return a slot after an empty one: from there on, entries stand in the order of their homes."""
    at = 0
    while entries[at] != 0:
        at += 1
    return at + 1 if at + 1 < entries.size else 0


@compiled
def has_home(directory, part, at, hashed):
    """Say whether the entry at a place of a part is listed under this hash."""
    entries = entries_of(directory, part)
    other, rest = part_of(directory, hashed)
    entry = np.int64(entries[at])
    home = at - (entry >> _DISTANCE_SHIFT)
    home = home if home >= 0 else home + entries.size
    return other == part and rest * entries.size >> 32 == home and entry >> _TAG_SHIFT & 15 == tag_of(hashed)


@compiled
def equals_before(entries, at):
    """Return how many entries before this one have the same home, tag and row: two hashes of one row."""
    equal = 0
    entry = entries[at]
    same_home = entry
    while same_home >> np.uint32(_DISTANCE_SHIFT) > 0:
        same_home -= np.uint32(1 << _DISTANCE_SHIFT)
        at = at - 1 if at > 0 else entries.size - 1
        if (entries[at] ^ same_home) >> np.uint32(_DISTANCE_SHIFT) != 0:
            break
        equal += int(entries[at] == same_home)
    return equal


@compiled
def add_moved(directory, entries, used, hashed, row):
    """List a row in the larger array of a part, after those before it; return how many slots are in use."""
    return _add(entries, used, part_of(directory, hashed)[1], tag_of(hashed), row, MOST)


@compiled
def _sweep(entries, base, rows):
    """Remove the entries of all rows but `rows` from number `base` on; return how many are left.

    From an empty slot on, what is left moves as near to its home as it can, in the same order.
    """
    start = first_slot(entries)
    free = 0
    kept = 0
    for step in range(entries.size):
        at = start + step
        at = at if at < entries.size else at - entries.size
        entry = np.int64(entries[at])
        entries[at] = 0
        if entry != 0 and (entry - base) & ROW_MASK < rows:
            home = step - int(entry >> _DISTANCE_SHIFT)
            free = max(free, home)
            to = start + free
            to = to if to < entries.size else to - entries.size
            entries[to] = np.uint32((free - home) << _DISTANCE_SHIFT | entry & ((1 << _DISTANCE_SHIFT) - 1))
            free += 1
            kept += 1
    return kept


class Table:
    """The parts of one table and the directory by which compiled code finds them."""

    def __init__(self, parts: int) -> None:
        """Start with empty parts."""
        self._parts: list[U32] = []
        self.directory: NDArray[np.intp] = np.zeros((parts, 3), np.intp)
        """A row for each part: address, slots, and slots in use."""
        for number in range(parts):
            self._parts.append(np.zeros(_SMALLEST + number * 7 % _SMALLEST, np.uint32))
            self._list(number)

    def __len__(self) -> int:
        """Return the number of parts."""
        return len(self._parts)

    @property
    def memory_bytes(self) -> int:
        """Bytes allocated."""
        return self.directory.nbytes + sum(part.nbytes + ARRAY_BYTES for part in self._parts)

    @property
    def farthest(self) -> int:
        """Slots that one look-up reads at most."""
        return max(int(part.max()) >> _DISTANCE_SHIFT for part in self._parts) + 2

    def _list(self, number: int) -> None:
        part = self._parts[number]
        self.directory[number, _AT] = part.ctypes.data
        self.directory[number, _SIZE] = part.size

    def sweep(self, number: int, base: int, rows: int) -> None:
        """Remove from a part what is listed for other rows than `rows` from number `base` on."""
        used: int = _sweep(self._parts[number], base, rows)
        self.directory[number, _USED] = used

    def make_room(self, number: int, base: int, rows: int, move: Callable[[int, U32], int]) -> None:
        """Sweep a part that is too full, and enlarge it if that does not help.

        `move` lists what part `number` has in a larger array and returns how much that is: the hash of an
        entry is not known here.
        """
        self.sweep(number, base, rows)
        part = self._parts[number]
        if self.directory[number, _USED] > _SWEPT * most_used(part.size):
            larger = np.zeros(2 * part.size, np.uint32)
            self.directory[number, _USED] = move(number, larger)
            self._parts[number] = larger
            self._list(number)
