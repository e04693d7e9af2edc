"""Sentence boundaries and their bounds."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.enricher.tokenizer import MAX_SENTENCE, sentences


def split(text: str) -> list[str]:
    return [text[a:b] for a, b in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Trời mưa. Đường ngập!", ["Trời mưa.", "Đường ngập!"]),
        ("Dòng một\nDòng hai", ["Dòng một", "Dòng hai"]),
        ("Ông Q. Minh đến TP. Vinh. Rồi về.", ["Ông Q. Minh đến TP. Vinh.", "Rồi về."]),
        ("“Xong rồi.” Cô cười.", ["“Xong rồi.”", "Cô cười."]),
        ("Giá 1.500 đồng. Hết.", ["Giá 1.500 đồng.", "Hết."]),
        ("Họ đến châu Á.Sau đó về.", ["Họ đến châu Á.", "Sau đó về."]),
        ("Anh nói xong.Cô đi.", ["Anh nói xong.", "Cô đi."]),
        ("Ở TP.HCM có mưa", ["Ở TP.HCM có mưa"]),
        ("Chờ đã... Thôi.", ["Chờ đã...", "Thôi."]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_boundaries(text: str, expected: list[str]) -> None:
    assert split(text) == expected


@given(st.text(alphabet=st.sampled_from("aÁ.!?…”\n \tB1"), max_size=300))
def test_sentences_cover_everything_but_white_space(text: str) -> None:
    places = list(sentences(text))
    assert all(a < b and text[a:b] == text[a:b].strip() for a, b in places)
    assert all(one[1] <= two[0] for one, two in pairwise(places))
    assert "".join(text[a:b] for a, b in places).split() == "".join(split(text)).split()
    assert [c for c in text if not c.isspace()] == [c for s in split(text) for c in s if not c.isspace()]


def test_no_sentence_is_longer_than_its_bound() -> None:
    pieces = split("chữ " * 30_000) + split("chữ" * 30_000)
    assert max(map(len, pieces)) <= MAX_SENTENCE
    assert sum(map(len, split("chữ" * 30_000))) == 90_000
