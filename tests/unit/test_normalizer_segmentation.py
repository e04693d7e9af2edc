from __future__ import annotations

import pytest

from services.normalizer.segmentation import looks_segmented, restore


@pytest.mark.parametrize(
    ("segmented", "plain"),
    [
        ("Hội_đồng họp bàn kế_hoạch .", "Hội đồng họp bàn kế hoạch."),
        ("Gạo , cà_phê và hạt_điều đều tăng giá .", "Gạo, cà phê và hạt điều đều tăng giá."),
        ('Ông nói : " Tôi đồng_ý " , rồi ra_về .', 'Ông nói: "Tôi đồng ý", rồi ra về.'),
        ("Bà Lan ( ngồi giữa ) vỗ_tay !", "Bà Lan (ngồi giữa) vỗ tay!"),
        ("“ Chúng_tôi chờ đã lâu ” , cô_giáo kể .", "“Chúng tôi chờ đã lâu”, cô giáo kể."),
        (
            "Nông_dân châu_Phi.Chính_phủ các nước hứa giúp .",
            "Nông dân châu Phi. Chính phủ các nước hứa giúp.",
        ),
        ("Khách đến từ châu_Á.G 7 ủng_hộ .", "Khách đến từ châu Á. G7 ủng hộ."),
        ("Tăng 5 % so với ngày 9 / 9 năm_ngoái .", "Tăng 5% so với ngày 9/9 năm ngoái."),
        ("Lễ_hội mở lúc 19 h30 , giá 7 h .", "Lễ hội mở lúc 19h30, giá 7h."),
        ("Giai_đoạn 2021 - 2025 đội thắng 2 - 1 .", "Giai đoạn 2021-2025 đội thắng 2-1."),
        ("Việt_Nam - Lào ký thỏa_thuận .", "Việt Nam - Lào ký thỏa thuận."),
        (
            "Ông ấy ở TP.HCM , đọc tin trên vov.vn hàng_ngày .",
            "Ông ấy ở TP.HCM, đọc tin trên vov.vn hàng ngày.",
        ),
        (
            "TS.Nguyễn_Văn Bình và PGS.TS Lê_Thị Hoa dự hội_thảo .",
            "TS.Nguyễn Văn Bình và PGS.TS Lê Thị Hoa dự hội thảo.",
        ),
        (
            "Liên_hệ tin_tức@vi_du.vn hoặc https://vi_du.vn/a_b .",
            "Liên hệ tin_tức@vi_du.vn hoặc https://vi_du.vn/a_b.",
        ),
        ("Nhóm G7 họp , nhóm G 7 ra tuyên_bố .", "Nhóm G7 họp, nhóm G7 ra tuyên bố."),
        (
            "Khối A 10 điểm , khối B 9 điểm đều trúng_tuyển .",
            "Khối A 10 điểm, khối B 9 điểm đều trúng tuyển.",
        ),
        ("Dòng một_chút\nDòng hai_lần .", "Dòng một chút\nDòng hai lần."),
    ],
)
def test_segmented_text_is_restored(segmented: str, plain: str) -> None:
    assert restore(segmented) == plain


def test_a_quotation_left_open_does_not_turn_the_next_ones_round() -> None:
    text = 'Ông nói : " Nước lên . Bà đáp : " Đi thôi " , rồi cả hai đi .'
    assert restore(text) == 'Ông nói: "Nước lên. Bà đáp: "Đi thôi", rồi cả hai đi.'


@pytest.mark.parametrize(
    "text",
    [
        "Hội_đồng thành_phố họp bàn kế_hoạch trồng cây , giữ rừng .",
        "Thủ_tướng thăm nhà_máy điện mới ở miền Trung",
        "Giá_cả ổn_định",
    ],
)
def test_segmented_text_is_recognized(text: str) -> None:
    assert looks_segmented(text)
    assert not looks_segmented(restore(text))


@pytest.mark.parametrize(
    "text",
    [
        "Tài khoản nguyen_van_a đăng ảnh lúc nửa đêm, sau đó xóa đi.",
        "Gửi thư tới toa_soan@bao_moi.vn hoặc xem https://vi-du.vn/tin_tuc/bai_1 để biết thêm.",
        "Biến user_name và file_name lưu trong config_map của first_app và last_app.",
        "Hai tài khoản lê_hoa, trần_nam cùng đăng một bức ảnh, công an đang tìm hiểu, chưa rõ ai "
        "chụp, vì sao lại đăng, và những người trong ảnh là ai; nhiều người xem đã bình luận, chia sẻ.",
        "Không có gạch dưới , chỉ có dấu câu cách ra .",
        "___ ___ ___",
        "",
    ],
)
def test_a_stray_underscore_does_not_make_a_text_segmented(text: str) -> None:
    assert not looks_segmented(text)
