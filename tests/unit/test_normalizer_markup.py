from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.normalizer.characters import printable
from services.normalizer.markup import looks_like_markup, to_text

PIECES = st.lists(
    st.sampled_from(
        [
            *(
                "<p>",
                "</p>",
                "<b",
                ">",
                "<",
                "&lt;",
                "&amp;",
                "amp;",
                "lt;b&gt;",
                "&#60;",
                "script>",
                "<!--",
                "-->",
            ),
            *(
                "<script>",
                "</script>",
                "<td>",
                "<textarea>",
                '<a href="x>y">',
                "&nbsp;",
                "\n",
                "‹",
                "'",
                '"',
                "=",
            ),
            *("/", " ", "chữ"),
        ]
    ),
    max_size=25,
).map("".join)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Giá &amp; lượng</p><p>đều tăng</p>", "Giá & lượng\nđều tăng"),
        ("<div>Một<br/>hai</div>ba", "Một\nhai\nba"),
        ("Chữ <b>đậm</b> và <i>nghiêng</i>", "Chữ đậm và nghiêng"),
        ("<p>Câu bị\nngắt dòng</p>", "Câu bị ngắt dòng"),
        ("Đoạn một có <b>nhấn</b>\nĐoạn hai", "Đoạn một có nhấn\nĐoạn hai"),
        ("<script>alert(1)</script><style>p{}</style>Còn lại", "Còn lại"),
        ("<!-- ẩn -->Hiện", "Hiện"),
        ("<table><tr><td>Vàng</td><td>91</td></tr></table>", "Vàng\n91"),
        ('<img alt="ảnh > chữ" src=x>Chú thích', "Chú thích"),
        ("<ul><li>một<li>hai</ul>", "một\nhai"),
        ("&lt;p&gt;Thoát một lần&lt;/p&gt;", "Thoát một lần"),
        ("&amp;amp;lt;b&amp;amp;gt;Thoát ba lần", "Thoát ba lần"),
        ("<p>Chưa đóng", "Chưa đóng"),
    ],
)
def test_markup_becomes_text_with_blocks_on_lines(html: str, text: str) -> None:
    assert printable(to_text(html)) == text


@pytest.mark.parametrize(
    "text",
    ["a < b và b > c", "5<6", "<Tên nhân vật> nói", "AT&T", "x &copy y", "tỉ số <3", "a <- b", "1 << 2"],
)
def test_text_that_is_no_markup_is_left_alone(text: str) -> None:
    assert to_text(text) == text


@given(PIECES)
def test_the_result_is_inert_and_stays_so(source: str) -> None:
    text = to_text(source)
    assert not looks_like_markup(text)
    assert to_text(text) == text


@pytest.mark.parametrize(
    "piece", ["<div>", "<a x='", "&amp;", "<p><b>", "<", '<p "', "<!--", "<script>", "</p>", "<table><td>"]
)
def test_hostile_markup_is_read_to_the_end(piece: str) -> None:
    text = to_text(piece * 20_000 + "<p>hết</p>")
    assert not looks_like_markup(text)
    assert len(text) <= len(piece) * 20_000 + 40


def test_many_attributes_cost_nothing() -> None:
    attributes = " ".join(f"a{i}=b" for i in range(50_000))
    assert printable(to_text(f"<p {attributes}>Nội dung</p>")) == "Nội dung"
