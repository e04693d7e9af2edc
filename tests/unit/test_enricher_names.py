"""Names: gazetteer, split layer, heads, identity. The sentences are written for these tests."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import pytest

from services.enricher.enrich import Enricher
from services.enricher.identity import local_id, person_id
from services.runtime.records import DeduplicatedArticle, EnrichedArticle


@cache
def enricher() -> Enricher:
    """One set of models for all tests of the enricher."""
    return Enricher()


def article(
    text: str, *, title: str = "", language: str = "vi", article_id: str = "a1"
) -> DeduplicatedArticle:
    record: dict[str, Any] = {
        "article_id": article_id,
        "edition": language,
        "url": None,
        "canonical_url": None,
        "source": "test",
        "title": title,
        "lead": "",
        "text": text,
        "language": language,
        "published_at": "2026-03-02T07:05:00Z",
        "published_precision": "second",
        "modified_at": None,
        "received_at": "2026-03-02T07:06:00Z",
        "status": "usable",
        "derived": [],
        "content_hash": "0" * 64,
        "authors": [],
        "categories": [],
        "tags": [],
        "image_url": None,
        "extra": {},
        "version": 1,
        "duplicate": {
            "kind": "none", "of": None, "similarity": None, "differs": [], "closest": None, "series": None,
        },
        "signature": "",
    }  # fmt: skip
    return cast(DeduplicatedArticle, record)


def enrich(text: str, **fields: str) -> EnrichedArticle:
    return enricher().enrich(article(text, **fields))


def found(text: str, **fields: str) -> dict[str, str]:
    """Return the id of every mention by its text; offsets are checked on the way."""
    record = enrich(text, **fields)
    mentions = {}
    for entity in record["entities"]:
        for mention in entity["mentions"]:
            assert text[mention["start"] : mention["end"]] == mention["text"]
            mentions[mention["text"]] = entity["id"]
    return mentions


def types(text: str) -> dict[str, str]:
    return {m["text"]: e["type"] for e in enrich(text)["entities"] for m in e["mentions"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tổng thống Mỹ Joe Biden gặp báo giới.", {"Mỹ": "country:US", "Joe Biden": "person:biden-joe"}),
        (
            "Người đồng cấp Ukraine Volodymyr Zelensky cảm ơn.",
            {"Ukraine": "country:UA", "Volodymyr Zelensky": "person:volodimir-zelenski"},
        ),
        (
            "Bộ trưởng Nội vụ Ukraine Ihor Klymenko có mặt.",
            {"Ukraine": "country:UA", "Ihor Klymenko": "person:ihor-klimenko"},
        ),
        (
            "Chủ tịch UBND TP Đà Nẵng Lê Quang Tuệ dự lễ.",
            {"UBND TP Đà Nẵng": "org:ubnd-da-nang", "Lê Quang Tuệ": "person:le-quang-tue"},
        ),
        (
            "Tiền đạo Barcelona Lionel Messi chấn thương.",
            {"Barcelona": "geonames:3128760", "Lionel Messi": "person:lionel-messi"},
        ),
        ("Quan hệ Mỹ - Trung căng thẳng.", {"Mỹ": "country:US", "Trung": "country:CN"}),
        ("Hợp tác Nga-Trung được nhắc tới.", {"Nga": "country:RU", "Trung": "country:CN"}),
    ],
)
def test_a_country_or_body_before_a_person_is_split_off(text: str, expected: dict[str, str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "mention", "entity"),
    [
        ("Các nước G 7 họp tại Rome.", "G 7", "org:g7"),
        ("Mưa lớn ở TP.HCM sáng nay.", "TP.HCM", "vn-province:SG"),
        ("Mưa lớn ở TP. HCM sáng nay.", "TP. HCM", "vn-province:SG"),
        ("Chợ ở Sài Gòn đông khách.", "Sài Gòn", "vn-province:SG"),
        ("Hội nghị tại Kiev bắt đầu.", "Kiev", "geonames:703448"),
        ("Hội nghị tại Kyiv bắt đầu.", "Kyiv", "geonames:703448"),
        ("Máy bay hạ cánh ở Mátxcơva.", "Mátxcơva", "geonames:524901"),
        ("Hội nghị ở Lithuania kết thúc.", "Lithuania", "country:LT"),
        ("Hội nghị ở Litva kết thúc.", "Litva", "country:LT"),
        ("Hàng hoá nhập từ Hoa Kỳ tăng.", "Hoa Kỳ", "country:US"),
        ("Đoàn đến thăm tỉnh Thanh Hoá.", "Thanh Hoá", "vn-province:21"),
        ("Theo Bộ Y tế, số ca giảm.", "Bộ Y tế", "org:ministry-of-health-vn"),
        ("Hãng thông tấn Reuters đưa tin.", "Reuters", "org:reuters"),
        ("Ông sống ở phường 7, quận 3.", "3", "place:quan-3"),
    ],
)
def test_known_names_have_their_ids(text: str, mention: str, entity: str) -> None:
    assert found(text)[mention] == entity


@pytest.mark.parametrize(
    ("text", "not_there"),
    [
        ("Anh bước vào phòng. Anh ngồi xuống.", "country:GB"),
        ("Chị Nga và bà Mỹ cùng đi chợ.", "country:RU"),
        ("Ông Nguyễn Đức Thuận có mặt.", "country:DE"),
        ("Ca sĩ Mỹ Tâm hát ba bài.", "country:US"),
        ("Áo len bán chạy trong mùa đông.", "country:AT"),
        ("Ý kiến của người dân được ghi nhận.", "country:IT"),
        ("Chủ nhật này trời mưa.", "country:JP"),
        ("Người mẫu Nhật Lệ xuất hiện.", "country:JP"),
        ("Pháp luật quy định rõ điều này.", "country:FR"),
        ("Anh Ba và chị Song bán hàng ở chợ Hương.", "geonames"),
        ("Cầu thủ Jordan Pickford bắt chính.", "country:JO"),
    ],
)
def test_ambiguous_names_do_not_fire(text: str, not_there: str) -> None:
    assert not [e for e in enrich(text)["entities"] if e["id"].startswith(not_there)]


def test_a_foreign_ministry_is_not_the_vietnamese_one() -> None:
    mentions = found("Bộ Ngoại giao Mỹ ra tuyên bố. Bộ Ngoại giao Việt Nam hoan nghênh.")
    assert mentions["Bộ Ngoại giao Mỹ"] == "org:ministry-of-foreign-affairs-us"
    assert mentions["Bộ Ngoại giao Việt Nam"] == "org:ministry-of-foreign-affairs-vn"


def test_a_bare_ministry_belongs_to_the_country_that_the_article_speaks_of() -> None:
    text = "Bộ Ngoại giao Nga phản đối. Sau đó Bộ Ngoại giao triệu đại sứ."
    assert found(text)["Bộ Ngoại giao"] == "org:ministry-of-foreign-affairs-ru"
    assert found("Bộ Ngoại giao trả lời báo chí.")["Bộ Ngoại giao"] == "org:ministry-of-foreign-affairs-vn"


def test_abbreviations_introduced_in_the_text_mean_the_same() -> None:
    text = "Hiệp hội Vận tải Ven biển (HHVTVB) kiến nghị giảm phí. HHVTVB gửi văn bản hôm qua."
    mentions = found(text)
    assert mentions["HHVTVB"] == mentions["Hiệp hội Vận tải Ven biển"]
    assert found("Liên Hợp Quốc (LHQ) lên tiếng.")["LHQ"] == "org:un"


def test_a_place_in_brackets_is_no_abbreviation() -> None:
    mentions = found("Bệnh viện Ánh Dương (TP.HCM) tiếp nhận ba người.")
    assert mentions["TP.HCM"] == "vn-province:SG"
    assert mentions["Bệnh viện Ánh Dương"] == "org:benh-vien-anh-duong"


def test_forms_of_a_person_join_within_an_article() -> None:
    text = (
        "Ông Nguyễn Văn Khởi bị bắt hôm qua. Theo cáo trạng, ông Khởi nhận tiền. "
        "Bà Lê Thị Mận cũng bị bắt, bà Mận không nhận tội."
    )
    mentions = found(text)
    assert mentions["Khởi"] == mentions["Nguyễn Văn Khởi"] == "person:khoi-nguyen-van"
    assert mentions["Mận"] == mentions["Lê Thị Mận"] == "person:le-man-thi"


def test_forms_of_a_person_join_across_articles() -> None:
    full = found("Tổng thống Volodymyr Zelenskyy phát biểu.")["Volodymyr Zelenskyy"]
    assert found("Ông Zelensky cảm ơn đồng minh.")["Zelensky"] == full
    there = found("Ngoại trưởng Hayashi Yoshimasa đến nơi.")["Hayashi Yoshimasa"]
    back = found("Ngoại trưởng Nhật Bản Yoshimasa Hayashi rời đi.")["Yoshimasa Hayashi"]
    assert there == back
    assert found("Người phát ngôn Dmitri Peskov nói vậy.")["Dmitri Peskov"] == "person:dmitri-peskov"


def test_an_ambiguous_given_name_stays_in_its_article() -> None:
    text = "Anh Hùng bán cá. Anh Hùng dậy sớm."
    first = found(text, article_id="a1")["Hùng"]
    second = found(text, article_id="a2")["Hùng"]
    assert first != second
    assert first == local_id("person", "Hùng", "a1")


def test_two_people_of_one_given_name_are_told_apart_by_the_nearest() -> None:
    text = "Ông Trần Quốc Hùng lái xe. Ông Hùng dừng lại. Ông Lê Mạnh Hùng đi bộ. Ông Hùng bị ngã."
    record = enrich(text)
    ids = {m["start"]: e["id"] for e in record["entities"] for m in e["mentions"]}
    assert ids[text.index("Hùng dừng")] == "person:hung-quoc-tran"
    assert ids[text.index("Hùng bị")] == "person:hung-le-manh"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hayashi Yoshimasa", "Yoshimasa Hayashi"),
        ("Zelensky", "Zelenskyy"),
        ("Zelensky", "Zelenskiy"),
        ("Andrii Yermak", "Andriy Yermak"),
        ("Nguyễn Văn Hoà", "Nguyen Van Hoa"),
        ("Kim Jong-un", "KIM JONG UN"),
    ],
)
def test_person_ids_do_not_depend_on_order_accents_or_transliteration(one: str, other: str) -> None:
    assert person_id(one) == person_id(other)


def test_y_is_a_letter_of_its_own_in_vietnamese() -> None:
    assert person_id("Lý Văn Thuý") == "person:ly-thuy-van"


def test_streets_and_schools_named_after_people_are_not_people() -> None:
    kinds = types("Xe chạy trên đường Trần Hưng Đạo rồi qua Trường THPT Lê Hồng Phong.")
    assert kinds["Trần Hưng Đạo"] == "LOC"
    assert kinds["Trường THPT Lê Hồng Phong"] == "ORG"


def test_a_person_after_an_office_is_not_part_of_the_office() -> None:
    kinds = types("Giám đốc Sở Giao thông Vận tải Nguyễn Hữu Tạo ký văn bản.")
    assert kinds == {"Sở Giao thông Vận tải": "ORG", "Nguyễn Hữu Tạo": "PER"}


def test_local_police_has_one_id_however_it_is_written() -> None:
    ids = {
        found(f"{name} đang điều tra.")[name]
        for name in ("Công an TP.HCM", "Công an TP HCM", "Công an Thành phố Hồ Chí Minh", "CA TP.HCM")
    }
    assert ids == {"org:cong-an-ho-chi-minh"}


def test_a_club_is_a_city_outside_sport() -> None:
    sport = "HLV của đội bóng thay hai cầu thủ. Bàn thắng giúp Roma vô địch mùa giải này."
    assert found(sport)["Roma"] == "org:as-roma"
    assert "org:as-roma" not in found("Du khách thích đi bộ ở Roma vào mùa thu.").values()


def test_a_name_ends_where_a_paragraph_break_was_lost() -> None:
    assert "Phạm Quốc Bảo" in found("Bộ trưởng Phạm Quốc Bảo Là người trả lời đầu tiên, ông nói ngắn gọn.")


def test_lists_of_entities_are_sorted_by_salience_then_id() -> None:
    record = enrich("Pháp và Đức họp ở Paris. Pháp nhượng bộ.", title="Pháp nhượng bộ")
    keys = [(-e["salience"], e["id"]) for e in record["entities"]]
    assert keys == sorted(keys)
    assert record["entities"][0]["id"] == "country:FR"
    assert all(0 <= e["salience"] <= 1 for e in record["entities"])


def test_the_title_raises_salience_but_has_no_mentions() -> None:
    text = "Hội nghị khai mạc. Đại biểu từ Canada phát biểu. Đại biểu từ Chile đáp lời."
    plain = {e["id"]: e for e in enrich(text)["entities"]}
    titled = {e["id"]: e for e in enrich(text, title="Chile kêu gọi hòa bình")["entities"]}
    assert titled["country:CL"]["salience"] > plain["country:CL"]["salience"]
    assert titled["country:CL"]["mentions"] == plain["country:CL"]["mentions"]
    assert titled["country:CA"]["salience"] == plain["country:CA"]["salience"]


def test_the_same_article_gives_the_same_record() -> None:
    text = "Ông Nguyễn Văn Khởi gặp bà Merkel ở Berlin. “Chúng tôi sẽ cùng nhau làm việc”, ông Khởi nói."
    fresh = Enricher().enrich(article(text))
    for _ in range(2):
        assert enrich(text) == fresh


def test_everything_else_of_the_article_is_kept() -> None:
    source = article("Paris đón du khách.")
    record = enricher().enrich(source)
    assert {k: v for k, v in record.items() if k not in ("entities", "keywords", "quotes")} == source


def test_a_given_name_that_is_also_a_country_stays_the_person() -> None:
    text = "Bị cáo Trần Thiện Đức nhận tội. Tòa tuyên phạt Đức ba năm tù."
    assert found(text)["Đức"] == "person:duc-thien-tran"
    both = "Ông Trần Thiện Đức sang nước Đức chữa bệnh. Bác sĩ tại Đức tiếp nhận ông."
    assert "country:DE" in found(both).values()


def test_anonymous_names_are_good_within_their_article_only() -> None:
    text = "Anh Phạm Văn K. trình báo bị lừa. Anh K. mất hai tỷ đồng."
    first, second = found(text, article_id="a1"), found(text, article_id="a2")
    assert first["Phạm Văn K."] != second["Phạm Văn K."]


@pytest.mark.parametrize(
    ("text", "mention", "entity"),
    [
        ("Vụ việc do công an P.15 xử lý.", "P.15", "place:phuong-15"),
        ("Nhà ở P.Đông Lương bị ngập.", "P.Đông Lương", "place:dong-luong"),
        ("Cháy lớn tại TP.Vinh đêm qua.", "TP.Vinh", "geonames:1562798"),
        ("CLB Real Madrid mua tiền vệ.", "CLB Real Madrid", "org:real-madrid"),
        ("Hội Hữu nghị Nhật-Việt ra mắt.", "Hội Hữu nghị Nhật-Việt", "org:hoi-huu-nghi-nhat-viet"),
        ("Sở Giao thông vận tải xin ý kiến.", "Sở Giao thông vận tải", "org:so-giao-thong-van-tai"),
        ("Xe chạy trên đường Trường Chinh lúc sáng.", "Trường Chinh", "place:truong-chinh"),
        ("Nhà số 7 Nguyễn Hữu Cảnh bị cháy.", "Nguyễn Hữu Cảnh", "place:nguyen-huu-canh"),
    ],
)
def test_heads_and_abbreviated_heads(text: str, mention: str, entity: str) -> None:
    assert found(text)[mention] == entity


def test_an_abbreviation_that_speaks_is_an_organisation() -> None:
    text = "Cơn bão mạnh lên. KTVXD cho biết gió giật cấp 12. Số liệu của KTVXD được cập nhật."
    assert types(text) == {"KTVXD": "ORG"}


def test_a_chairman_is_not_part_of_the_company() -> None:
    kinds = types("Chủ tịch Tập đoàn Nordvik Kenji Yamada dự lễ khánh thành.")
    assert kinds == {"Tập đoàn Nordvik": "ORG", "Kenji Yamada": "PER"}


def test_a_nickname_in_quotation_marks_is_nobody() -> None:
    assert not {"PER", "LOC"} & set(types("Đội khách, biệt danh “Los Toros”, thắng đậm.").values())
