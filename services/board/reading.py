"""How far the board has read its topic, and whether that is all that was there when it started. Pure."""

from __future__ import annotations

from collections.abc import Mapping


class Reading:
    """The offsets of the partitions that the board reads."""

    def __init__(self) -> None:
        self._next: dict[int, int] = {}
        self._wanted: dict[int, int] = {}
        """What the board has to have read to show what was there when it started."""

    def started(self, first: Mapping[int, int], ends: Mapping[int, int]) -> None:
        """Take each partition's first offset and its end, as the reading begins."""
        self._next = {**first, **self._next}
        self._wanted = dict(ends)

    def read(self, partition: int, offset: int) -> None:
        """Note that a message has been read."""
        self._next[partition] = offset + 1

    def waiting(self, ends: Mapping[int, int]) -> dict[int, int]:
        """Return the offset that is to be read next in each partition that goes on."""
        return {
            partition: self._next[partition] for partition, end in ends.items() if self._next[partition] < end
        }

    def not_ready(self) -> str | None:
        """Return how much is still to be read of what was there at the start, or None."""
        if not self._wanted:
            return "no partitions assigned yet"
        left = sum(
            self._wanted[partition] - offset for partition, offset in self.waiting(self._wanted).items()
        )
        return f"reading the stories: {left} records left" if left else None
