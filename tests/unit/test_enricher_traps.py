"""Input that breaks naive code: each trap of the findings, and anything else that hypothesis finds."""

from __future__ import annotations

import json
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_enricher_names import enrich, found

from services.enricher.enrich import MAX_ENTITIES, MAX_MENTIONS, MAX_TEXT

ORDINARY = (
    "Ông Nguyễn Văn Khởi, Giám đốc Sở Y tế tỉnh Nghệ An, cho biết bệnh viện đã tiếp nhận ba người. "
    "“Chúng tôi sẽ làm hết sức để cứu chữa cho các bệnh nhân này”, ông Khởi nói. "
)


def well_formed(text: str, title: str = "") -> None:
    record = enrich(text, title=title)
    for entity in record["entities"]:
        assert entity["mentions"]
        assert len(entity["mentions"]) <= MAX_MENTIONS
        for mention in entity["mentions"]:
            assert mention["text"]
            assert text[mention["start"] : mention["end"]] == mention["text"]
    assert len(record["entities"]) <= MAX_ENTITIES
    places = sorted((m["start"], m["end"]) for e in record["entities"] for m in e["mentions"])
    assert all(one[1] <= two[0] for one, two in pairwise(places))


def test_underscores_of_segmented_text_are_spaces() -> None:
    mentions = found("Tổng_thống Ukraine_Volodymyr Zelensky gặp Ngoại_trưởng Nhật_Bản Hayashi_Yoshimasa .")
    assert mentions["Volodymyr Zelensky"] == "person:volodimir-zelenski"
    assert mentions["Nhật_Bản"] == "country:JP"
    assert mentions["Hayashi_Yoshimasa"] == "person:haiashi-ioshimasa"


def test_an_uppercase_headline_is_no_giant_name() -> None:
    headline = "ÔNG TRUMP GẶP LÃNH ĐẠO NHẬT BẢN TẠI HÀ NỘI BÀN VỀ THƯƠNG MẠI"
    mentions = found(f"{headline}\nCuộc gặp kéo dài hai giờ.")
    assert mentions == {"TRUMP": "person:donald-trump", "NHẬT BẢN": "country:JP", "HÀ NỘI": "vn-province:HN"}


def test_emoji_and_markup_do_not_glue_onto_names() -> None:
    mentions = found("<b>Ukraine</b>🙂 và 🔥Canada🔥&nbsp;cùng ký. Reuters™ đưa tin\u200b.")
    assert mentions == {"Ukraine": "country:UA", "Canada": "country:CA", "Reuters": "org:reuters"}


def test_invisible_and_control_characters_keep_offsets() -> None:
    text = "Đoàn\u00ad Canada\x07 đến\ufeff Hà Nội\x00."
    assert found(text) == {"Canada": "country:CA", "Hà Nội": "vn-province:HN"}


@pytest.mark.parametrize("text", ["\ud800", "Ông Khởi \ud83d nói ở Hà Nội.", "\udfff" * 500])
def test_lone_surrogates_are_survived(text: str) -> None:
    well_formed(text, title=text)


@pytest.mark.parametrize("text", ["", " ", "\n\n", ".", "…", "“”", "()", "-", "\u0301", "\u200b"])
def test_next_to_nothing_gives_nothing(text: str) -> None:
    record = enrich(text)
    assert (record["entities"], record["keywords"], record["quotes"]) == ([], [], [])


@pytest.mark.parametrize(
    "noise",
    [b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", bytes(range(256)), b"%PDF-1.7\n%\xe2\xe3\xcf\xd3 obj <</Type"],
)
def test_bytes_read_as_text_are_survived(noise: bytes) -> None:
    well_formed(noise.decode("latin-1") * 50)


LONG = {
    "dots between letters": "a." * 15_000,
    "dots between digits": "1." * 15_000,
    "one sentence of 100,000 characters": "ông Khởi đi Huế và " * 5_300,
    "one word": "x" * 30_000,
    "only full stops": "." * 30_000,
    "only capital words": "Mỹ Nga Anh Tuấn " * 1_800,
    "quotation marks that never close": "“nói gì đó " * 2_700,
    "straight quotation marks": '" nói ' * 5_000,
    "titles": "Tổng thống " * 2_700,
    "organisations": "Công ty Cổ phần và " * 1_500,
    "open brackets": "(" * 30_000,
    "links": "http://a.b/c(d(" * 2_000,
    "all people alike": "Ông Trần Văn Nam nói. Nam cười. " * 900,
    "a new person each time": " ".join(f"Ông Trần Văn Nam gặp Anna Be{i}la. Anna nói." for i in range(700)),
}


@pytest.mark.parametrize("name", LONG)
def test_long_input_takes_time_in_proportion(name: str) -> None:
    """Odd characters cost no more than some times as many ordinary ones."""
    text = LONG[name]
    ordinary = (ORDINARY * (len(text) // len(ORDINARY) + 1))[: len(text)]
    enrich(ordinary[:1000])
    started = process_time()
    enrich(ordinary)
    usual = process_time() - started
    started = process_time()
    well_formed(text)
    assert process_time() - started < 12 * usual + 1


def test_what_lies_beyond_the_bound_is_not_read() -> None:
    record = enrich("chữ " * (MAX_TEXT // 4) + "Canada")
    assert record["entities"] == []


def test_mentions_of_one_entity_are_bounded_but_counted() -> None:
    text = "Hàng từ Canada. " * 300 + "Hàng từ Chile."
    by_id = {e["id"]: e for e in enrich(text)["entities"]}
    assert len(by_id["country:CA"]["mentions"]) == MAX_MENTIONS
    assert by_id["country:CA"]["salience"] > by_id["country:CL"]["salience"]


WORDS = [
    *(
        "Ông",
        "bà",
        "Anh",
        "Nga",
        "Mỹ",
        "Hà Nội",
        "Trần",
        "Văn",
        "Nam",
        "Joe",
        "Biden",
        "Công",
        "ty",
        "tỉnh",
        "de",
    ),
    *(
        "Bộ Ngoại giao",
        "TP.HCM",
        "G",
        "7",
        "LHQ",
        "WHO",
        "đường",
        "số",
        "5",
        "U20",
        "van",
        "Theo",
        "Nga-Trung",
    ),
    *(
        "và",
        "của",
        "nói",
        "-",
        "–",
        ",",
        ".",
        ":",
        "“",
        "”",
        '"',
        "(",
        ")",
        "quận",
        "tờ",
        "Tổng thống",
        "Văn phòng",
    ),
]

odd = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("\n\t .,:;-–“”\"()'/_&|"),
        st.sampled_from(list("ôÔảNnHhÁáđĐ0123456789")),
    ),
    max_size=200,
)
words = st.lists(
    st.sampled_from(WORDS),
    max_size=40,
).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(st.one_of(odd, words), st.one_of(odd, words))
def test_any_text_is_survived(text: str, title: str) -> None:
    well_formed(text, title)


@settings(max_examples=50, deadline=None)
@given(words)
def test_the_record_is_json(text: str) -> None:
    record = enrich(text)
    assert json.loads(json.dumps(record, ensure_ascii=False)) == record
