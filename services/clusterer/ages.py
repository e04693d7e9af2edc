"""Stories by when they last received an article: which have been idle for long?"""

from __future__ import annotations

import bisect

TEN_MINUTES = len("2026-01-01T00:0")
"""So much of a time is common to those of the same ten minutes."""


class Ages:
    """Story ids by the time of their last article.

    Stories of the same ten minutes lie together: so putting one in or taking it out costs the same however
    many there are, and of those that are not idle yet only a few are looked at.
    """

    def __init__(self) -> None:
        self._shelves: dict[str, dict[str, str]] = {}
        self._starts: list[str] = []
        """The keys of that, ascending."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, story_id: str, time: str) -> None:
        """Put in a story that is not in."""
        start = time[:TEN_MINUTES]
        if start not in self._shelves:
            self._shelves[start] = {}
            bisect.insort(self._starts, start)
        self._shelves[start][story_id] = time
        self._count += 1

    def remove(self, story_id: str, time: str) -> None:
        """Take out a story. Raises KeyError unless it is in with this time."""
        start = time[:TEN_MINUTES]
        shelf = self._shelves[start]
        del shelf[story_id]
        if not shelf:
            del self._shelves[start]
            del self._starts[bisect.bisect_left(self._starts, start)]
        self._count -= 1

    def before(self, time: str) -> list[tuple[str, str]]:
        """Return (time, story id) of the stories that received nothing since `time`, longest idle first."""
        starts = self._starts[: bisect.bisect_right(self._starts, time[:TEN_MINUTES])]
        ages = [(age, story_id) for start in starts for story_id, age in self._shelves[start].items()]
        return sorted(age for age in ages if age[0] < time)
