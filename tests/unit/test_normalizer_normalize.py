"""The normalizer as a whole: what comes out of every kind of record, and what can never come out."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import jsonschema
import orjson
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.normalizer.fields import is_absent
from services.normalizer.normalize import normalize
from services.runtime.errors import InvalidMessage, Reason
from services.runtime.records import CleanArticle
from services.runtime.text import comparable

ROOT = Path(__file__).parents[2]
SEEDS = ROOT.parent / "shared" / "seeds"
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SCHEMA = json.loads((ROOT / "schemas" / "records" / "clean-article.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

SEGMENTED = (
    "Hội_đồng thành_phố thông_qua kế_hoạch trồng cây . Ông Lê_Văn Tám nói : “ Chúng_tôi trồng 5.000 cây , "
    "giữ 90 % sau một năm ” . Việc này bắt_đầu từ 9/9 tại châu_Á.G 7 ủng_hộ . "
    "Thanh_Hà ( Theo Reuters , TTXVN )"
)
PLAIN = (
    "Sáng nay, hàng trăm người dân xã Bình Minh ra đồng gặt lúa sớm để tránh bão. Ông Lê Văn Tám cho biết cả "
    "nhà thức từ ba giờ.\nĐến trưa, hơn một nửa diện tích đã gặt xong và được chở về kho của hợp tác xã."
)


def article(**fields: Any) -> CleanArticle:
    return normalize({"article_id": "bai-1", "text": PLAIN, **fields}, NOW)


# ---- whole records ---------------------------------------------------------------------------------------


def test_a_record_with_everything() -> None:
    clean = normalize(
        {
            "article_id": " bai-7 ",
            "url": "https://m.vi-du.vn/bai-7.html?utm_source=zalo#x",
            "text": "<p>" + PLAIN.replace("\n", "</p><p>") + "</p>",
            "title": "Gặt lúa <b>chạy bão</b> &amp; lũ",
            "summary": "(TTXVN) - Người dân ra đồng từ sớm.",
            "source": "Báo Ví Dụ",
            "published_at": "2/3/2026, 14:05 (GMT+7)",
            "modified_at": "2026-03-02T15:00:00+07:00",
            "crawled_at": 1772441000,
            "language": "vi-VN",
            "authors": ["Lê Hoa", "An Nam"],
            "categories": "Thời sự; Miền Trung",
            "tags": ["lúa", "bão", "lúa"],
            "image_url": "https://vi-du.vn/anh.jpg",
            "status": "usable",
            "views": 12,
        },
        NOW,
    )
    assert clean == {
        "article_id": "bai-7",
        "edition": "vi",
        "url": "https://m.vi-du.vn/bai-7.html?utm_source=zalo#x",
        "canonical_url": "https://vi-du.vn/bai-7.html",
        "source": "Báo Ví Dụ",
        "title": "Gặt lúa chạy bão & lũ",
        "lead": "Người dân ra đồng từ sớm.",
        "text": PLAIN,
        "language": "vi",
        "published_at": "2026-03-02T07:05:00Z",
        "published_precision": "second",
        "modified_at": "2026-03-02T08:00:00Z",
        "received_at": "2026-03-02T08:43:20Z",
        "status": "usable",
        "derived": [],
        "content_hash": hashlib.sha256(comparable(PLAIN).encode()).hexdigest(),
        "authors": ["Lê Hoa", "An Nam"],
        "categories": ["Miền Trung", "Thời sự"],
        "tags": ["bão", "lúa"],
        "image_url": "https://vi-du.vn/anh.jpg",
        "extra": {"views": 12},
    }


def test_a_record_with_almost_nothing() -> None:
    clean = normalize({"url": "https://m.vi-du.vn/bai", "text": PLAIN}, NOW)
    assert clean["article_id"] == "url-17dae3d8aad67e42"
    assert clean["source"] == "vi-du.vn"
    assert clean["title"] == "Sáng nay, hàng trăm người dân xã Bình Minh ra đồng gặt lúa sớm để tránh bão"
    assert clean["lead"] == PLAIN.split("\n")[0]
    assert clean["published_at"] == clean["received_at"] == "2026-03-02T09:30:00Z"
    assert clean["published_precision"] == "received"
    assert clean["derived"] == ["article_id", "language", "lead", "published_at", "source", "title"]


@pytest.mark.parametrize(
    "raw",
    [
        {
            "maintext": PLAIN,
            "url": "https://vi-du.vn/b",
            "date_publish": "2026-03-01 10:00:00",
            "source_domain": "vi-du.vn",
        },
        {
            "text": PLAIN,
            "source": "https://vi-du.vn/b",
            "date": "2026-03-01",
            "source-hostname": "vi-du.vn",
            "tags": "a;b",
        },
        {
            "body": PLAIN,
            "link": "https://vi-du.vn/b",
            "pubDate": "Sun, 01 Mar 2026 10:00:00 +0700",
            "source": "vi-du.vn",
        },
        {
            "content": PLAIN,
            "url": "https://vi-du.vn/b",
            "publish_date": "2026-03-01T10:00:00",
            "hostname": "vi-du.vn",
        },
    ],
    ids=["news-please", "trafilatura", "rss", "scrapy"],
)
def test_crawler_formats_mean_the_same(raw: dict[str, Any]) -> None:
    clean = normalize(raw, NOW)
    assert clean["text"] == PLAIN
    assert clean["url"] == "https://vi-du.vn/b"
    assert clean["source"] == "vi-du.vn"
    assert clean["published_at"][:10] in {"2026-03-01", "2026-02-28"}
    assert clean["extra"] == {}


def test_segmented_text_comes_out_plain() -> None:
    clean = normalize({"article_id": "a", "text": SEGMENTED, "title": "Hội_đồng trồng cây"}, NOW)
    assert clean["text"] == (
        "Hội đồng thành phố thông qua kế hoạch trồng cây. Ông Lê Văn Tám nói: “Chúng tôi trồng 5.000 cây, "
        "giữ 90% sau một năm”. Việc này bắt đầu từ 9/9 tại châu Á. G7 ủng hộ."
    )
    assert clean["title"] == "Hội đồng trồng cây"


def test_a_stray_date_gives_the_month() -> None:
    clean = article(text=" date 2023-08 Ông Tám (trái) trên đồng (Ảnh: Reuters).\n\n" + PLAIN)
    assert clean["published_at"] == "2023-07-31T17:00:00Z"
    assert clean["published_precision"] == "month"
    assert clean["text"] == "Ông Tám trên đồng.\n" + PLAIN
    assert clean["title"].startswith("Sáng nay")
    assert clean["lead"].startswith("Sáng nay")
    assert "published_at" in clean["derived"]


def test_a_date_that_was_sent_comes_before_a_stray_one() -> None:
    clean = article(text="date 2023-08 " + PLAIN, published_at="2026-03-01")
    assert clean["published_at"] == "2026-02-28T17:00:00Z"
    assert clean["published_precision"] == "day"
    assert clean["text"] == PLAIN


def test_the_embedded_title_is_not_repeated_in_the_text() -> None:
    assert article(text="Gặt lúa chạy bão\n(TTXVN) - " + PLAIN, title="Gặt lúa chạy bão")["text"] == PLAIN
    derived = article(text="Gặt lúa chạy bão\n(TTXVN) - " + PLAIN)
    assert derived["title"] == "Gặt lúa chạy bão"
    assert derived["text"] == PLAIN


def test_copies_in_other_dress_have_one_hash() -> None:
    plain = article()["content_hash"]
    assert article(text=PLAIN.upper())["content_hash"] == plain
    assert article(text=unicodedata.normalize("NFD", PLAIN))["content_hash"] == plain
    assert article(text="(TTXVN) - " + PLAIN + " Thanh Hà (Theo AFP)")["content_hash"] == plain
    assert article(text=PLAIN + " Thêm một câu.")["content_hash"] != plain


def test_the_published_text_keeps_its_own_tone_marks() -> None:
    assert article(text="Hoà bình và thuý kiều. " + PLAIN)["text"].startswith("Hoà bình và thuý kiều.")


def test_a_withdrawn_article_has_no_text() -> None:
    clean = normalize({"article_id": "a", "status": " Withdrawn ", "language": "vi", "text": PLAIN}, NOW)
    assert clean["status"] == "withdrawn"
    assert clean["text"] == clean["title"] == clean["lead"] == ""
    assert clean["edition"] == "vi"
    assert clean["content_hash"] == hashlib.sha256(b"").hexdigest()


def test_a_withdrawal_that_is_only_an_id_goes_where_the_article_went() -> None:
    assert normalize({"article_id": "a-1", "status": "withdrawn"}, NOW)["edition"] == "vi"
    other = {"article_id": "a-2", "status": "withdrawn", "language": "en"}
    assert normalize(other, NOW)["edition"] == "en"


def test_html_is_inert_everywhere() -> None:
    bad = "<img src=x onerror=alert(1)>Chữ <script>alert(2)</script>&lt;script&gt;alert(3)&lt;/script&gt;"
    clean = article(title=bad, summary=bad, source=bad, authors=[bad], tags=[bad], text=bad + PLAIN)
    shown = [clean["title"], clean["lead"], clean["source"], clean["text"], *clean["authors"], *clean["tags"]]
    assert all("Chữ" in text for text in shown)
    assert not any(re.search(r"<[a-z/!]|alert", text) for text in shown)


# ---- times -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("crawled_at", "received_at"),
    [
        ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("2026-03-03T09:30:00Z", "2026-03-03T09:30:00Z"),
        ("2026-03-03T09:30:01Z", "2026-03-02T09:30:00Z"),
        ("1970-01-01T00:00:00Z", "2026-03-02T09:30:00Z"),
        ("lúc nãy", "2026-03-02T09:30:00Z"),
        (None, "2026-03-02T09:30:00Z"),
    ],
)
def test_received_at_is_the_crawl_or_the_arrival(crawled_at: str | None, received_at: str) -> None:
    assert article(crawled_at=crawled_at)["received_at"] == received_at


def test_a_date_from_the_future_is_missing_and_kept_under_extra() -> None:
    clean = article(published_at="2030-01-01")
    assert clean["published_precision"] == "received"
    assert clean["extra"] == {"published_at": "2030-01-01"}


# ---- refusals --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ({"text": "Có chữ nhưng không biết là bài nào."}, Reason.NO_IDENTITY),
        ({"text": "Chữ", "url": "javascript:alert(1)"}, Reason.NO_IDENTITY),
        ({"text": "Chữ", "article_id": "None"}, Reason.NO_IDENTITY),
        ({"text": "Chữ", "article_id": "\u200b"}, Reason.NO_IDENTITY),
        ({"article_id": "a"}, Reason.NO_TEXT),
        ({"article_id": "a", "text": "<p> … </p>"}, Reason.NO_TEXT),
        ({"article_id": "a", "text": []}, Reason.NO_TEXT),
        ({"article_id": "a", "text": {"p": "x"}}, Reason.BAD_FIELD),
        ({"article_id": "a", "text": 5}, Reason.BAD_FIELD),
        ({"article_id": ["a"], "text": "x"}, Reason.BAD_FIELD),
        ({"article_id": True, "url": "https://vi-du.vn/a", "text": "x"}, Reason.BAD_FIELD),
        ({"article_id": "a", "text": "x", "status": "canceled"}, Reason.BAD_STATUS),
        ({"article_id": "a", "text": "x", "status": 1}, Reason.BAD_STATUS),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_reason(raw: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(InvalidMessage) as caught:
        normalize(raw, NOW)
    assert caught.value.reason is reason
    assert caught.value.detail.endswith(".")


# ---- properties ------------------------------------------------------------------------------------------

FRAGMENTS = st.sampled_from(
    [
        *(
            "Hội_đồng họp_bàn kế_hoạch ",
            "thông_qua ",
            " , ",
            " . ",
            "châu_Á.G 7 ",
            "“ ",
            " ”",
            '" ',
            "( ",
            " )",
            "5 % ",
        ),
        *(
            "<p>",
            "</p>",
            "<b>",
            "&amp;",
            "&lt;p&gt;",
            "&amp;lt;",
            "<script>",
            "<",
            ">",
            "<br>",
            "&#8203;",
            "lt;",
            "&",
        ),
        *(
            "Ảnh: Reuters ",
            "(Ảnh: AFP).",
            "(trái) ",
            "Minh Hà",
            " (Theo TTXVN)",
            "Theo VnExpress",
            "Xem thêm: tin khác",
        ),
        *(
            "(TTXVN) - ",
            "TTO - ",
            "date 2023-08 ",
            "date ",
            "Nguồn ảnh: ",
            ">> ",
            "----\n",
            "Chia sẻ | Zalo\n",
        ),
        *(
            "\n",
            "\n\n",
            " ",
            "  ",
            "\t",
            "\u200b",
            "\u00a0",
            "\ufeff",
            "\x00",
            "\ud83d",
            "\ude00",
            "\u0301",
            "\u0323",
            "👍",
        ),
        *(
            "Gặt lúa chạy bão\n",
            "Nước lên. ",
            "Ông Tám nói: ",
            "không",
            "?",
            "!",
            "…",
            "A.B",
            "1.1.1",
            "G7 ",
            "G 7 ",
        ),
        PLAIN,
        SEGMENTED,
    ]
)
TEXTS = st.lists(FRAGMENTS | st.text(st.characters(exclude_categories=[]), max_size=5), max_size=30).map(
    "".join
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    [
        *(
            "article_id",
            "url",
            "text",
            "title",
            "summary",
            "source",
            "published_at",
            "modified_at",
            "crawled_at",
        ),
        *(
            "language",
            "authors",
            "categories",
            "tags",
            "image_url",
            "status",
            "extra",
            "id",
            "body",
            "date",
            "image",
        ),
    ]
)
OBJECTS = st.dictionaries(NAMES | st.text(max_size=5), VALUES, max_size=8)
LIKELY = st.fixed_dictionaries(
    {"article_id": st.text(min_size=1, max_size=5), "text": TEXTS},
    optional={
        "title": TEXTS.map(lambda text: text[:300]),
        "summary": TEXTS.map(lambda text: text[:300]),
        "url": st.text(max_size=10).map(lambda tail: "https://vi-du.vn/" + tail),
        "published_at": st.text(st.sampled_from("0123456789-/:T "), max_size=20),
        "status": st.sampled_from(["usable", "withdrawn"]),
        "x": VALUES,
    },
)
TIMES = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)).map(
    lambda t: t.replace(tzinfo=UTC)
)


def check_contract(clean: CleanArticle, arrived_at: datetime) -> None:
    VALIDATOR.validate(clean)
    assert json.loads(orjson.dumps(clean)) == clean
    for name in ("title", "lead", "text", "source", "article_id"):
        value = cast("dict[str, str]", clean)[name]
        assert unicodedata.is_normalized("NFC", value), name
        assert value == value.strip(), name
        assert not any(unicodedata.category(c) in {"Cc", "Cs"} for c in value.replace("\n", "")), name
        assert name == "text" or "\n" not in value, name
    assert "\n\n" not in clean["text"]
    assert bool(clean["text"]) == (clean["status"] == "usable")
    assert bool(clean["title"]) or clean["status"] == "withdrawn"
    assert len(clean["title"]) <= 500
    assert len(clean["lead"]) <= 500
    assert 0 < len(clean["article_id"]) <= 200
    assert clean["edition"] == ("vi" if clean["language"] == "und" else clean["language"])
    assert clean["derived"] == sorted(set(clean["derived"]))
    assert clean["content_hash"] == hashlib.sha256(comparable(clean["text"]).encode()).hexdigest()
    assert len(orjson.dumps(clean["extra"])) <= 16 * 1024
    latest = (arrived_at + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "1990" <= clean["received_at"] <= latest
    assert "1989-12-31" <= clean["published_at"] <= latest


@settings(max_examples=400, deadline=None, derandomize=True)
@given(OBJECTS | LIKELY, TIMES)
def test_any_object_becomes_a_record_of_the_contract_or_a_reason(
    raw: dict[str, Any], arrived_at: datetime
) -> None:
    try:
        clean = normalize(raw, arrived_at)
    except InvalidMessage:
        return
    check_contract(clean, arrived_at)
    assert normalize(raw, arrived_at) == clean


@settings(max_examples=400, deadline=None, derandomize=True)
@given(LIKELY)
def test_normalizing_a_clean_article_changes_nothing_more(raw: dict[str, Any]) -> None:
    try:
        clean = normalize(raw, NOW)
    except InvalidMessage:
        return
    assume(not is_absent(clean["title"]) and not is_absent(clean["lead"]))  # the word None reads as nothing
    again = normalize(dict(clean), NOW)
    for name in ("article_id", "text", "title", "lead", "content_hash", "language", "url", "canonical_url"):
        assert cast("dict[str, Any]", again)[name] == cast("dict[str, Any]", clean)[name], name


@settings(max_examples=200, deadline=None, derandomize=True)
@given(LIKELY)
def test_the_input_is_left_as_it_was(raw: dict[str, Any]) -> None:
    before = repr(raw)
    with contextlib.suppress(InvalidMessage):
        normalize(raw, NOW)
    assert repr(raw) == before


# ---- bounded time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "a",
            "a.",
            "1.1",
            "_a",
            "đà_a ",
            "đàm_phán . ",
            "đà_a.B_c ",
            "Ảnh: ",
            "Ảnh: A-A-",
            "(Ảnh: ",
            "Ảnh: Lê Văn/",
        ),
        *(
            ". Minh An",
            ". (Theo A) ",
            ".(Theo A)",
            "(TTXVN) - ",
            "---- ",
            "-" * 80 + "x\n",
            "facebook | ",
            ">>",
            '" a ',
        ),
        *(
            "<",
            "<div>",
            "<a ",
            "&amp;",
            "<p a='",
            "a\n",
            "date 2023-08 ",
            "\u0301\u0323",
            "a\u0323\u0301",
            " \n ",
            "(trái) ",
        ),
    ],
)
def test_time_grows_with_the_length_and_not_with_its_square(piece: str) -> None:
    def seconds(length: int) -> float:
        text = "Nước " + piece * (length // len(piece))
        best = 60.0
        for _ in range(2):
            start = time.process_time()
            normalize({"article_id": "a", "text": text, "title": text, "summary": text}, NOW)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(200_000) < 40 * max(seconds(20_000), 0.01)


# ---- the two seeds ---------------------------------------------------------------------------------------


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seeds are not beside this checkout")
def test_the_seeds_read_as_clean_vietnamese() -> None:
    clean = [
        normalize({"article_id": path.stem, "text": path.read_text(encoding="utf-8")}, NOW)
        for path in sorted(SEEDS.glob("*.txt"))
    ]
    assert [one["language"] for one in clean] == ["vi", "vi"]
    assert [one["published_precision"] for one in clean] == ["month", "received"]
    for one in clean:
        assert not re.search(r"_|\s[,.;:)]|\(\s|Ảnh|\(trái\)|Theo Reuters|date \d", one["text"])
        assert 20 < len(one["title"]) <= 120
        assert one["title"] in one["text"]
    assert len(clean[1]["title"].split()) == 10  # the headline alone, not the lead it runs into
