"""Event time that one wrong date cannot move.

The clock is the latest `received_at`. A single article from the far future would expire the whole index,
and one from 2099 would freeze it there; so a date far from the clock moves it only when many articles in a
row agree, which is what an outage or a backlog looks like.
"""

from __future__ import annotations

from typing import NamedTuple

AGREEING = 32
"""Articles in a row that must be far ahead, or far behind, before the clock believes them."""

FAR_AHEAD_S = 86_400
"""A step forward of more than a day is not believed from one article."""


class Clock(NamedTuple):
    """Seconds since the Unix epoch, and the doubts about them."""

    now: int
    far_behind_s: int
    """An article this much older than the clock speaks against it: older than anything remembered."""
    doubts: int = 0
    """Articles in a row that disagree in the same direction: positive ahead, negative behind."""
    nearest: int = 0
    """Of their times, the one nearest to the clock."""

    def after(self, received: int) -> Clock:
        """Return the clock after an article received at that second."""
        passed = received - self.now
        ahead, behind = passed > FAR_AHEAD_S, -passed > self.far_behind_s
        if not ahead and not behind:
            if passed <= 0 and self.doubts == 0:
                return self
            return Clock(max(self.now, received), self.far_behind_s)
        step = 1 if ahead else -1
        if self.doubts * step <= 0:  # the first that disagrees in this direction
            return self._replace(doubts=step, nearest=received)
        nearest = min(self.nearest, received) if ahead else max(self.nearest, received)
        if abs(self.doubts) + 1 < AGREEING:
            return self._replace(doubts=self.doubts + step, nearest=nearest)
        return Clock(nearest, self.far_behind_s)
