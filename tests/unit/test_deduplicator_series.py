"""What makes an article the next issue of a bulletin, and what does not: another report of the same event."""

from __future__ import annotations

from datetime import timedelta

from services.cli.quality.bulletins import bulletins
from services.cli.quality.dedup import START, Chain
from services.cli.quality.edits import Text
from services.runtime.records import Duplicate

RELEASE = (
    "Sự cố bắt đầu lúc {hour} giờ {minute} phút ngày 12/3, khi một cần cẩu chạm vào dây dẫn ở chân đèo Bến "
    "Lội. Bảo vệ của trạm biến áp Cồn Sậy tác động, cắt nguồn của {places} xã và toàn bộ thị trấn Rạch Gừa. "
    "Công nhân ba đội đường dây được gọi ra hiện trường ngay trong đêm, thay bốn chuỗi sứ và nối lại hai "
    "khoảng dây bị đứt. Nguồn điện trở lại trước nửa đêm ở phần lớn khu dân cư, riêng các ấp ven biển phải "
    "chờ đến gần sáng. Ban giám đốc công ty xin lỗi khách hàng và cho biết sẽ cùng chủ thầu đánh giá thiệt "
    "hại của các hộ nuôi tôm, vốn cần quạt nước chạy suốt đêm. Tổng công suất bị mất khoảng {power} MW."
)
FIRST = RELEASE.format(hour=19, minute=40, places=11, power=85)
OTHER = RELEASE.format(hour=20, minute=15, places=9, power=85)
LEAD = (
    "Hàng nghìn gia đình ở hạ lưu sông Trà Sơn thắp nến ăn cơm tối, quán xá dọc bến tàu đóng cửa sớm, còn "
    "các chủ đầm tôm thì chạy đi mượn máy phát của nhau để cứu ao đang tới ngày thu hoạch. Phóng viên có "
    "mặt tại chợ đêm ghi nhận không khí lo lắng nhưng không có cảnh chen lấn nào."
)
WEATHER = (
    "Vùng núi phía bắc có mây, mưa rào vài nơi, gió nhẹ cấp {wind}. Nhiệt độ thấp nhất từ {low} độ, cao nhất "
    "tới {high} độ. Vùng đồng bằng ngày nắng, chiều tối có dông rải rác, đề phòng lốc và gió giật khi có "
    "dông. Ven biển miền Trung ít mưa, sóng cao trung bình, tàu thuyền hoạt động bình thường. Cao nguyên se "
    "lạnh về sáng, trưa hửng nắng, độ ẩm không khí vừa phải, thuận lợi cho việc phơi sấy cà phê."
)


def said_of_the_second(first: Text, second: Text, hours: int = 2) -> Duplicate:
    """Return the verdict on an article some hours after another."""
    chain = Chain()
    for number, text in enumerate((first, second)):
        clean = chain.clean(f"article-{number}", text, START + timedelta(hours=number * hours))
        assert clean is not None
        record = chain.feed(clean)
    assert record is not None
    return record["duplicate"]


def test_another_newsrooms_report_of_one_event_is_no_issue_though_three_figures_differ() -> None:
    said = said_of_the_second(
        Text("Công ty điện xin lỗi vì sự cố mất điện ở Rạch Gừa", FIRST),
        Text("Xin lỗi các hộ dân sau sự cố mất điện ở Rạch Gừa tối qua", f"{OTHER}\n{LEAD}"),
    )
    assert said["kind"] == "none"
    assert said["series"] is None
    assert said["closest"] is not None
    assert said["closest"]["article_id"] == "article-0"


def test_a_bulletin_whose_date_stands_in_another_first_line_is_the_next_issue() -> None:
    said = said_of_the_second(
        Text(
            "Bản tin thời tiết sáng nay",
            f"Cơ quan dự báo cho biết về ngày 3/3 như sau.\n{WEATHER.format(wind=2, low=14, high=27)}",
        ),
        Text(
            "Thời tiết hôm nay",
            f"Dưới đây là dự báo ngày 4/3 cho từng vùng.\n{WEATHER.format(wind=3, low=16, high=25)}",
        ),
        hours=24,
    )
    assert said["kind"] == "none"
    assert said["series"] is not None


def test_a_bulletin_without_any_date_is_told_by_its_figures() -> None:
    prices = "Tiêu {} đồng, cà phê {} đồng, điều {} đồng, cao su {} đồng, ca cao {} đồng một cân tại kho."
    text = (
        "Thương lái báo giá nông sản mở cửa phiên giao dịch đầu ngày ở chợ đầu mối Bình Thuận Hạ. {} Sức mua "
        "trầm lắng, người trồng có xu hướng giữ hàng chờ giá, các kho ở cảng vẫn còn nhiều chỗ trống."
    )
    said = said_of_the_second(
        Text("Giá nông sản đầu ngày", text.format(prices.format(145, 98, 41, 52, 230))),
        Text("Giá nông sản phiên sáng", text.format(prices.format(147, 97, 40, 53, 226))),
    )
    assert said["kind"] == "none"
    assert said["series"] is not None


def test_the_issues_of_each_bulletin_of_ours_have_one_series() -> None:
    chain = Chain()
    series: dict[str, set[str | None]] = {}
    for issue in bulletins(days=4, seed=5):
        clean = chain.clean(f"{issue.series}-{issue.day}", issue.text, START + timedelta(days=issue.day))
        assert clean is not None
        record = chain.feed(clean)
        assert record is not None
        assert record["duplicate"]["kind"] == "none"
        if issue.day > 1:
            series.setdefault(issue.series, set()).add(record["duplicate"]["series"])
    assert all(len(names) == 1 and None not in names for names in series.values()), series
