"""The memory of a stateful stage for one partition: what its own output says, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from services.runtime.codec import RECORD_LIMIT_BYTES, decode
from services.runtime.events import Headers
from services.runtime.records import Record
from services.runtime.stage import Outcome, StatefulStage, stateful_runner

INPUT = "machtin-input"
"""Header of what a stateful stage writes: the position of the input message that it follows from."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a message lies in its partition, and its time: the offset alone would be that of another
    message once the topic has been made anew.
    """

    offset: int
    timestamp_ms: int

    @staticmethod
    def of(message: Any) -> Position:
        """Return the position of a message as Faust gives it, with its timestamp in seconds."""
        return Position(message.offset, round(message.timestamp * 1000))

    @property
    def time(self) -> datetime:
        """The broker's or the producer's timestamp of the message."""
        return datetime.fromtimestamp(self.timestamp_ms / 1000, UTC)

    @property
    def age_order(self) -> tuple[int, int]:
        """What positions are ordered by, oldest first."""
        return self.timestamp_ms, self.offset

    def header(self) -> tuple[str, bytes]:
        """Return the header that carries it."""
        return INPUT, f"{self.offset}@{self.timestamp_ms}".encode()

    @classmethod
    def carried_by(cls, headers: Headers) -> Self | None:
        """Return the position that a record of ours carries; None for a repair, or what is not ours."""
        for name, value in headers:
            offset, at, timestamp_ms = value.partition(b"@")
            if name == INPUT and at and offset.isdigit() and timestamp_ms.isdigit():
                return cls(int(offset), int(timestamp_ms))
        return None


class PartitionMemory:
    """The state, how far into the output topic it reaches, and up to where the input is decided.

    `process` takes its decisions into the state at once: whoever cannot publish them must throw the memory
    away (a service ends its process).
    """

    def __init__(self, stage: StatefulStage) -> None:
        self.state = stage.new_state()
        self.next_offset = 0
        """Everything before it in the output topic is in the state."""
        self.knows_its_place = True
        """False once somebody else has written between our records."""
        self._runner = stateful_runner(self.state, RECORD_LIMIT_BYTES)
        self._decided: Position | None = None

    def restore(self, value: bytes | None, headers: Headers) -> None:
        """Take a record of the output topic into the state; one that is in it already changes nothing."""
        if value is None:  # a tombstone holds nothing
            return
        self.state.apply(decode(value, RECORD_LIMIT_BYTES))
        position = Position.carried_by(headers)
        if position is not None:
            self._has_decided(position)

    def repair(self) -> list[Record]:
        """Return what a crash left unpublished of the last decision; it is part of the state from now on."""
        missing: list[Record] = self.state.repair()
        for record in missing:
            self.state.apply(record)
        return missing

    def process(self, value: bytes | None, position: Position) -> Outcome:
        """Return the records that follow from the message at a position of the input, or why there are none.

        A message that was decided before brings about nothing, however long ago that was: the state itself
        recognises it only as long as it remembers the article.
        """
        if self._covers(position):
            return []
        outcome = self._runner.process(value, position.time)
        self._has_decided(position)
        return outcome

    def wrote(self, offset: int) -> None:
        """Note a record of ours that the cluster has confirmed; they come in the order of the log."""
        if offset == self.next_offset:
            self.next_offset += 1
        else:
            self.knows_its_place = False

    def _covers(self, position: Position) -> bool:
        decided = self._decided
        return (
            decided is not None
            and position.offset <= decided.offset
            and position.timestamp_ms <= decided.timestamp_ms
        )

    def _has_decided(self, position: Position) -> None:
        # The time goes first: a later message is the newer one, also where offsets have begun anew.
        if self._decided is None or position.age_order >= self._decided.age_order:
            self._decided = position
