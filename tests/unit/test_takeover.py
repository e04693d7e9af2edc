"""Whoever takes over a stateful stage goes on exactly where its output ends, and a zombie changes nothing.

The output of a stage is one sequence that the order of its input decides. A writer appends it from some
point on that the log has reached. So whatever several writers do, the log holds a prefix of the sequence,
and of records that were in it already. These tests cut the log at every such place and go on.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from services.runtime.codec import encode
from services.runtime.events import Headers
from services.runtime.memory import INPUT, PartitionMemory, Position
from services.runtime.stage import StatefulStage
from services.runtime.times import to_text
from services.topology import load_stage
from tests.chaos.articles import BEGIN, raw_messages
from tests.chaos.verifier import stateless

ARRIVED_MS = int(BEGIN.timestamp() * 1000)
LATE = 7
"""So many records of a zombie arrive after its successor has begun."""


Log = list[tuple[bytes, Headers]]


class Writer:
    """One owner of a partition: rebuilds its memory from the log, repairs it, and reads the input."""

    def __init__(self, stage: StatefulStage, log: Log) -> None:
        self._log = log
        self._memory = PartitionMemory(stage)
        for value, headers in log:
            self._memory.restore(value, headers)
        log += [(encode(record), []) for record in self._memory.repair()]

    def read(self, messages: Sequence[bytes], first: int = 0) -> None:
        for offset, message in enumerate(messages[first:], start=first):
            position = Position(offset, ARRIVED_MS + offset)
            outcome = self._memory.process(message, position)
            assert isinstance(outcome, list), outcome
            self._log += [(encode(record), [position.header()]) for record in outcome]


def values(log: Log) -> list[bytes]:
    return [value for value, _ in log]


def distinct(log: Log) -> list[bytes]:
    return list(dict.fromkeys(values(log)))


@pytest.fixture(scope="module")
def inputs() -> dict[str, list[bytes]]:
    """Return what the stateful stages read: one edition's articles, with a month's silence among them."""
    normalize, enrich = stateless("normalizer"), stateless("enricher")
    clean: list[bytes] = []
    for number, (_, value) in enumerate(raw_messages(110, seed=9)):
        outcome = normalize(_Message(value))
        for record in outcome if isinstance(outcome, list) else []:
            moved = datetime.fromisoformat(record["received_at"]) + timedelta(days=30 * (number >= 70))
            record |= {"edition": "vi", "received_at": to_text(moved), "published_at": to_text(moved)}
            clean.append(encode(record))
    stage = load_stage("deduplicator")
    assert isinstance(stage, StatefulStage)
    deduplicated: Log = []
    Writer(stage, deduplicated).read(clean)
    enriched = []
    for value in values(deduplicated):
        outcome = enrich(_Message(value))
        assert isinstance(outcome, list)
        enriched += [encode(record) for record in outcome]
    return {"deduplicator": clean, "clusterer": enriched}


class _Message:
    """As much of a message as the pure steps look at."""

    timestamp = ARRIVED_MS

    def __init__(self, value: bytes) -> None:
        self.value = value


def whole(name: str, inputs: dict[str, list[bytes]]) -> tuple[StatefulStage, list[bytes], Log]:
    stage = load_stage(name)
    assert isinstance(stage, StatefulStage)
    log: Log = []
    Writer(stage, log).read(inputs[name])
    return stage, inputs[name], log


@pytest.mark.parametrize("name", ["deduplicator", "clusterer"])
def test_killed_after_any_record_the_next_one_writes_what_is_missing(
    name: str, inputs: dict[str, list[bytes]]
) -> None:
    stage, messages, wanted = whole(name, inputs)
    within_a_decision = [n for n in range(1, len(wanted)) if wanted[n - 1][1] == wanted[n][1]]
    for cut in sorted({*range(0, len(wanted), 12), *within_a_decision, len(wanted)}):
        log = wanted[:cut]
        # Nothing was committed: it is given every message again.
        Writer(stage, log).read(messages)
        assert values(log) == values(wanted), f"cut after {cut} records"


@pytest.mark.parametrize("name", ["deduplicator", "clusterer"])
def test_what_a_zombie_writes_late_changes_nothing(name: str, inputs: dict[str, list[bytes]]) -> None:
    """It was stopped with records in hand, or runs ahead of its successor; then the successor dies, too."""
    stage, messages, wanted = whole(name, inputs)
    for cut in range(0, len(wanted), 9):
        log = wanted[:cut]
        successor = Writer(stage, log)
        read = min(len(messages), cut // 2 + 5)
        successor.read(messages[:read])
        # The zombie goes on from where it was stopped: behind its successor, level with it or ahead of it.
        log += wanted[cut : cut + LATE]
        assert distinct(log) == values(wanted)[: len(distinct(log))], "the log is no prefix"
        successor.read(messages, read)
        Writer(stage, log).read(messages)
        assert distinct(log) == values(wanted), f"stopped after {cut} records"


def test_the_inputs_bring_about_every_kind_of_change_worth_cutting(inputs: dict[str, list[bytes]]) -> None:
    _, messages, wanted = whole("clusterer", inputs)
    stories: list[Any] = [orjson.loads(value) for value, _ in wanted]
    kinds = {story["change"]["type"] for story in stories}
    assert {"created", "article_added", "related", "closed", "article_retracted"} <= kinds, kinds
    assert len(wanted) > len(messages), "some decisions must take several records"


def test_a_position_survives_its_header_and_only_its_own() -> None:
    position = Position(41, ARRIVED_MS)
    assert Position.carried_by([("other", b"1@2"), position.header()]) == position
    for value in (b"41", b"a@1", b"1@", b"@1", b"-1@5"):
        assert Position.carried_by([(INPUT, value)]) is None


def test_a_topic_made_anew_begins_at_offset_0_and_is_read(inputs: dict[str, list[bytes]]) -> None:
    stage, messages, log = whole("deduplicator", inputs)
    memory = PartitionMemory(stage)
    for value, headers in log:
        memory.restore(value, headers)
    assert memory.process(messages[0], Position(0, ARRIVED_MS)) == []
    article = orjson.loads(messages[0]) | {"article_id": "another", "url": None, "canonical_url": None}
    later = Position(0, ARRIVED_MS + 10**6)
    assert memory.process(orjson.dumps(article), later), "a new message at an old offset must be decided"


def test_a_memory_goes_on_from_its_place_until_somebody_else_writes(inputs: dict[str, list[bytes]]) -> None:
    """After that it is rebuilt: an old record of its own must not be applied to what came after it."""
    memory = PartitionMemory(whole("deduplicator", inputs)[0])
    for offset in range(3):
        memory.wrote(offset)
    assert (memory.next_offset, memory.knows_its_place) == (3, True)
    memory.wrote(4)
    memory.wrote(5)
    assert (memory.next_offset, memory.knows_its_place) == (3, False)
