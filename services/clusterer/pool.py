"""The profiles of all exemplars, one after the other in two large arrays.

One array an exemplar would cost more than what is in it, and one compiled call an exemplar more than the
comparison: so profiles lie in common arrays, are known by the slot of their document in the index, and are
compared many at a time. Arrays are only written at their end; what was removed is given back by copying the
rest to new arrays. So a profile that somebody still looks at never changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from services.clusterer.profile import SECTIONS, Profile

GROWTH = 1.25
"""How much larger the arrays are made than what they hold: the price of moving them seldom."""


class Profiles(NamedTuple):
    """Profiles in common arrays: section s of profile p is `ids[places[p, s]:places[p, s + 1]]`."""

    ids: npt.NDArray[np.uint32]
    weights: npt.NDArray[np.float32]
    places: npt.NDArray[np.int64]

    def profile(self, position: int) -> Profile:
        """Return one profile on its own."""
        places = self.places[position]
        start, end = int(places[0]), int(places[-1])
        return Profile(self.ids[start:end], self.weights[start:end], (places - start).astype(np.int32))


def together(profiles: Iterable[Profile]) -> Profiles:
    """Return profiles in common arrays of their own, in the given order."""
    listed = list(profiles)
    starts = [*accumulate((len(profile.ids) for profile in listed[:-1]), initial=0)]
    places = np.concatenate([profile.offsets for profile in listed], dtype=np.int64)
    return Profiles(
        np.concatenate([profile.ids for profile in listed]),
        np.concatenate([profile.weights for profile in listed]),
        places.reshape(len(listed), -1) + np.array(starts)[:, np.newaxis],
    )


class Pool:
    """Profiles by slot: small numbers that are used again when they are free."""

    def __init__(self, size: int = 1 << 16) -> None:
        """Hold no profiles, with room for `size` numbers."""
        self.profiles = Profiles(
            np.empty(size, dtype=np.uint32),
            np.empty(size, dtype=np.float32),
            np.zeros((0, SECTIONS + 1), dtype=np.int64),
        )
        """All profiles, by slot."""
        self._end = 0
        self._removed = 0

    @property
    def memory_bytes(self) -> int:
        """Bytes of the arrays, unused room included."""
        return sum(array.nbytes for array in self.profiles)

    def put(self, slot: int, profile: Profile) -> None:
        """Keep a profile in a free slot."""
        places = self.profiles.places
        if slot >= len(places):
            more = np.zeros((max(slot + 1, int(len(places) * GROWTH)), SECTIONS + 1), dtype=np.int64)
            more[: len(places)] = places
            self.profiles = self.profiles._replace(places=more)
        size = len(profile.ids)
        if self._end + size > len(self.profiles.ids):
            self.compact(size)
        ids, weights, places = self.profiles
        ids[self._end : self._end + size] = profile.ids
        weights[self._end : self._end + size] = profile.weights
        np.add(profile.offsets, self._end, out=places[slot])
        self._end += size

    def remove(self, slot: int) -> None:
        """Free a slot."""
        places = self.profiles.places[slot]
        self._removed += int(places[-1] - places[0])
        places[:] = 0

    def compact(self, need: int = 0) -> None:
        """Give back the room of removed profiles, and make some for `need` more numbers and growth."""
        size = int((self._end - self._removed + need) * GROWTH)
        ids, weights = np.empty(size, dtype=np.uint32), np.empty(size, dtype=np.float32)
        places = self.profiles.places.copy()
        self._end = int(_move(self.profiles.ids, self.profiles.weights, places, ids, weights))
        self._removed = 0
        self.profiles = Profiles(ids, weights, places)


@numba.njit(cache=True)
def _move(ids, weights, places, new_ids, new_weights):  # type: ignore[no-untyped-def]
    """Copy all profiles to the front of new arrays and set their places; return the end."""
    end = 0
    last = places.shape[1] - 1
    for slot in range(len(places)):
        start = places[slot, 0]
        size = places[slot, last] - start
        if size == 0:
            continue
        for i in range(size):
            new_ids[end + i] = ids[start + i]
            new_weights[end + i] = weights[start + i]
        for section in range(last + 1):
            places[slot, section] += end - start
        end += size
    return end


LINE = 16
"""So many ids come from memory at once: a line of a processor's cache."""


@numba.njit(cache=True)
def fetch(ids, weights, places, members):  # type: ignore[no-untyped-def]
    """Look at every line of some profiles and at nothing else.

    They lie far apart in memory. Like this the processor fetches many lines at a time; when profiles are
    compared, each would be waited for. Returns a sum, lest the compiler leave the whole out.
    """
    total = np.float32(0.0)
    for member in members:
        for at in range(places[member, 0], places[member, -1], LINE):
            total += weights[at] + np.float32(ids[at])
    return total
