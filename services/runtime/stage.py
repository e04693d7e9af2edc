"""What a service is, apart from Kafka: a stage that turns one record into the records it decides on.

The same stage runs in a service (`runtime.stream`), in `machtin replay`, in tests and in benchmarks.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from services.runtime.codec import RECORD_LIMIT_BYTES, decode
from services.runtime.errors import InvalidMessage, Reason
from services.runtime.records import Record
from services.runtime.topics import RAW

log = logging.getLogger(__name__)

Transform = Callable[[Record, datetime], list[Record]]
"""A stateless decision: a record and the time it arrived at -> the records to publish."""


class State(Protocol):
    """The memory of a stateful stage for one partition. It changes only by applying published records."""

    def decide(self, record: Any) -> list[Any]:
        """Return the records to publish for `record`, in order; [] where nothing changes. Pure."""

    def apply(self, record: Any) -> None:
        """Take a published record into memory. Applying one twice changes nothing."""

    def repair(self) -> list[Any]:
        """Return what a crash in the middle of a decision left unpublished; [] where nothing is missing."""


@dataclass(frozen=True, slots=True)
class StatelessStage:
    """A stage whose output depends on its input alone."""

    name: str
    source: str
    sink: str
    load: Callable[[], Transform]
    """Builds the transform: models and tables are loaded and warmed up here, before the stage is ready."""


@dataclass(frozen=True, slots=True)
class StatefulStage:
    """A stage with a memory per partition, rebuilt from its own sink."""

    name: str
    source: str
    sink: str
    warm_up: Callable[[], None]
    """Compiles what is compiled, once for the process, before the stage is ready."""
    new_state: Callable[[], State]


Stage = StatelessStage | StatefulStage


def input_limit(stage: Stage, max_raw_bytes: int) -> int:
    """Return the size in bytes above which a stage refuses a message: crawlers are held to less."""
    return max_raw_bytes if stage.source == RAW else RECORD_LIMIT_BYTES


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message cannot be processed: what its dead letter says."""

    reason: Reason
    error_class: str
    detail: str


Outcome = list[Record] | Failure


class Runner:
    """Runs one stage for one partition: bytes in, records or a failure out.

    For a stateful stage the records that `process` returns are already part of the memory: whoever cannot
    publish them must throw the runner away (a service ends its process).
    """

    def __init__(self, decide: Transform, apply: Callable[[Record], None], max_bytes: int) -> None:
        self._decide = decide
        self._apply = apply
        self._max_bytes = max_bytes

    def process(self, value: bytes | None, arrived_at: datetime) -> Outcome:
        """Return the records that follow from one message, or why there are none."""
        try:
            records = self._decide(decode(value, self._max_bytes), arrived_at)
        except InvalidMessage as error:
            return Failure(error.reason, type(error).__name__, error.detail)
        except Exception as error:  # a bug must cost one article, not the stream: see runtime.errors
            log.exception("a bug of ours: the message goes to the dead-letter topic")
            return Failure(Reason.INTERNAL_ERROR, type(error).__name__, str(error))
        for record in records:
            self._apply(record)
        return records


def stateless_runner(transform: Transform, max_bytes: int) -> Runner:
    """Return the runner of a loaded stateless stage; `max_bytes` bounds the size of its input messages."""
    return Runner(transform, lambda _: None, max_bytes)


def stateful_runner(state: State, max_bytes: int) -> Runner:
    """Return the runner of one partition's memory; `max_bytes` bounds the size of its input messages."""
    return Runner(lambda record, _: state.decide(record), state.apply, max_bytes)
