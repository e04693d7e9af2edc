"""The whole pipeline in one process, without a broker: the same stages, fed one message after another."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.normalizer import dates
from services.runtime.codec import RECORD_LIMIT_BYTES, decode, encode
from services.runtime.errors import InvalidMessage
from services.runtime.records import Record
from services.runtime.settings import Settings
from services.runtime.stage import (
    Failure,
    Runner,
    Stage,
    StatefulStage,
    input_limit,
    stateful_runner,
    stateless_runner,
)
from services.runtime.topics import DEAD, topic
from services.topology import STAGES, load_stage

UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)
"""When a message arrived, if neither it nor one before it says."""

STRAY_DATE_WITHIN = 100
"""Characters of the text in which a stray date can stand."""

NO_NEWS_YET = datetime(2100, 1, 1, tzinfo=UTC)
"""A date from here on is an error of the crawler."""


@dataclass(frozen=True, slots=True)
class Carried:
    """One record that a topic would carry."""

    topic: str
    key: str | None
    value: Record | str
    """The record; for a dead letter the original message, as text or, where that is not UTF-8, base64."""
    failure: Failure | None = None
    stage: str | None = None


class Pipeline:
    """Stages in the order of the data flow, with one state per partition, as in the services."""

    def __init__(self, settings: Settings, stages: Sequence[str | Stage] = STAGES) -> None:
        """`stages` are those to run: by default all, else the first few of them, or others of their kind."""
        self._stages = [load_stage(stage) if isinstance(stage, str) else stage for stage in stages]
        self._runners: dict[tuple[str, int | None], Runner] = {}
        self._arrival = UNKNOWN
        for stage in self._stages:
            if isinstance(stage, StatefulStage):
                stage.warm_up()
            else:
                limit = input_limit(stage, settings.max_message_bytes)
                self._runners[stage.name, None] = stateless_runner(stage.load(), limit)

    def feed(self, value: bytes) -> Iterator[Carried]:
        """Yield every record that follows from one raw message, in the order of the decisions.

        No broker stamps the message, so it arrives when it says it was crawled or published; one that
        says neither arrives together with the message before it.
        """
        self._arrival = _stated_arrival(value) or self._arrival
        yield from self._run(0, value, None)

    def _run(self, step: int, value: bytes, partition: int | None) -> Iterator[Carried]:
        if step == len(self._stages):
            return
        stage = self._stages[step]
        outcome = self._runner(stage, partition).process(value, self._arrival)
        if isinstance(outcome, Failure):
            yield Carried(DEAD, None, _as_json(value), outcome, stage.name)
            return
        sink = topic(stage.sink)
        for record in outcome:
            yield Carried(sink.name, sink.key_of(record).decode(), record)
            yield from self._run(step + 1, encode(record), sink.partition_of(record))

    def _runner(self, stage: Stage, partition: int | None) -> Runner:
        if not isinstance(stage, StatefulStage):
            return self._runners[stage.name, None]
        if (stage.name, partition) not in self._runners:
            self._runners[stage.name, partition] = stateful_runner(stage.new_state(), RECORD_LIMIT_BYTES)
        return self._runners[stage.name, partition]


def _stated_arrival(value: bytes) -> datetime | None:
    """Return when the message says it was crawled or published, in a field or in front of its text."""
    try:
        raw = decode(value, len(value))
    except InvalidMessage:
        return None  # its stage will say so
    stray, _ = dates.take_stray(str(raw.get("text", ""))[:STRAY_DATE_WITHIN])
    for given in (raw.get("crawled_at"), raw.get("published_at"), stray):
        stated = dates.parse(given, latest=NO_NEWS_YET)
        if stated is not None:
            return stated.at
    return None


def _as_json(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(value).decode()
