"""Direct speech and its speakers."""

from __future__ import annotations

import pytest
from test_enricher_names import enrich

from services.enricher.quotes import MAX_LENGTH, MAX_QUOTES
from services.runtime.text import syllables

SAID = "Chúng tôi sẽ trồng lại toàn bộ cánh rừng đã cháy trong mùa khô"


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        (f"“{SAID}”, ông Nguyễn Văn Khởi nói.", "person:khoi-nguyen-van"),
        (f'"{SAID}", ông Nguyễn Văn Khởi nói.', "person:khoi-nguyen-van"),
        (f"«{SAID}», ông Nguyễn Văn Khởi nói.", "person:khoi-nguyen-van"),
        (f"“{SAID}” - ông Nguyễn Văn Khởi chia sẻ với báo chí.", "person:khoi-nguyen-van"),
        (f"Ông Nguyễn Văn Khởi nói: “{SAID}”.", "person:khoi-nguyen-van"),
        (f"Ông Nguyễn Văn Khởi cho rằng “{SAID}”.", "person:khoi-nguyen-van"),
        (f"Theo ông Nguyễn Văn Khởi, “{SAID}”.", "person:khoi-nguyen-van"),
        (f"“{SAID}”, phát ngôn viên Điện Kremlin Dmitry Peskov bình luận.", "person:dmitri-peskov"),
        (f"“{SAID}”, người phát ngôn Bộ Ngoại giao Nga Maria Zakharova nhấn mạnh.", "person:maria-zakharova"),
        (f"Ông Nguyễn Văn Khởi đến sớm. “{SAID}”, ông giải thích.", "person:khoi-nguyen-van"),
        (f"Bà Lê Thị Mận đến sớm.\n“{SAID}”, bà giải thích.", None),
        (f"“{SAID}”, Bộ Y tế thông báo.", "org:ministry-of-health-vn"),
        (f"Ông Nguyễn Văn Khởi ra về. Sau đó có tiếng hô: “{SAID}”.", None),
        (f"“{SAID}” là khẩu hiệu trên tường.", None),
    ],
)
def test_the_speaker_is_found(text: str, speaker: str | None) -> None:
    assert enrich(text)["quotes"] == [{"text": SAID, "speaker": speaker}]


def test_a_later_form_of_the_speaker_has_the_same_id() -> None:
    text = f"Ông Nguyễn Văn Khởi đến nơi. Đường sá hư hỏng nặng. “{SAID}”, ông Khởi nói."
    assert enrich(text)["quotes"][0]["speaker"] == "person:khoi-nguyen-van"


def test_scare_quotes_and_titles_are_left_out() -> None:
    text = "Cuốn “Mùa hè năm ấy” bán chạy, bị gọi là “món hời”. Phim “Người đi qua cánh đồng vắng” ra mắt."
    assert enrich(text)["quotes"] == []


def test_quotes_are_bounded_in_number_and_length() -> None:
    many = enrich(" ".join(f"“{SAID} lần thứ {i}”, bà Lê Thị Mận nói." for i in range(40)))["quotes"]
    assert len(many) == MAX_QUOTES
    long = enrich(f"Bà Lê Thị Mận nói: “{'nói mãi không thôi ' * 100}”.")["quotes"]
    assert len(long) == 1
    assert len(long[0]["text"]) <= MAX_LENGTH


def test_an_unclosed_quotation_mark_is_no_quote() -> None:
    assert enrich(f"Bà Lê Thị Mận nói: “{SAID}. " + "Rồi bà đi tiếp. " * 300)["quotes"] == []


def test_the_same_quote_compares_equal_under_other_punctuation_and_segmentation() -> None:
    one = enrich(f"“{SAID}”, ông Nguyễn Văn Khởi nói.")["quotes"][0]
    two = enrich(f'" {SAID.replace("toàn bộ", "toàn_bộ")} " , ông Khởi nói .'.replace("_", " "))["quotes"][0]
    assert syllables(one["text"]) == syllables(two["text"])
