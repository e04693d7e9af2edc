"""The dead-letter circuit breaker: bad code must not drain the stream into the dead-letter topic."""

from __future__ import annotations

from collections import deque


class Breaker:
    """Opens when too many messages in a row, or too large a share of the latest ones, are dead letters.

    `run_limit`: dead letters in a row; `share_limit` (0..1): share of dead letters among the latest
    `window` messages, judged once the window is full.
    """

    def __init__(self, run_limit: int = 100, share_limit: float = 0.5, window: int = 500) -> None:
        self._run_limit = run_limit
        self._share_limit = share_limit
        self._latest: deque[bool] = deque(maxlen=window)
        self._run = 0

    def record(self, *, dead: bool) -> None:
        """Count one processed message."""
        self._run = self._run + 1 if dead else 0
        self._latest.append(dead)

    def open_because(self) -> str | None:
        """Return a sentence saying why the service must stop, or None while all is well."""
        if self._run >= self._run_limit:
            return f"{self._run} messages in a row went to the dead-letter topic"
        if len(self._latest) == self._latest.maxlen:
            share = sum(self._latest) / len(self._latest)
            if share >= self._share_limit:
                return f"{share:.0%} of the latest {len(self._latest)} messages went to the dead-letter topic"
        return None
