from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.normalizer.debris import remove, strip_lead_tag

BODY = (
    "Sáng nay, hàng trăm người dân xã Bình Minh ra đồng gặt lúa sớm để tránh bão. Ông Lê Văn Tám cho biết cả "
    "nhà thức từ ba giờ. Đến trưa, hơn một nửa diện tích đã gặt xong và được chở về kho của hợp tác xã."
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        # credits in brackets
        ("Nông dân gặt lúa (Ảnh: Reuters).\n" + BODY, "Nông dân gặt lúa.\n" + BODY),
        ("Nông dân gặt lúa. (Ảnh minh họa: Minh Hải/Vietnam+)\n" + BODY, "Nông dân gặt lúa.\n" + BODY),
        ("Đê biển (Nguồn ảnh: TTXVN) Sóng lớn. " + BODY, "Đê biển\nSóng lớn. " + BODY),
        # credits in running text: known agency, photographer, initials, capitals, before a quotation
        ("Cầu mới. Ảnh: TTXVN Trong ngày, xe đi lại. " + BODY, "Cầu mới.\nTrong ngày, xe đi lại. " + BODY),
        ("Cầu mới. Ảnh: Doãn Hải/TTXVN. Xe đi lại. " + BODY, "Cầu mới.\nXe đi lại. " + BODY),
        ("Cầu mới - Ảnh: H.L. Xe đi lại. " + BODY, "Cầu mới\nXe đi lại. " + BODY),
        ("Cầu mới. Ảnh: HẢI LÂM Xe đi lại. " + BODY, "Cầu mới.\nXe đi lại. " + BODY),
        (
            "Cầu mới. Ảnh: Lê Lâm Theo kế hoạch, xe đi lại. " + BODY,
            "Cầu mới.\nTheo kế hoạch, xe đi lại. " + BODY,
        ),
        ("Cầu mới. Ảnh: Lê Lâm “Đẹp quá”, bà nói. " + BODY, "Cầu mới.\n“Đẹp quá”, bà nói. " + BODY),
        ("Cầu mới. Nguồn ảnh: vi-du.com.vn Xe đi lại. " + BODY, "Cầu mới.\nXe đi lại. " + BODY),
        ("Cầu mới.\nẢnh: Reuters\n" + BODY, "Cầu mới.\n" + BODY),
        # where in the picture
        ("Ông Tám (trái) và bà Hoa (thứ hai từ phải sang). " + BODY, "Ông Tám và bà Hoa. " + BODY),
        # agencies in front
        ("(TTXVN) - " + BODY, BODY),
        ("(Dân trí) – " + BODY, BODY),
        ("TTO - " + BODY, BODY),
        # bylines
        (BODY + " Thanh Hà (Theo Reuters, TTXVN)", BODY),
        (BODY + " Thanh Hà", BODY),
        (BODY + "\nThanh Hà - Minh Tâm", BODY),
        (BODY + " THANH HÀ (tổng hợp)", BODY),
        (BODY + " Theo VnExpress", BODY),
        (BODY + " Tin, ảnh: THANH HÀ", BODY),
        (BODY + " H.N", BODY),
        # furniture
        (BODY + "\nXem thêm: Lúa được mùa ở miền Tây\nChia sẻ | Facebook | Zalo", BODY),
        (BODY + "\nTheo dõi báo Ví Dụ trên Google News", BODY),
        (BODY + "\n>> Đọc thêm: Lúa được mùa ở miền Tây", BODY),
        (BODY + "\nĐọc tiếp\n----------", BODY),
    ],
)
def test_debris_goes_and_the_article_stays(text: str, left: str) -> None:
    cleaned = remove(text)
    assert cleaned.text == left
    assert cleaned.removed
    assert remove(left).text == left


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        BODY + " Cuộc họp diễn ra tại TP. Hồ Chí Minh",
        BODY + " Người thắng là ai? Việt Nam.",
        "Thầy Hoàng Anh: Học sinh cần nghỉ ngơi. " + BODY,
        "Bức ảnh: một khoảnh khắc hiếm có. " + BODY,
        "Ảnh: Hệ thống đê biển mới xây của tỉnh nhìn từ trên cao vào một buổi sáng nhiều mây. " + BODY,
        "NATO - liên minh quân sự của phương Tây - họp hôm nay. " + BODY,
        "(WHO) cho biết dịch đã giảm. " + BODY,
        "Hàng thủ gồm Lê Hải (trung vệ) và Trần Nam (hậu vệ phải). " + BODY,
        "Chúng tôi sẽ theo dõi vụ việc trên các kênh chính thức và thông tin tiếp. " + BODY,
        BODY + "\nHà Nội\nHuế\nCần Thơ",
        "Theo Lê Nam",
    ],
)
def test_what_is_in_doubt_stays(text: str) -> None:
    assert remove(text).text == text


def test_a_caption_is_known_by_its_credit() -> None:
    cleaned = remove("Ông Tám (trái) trên đồng (Ảnh: Reuters).\n" + BODY)
    assert cleaned.captions == frozenset(["Ông Tám trên đồng."])
    assert cleaned.removed == ["(Ảnh: Reuters).", "(trái)"]


def test_more_than_a_share_is_never_taken() -> None:
    links = "\n".join(f"Xem thêm: Tin số {i} trong ngày hôm nay của báo" for i in range(20))
    text = BODY + "\n" + links
    assert remove(text).text == text


def test_agency_tags_never_empty_a_text() -> None:
    assert strip_lead_tag("(TTXVN) - (Dân trí) - Tin") == "Tin"
    assert strip_lead_tag("(TTXVN) - ") == "(TTXVN) - "


@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    "Ảnh: ",
                    "(Ảnh: AFP)",
                    "Minh Hà",
                    ". ",
                    "\n",
                    "(trái)",
                    " ",
                    "Theo ",
                    "(Theo AP)",
                    "TTO - ",
                    BODY,
                    "A.B",
                ),
                *(
                    "Xem thêm: ",
                    ">> ",
                    "nước lên",
                    "Ông Nam nói",
                    "TTXVN",
                    "/",
                    "-",
                    "“",
                    "”",
                    "(",
                    ")",
                    "Nguồn ảnh: ",
                ),
            ]
        ),
        max_size=20,
    ).map("".join)
)
def test_it_only_takes_away_and_never_everything(text: str) -> None:
    cleaned = remove(text)
    kept = [c for c in cleaned.text if c.isalnum()]
    rest = iter(text)
    assert all(c in rest for c in kept)
    assert len(text) - len(cleaned.text) <= max(160, 0.3 * len(text) + 1)
    if any(c.isalnum() for c in text):
        assert kept
