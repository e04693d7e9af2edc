from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from services.runtime.errors import InvalidMessage, Reason
from services.runtime.records import Record
from services.runtime.stage import Failure, stateful_runner, stateless_runner

NOW = datetime(2026, 3, 2, tzinfo=UTC)


class Sum:
    """Remembers the sum of what it published."""

    def __init__(self) -> None:
        self.total = 0

    def decide(self, record: Record) -> list[Record]:
        if record["n"] < 0:
            raise InvalidMessage(Reason.BAD_FIELD, "n must not be negative")
        return [{"total": self.total + record["n"]}] if record["n"] else []

    def apply(self, record: Record) -> None:
        self.total = record["total"]

    def repair(self) -> list[Record]:
        return []


def message(**fields: Any) -> bytes:
    return orjson.dumps(fields)


def test_what_is_published_becomes_the_memory_of_the_next_decision() -> None:
    runner = stateful_runner(Sum(), 100)
    assert [runner.process(message(n=n), NOW) for n in (1, 0, 2)] == [[{"total": 1}], [], [{"total": 3}]]


def test_an_invalid_message_is_a_failure_and_leaves_the_memory_alone() -> None:
    state = Sum()
    runner = stateful_runner(state, 100)
    assert runner.process(message(n=-1), NOW) == Failure(
        Reason.BAD_FIELD, "InvalidMessage", "n must not be negative"
    )
    assert runner.process(b"no", NOW) != []
    assert state.total == 0


def test_a_bug_costs_one_message_and_says_which_exception_it_was(caplog: pytest.LogCaptureFixture) -> None:
    outcome = stateful_runner(Sum(), 100).process(message(m=1), NOW)
    assert outcome == Failure(Reason.INTERNAL_ERROR, "KeyError", "'n'")
    assert "KeyError" in caplog.text


def test_a_stateless_stage_is_told_when_the_message_arrived() -> None:
    runner = stateless_runner(lambda record, arrived_at: [{**record, "at": arrived_at.isoformat()}], 100)
    assert runner.process(message(a=1), NOW) == [{"a": 1, "at": "2026-03-02T00:00:00+00:00"}]
