from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.normalizer.formats import flat
from services.normalizer.normalize import normalize
from services.runtime.errors import InvalidMessage, Reason
from services.runtime.records import Record

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEXT = "Phiên chợ trâu Cán Tỷ họp lại sau ba năm. Hơn hai trăm con được đưa về từ các bản vùng cao."

FORMATS: dict[str, Record] = {
    "ninjs 3": {
        "uri": "tag:vi-du.vn,2026:cho-trau",
        "headlines": [
            {"role": "short", "value": "Chợ trâu"},
            {"role": "main", "value": "Chợ trâu Cán Tỷ"},
        ],
        "bodies": [{"role": "main", "contentType": "text/plain", "value": TEXT}],
        "firstCreated": "2026-03-02T01:00:00Z",
        "versionCreated": "2026-03-02T02:00:00Z",
        "by": "Sùng Mí Lử",
        "pubStatus": "usable",
    },
    "fundus": {
        "html": {"requested_url": "https://vi-du.vn/cho-trau.html", "content": "<html>…</html>"},
        "title": "Chợ trâu Cán Tỷ",
        "body": {"summary": [], "sections": [{"headline": [], "paragraphs": TEXT.split(". ")}]},
        "publishing_date": "2026-03-02 08:00:00+07:00",
        "authors": ["Sùng Mí Lử"],
    },
    "RSS": {
        "link": "https://vi-du.vn/cho-trau.html",
        "title": "Chợ trâu Cán Tỷ",
        "description": f'<a href="https://vi-du.vn/x"><img src="https://vi-du.vn/a.jpg"></a>{TEXT}',
        "pubDate": "Mon, 02 Mar 2026 08:00:00 +0700",
        "author": "Sùng Mí Lử",
    },
    "Atom, as feedparser gives it": {
        "id": "https://vi-du.vn/cho-trau.html",
        "link": "https://vi-du.vn/cho-trau.html",
        "title": "Chợ trâu Cán Tỷ",
        "content": [{"type": "text/html", "value": f"<p>{TEXT}</p>"}],
        "published": "2026-03-02T08:00:00+07:00",
        "author": "Sùng Mí Lử",
    },
}


@pytest.mark.parametrize("name", FORMATS)
def test_nested_formats_give_the_same_article(name: str) -> None:
    clean = normalize(FORMATS[name], NOW)
    assert clean["title"] == "Chợ trâu Cán Tỷ"
    assert clean["text"].split() == TEXT.replace(". ", " " if name == "fundus" else ". ").split()
    assert clean["published_at"] == "2026-03-02T01:00:00Z"
    assert clean["authors"] == ["Sùng Mí Lử"]
    assert clean["url"] == FORMATS[name].get(
        "link", "https://vi-du.vn/cho-trau.html" if name == "fundus" else None
    )


def test_a_field_under_our_own_name_comes_first() -> None:
    assert flat({"text": "một", "bodies": [{"value": "hai"}]})["text"] == "một"


@pytest.mark.parametrize(
    "odd", [7, "x", [], ["x"], [{"role": "main"}], {"sections": 3}, {"sections": [3, {}]}]
)
def test_nested_fields_of_a_wrong_shape_are_no_text(odd: object) -> None:
    for name in ("bodies", "headlines", "content", "body", "html"):
        if isinstance(odd, str | list) and name in {"content", "body"}:
            continue  # a string or a list of strings is a text
        with pytest.raises(InvalidMessage) as caught:
            normalize({"article_id": "a-1", name: odd}, NOW)
        assert caught.value.reason in {Reason.NO_TEXT, Reason.BAD_FIELD}


def test_a_summary_alone_is_no_article_unless_a_feed_sent_it() -> None:
    with pytest.raises(InvalidMessage):
        normalize({"article_id": "a-1", "url": "https://vi-du.vn/a", "description": TEXT}, NOW)
