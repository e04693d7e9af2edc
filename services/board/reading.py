"""How far the board has read: whether it shows what is there, and whether it has got stuck. Pure."""

from __future__ import annotations

from collections.abc import Mapping


class Reading:
    """Offsets by partition, on a clock that the caller gives."""

    def __init__(self, stuck_after_s: float) -> None:
        self._stuck_after_s = stuck_after_s
        self._next: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._wanted: dict[int, int] = {}
        """What the board has to have read to show what was there when it started."""
        self._behind_since_s: dict[int, float] = {}
        self._looked_at_s: float | None = None

    def started(self, first: Mapping[int, int], ends: Mapping[int, int], now_s: float) -> None:
        """Take the partitions, each with its first offset and its end, as the reading begins."""
        for partition, offset in first.items():
            self._next.setdefault(partition, offset)
        self._wanted = dict(ends)
        self.look(ends, now_s)

    def read(self, partition: int, offset: int, now_s: float) -> None:
        """Note that a message has been read."""
        self._next[partition] = max(offset + 1, self._next.get(partition, 0))
        self._behind_since_s[partition] = now_s

    def look(self, ends: Mapping[int, int], now_s: float) -> None:
        """Note where the partitions end now."""
        self._looked_at_s = now_s
        self._ends = dict(ends)
        for partition, end in ends.items():
            if self._next.get(partition, 0) >= end:
                self._behind_since_s.pop(partition, None)
            else:
                self._behind_since_s.setdefault(partition, now_s)

    def not_ready(self) -> str | None:
        """Return what is still to be read of what was there at the start, or None."""
        if not self._wanted:
            return "no partitions assigned yet"
        left = sum(max(0, end - self._next.get(partition, 0)) for partition, end in self._wanted.items())
        return f"reading the stories: {left} records left" if left else None

    def stuck(self, now_s: float) -> str | None:
        """Return the partition that has more and has given nothing for too long, or None.

        Nor may the cluster be silent for that long: a reader without ends does not know that it is behind.
        """
        for partition, since_s in self._behind_since_s.items():
            behind = self._ends.get(partition, 0) - self._next.get(partition, 0)
            if behind > 0 and now_s - since_s > self._stuck_after_s:
                return f"partition {partition}: {behind} records behind for {now_s - since_s:.0f} s"
        if self._looked_at_s is not None and now_s - self._looked_at_s > self._stuck_after_s:
            return f"the cluster has not said for {now_s - self._looked_at_s:.0f} s where the topic ends"
        return None
