"""The figures of our gold set: what they count, and that this version reaches its floors."""

from prometheus_client.parser import text_string_to_metric_families

from services.cli.quality.export import FLOORS, exposition, figures
from services.cli.quality.gold import GoldSet, load_gold


def test_the_version_that_runs_reaches_its_floors() -> None:
    measured = figures(load_gold())
    assert set(measured) == set(FLOORS)
    below = {name: value for name, value in measured.items() if value < FLOORS[name]}
    assert not below


def test_articles_that_say_the_same_are_found_and_a_wrong_label_costs() -> None:
    text = (
        "Trạm y tế xã Trà Lãm nhận chiếc thuyền cấp cứu do ngư dân tự đóng, dài chín mét, chạy được kênh cạn."
        " Từ nay sản phụ ở ba ấp ngoài cù lao được đưa vào bờ trong hai mươi phút, thay vì chờ đò ngang."
    )
    other = (
        "Câu lạc bộ cờ tướng thành phố khai mạc giải trẻ với sáu mươi tư kỳ thủ; trận đầu dài ba giờ rưỡi."
        " Huấn luyện viên khuyên các em đừng vội đổi xe lấy pháo khi tướng còn hở sườn."
    )
    messages = [
        {"article_id": name, "title": body[:60], "text": body, "crawled_at": f"2026-04-0{day}T08:00:00Z"}
        for day, (name, body) in enumerate([("a", text), ("b", text), ("c", other)], start=1)
    ]
    events = {"a": "thuyền", "b": "thuyền", "c": "cờ"}
    right = figures(GoldSet(messages, events, set(), {("thuyền", "cờ"): "topical"}, {}))
    assert right["stories_f1"] == right["topical_apart"] == 1.0
    assert right["related_linked"] == 0.0, "no pair is labelled so"
    mislabelled = {**events, "b": "khác"}
    wrong = figures(GoldSet(messages, mislabelled, set(), {("thuyền", "cờ"): "related"}, {}))
    assert wrong["stories_precision"] < 1.0
    assert wrong["related_linked"] == 0.0


def test_the_exposition_is_what_prometheus_reads() -> None:
    text = exposition(dict.fromkeys(FLOORS, 0.5))
    samples = {
        (sample.name, sample.labels["measure"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    for measure, floor in FLOORS.items():
        assert samples["machtin_quality_ratio", measure] == 0.5
        assert samples["machtin_quality_floor_ratio", measure] == floor
