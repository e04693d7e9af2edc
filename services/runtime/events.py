"""CloudEvents 1.0 in Kafka's binary mode: attributes as `ce_*` headers, the record as the value.

Ids and times come from the record, so that a decision made twice is recognisably the same event.
"""

from __future__ import annotations

import hashlib

from services.runtime.records import Record
from services.runtime.topics import Topic

Headers = list[tuple[str, bytes]]


ARRIVED_AT = "ce_arrivedat"
"""Extension attribute: when the raw article reached the broker, in milliseconds since the epoch. Every
record that follows from it carries it on, so that anybody can tell how old the news is."""

MOST_DIGITS = 15
"""Milliseconds since the epoch have 13 digits for centuries to come."""


def headers_of(topic: Topic, source: str, record: Record, value: bytes, arrived_at_ms: int | None) -> Headers:
    """Return the CloudEvents headers of one record of `topic`, written by the service `source`.

    The id is a hash of the bytes of the record: consumers that drop ids they have seen see each once.
    `arrived_at_ms` is None for a record that follows from no message, such as a repair.
    """
    if topic.event_type is None or topic.key is None:
        raise ValueError(f"{topic.name} carries no events of ours")
    arrived_at = [] if arrived_at_ms is None else [(ARRIVED_AT, str(arrived_at_ms).encode())]
    return [
        *arrived_at,
        ("ce_specversion", b"1.0"),
        ("ce_id", hashlib.blake2b(value, digest_size=16).hexdigest().encode()),
        ("ce_source", f"/machtin/{source}".encode()),
        ("ce_type", topic.event_type.encode()),
        ("ce_subject", str(record[topic.key]).encode()),
        ("ce_time", _time_of(record).encode()),
        ("content-type", b"application/json"),
    ]


def arrived_at_ms_of(headers: Headers, timestamp_ms: int) -> int:
    """Return when the raw article behind a message of ours arrived, else the message's own timestamp.

    Not for raw messages: what a crawler writes into the header is not trusted.
    """
    for name, value in headers:
        if name == ARRIVED_AT and value.isdigit() and len(value) <= MOST_DIGITS:
            return int(value)
    return timestamp_ms


def _time_of(record: Record) -> str:
    """Return the event time of a record: when its article arrived or, for a story, its clock."""
    return str(record["received_at"] if "received_at" in record else record["clock"]["now"])
