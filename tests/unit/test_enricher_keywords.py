"""Keywords and the language gate."""

from __future__ import annotations

from test_enricher_names import enrich

from services.enricher.keywords import MAX_KEYWORDS

TEXT = (
    "Nhà máy thủy điện xả lũ trong đêm. Nước lũ dâng cao làm ngập ba thôn. Người dân di dời tài sản. "
    "Nhà máy thủy điện khẳng định việc xả lũ đúng quy trình. Ông Lê Văn Tám nói nước lên nhanh."
)


def weights(text: str, **fields: str) -> dict[str, float]:
    return {k["term"]: k["weight"] for k in enrich(text, **fields)["keywords"]}


def test_weights_fall_from_one_and_ties_are_sorted() -> None:
    terms = enrich(TEXT)["keywords"]
    assert terms[0]["weight"] == 1.0
    assert [(-k["weight"], k["term"]) for k in terms] == sorted((-k["weight"], k["term"]) for k in terms)
    assert all(0 < k["weight"] <= 1 for k in terms)


def test_rare_words_of_the_article_outweigh_common_ones() -> None:
    found = weights(TEXT)
    assert found["nhà máy"] > found["người dân"]
    assert not {"và", "của", "là", "trong", "."} & set(found)


def test_the_title_counts_more() -> None:
    assert weights(TEXT, title="Tài sản bị cuốn trôi")["tài sản"] > weights(TEXT)["tài sản"]


def test_words_of_both_tone_styles_are_one_term() -> None:
    found = weights("Lễ hội hoà nhạc mở cửa. Ban tổ chức hòa nhạc bán vé. Đêm hoà nhạc kéo dài.")
    assert [t for t in found if "nhạc" in t] == ["hòa nhạc"]
    assert "quá trình" in weights("Quá trình sản xuất kéo dài.")


def test_their_number_is_bounded() -> None:
    text = ". ".join(f"Dự án khu đô thị Phương Nam{i} khởi công" for i in range(200))
    assert len(enrich(text)["keywords"]) == MAX_KEYWORDS


def test_other_languages_get_frequent_words_and_countries_only() -> None:
    text = 'The minister met Mr. John Miller in Canada. "We will plant every single tree again", Miller said.'
    record = enrich(text, language="en")
    assert {e["id"] for e in record["entities"]} == {"country:CA"}
    assert record["quotes"] == []
    assert record["keywords"][0] == {"term": "miller", "weight": 1.0}


def test_unaccented_text_of_unknown_language_is_read_as_vietnamese() -> None:
    assert enrich("Theo Reuters, gia xang tang.", language="und")["entities"][0]["id"] == "org:reuters"
