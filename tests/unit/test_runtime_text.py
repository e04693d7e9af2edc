import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.text import comparable, fold, syllables, unify_tone_marks


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hoà bình", "hòa bình"),
        ("thuý", "thúy"),
        ("khoẻ mạnh", "khỏe mạnh"),
        ("quý", "qúy"),
        ("Ủy ban", "Uỷ ban"),
        ("xoè ra.", "xòe ra."),
    ],
)
def test_both_placements_of_a_tone_mark_compare_equal(one: str, other: str) -> None:
    assert unify_tone_marks(one) == unify_tone_marks(other)
    assert comparable(one) == comparable(other)


@pytest.mark.parametrize("word", ["toán", "hoàng", "thuyền", "quyết", "loài", "khoảng", "chuyện", "oái"])
def test_closed_syllables_have_one_placement_only_and_stay(word: str) -> None:
    assert unify_tone_marks(word) == word


def test_different_words_stay_different() -> None:
    assert len({unify_tone_marks(word) for word in ("hoa", "hoà", "hoá", "hoả", "hoã", "hoạ")}) == 6


def test_case_punctuation_spacing_and_unicode_form_do_not_count() -> None:
    text = "Bộ Y tế: “Không có ca mới”, ngày 3/4."
    assert comparable(unicodedata.normalize("NFD", text)) == comparable(text.upper().replace(" ", "\n "))
    assert comparable(text) == "bộ y tế không có ca mới ngày 3 4"


def test_folding_strips_every_vietnamese_accent() -> None:
    assert fold("Đặng Thuỳ Trâm, ĐƯỜNG phố Huế") == "dang thuy tram, duong pho hue"
    assert syllables("Lũ quét ở Nậm Păm: 2 người mất_tích") == [
        "lu", "quet", "o", "nam", "pam", "2", "nguoi", "mat", "tich",
    ]  # fmt: skip


@given(st.text())
def test_any_text_can_be_compared_and_comparing_again_changes_nothing(text: str) -> None:
    assert comparable(comparable(text)) == comparable(text)
    assert all(syllables(text))
