"""Keeps label values that come from outside few and short: Prometheus pays for every one of them."""

from __future__ import annotations

OTHER = "other"
"""What all values beyond the limit are counted as."""

MOST_CHARACTERS = 60
"""A longer name is no name; letters of any script count as one."""


class BoundedLabel:
    """Lets the first `most` different values through and turns the rest into `other`.

    First come, first served, since a series that exists cannot be renamed. The places are given anew at
    every start of the process.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def __call__(self, value: str) -> str:
        """Return `value`, or `other` when it is too long, not printable, empty or one too many."""
        if value in self._known:
            return value
        if len(self._known) >= self._most or not _is_name(value):
            return OTHER
        self._known.add(value)
        return value


def _is_name(value: str) -> bool:
    return 0 < len(value) <= MOST_CHARACTERS and value.isprintable()
