"""Event time: the only form in which times are written to records."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """Return an aware datetime as RFC 3339 in UTC with second precision: `2026-03-02T07:05:00Z`."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def from_text(text: str) -> datetime:
    """Return the aware datetime of a record's time field. Raises ValueError if it is not one."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def seconds_of(text: str) -> int:
    """Return a record's time field as whole seconds since the Unix epoch."""
    return int(from_text(text).timestamp())
