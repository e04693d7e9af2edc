from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.normalizer.identity import from_crawler, from_url
from services.normalizer.urls import canonical, host, safe


@pytest.mark.parametrize(
    "url",
    [
        "https://bao.vi-du.vn/thoi-su/mua-lon-123.html",
        "http://bao.vi-du.vn/thoi-su/mua-lon-123.html",
        "HTTPS://BAO.Vi-Du.vn:443/thoi-su/mua-lon-123.html",
        "https://www.bao.vi-du.vn/thoi-su/mua-lon-123.html",
        "https://m.bao.vi-du.vn/thoi-su/mua-lon-123.html",
        "https://amp.bao.vi-du.vn/thoi-su/mua-lon-123.html",
        "https://bao.vi-du.vn/thoi-su/mua-lon-123.html/amp",
        "https://bao.vi-du.vn/thoi-su/mua-lon-123.html/amp/",
        "https://bao.vi-du.vn/thoi-su/mua-lon-123.amp.html",
        "https://bao.vi-du.vn/thoi-su/mua-lon-123.html?amp=1",
        "https://bao.vi-du.vn/thoi-su/mua-lon-123.html?utm_source=zalo&fbclid=x&gclid=y&zarsrc=30",
        "https://bao.vi-du.vn/thoi-su/mua-lon-123.html#binh-luan",
        "https://bao.vi-du.vn/thoi-su/mua-lon-123.html/",
        "https://bao.vi-du.vn/thoi-su/./x/../mua-lon-123.html",
        "https://www.google.com/amp/s/bao.vi-du.vn/thoi-su/mua-lon-123.html",
        "https://bao-vi--du-vn.cdn.ampproject.org/c/s/bao.vi-du.vn/thoi-su/mua-lon-123.html",
        "//bao.vi-du.vn/thoi-su/mua-lon-123.html",
        "  https://bao.vi-du.vn/thoi-su/mua-lon-123.html ",
    ],
)
def test_all_faces_of_a_page_have_one_canonical_url(url: str) -> None:
    clean = safe(url)
    assert clean is not None
    assert canonical(clean) == "https://bao.vi-du.vn/thoi-su/mua-lon-123.html"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://vi-du.vn/", "https://vi-du.vn"),
        ("https://m.vn/bai", "https://m.vn/bai"),
        ("https://vi-du.vn/bai?id=7&b=2&a=1", "https://vi-du.vn/bai?a=1&b=2&id=7"),
        ("https://vi-du.vn:8080/bai", "https://vi-du.vn:8080/bai"),
        ("https://vi-du.vn/bài viết", "https://vi-du.vn/b%C3%A0i%20vi%E1%BA%BFt"),
        ("https://vi-du.vn/b%c3%a0i%20vi%E1%BA%BFt", "https://vi-du.vn/b%C3%A0i%20vi%E1%BA%BFt"),
        ("https://vi-du.vn/camp", "https://vi-du.vn/camp"),
        ("https://vi-du.vn/bai?sample=1", "https://vi-du.vn/bai?sample=1"),
    ],
)
def test_what_tells_pages_apart_is_kept(url: str, expected: str) -> None:
    clean = safe(url)
    assert clean is not None
    assert canonical(clean) == expected


@pytest.mark.parametrize(
    "value",
    [
        *(
            "javascript:alert(1)",
            "ftp://vi-du.vn/a",
            "data:text/html,x",
            "mailto:a@vi-du.vn",
            "/bai.html",
            "vi-du",
        ),
        *(
            "http://",
            "http:///a",
            "http://a",
            "http://ten:mat@vi-du.vn/",
            "http://vi-du.vn:99999/",
            "http://[::1",
        ),
        *(
            "http://vi du.vn/",
            "https://vi-du.vn/\x00",
            "https://vi-du.vn/\nb",
            "http://-a.vn/",
            "http://.vn/",
        ),
        *("https://vi-du.vn/" + "a" * 3000, "https://vi-du.vn/\ud800", None, 7, ["https://vi-du.vn/"], ""),
    ],
)
def test_what_is_no_safe_http_url_is_refused(value: object) -> None:
    assert safe(value) is None


def test_an_unsafe_character_is_encoded() -> None:
    assert safe('https://vi-du.vn/a"<b>') == "https://vi-du.vn/a%22%3Cb%3E"


@given(
    st.text(max_size=60)
    | st.lists(
        st.sampled_from(
            [
                *(
                    "http",
                    "s",
                    "://",
                    "vi-du",
                    ".vn",
                    "/",
                    "?",
                    "&",
                    "=",
                    "#",
                    "%",
                    "%41",
                    "@",
                    ":",
                    "80",
                    "amp",
                ),
                *(
                    "m.",
                    "www.",
                    "ắ",
                    " ",
                    "\\",
                    "..",
                    "utm_x",
                    "google.com/amp/s/",
                    "\u3002",
                    "[",
                    "]",
                    ";",
                    "{",
                ),
            ]
        ),
        max_size=20,
    ).map(lambda parts: "https://" + "".join(parts))
)
def test_any_string_gives_a_stable_url_or_none(value: str) -> None:
    url = safe(value)
    if url is None:
        return
    assert url.isascii()
    assert safe(url) == url
    once = canonical(url)
    if once is not None:
        assert once.startswith("https://")
        assert canonical(once) == once
        assert host(once) == once.removeprefix("https://").split("/")[0].split(":")[0].split("?")[0]


def test_the_host_names_the_site() -> None:
    assert host("https://www.m.bao.vi-du.vn/a") == "bao.vi-du.vn"


def test_ids_are_stable_printable_and_bounded() -> None:
    assert from_crawler("  bai\x00-7\u200b ") == "bai-7"
    assert from_crawler("\x00 \u200b") == ""
    assert from_crawler("x" * 200) == "x" * 200
    hashed = from_crawler("x" * 201)
    assert hashed == from_crawler("x" * 201)
    assert hashed != from_crawler("x" * 202)
    assert hashed.startswith("id-")
    assert len(hashed) == 35
    assert from_url("https://vi-du.vn/bai") == "url-17dae3d8aad67e42"
