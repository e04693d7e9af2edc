"""Splits a batch of messages so that each part is bounded in work, whatever somebody sends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

PART_BYTES = 2 * 1024 * 1024
"""Of values in one part. A hostile article of 1 MiB takes seconds; two hundred of them would take longer
than the watchdog waits for a batch, and again so after every restart."""


def parts_of(events: Iterable[Any], most_bytes: int = PART_BYTES) -> Iterator[list[Any]]:
    """Yield the events of Faust in order, in lists of at most `most_bytes` of values, or of one event."""
    part: list[Any] = []
    size = 0
    for event in events:
        length = len(event.message.value or b"")
        if part and size + length > most_bytes:
            yield part
            part, size = [], 0
        part.append(event)
        size += length
    if part:
        yield part
