"""Bulletins of our own: the same few sentences every day with other figures. None is a copy of another.

Each series has a template. `<18-26>` stands for a number drawn from that range, `{a|b}` for one of several
phrases, as desks vary them, and `DAY` for the day of the month.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from services.cli.quality.edits import Text

_REGION = (
    "{nhiều mây, có mưa rào rải rác|ít mây, ngày nắng|mây thay đổi, chiều tối có dông vài nơi}. Gió nhẹ"
    " cấp <2-4>."
    " Nhiệt độ thấp nhất từ <18-22> đến <23-26> độ, cao nhất từ <28-31> đến <32-37> độ."
)
_CLUB = "{Sông Lam Xanh|Cảng Biển|Thủ Đô|Cao Nguyên|Đất Mũi|Gang Thép|Lúa Vàng|Hải Đăng}"
_FIVE, _FOUR, _THREE, _TWO = "<10000-99999>", "<1000-9999>", "<100-999>", "<10-99>"

SERIES: dict[str, tuple[str, str]] = {
    "weather": (
        "{Dự báo thời tiết|Thời tiết hôm nay|Bản tin thời tiết} DAY/4",
        "{Cơ quan khí tượng vừa phát bản tin thời tiết cho ngày DAY/4 trên phạm vi cả nước."
        "|Dưới đây là dự báo thời tiết ngày DAY/4 cho các vùng trong cả nước.}\n"
        f"Phía Tây Bắc Bộ: {_REGION}\nPhía Đông Bắc Bộ: {_REGION}\nThủ đô Hà Nội: {_REGION}\n"
        f"Từ Thanh Hóa đến Thừa Thiên Huế: {_REGION}\nTừ Đà Nẵng đến Bình Thuận: {_REGION}\n"
        f"Khu vực Tây Nguyên: {_REGION}\nCác tỉnh Nam Bộ: {_REGION}\n"
        "Trên biển, gió mạnh cấp <4-7>, sóng cao từ <1-2>,5 đến <3-4> mét.",
    ),
    "gold price": (
        "Giá vàng hôm nay DAY/4: vàng miếng {tăng|giảm} <10-90> nghìn đồng",
        "{Mở cửa sáng DAY/4, các doanh nghiệp kim hoàn lớn đồng loạt điều chỉnh giá vàng miếng."
        "|Sáng DAY/4, giá vàng trong nước tiếp tục biến động ở các doanh nghiệp lớn.}\n"
        "Tại Hà Nội, vàng miếng mua vào <84-91>,<10-99> triệu đồng một lượng và bán ra <86-93>,<10-99>"
        " triệu đồng"
        " một lượng, {tăng|giảm} <10-90> nghìn đồng so với hôm trước.\nVàng nhẫn tròn trơn mua vào"
        " <78-84>,<10-99>"
        " triệu đồng, bán ra <80-86>,<10-99> triệu đồng.\nTrên thị trường thế giới, giá giao ngay đứng ở mức"
        " <2280-2460>,<1-9> đô la một ounce, quy đổi theo tỷ giá tương đương <68-79>,<1-9> triệu đồng một"
        " lượng,"
        " chưa gồm thuế và phí gia công.",
    ),
    "lottery": (
        "Kết quả xổ số miền Bắc ngày DAY/4",
        "{Kết quả xổ số kiến thiết mở thưởng lúc 18 giờ 15 phút ngày DAY/4 như sau."
        "|Mời bạn đọc dò kết quả xổ số kiến thiết quay thưởng chiều DAY/4.}\n"
        f"Giải đặc biệt: {_FIVE}\nGiải nhất: {_FIVE}\nGiải nhì: {_FIVE} {_FIVE}\n"
        f"Giải ba: {_FIVE} {_FIVE} {_FIVE} {_FIVE} {_FIVE} {_FIVE}\nGiải tư: {_FOUR} {_FOUR} {_FOUR}"
        f" {_FOUR}\n"
        f"Giải năm: {_FOUR} {_FOUR} {_FOUR} {_FOUR} {_FOUR} {_FOUR}\nGiải sáu: {_THREE} {_THREE} {_THREE}\n"
        f"Giải bảy: {_TWO} {_TWO} {_TWO} {_TWO}\n"
        "Vé trúng thưởng được lĩnh trong vòng 30 ngày kể từ ngày mở thưởng tại trụ sở công ty.",
    ),
    "match results": (
        f"Kết quả bóng đá vòng DAY: {_CLUB} <0-4>-<0-3> {_CLUB}",
        f"Trận đấu giữa {_CLUB} và {_CLUB} trong khuôn khổ vòng DAY giải bóng đá vô địch quốc gia đã khép"
        f" lại với"
        " tỷ số <0-4>-<0-3>.\nBàn mở tỷ số đến ở phút <3-44>, sau một pha phối hợp bên cánh trái. Trong"
        " hiệp hai,"
        " khán giả được chứng kiến thêm các pha lập công ở phút <46-60> và phút <61-89>.\nSau trận đấu"
        " này, đội"
        " chủ nhà có <10-40> điểm và đứng thứ <1-7>, còn đội khách có <5-38> điểm và xếp thứ <8-14>. Trên"
        " sân có"
        " <2-18>.000 khán giả, trọng tài rút <1-7> thẻ vàng.\n"
        "{Vòng đấu tới hai đội đều được nghỉ ba ngày trước khi trở lại sân tập."
        "|Ban tổ chức giải sẽ công bố danh sách trọng tài của vòng sau vào cuối tuần.}",
    ),
    "fuel prices": (
        "Giá xăng dầu chiều DAY/4 {tăng|giảm}",
        "{Từ 15 giờ ngày DAY/4, giá bán lẻ các mặt hàng xăng dầu được điều chỉnh theo thông báo liên bộ."
        "|Liên bộ vừa có thông báo điều chỉnh giá bán lẻ xăng dầu áp dụng từ 15 giờ ngày DAY/4.}\n"
        "Xăng sinh học {tăng|giảm} <90-880> đồng, không cao hơn <19-24>.<100-990> đồng một lít. Xăng khoáng"
        " {tăng|giảm} <90-880> đồng, không cao hơn <20-25>.<100-990> đồng một lít.\nDầu điêzen không cao hơn"
        " <17-21>.<100-990> đồng một lít, dầu hỏa không cao hơn <17-21>.<100-990> đồng một lít. Kỳ này cơ"
        " quan điều"
        " hành không trích lập và không chi sử dụng quỹ bình ổn giá đối với tất cả các mặt hàng.",
    ),
    "air quality": (
        "Chất lượng không khí Hà Nội sáng DAY/4",
        "{Lúc 7 giờ sáng|Vào đầu giờ sáng} DAY/4, hệ thống quan trắc ghi nhận chất lượng không khí ở mức"
        " {trung bình|kém|xấu}, chỉ số trung bình là <60-190>.\nTrạm Cầu Giấy đo được <60-210>, trạm Hoàn"
        " Kiếm"
        " <60-210>, trạm Long Biên <60-210>. Nồng độ bụi mịn cao gấp <2-9> lần khuyến nghị. Người dân nên"
        " đeo khẩu"
        " trang và hạn chế tập thể dục ngoài trời.",
    ),
    "flights": (
        "Sân bay đón bao nhiêu khách trong ngày DAY/4?",
        "Trong ngày DAY/4, cảng hàng không quốc tế đã phục vụ <480-690> lượt cất hạ cánh với"
        " <71-99>.<100-990> lượt"
        " khách, trong đó <20-44>.<100-990> khách quốc tế. Có <15-120> chuyến bị chậm và <0-9> chuyến bị"
        " hủy. Hành"
        " khách được khuyến cáo có mặt trước giờ khởi hành hai tiếng và làm thủ tục trực tuyến.",
    ),
    "pork prices": (  # most figures stay as they were; the date does not
        "Giá heo hơi hôm nay DAY/4",
        "Giá heo hơi ngày DAY/4 tại các tỉnh ít thay đổi so với phiên trước. Miền Bắc: Hưng Yên 63 nghìn"
        " đồng một"
        " cân, Thái Bình 62 nghìn đồng, Phú Thọ <61-63> nghìn đồng, Lào Cai 61 nghìn đồng. Miền Trung:"
        " Nghệ An 60"
        " nghìn đồng, Quảng Nam <58-60> nghìn đồng, Lâm Đồng 60 nghìn đồng. Miền Nam: Đồng Nai 62 nghìn"
        " đồng, Bến"
        " Tre 61 nghìn đồng, Cà Mau 63 nghìn đồng. Thương lái cho biết sức mua ở chợ đầu mối vẫn chậm,"
        " nguồn cung"
        " từ các trại lớn dồi dào và chưa có dấu hiệu găm hàng.",
    ),
}
"""Title and text of every series, by its name."""

_PHRASES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"<(\d+)-(\d+)>")


@dataclass(frozen=True, slots=True)
class Bulletin:
    """One issue of a series."""

    series: str
    day: int
    text: Text


def _fill(template: str, day: int, rng: random.Random) -> str:
    chosen = _PHRASES.sub(lambda match: rng.choice(match[1].split("|")), template.replace("DAY", str(day)))
    return _RANGE.sub(lambda match: str(rng.randint(int(match[1]), int(match[2]))), chosen)


def bulletins(days: int = 12, seed: int = 2017) -> Iterator[Bulletin]:
    """Yield `days` issues of every series, day by day; the same for the same seed."""
    for day in range(1, days + 1):
        for name, (title, body) in SERIES.items():
            rng = random.Random(f"{seed}:{name}:{day}")
            yield Bulletin(name, day, Text(_fill(title, day, rng), _fill(body, day, rng)))
