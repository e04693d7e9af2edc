from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.normalizer.fields import ALIASES, Fields, as_list, as_text

LATEST = datetime(2026, 3, 2, tzinfo=UTC)


def test_every_alias_stands_for_its_field() -> None:
    for field, aliases in ALIASES.items():
        for alias in aliases:
            fields = Fields({alias: "https://vi-du.vn/x"})
            expected = "url" if field == "source" else field  # an address is no publisher
            assert fields.value(expected) == "https://vi-du.vn/x", alias
            assert fields.extra() == {}


def test_the_fields_own_name_comes_before_its_aliases() -> None:
    fields = Fields({"body": "hai", "text": "một", "content": None})
    assert fields.value("text") == "một"
    assert fields.extra() == {"body": "hai", "content": None}


@pytest.mark.parametrize("absent", [None, "", " ", "None", "null", "NaN", "undefined"])
def test_an_alias_steps_in_for_an_absent_value(absent: object) -> None:
    fields = Fields({"published_at": absent, "date_publish": "2026-03-01"})
    assert fields.value("published_at") == "2026-03-01"
    assert fields.value("title") is None
    assert fields.extra() == {}


def test_unknown_fields_and_an_incoming_extra_are_merged_and_sorted() -> None:
    fields = Fields({"z": 1, "a": [2], "extra": {"m": 3, "z": 4}})
    assert list(fields.extra().items()) == [("a", [2]), ("m", 3), ("z", 1)]
    assert Fields({"extra": "chữ"}).extra() == {"extra": "chữ"}


def test_trafilaturas_source_is_the_page() -> None:
    fields = Fields(
        {"source": "https://vi-du.vn/bai", "source-hostname": "Báo Ví Dụ", "hostname": "vi-du.vn"}
    )
    assert fields.value("url") == "https://vi-du.vn/bai"
    assert fields.value("source") == "Báo Ví Dụ"
    assert fields.extra() == {"hostname": "vi-du.vn"}


def test_a_value_that_cannot_be_used_is_kept_under_extra_by_its_own_name() -> None:
    fields = Fields({"date_publish": "hôm qua", "author": 7, "image": "ảnh.jpg", "headline": {"vi": "x"}})
    assert fields.moment("published_at", LATEST) is None
    assert fields.items("authors", split=False) == []
    assert fields.url("image_url") is None
    assert fields.line("title", 100) == ""
    assert fields.extra() == {
        "author": 7,
        "date_publish": "hôm qua",
        "headline": {"vi": "x"},
        "image": "ảnh.jpg",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (7, "7"),
        (7.0, "7"),
        (10**30, str(10**30)),
        (1.5, None),
        (True, None),
        ([], None),
        (10**99, None),
    ],
)
def test_numbers_become_text(value: object, text: str | None) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("value", "split", "items"),
    [
        ("kinh tế; lúa gạo,  bão;", True, ["kinh tế", "lúa gạo", "bão"]),
        ("Lê Hoa, Nam", False, ["Lê Hoa, Nam"]),
        ("Lê Hoa; Trần Nam", False, ["Lê Hoa", "Trần Nam"]),
        (["bão", " bão ", "lũ", 5, None, {"name": "lụt"}, {"x": 1}, ["y"]], True, ["bão", "lũ", "5", "lụt"]),
        (["<b>bão</b>\nlũ"], True, ["bão lũ"]),
        (["x" * 500], True, ["x" * 200]),
        ([str(i) for i in range(99)], True, [str(i) for i in range(50)]),
        ({"a": 1}, True, None),
        (3, True, None),
    ],
)
def test_lists(value: Any, split: bool, items: list[str] | None) -> None:
    assert as_list(value, split=split) == items


def test_extra_is_bounded_and_says_so() -> None:
    assert Fields({"html": "x" * 20_000, "a": 1}).extra() == {"_dropped": "too large"}
    assert Fields({"html": "x" * 16_000}).extra() == {"html": "x" * 16_000}


def test_extra_is_not_nested_without_end() -> None:
    deep: Any = "đáy"
    for _ in range(40):
        deep = [deep]
    encoded = orjson.dumps(Fields({"deep": deep}).extra())
    assert "đáy" not in encoded.decode()
    assert encoded.count(b"[") < 32


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=[]), max_size=4),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(st.characters(exclude_categories=[])),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        max_size=4,
    )
)
def test_extra_can_always_be_encoded_and_read_back(raw: dict[str, Any]) -> None:
    extra = Fields(raw).extra()
    assert orjson.loads(orjson.dumps(extra)) == extra
