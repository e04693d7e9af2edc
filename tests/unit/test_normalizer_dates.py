from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.normalizer.dates import EARLIEST, TOLERANCE, parse, take_stray

LATEST = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "at", "precision"),
    [
        ("2026-03-02T07:05:00Z", "2026-03-02T07:05:00", "second"),
        ("2026-03-02T14:05:00+07:00", "2026-03-02T07:05:00", "second"),
        ("2026-03-02T14:05:00.123456789+0700", "2026-03-02T07:05:00", "second"),
        ("2026-03-02 14:05:09", "2026-03-02T07:05:09", "second"),
        ("2026-03-02T14:05", "2026-03-02T07:05:00", "second"),
        ("2026-03-02 00:00:00", "2026-03-01T17:00:00", "day"),
        ("2026-03-02", "2026-03-01T17:00:00", "day"),
        ("20260302", "2026-03-01T17:00:00", "day"),
        ("20260302140500", "2026-03-02T07:05:00", "second"),
        ("2026/03/02 14:05", "2026-03-02T07:05:00", "second"),
        ("02/03/2026 14:05", "2026-03-02T07:05:00", "second"),
        ("02/03/2026 - 14:05", "2026-03-02T07:05:00", "second"),
        ("14:05 - 2/3/2026", "2026-03-02T07:05:00", "second"),
        ("14h05 ngày 2-3-2026", "2026-03-02T07:05:00", "second"),
        ("2/3/2026", "2026-03-01T17:00:00", "day"),
        ("2.3.2026", "2026-03-01T17:00:00", "day"),
        ("Thứ hai, 2/3/2026, 14:05 (GMT+7)", "2026-03-02T07:05:00", "second"),
        ("Thứ Hai, ngày 02/03/2026 14:05 PM", "2026-03-02T07:05:00", "second"),
        ("2/3/2026 2:05 CH", "2026-03-02T07:05:00", "second"),
        ("2/3/2026 14:05 GMT", "2026-03-02T14:05:00", "second"),
        ("ngày 2 tháng 3 năm 2026", "2026-03-01T17:00:00", "day"),
        ("2 tháng 3, 2026 14:05", "2026-03-02T07:05:00", "second"),
        ("Mon, 02 Mar 2026 14:05:00 +0700", "2026-03-02T07:05:00", "second"),
        ("Mon, 02 Mar 2026 07:05:00 GMT", "2026-03-02T07:05:00", "second"),
        (1772435100, "2026-03-02T07:05:00", "second"),
        (1772435100.9, "2026-03-02T07:05:00", "second"),
        (1772435100123, "2026-03-02T07:05:00", "second"),
        ("1772435100", "2026-03-02T07:05:00", "second"),
        ("2023-08", "2023-07-31T17:00:00", "month"),
        ("08/2023", "2023-07-31T17:00:00", "month"),
        ("tháng 8/2023", "2023-07-31T17:00:00", "month"),
        ("2023", "2022-12-31T17:00:00", "year"),
        (2023, "2022-12-31T17:00:00", "year"),
    ],
)
def test_the_forms_of_crawlers_and_pages(value: object, at: str, precision: str) -> None:
    moment = parse(value, latest=LATEST)
    assert moment is not None
    assert moment.at == datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert moment.precision == precision


@pytest.mark.parametrize(
    "value",
    [
        *(
            "None",
            "",
            "hôm qua",
            "31/02/2026",
            "2026-13-01",
            "99/99/9999",
            "2/3/26",
            "0001-01-01",
            "9999-12-31T23:59:59Z",
        ),
        *(
            "1989-12-31",
            "2026-03-03T09:30:01Z",
            "14:05",
            "x" * 500,
            "2026-03-02T25:00:00",
            "1e400",
            "٢٠٢٦-٠٣-٠٢",
            "0",
        ),
        *(None, True, -1, 0, 5, float("nan"), float("inf"), 10**30, [], {}, ["2026-03-02"]),
    ],
)
def test_what_is_no_plausible_date_is_missing(value: object) -> None:
    assert parse(value, latest=LATEST) is None


def test_a_date_up_to_a_day_ahead_is_believed() -> None:
    assert parse("2026-03-03T09:30:00Z", latest=LATEST) is not None


@given(
    st.text(st.sampled_from("0123456789/-:.,+TZ GMTthángnămngày hAPCHe"), max_size=40)
    | st.text(max_size=30)
    | st.floats()
    | st.integers()
)
def test_any_value_gives_a_plausible_moment_or_none(value: object) -> None:
    moment = parse(value, latest=LATEST)
    if moment is not None:
        assert EARLIEST <= moment.at <= LATEST + TOLERANCE
        assert moment.at.microsecond == 0


@given(st.datetimes(min_value=datetime(1990, 1, 2), max_value=datetime(2026, 3, 1)))
def test_day_first_dates_mean_what_iso_dates_mean(moment: datetime) -> None:
    printed = parse(moment.strftime("%d/%m/%Y %H:%M:%S"), latest=LATEST)
    iso = parse(moment.strftime("%Y-%m-%dT%H:%M:%S+07:00"), latest=LATEST)
    assert printed is not None
    assert iso is not None
    assert printed.at == iso.at


@pytest.mark.parametrize(
    ("text", "found", "rest"),
    [
        (" date 2023-08 Mưa lớn ở miền Trung", "2023-08", "Mưa lớn ở miền Trung"),
        ("date: 2023-08-05\nMưa lớn", "2023-08-05", "Mưa lớn"),
        ("date 2023 - 08 Mưa lớn", "2023-08", "Mưa lớn"),
        ("date 2023-08 date 2024-01 Mưa", "2023-08", "Mưa"),
        ("date 2023-13 Mưa", None, "date 2023-13 Mưa"),
        ("date 2023-08-051 Mưa", None, "date 2023-08-051 Mưa"),
        ("Mưa lớn date 2023-08", None, "Mưa lớn date 2023-08"),
        ("update 2023-08 Mưa", None, "update 2023-08 Mưa"),
    ],
)
def test_a_stray_date_in_front_is_taken_off(text: str, found: str | None, rest: str) -> None:
    assert take_stray(text) == (found, rest)
