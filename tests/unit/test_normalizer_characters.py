from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.normalizer import characters
from services.normalizer.characters import one_line, printable, shorten

TRICKY = st.text(
    st.sampled_from(
        "aẾđ \n\t\r\x00\x85\u2028\u00a0\u200b\ufeff\ufe0f\u0301\u0323\u0344\ud83d\ude00\ue000中👍．…“"
    )
    | st.characters(),
    max_size=60,
)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  Mưa\u00a0 lớn \r\n\r\n gió\tto ", "Mưa lớn\ngió to"),
        ("Đa\u0300 La\u0323t", "Đà Lạt"),
        ("tin\u200bt\u00adức\ufeff", "tintức"),
        ("a\x00b\x1bc", "abc"),
        ("một\u2028hai\x85ba\x0bbốn", "một\nhai\nba\nbốn"),
        ("\ud83d\ude00 vui \ud800!", "😀 vui !"),
        ("biểu tượng \ue800 phông", "biểu tượng phông"),
        ("👨\u200d👩 giữ hình", "👨👩 giữ hình"),
    ],
)
def test_only_visible_characters_remain(raw: str, clean: str) -> None:
    assert printable(raw) == clean


@given(TRICKY)
def test_printable_text_is_nfc_without_invisible_characters_and_stays_so(raw: str) -> None:
    text = printable(raw)
    assert printable(text) == text
    assert unicodedata.is_normalized("NFC", text)
    assert text == text.strip()
    assert "  " not in text
    assert "\n\n" not in text
    assert not any(unicodedata.category(c) in {"Cc", "Cs", "Co"} for c in text.replace("\n", ""))
    assert not any(c.isspace() and c not in " \n" for c in text)


@given(TRICKY)
def test_the_short_way_for_plain_text_gives_what_the_long_way_gives(raw: str) -> None:
    short = printable(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(characters, "_is_plain", lambda text: False)
        assert printable(raw) == short


def test_endless_combining_marks_are_limited() -> None:
    text = printable("a" + "\u0323\u0301" * 50_000 + "b")
    assert len(text) < 100
    assert text.endswith("b")


def test_one_line_has_no_line_breaks() -> None:
    assert one_line("Một\n hai\r\nba") == "Một hai ba"


def test_shortening_prefers_a_word_boundary_and_keeps_the_limit() -> None:
    assert shorten("Hội nghị bàn về nguồn nước", 20) == "Hội nghị bàn về"
    assert shorten("Hội nghị bàn về nguồn nước", 20, "…") == "Hội nghị bàn về…"
    assert shorten("x" * 30, 10) == "x" * 10
    assert shorten("vừa đủ", 6) == "vừa đủ"


@given(st.text(max_size=80), st.integers(min_value=2, max_value=40))
def test_shortened_text_is_never_longer_than_the_limit(text: str, limit: int) -> None:
    assert len(shorten(text, limit, "…")) <= limit
