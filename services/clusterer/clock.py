"""Event time: which dates of an article can be believed, and what time it is.

The clock is the median of the newest `WINDOW` articles' `received_at`, and never goes back. So neither one
article from the year 2099 nor four of them in a row move it, an old backlog does not stop it, and after a
long silence it has caught up when five articles have arrived. It is written into every record.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from services.clusterer.state import Clock
from services.runtime.records import CleanArticle

WINDOW = 9
MOST_AHEAD = timedelta(days=2)
"""A publication time later than this after reception is an error, not a date."""
_EPOCH = datetime(1970, 1, 1)
REMEMBERED_TIMES = 4096
"""Times kept at hand as seconds: those of a story are needed whenever it grows."""
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
HOUR = len("2026-01-01T00")
"""So much of a time field names the hour."""


def advance(clock: Clock | None, received_at: str) -> Clock:
    """Return the clock after an article received at `received_at`."""
    recent = [*(clock["recent"] if clock else []), received_at][-WINDOW:]
    median = sorted(recent)[(len(recent) - 1) // 2]
    return {"now": max(median, clock["now"]) if clock else median, "recent": recent}


def known_time(article: CleanArticle) -> str | None:
    """Return when the article was published, or None where that is not known to the day."""
    if article["published_precision"] not in ("second", "day"):
        return None
    published = datetime.fromisoformat(article["published_at"])
    if published < OLDEST or published > datetime.fromisoformat(article["received_at"]) + MOST_AHEAD:
        return None
    return article["published_at"]


@lru_cache(maxsize=REMEMBERED_TIMES)
def seconds(text: str) -> int:
    """Return a record's time field as seconds since the epoch (faster than `runtime.times`)."""
    return int(datetime.fromisoformat(text).timestamp())


def time_text(seconds_since_epoch: int) -> str:
    """Return the time field for seconds since the epoch."""
    return f"{(_EPOCH + timedelta(seconds=seconds_since_epoch)).isoformat()}Z"


def shifted(text: str, hours: int) -> str:
    """Return the time `hours` later (earlier when negative): minutes and seconds stay as they are."""
    return _hour_shifted(text[:HOUR], hours) + text[HOUR:]


@lru_cache(maxsize=256)
def _hour_shifted(hour: str, hours: int) -> str:
    return (datetime.fromisoformat(hour) + timedelta(hours=hours)).isoformat()[:HOUR]
