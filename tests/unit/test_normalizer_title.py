from __future__ import annotations

import pytest

from services.normalizer.title import derive, drop_repeated, first_sentence, opening

LEAD = "Sáng nay, hàng trăm người dân ra đồng gặt lúa sớm để tránh bão. Đến trưa, hơn một nửa đã gặt xong."
LONG = "Hội đồng thành phố họp bàn " + "về kế hoạch trồng cây " * 20 + "trong năm nay."


def test_a_headline_of_its_own_is_taken_out() -> None:
    found = derive("Người dân gặt lúa chạy bão\n" + LEAD + "\nHết.")
    assert found.title == "Người dân gặt lúa chạy bão"
    assert found.body == LEAD + "\nHết."


def test_the_first_sentence_serves_where_there_is_no_headline() -> None:
    found = derive(LEAD)
    assert found.title == "Sáng nay, hàng trăm người dân ra đồng gặt lúa sớm để tránh bão"
    assert found.body == LEAD


def test_a_long_sentence_is_cut_at_a_word() -> None:
    found = derive(LONG)
    assert len(found.title) <= 120
    assert found.title.endswith("…")
    assert LONG.startswith(found.title[:-1])


def test_captions_are_passed_over() -> None:
    found = derive("Ông Tám trên đồng.\n" + LEAD, frozenset(["Ông Tám trên đồng."]))
    assert found.title.startswith("Sáng nay")
    assert found.body == LEAD


@pytest.mark.parametrize(
    ("headline", "lead"),
    [
        (
            "Lào - Campuchia bàn chung cách giữ nước sông",
            "Thủ tướng hai nước hôm qua cho biết các bộ ngành đã bắt đầu bàn cách giữ nước sông trong "
            "mùa khô, khi mực nước xuống thấp nhất mười năm qua.",
        ),
        (
            "Gặt lúa chạy bão ở miền Trung",
            "Sáng nay, hàng trăm người dân miền Trung đã ra đồng gặt lúa từ rất sớm để chạy cơn bão đang "
            "tiến nhanh vào bờ, dự kiến đổ bộ trong đêm.",
        ),
        (
            "Vì sao giá gạo tăng?",
            "Giá gạo trong nước tuần này tăng thêm ba trăm đồng mỗi cân do nguồn cung từ các tỉnh miền Tây "
            "giảm mạnh trong khi đơn hàng xuất khẩu dồn về.",
        ),
    ],
)
def test_a_headline_run_into_the_lead_is_found(headline: str, lead: str) -> None:
    text = f"{headline} {lead} Hết."
    found = derive(text, run_in=True)
    assert found.title == headline
    assert found.body == f"{lead} Hết."


def test_an_opening_quotation_mark_without_its_end_is_left_out() -> None:
    assert derive("“Nước lên nhanh quá. Chúng tôi phải chạy”, bà kể.").title == "Nước lên nhanh quá"


def test_a_repeated_title_line_is_dropped_only_where_it_stands_alone() -> None:
    title = "Người dân gặt lúa chạy bão"
    assert drop_repeated(title, f"{title.upper()}!\n{LEAD}") == LEAD
    assert drop_repeated(title, f"{title}\n{title}") == f"{title}\n{title}"
    assert drop_repeated("Tin khác", f"{title}\n{LEAD}") == f"{title}\n{LEAD}"
    assert drop_repeated(title, title) == title


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Ông đến TP. Hồ Chí Minh hôm qua. Bà ở lại.", "Ông đến TP. Hồ Chí Minh hôm qua."),
        ("PGS. TS. Lê Hoa dự họp. Xong.", "PGS. TS. Lê Hoa dự họp."),
        ("“Đi thôi!” Bà nói.", "“Đi thôi!”"),
        ("Giá 3.500 đồng tăng 1.5 lần", "Giá 3.500 đồng tăng 1.5 lần"),
        ("Một dòng\nhai dòng", "Một dòng"),
    ],
)
def test_first_sentence(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence


def test_an_opening_ends_with_a_sentence_where_one_fits() -> None:
    assert opening(LEAD, 500) == LEAD
    assert opening(LEAD, 80) == "Sáng nay, hàng trăm người dân ra đồng gặt lúa sớm để tránh bão."
    assert opening(LONG, 80).endswith("…")
    assert len(opening(LONG, 80)) <= 80
