"""What the processes write to standard error: lines for people, or one JSON object a line for machines.

A line can carry fields beside its message (`extra=fields(...)`): ids to search by, never text of articles.
"""

from __future__ import annotations

import logging
import logging.config
from datetime import UTC, datetime
from typing import Any

import orjson

from services.runtime.records import Record
from services.runtime.settings import Settings
from services.runtime.stage import Failure, Outcome
from services.runtime.trace import trace_id_of

_FIELDS = "machtin_fields"


def fields(**values: Any) -> dict[str, Any]:
    """Return the `extra` of a log call with these fields; those that are None are left out."""
    return {_FIELDS: {name: value for name, value in values.items() if value is not None}}


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, exception, and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, _FIELDS, {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class ConsoleFormatter(logging.Formatter):
    """The message and, after it, the fields as name=value."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the name is the library's)
        """Return the line without its exception."""
        values = getattr(record, _FIELDS, {})
        return " ".join(
            [super().formatMessage(record), *(f"{name}={value}" for name, value in values.items())]
        )


def configuration(settings: Settings) -> dict[str, Any]:
    """Return the configuration of `logging` for a process.

    Libraries say nothing below INFO: at DEBUG, a Kafka client writes more than we do.
    """
    level = getattr(logging, settings.log_level)
    formatter = JsonFormatter if settings.log_format == "json" else ConsoleFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "stream": "ext://sys.__stderr__",
            }
        },
        "root": {"level": max(level, logging.INFO), "handlers": ["stderr"]},
        "loggers": {"services": {"level": level}},
    }


def configure(settings: Settings) -> None:
    """Set up `logging` in a process that is no Faust worker; that one is given the configuration."""
    logging.config.dictConfig(configuration(settings))


def decision(stage: str, message: Any, outcome: Outcome, traceparent: str) -> dict[str, Any]:
    """Return the fields of one decision: where its message lay, what came of it, what to search by."""
    failure, records = (outcome, []) if isinstance(outcome, Failure) else (None, outcome)
    first: Record = records[0] if records else {}
    change = first.get("change", {})
    key = message.key.decode("utf-8", "replace") if message.key else None
    return fields(
        stage=stage,
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        outcome="dead" if failure else "published" if first else "unchanged",
        reason=failure.reason.value if failure else None,
        article_id=first.get("article_id") or change.get("article_id") or key,
        story_id=first.get("story_id"),
        change=change.get("type"),
        duplicate=first.get("duplicate", {}).get("kind"),
        records=len(records),
        trace_id=trace_id_of(traceparent),
    )
