"""CloudEvents 1.0 in Kafka's binary mode: attributes as `ce_*` headers, the record as the value.

Ids and times come from the record, so that a decision made twice is recognisably the same event.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from services.runtime import trace
from services.runtime.editions import PROBE_HEADER, is_probe
from services.runtime.records import Record
from services.runtime.topics import Topic

Headers = list[tuple[str, bytes]]


ARRIVED_AT = "ce_arrivedat"
"""Extension attribute: when the raw article reached the broker, in milliseconds since the epoch. Every
record that follows from it carries it on, so that anybody can tell how old the news is."""

MOST_DIGITS = 15
"""Milliseconds since the epoch have 13 digits for centuries to come."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What every record carries on of the raw message behind it."""

    arrived_at_ms: int
    """When it reached the broker, in milliseconds since the epoch."""
    traceparent: str
    """W3C trace context: the crawler's own, or one made from where the message lies."""


def origin_of(headers: Headers, topic: str, partition: int, offset: int, timestamp_ms: int) -> Origin:
    """Return the origin that a message of ours carries, or what stands in for what is missing there."""
    given = next((value for name, value in headers if name == trace.TRACEPARENT), b"")
    return Origin(
        arrived_at_ms_of(headers, timestamp_ms),
        trace.valid(given) or trace.made_for(f"{topic}:{partition}:{offset}"),
    )


def raw_origin(headers: Headers, topic: str, partition: int, offset: int, timestamp_ms: int) -> Origin:
    """Return the origin of a raw message: its trace is the crawler's, its arrival only the broker's."""
    origin = origin_of(headers, topic, partition, offset, timestamp_ms)
    return Origin(timestamp_ms, origin.traceparent)


def headers_of(topic: Topic, source: str, record: Record, value: bytes, origin: Origin | None) -> Headers:
    """Return the CloudEvents headers of one record of `topic`, written by the service `source`.

    The id is a hash of the bytes of the record: consumers that drop ids they have seen see each once.
    `origin` is None for a record that follows from no message, such as a repair. Whether a record is a
    probe's follows from its edition, so that no decision, repair or closing can lose the mark.
    """
    if topic.event_type is None or topic.key is None:
        raise ValueError(f"{topic.name} carries no events of ours")
    carried: Headers = []
    if origin is not None:
        carried = [
            (ARRIVED_AT, str(origin.arrived_at_ms).encode()),
            (trace.TRACEPARENT, origin.traceparent.encode()),
        ]
    if is_probe(record["edition"]):
        carried.append((PROBE_HEADER, b"1"))
    return [
        *carried,
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
