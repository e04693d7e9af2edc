"""Dead letters: the original message untouched, and headers that say what happened to it.

Header names follow Kafka Connect's dead letter queue, so that tools that know those know ours.
"""

from __future__ import annotations

from services.runtime.events import Headers
from services.runtime.stage import Failure

PREFIX = "__connect.errors."
OURS = "machtin."
"""Prefix of our own headers; what a crawler sends under it is not ours and is left out."""
REASON = OURS + "reason"
ATTEMPTS = OURS + "attempts"
SETTLED = OURS + "settled"
"""Header of a marker in the dead-letter topic: the address of the letter that needs no more attention."""
SETTLED_HOW = OURS + "settled.how"
MOST_DIGITS = 6
"""A longer count of attempts was not written by us."""


def headers_of(
    failure: Failure, *, stage: str, topic: str, partition: int, offset: int, original: Headers
) -> Headers:
    """Return the original headers followed by those that tell where, why and how often it failed."""
    attempts = 1 + max((_count(value) for name, value in original if name == ATTEMPTS), default=0)
    kept = [(name, value) for name, value in original if not name.startswith((PREFIX, OURS))]
    return [
        *kept,
        (PREFIX + "topic", topic.encode()),
        (PREFIX + "partition", str(partition).encode()),
        (PREFIX + "offset", str(offset).encode()),
        (PREFIX + "connector.name", b"machtin"),
        (PREFIX + "stage", stage.encode()),
        (PREFIX + "exception.class.name", failure.error_class.encode()),
        (PREFIX + "exception.message", failure.detail.encode("utf-8", "replace")),
        (REASON, failure.reason.value.encode()),
        (ATTEMPTS, str(attempts).encode()),
    ]


def _count(value: bytes) -> int:
    return int(value) if value.isdigit() and len(value) <= MOST_DIGITS else 0
