"""Log lines: for people or for machines, with ids beside the message."""

import json
import logging
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from services.runtime.errors import Reason
from services.runtime.logs import ConsoleFormatter, JsonFormatter, configuration, decision, fields
from services.runtime.settings import Settings
from services.runtime.stage import Failure, Outcome
from services.runtime.trace import made_for, trace_id_of

TRACE = made_for("news.articles.raw:3:41")
MESSAGE = SimpleNamespace(topic="news.articles.enriched", partition=2, offset=7, key=b"a-1")
STORY = {
    "story_id": "st-1",
    "title": "Cầu Rạch Vọp thông xe",
    "change": {"type": "article_added", "article_id": "a-1", "reason": {"terms": ["cầu"]}},
}
WHERE = {"stage": "clusterer", "topic": "news.articles.enriched", "partition": 2, "offset": 7}


def line(record_fields: dict[str, Any], exception: bool = False) -> logging.LogRecord:
    logger = logging.getLogger("services.test")
    record = logger.makeRecord(
        "services.test", logging.INFO, "f", 1, "Xin %s", ("chào",), None, extra=record_fields
    )
    if exception:
        try:
            raise ValueError("hỏng")
        except ValueError:
            record.exc_info = sys.exc_info()
    return record


def test_a_line_for_machines_is_one_object_with_the_fields() -> None:
    text = JsonFormatter().format(line(fields(article_id="a-1", story_id=None, odd={1, 2})))
    said = json.loads(text)
    assert said["message"] == "Xin chào"
    assert said["article_id"] == "a-1"
    assert "story_id" not in said
    assert said["level"] == "INFO"
    assert said["time"].endswith("+00:00")
    assert "\n" not in JsonFormatter().format(line({}, exception=True))
    assert "ValueError: hỏng" in json.loads(JsonFormatter().format(line({}, exception=True)))["exception"]


def test_a_line_for_people_has_the_fields_behind_the_message() -> None:
    assert (
        ConsoleFormatter()
        .format(line(fields(article_id="a-1", offset=7)))
        .endswith("services.test: Xin chào article_id=a-1 offset=7")
    )
    assert ConsoleFormatter().format(line({})).endswith("services.test: Xin chào")


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (
            [STORY, {**STORY, "story_id": "st-2"}],
            {
                **{"outcome": "published", "article_id": "a-1", "records": 2},
                **{"story_id": "st-1", "change": "article_added"},
            },
        ),
        ([], {"outcome": "unchanged", "article_id": "a-1", "records": 0}),
        (
            [{"article_id": "b", "title": "Cầu", "duplicate": {"kind": "near"}}],
            {"outcome": "published", "article_id": "b", "duplicate": "near", "records": 1},
        ),
        (
            Failure(Reason.NO_TEXT, "InvalidMessage", "there is no text"),
            {"outcome": "dead", "reason": "no_text", "article_id": "a-1", "records": 0},
        ),
    ],
)  # fmt: skip
def test_a_decision_is_described_by_ids_and_never_by_text(outcome: Outcome, said: dict[str, Any]) -> None:
    (described,) = decision("clusterer", MESSAGE, outcome, TRACE).values()
    assert described == {**WHERE, **said, "trace_id": trace_id_of(TRACE)}
    assert "Cầu" not in str(described)


def test_only_our_own_lines_are_at_debug() -> None:
    configured = configuration(Settings(log_level="DEBUG", log_format="json"))
    assert configured["loggers"]["services"]["level"] == logging.DEBUG
    assert configured["root"]["level"] == logging.INFO
    assert configured["formatters"]["line"]["()"] is JsonFormatter
    quiet = configuration(Settings(log_level="ERROR"))
    assert quiet["root"]["level"] == quiet["loggers"]["services"]["level"] == logging.ERROR
    assert quiet["formatters"]["line"]["()"] is ConsoleFormatter
