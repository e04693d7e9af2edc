"""What was read from the cluster at one moment, and what it says about the consumers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Partition = tuple[str, int]
"""Topic and partition number."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The first message of a partition that a consumer has not finished."""

    offset: int
    written_at_s: float
    """When it came into this topic, in seconds since the epoch."""
    arrived_at_s: float
    """When the raw article behind it reached the broker."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a stage's consumer group is in one partition of its source."""

    stage: str
    topic: str
    partition: int
    committed: int
    """Offset of the next message to process; 0 where the group has committed nothing."""
    end: int
    """Offset that the next message written will get."""
    waiting: Waiting | None
    """None where the consumer has finished everything."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The cluster at one moment."""

    read_at_s: float
    positions: tuple[Position, ...]
    ends: Mapping[Partition, int]
    """The end of every partition of every topic."""
    members: Mapping[str, int]
    """Members of each stage's consumer group."""


def lag_messages(position: Position) -> int:
    """Return the number of offsets that wait; what retention has removed unread waits no more.

    In a compacted topic there can be fewer messages than offsets.
    """
    return 0 if position.waiting is None else max(0, position.end - position.waiting.offset)


def lag_s(position: Position, now_s: float) -> float:
    """Return for how long the first message that waits has been in the topic; 0 where none waits."""
    return 0.0 if position.waiting is None else max(0.0, now_s - position.waiting.written_at_s)


def oldest_age_s(position: Position, now_s: float) -> float:
    """Return the time since the arrival of the article that waits first; 0 where none waits."""
    return 0.0 if position.waiting is None else max(0.0, now_s - position.waiting.arrived_at_s)
