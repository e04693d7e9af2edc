"""Dates as crawlers write them, with the precision they have."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from services.runtime.records import Precision

VIETNAM = timezone(timedelta(hours=7))
"""Asia/Ho_Chi_Minh has been UTC+7 without summer time since 1975, before every date accepted here."""

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""Older times are mistakes (the epoch, year 1), not publication dates of articles on the web."""

TOLERANCE = timedelta(days=1)
"""How far a time may lie ahead of the clock: wrong zones and clocks are common, scheduled news is not."""

_MAX_LENGTH = 100
_ISO_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?")
_ISO_FRACTION = re.compile(r"(?<=:\d\d)[.,](\d+)")
_COMPACT_DAY = re.compile(r"(?:19|20)\d{6}(?:\d{6})?")
_NUMBER = re.compile(r"[0-9]{9,17}(?:\.[0-9]*)?")
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})\s?[/.-]\s?(\d{1,2})\s?[/.-]\s?(\d{4})(?!\d)")
_MONTH_YEAR = re.compile(r"(?:tháng\s)?(\d{1,2})\s?[/-]\s?(\d{4})", re.IGNORECASE)
_IN_WORDS = re.compile(r"(?:ngày\s)?(\d{1,2})\stháng\s(\d{1,2})(?:,?\snăm\s|,\s?|\s)(\d{4})", re.IGNORECASE)
_TIME = re.compile(
    r"(?<!\d)(\d{1,2})\s?(?:[:h]|giờ)\s?(\d{2})(?:[:\s]\s?(\d{2}))?(?!\d)\s?([ap]m|sa|ch)?", re.IGNORECASE
)
_ZONE = re.compile(
    r"\b(?:GMT|UTC)\s?([+-])\s?(\d{1,2})(?::?(\d{2}))?\)?\s*$|(?<=\d)\s?([+-])(\d{2}):?(\d{2})\s*$"
    r"|(?:\b(?:GMT|UTC)|(?<=\d)\s?Z)\)?\s*$",
    re.IGNORECASE,
)
_STRAY = re.compile(r"\s*date:?\s+(\d{4})(-|\s-\s)(\d{2})(?:\2(\d{2}))?(?![\d-])[\s.:|]*", re.IGNORECASE)


class Moment(NamedTuple):
    """An aware datetime in UTC: the first moment of the second, day, month or year that is known."""

    at: datetime
    precision: Precision


def _local(year: int, month: int = 1, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=VIETNAM)


def _from_number(value: float) -> datetime | None:
    """Read seconds, milliseconds or microseconds since the epoch, told apart by their size."""
    if not math.isfinite(value):
        return None
    for unit in (1, 1_000, 1_000_000):
        if 1e8 <= value / unit < 1e11:
            return datetime.fromtimestamp(value // unit, UTC)
    return None


def _from_iso(text: str) -> Moment | None:
    """Read RFC 3339 and its relatives: a space for the T, no seconds, a fraction of any length, no zone."""
    try:
        moment = datetime.fromisoformat(_ISO_FRACTION.sub("", text))
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return Moment(moment, "second")
    # A naive midnight is what date-only sources become in a crawler's datetime field.
    midnight = moment.time() == datetime.min.time()
    return Moment(moment.replace(tzinfo=VIETNAM), "day" if midnight else "second")


def _zone(text: str) -> timezone:
    match = _ZONE.search(text)
    if match is None:
        return VIETNAM
    sign, hours, minutes = match[1] or match[4], match[2] or match[5], match[3] or match[6]
    if sign is None:
        return UTC
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return timezone(-offset if sign == "-" else offset)


def _with_time(text: str, year: int, month: int, day: int) -> Moment:
    """Add the time of day that `text` (what surrounds the date) holds."""
    match = _TIME.search(text)
    if match is None:
        return Moment(_local(year, month, day), "day")
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    half = (match[4] or "").lower()
    if half in {"pm", "ch"} and hour < 12:
        hour += 12
    elif half in {"am", "sa"} and hour == 12:
        hour = 0
    zone = _zone(text)
    return Moment(datetime(year, month, day, hour, minute, second, tzinfo=zone), "second")


def _from_words(text: str) -> Moment | None:
    """Read what Vietnamese pages print: `Thứ hai, 2/3/2026, 14:05 (GMT+7)`; the day comes first."""
    if match := _DAY_FIRST.search(text) or _IN_WORDS.search(text):
        rest = text[: match.start()] + " " + text[match.end() :]
        return _with_time(rest, int(match[3]), int(match[2]), int(match[1]))
    if match := _ISO_DAY.fullmatch(text):
        if match[3] is not None:
            return Moment(_local(int(match[1]), int(match[2]), int(match[3])), "day")
        return Moment(_local(int(match[1]), int(match[2])), "month")
    if match := _ISO_DAY.match(text):
        if match[3] is not None:
            return _with_time(text[match.end() :], int(match[1]), int(match[2]), int(match[3]))
        return None
    if match := _MONTH_YEAR.fullmatch(text):
        return Moment(_local(int(match[2]), int(match[1])), "month")
    return None


def _from_text(text: str) -> Moment | None:
    if re.fullmatch(r"[12]\d{3}", text):
        return Moment(_local(int(text)), "year")
    if _COMPACT_DAY.fullmatch(text):
        if len(text) == 8:
            return Moment(datetime.strptime(text, "%Y%m%d").replace(tzinfo=VIETNAM), "day")
        return Moment(datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=VIETNAM), "second")
    if _NUMBER.fullmatch(text):
        moment = _from_number(float(text))
        return None if moment is None else Moment(moment, "second")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return Moment(datetime.fromisoformat(text).replace(tzinfo=VIETNAM), "day")
    if re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}", text) and (iso := _from_iso(text)) is not None:
        return iso
    if re.search(r"\b[A-Za-z]{3,9}\b", text) and not re.search(r"[^\x00-\x7f]", text):
        try:
            parsed = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            parsed = None
        if parsed is not None:
            return Moment(parsed if parsed.tzinfo else parsed.replace(tzinfo=VIETNAM), "second")
    return _from_words(text)


def parse(value: object, *, latest: datetime) -> Moment | None:
    """Return the moment a raw date field stands for, or None if it is absent, unreadable or implausible.

    Reads RFC 3339 and ISO 8601, RFC 2822, seconds to microseconds since the epoch, the forms of Vietnamese
    pages (day first), and dates of day, month or year precision. A time without zone is Vietnamese time.
    Implausible is before 1990 or more than a day after `latest` (aware).
    """
    if isinstance(value, bool) or value is None:
        return None
    moment: Moment | None
    try:
        if isinstance(value, int | float):
            if 1900 <= value <= 2999 and value == int(value):
                moment = Moment(_local(int(value)), "year")
            else:
                at = _from_number(value)
                moment = None if at is None else Moment(at, "second")
        elif isinstance(value, str) and len(value) <= _MAX_LENGTH:
            moment = _from_text(" ".join(value.split()))
        else:
            return None
        if moment is None:
            return None
        at = moment.at.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None
    return Moment(at, moment.precision) if EARLIEST <= at <= latest + TOLERANCE else None


def take_stray(text: str) -> tuple[str | None, str]:
    """Split ` date 2023-08 Text…`, the trace of a template in front of the text, into date and text.

    The date, as `2023-08` or `2023-08-05`, is None where there is none; several are all taken off, and the
    first that can be a date counts.
    """
    found: str | None = None
    start = 0
    while (match := _STRAY.match(text, start)) is not None:
        year, month, day = match[1], match[3], match[4]
        if not (1 <= int(month) <= 12 and (day is None or 1 <= int(day) <= 31)):
            break
        found = found or "-".join(part for part in (year, month, day) if part is not None)
        start = match.end()
    return found, text[start:]
