"""The clusterer's decisions: what joins, what is linked, and that a crash at any record changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from services.clusterer.clock import seconds, time_text
from services.clusterer.cluster import Clusterer
from services.clusterer.evidence import FEATURES
from services.clusterer.parameters import Parameters, Rule, load_parameters
from services.runtime.records import EnrichedArticle, StoryRecord

START = "2026-03-02T06:00:00Z"

BRIDGE = (
    "Cầu treo Nậm Chà bị lũ cuốn trôi trong đêm, ba bản vùng cao bị cô lập. "
    "Chính quyền huyện Tủa Sín điều xuồng máy đưa gạo và thuốc men qua suối cho hai trăm hộ dân. "
    "Kỹ sư cho biết trụ cầu phía tây đã nứt từ mùa mưa trước."
)
BRIDGE_AGAIN = (
    "Ba bản ở huyện Tủa Sín vẫn bị cô lập sau khi cầu treo Nậm Chà bị lũ cuốn trôi. "
    "Xuồng máy chở gạo, thuốc men qua suối cho các hộ dân, kỹ sư đang khảo sát trụ cầu bị nứt."
)
CHESS = (
    "Kỳ thủ mười hai tuổi Lâm Gia Phúc thắng ván cờ chớp quyết định, giành ngôi vô địch giải cờ vua trẻ "
    "toàn quốc tại nhà thi đấu Phú Hiền. Em dùng khai cuộc Sicilia và dứt điểm sau ba mươi tư nước."
)
COFFEE = (
    "Hợp tác xã cà phê Ea Tur ký hợp đồng bán bốn trăm tấn nhân xô cho nhà rang ở Busan. "
    "Giá chốt cao hơn sàn mười hai phần trăm nhờ chứng nhận canh tác hữu cơ của nông dân."
)


FILLERS = [
    "đàn sếu đầu đỏ về vườn Tràm Lớn",
    "triển lãm gốm Thổ Hà khai mạc",
    "tàu cá Bình Thạnh trúng luồng cá nục",
    "trường nghề Lạc Thủy tuyển sinh",
    "bảo tàng Đồng Nội sửa mái ngói",
    "câu lạc bộ vật Liễu Đôi thi đấu",
]


def later(hours: float) -> str:
    return time_text(seconds(START) + round(3600 * hours))


def article(article_id: str, text: str, hours: float = 0.0, **fields: Any) -> EnrichedArticle:
    moment = later(hours)
    made: dict[str, Any] = {
        "article_id": article_id,
        "edition": "vi",
        "url": None,
        "canonical_url": None,
        "source": "bao-thu",
        "title": text.split(". ")[0],
        "lead": text.split(". ")[0],
        "text": text,
        "language": "vi",
        "published_at": moment,
        "published_precision": "second",
        "modified_at": None,
        "received_at": moment,
        "status": "usable",
        "derived": [],
        "content_hash": "",
        "authors": [],
        "categories": [],
        "tags": [],
        "image_url": None,
        "extra": {},
        "version": 1,
        "duplicate": {
            "kind": "none",
            "of": None,
            "similarity": None,
            "differs": [],
            "closest": None,
            "series": None,
        },
        "signature": "",
        "entities": [],
        "keywords": [],
        "quotes": [],
    }
    made.update(fields)
    return made  # type: ignore[return-value]


def copy_of(original: str, kind: str = "exact") -> dict[str, Any]:
    return {
        "kind": kind,
        "of": original,
        "similarity": {"jaccard": 1.0, "containment": 1.0},
        "differs": [],
        "closest": None,
        "series": None,
    }


def new_clusterer() -> Clusterer:
    return Clusterer()


def run(clusterer: Clusterer, articles: Iterable[EnrichedArticle]) -> list[StoryRecord]:
    log: list[StoryRecord] = []
    for one in articles:
        for record in clusterer.decide(one):
            clusterer.apply(json.loads(json.dumps(record)))
            log.append(record)
    return log


def rebuilt(log: Iterable[StoryRecord]) -> Clusterer:
    clusterer = new_clusterer()
    for record in log:
        clusterer.apply(json.loads(json.dumps(record)))
    return clusterer


def as_bytes(log: Iterable[StoryRecord]) -> list[str]:
    return [json.dumps(record, ensure_ascii=False) for record in log]


def saga() -> list[EnrichedArticle]:
    """A stream with every kind of change."""
    quote = [{"text": "Trụ cầu phía tây đã nứt từ mùa mưa trước mà không ai sửa", "speaker": "Giàng A Sử"}]
    names = [{"id": "loc:tua-sin", "name": "Tủa Sín", "type": "LOC", "salience": 0.5, "mentions": []}]
    hearing = (
        "Thanh tra tỉnh mở phiên chất vấn giám đốc ban dự án về kinh phí duy tu công trình giao thông. "
        "Đại biểu hỏi vì sao khoản chi bảo dưỡng cầu treo Nậm Chà bị cắt hai năm liền."
    )
    late = [article(f"x{i}", f"{word}.", 500 + i) for i, word in enumerate(FILLERS)]
    return [
        article("b1", BRIDGE, 0, quotes=quote, entities=names),
        article("c1", CHESS, 1),
        article("b2", BRIDGE_AGAIN, 2, entities=names),
        article("b3", BRIDGE, 3, duplicate=copy_of("b1"), source="bao-khac"),
        article("h1", hearing, 110, quotes=quote, entities=names),
        article("c1", CHESS + " Em sẽ dự giải châu Á.", 111, version=2),
        article("b2", "", 112, version=2, status="withdrawn"),
        article("k1", COFFEE, 150),
        *late,
        article("b4", BRIDGE, 510, duplicate=copy_of("b1", "near"), source="bao-ba"),
    ]


def test_one_event_is_one_story_and_others_are_not():
    stream = [article("b1", BRIDGE), article("c1", CHESS, 1), article("b2", BRIDGE_AGAIN, 2)]
    log = run(new_clusterer(), stream)
    assert [r["change"]["type"] for r in log] == ["created", "created", "article_added"]
    assert log[2]["article_ids"] == ["b1", "b2"]
    assert log[2]["change"]["reason"]["matched_article"] == "b1"
    assert log[2]["change"]["reason"]["probability"] >= log[2]["change"]["reason"]["threshold"]


def test_decide_changes_nothing():
    clusterer = new_clusterer()
    one = article("b1", BRIDGE)
    assert as_bytes(clusterer.decide(one)) == as_bytes(clusterer.decide(one))
    assert clusterer.known_stories == 0


def test_an_article_seen_again_brings_nothing():
    clusterer = new_clusterer()
    stream = saga()
    run(clusterer, stream)
    assert run(clusterer, stream) == []


@pytest.mark.parametrize("back", [1, 3, 100])
def test_a_crash_after_any_record_changes_nothing(back: int):
    stream = saga()
    clusterer = new_clusterer()
    log: list[StoryRecord] = []
    decided_by: list[int] = []
    for position, one in enumerate(stream):
        for record in clusterer.decide(one):
            clusterer.apply(record)
            log.append(record)
            decided_by.append(position)
    kinds = {r["change"]["type"] for r in log}
    assert kinds >= {"created", "article_added", "related", "article_retracted", "closed", "reopened"}
    for cut in range(1, len(log) + 1):
        survivor = rebuilt(log[:cut])
        repaired = survivor.repair()
        for record in repaired:
            survivor.apply(record)
        again = run(survivor, stream[max(0, decided_by[cut - 1] - back) :])
        assert as_bytes([*log[:cut], *repaired, *again]) == as_bytes(log), f"cut after {cut} records"


def test_a_compacted_topic_rebuilds_the_same_state():
    stream = saga()
    half = len(stream) // 2
    log = run(new_clusterer(), stream[:half])
    newest = {record["story_id"]: position for position, record in enumerate(log)}
    compacted = rebuilt(log[position] for position in sorted(newest.values()))
    assert as_bytes(run(compacted, stream[half:])) == as_bytes(run(rebuilt(log), stream[half:]))


def test_a_copy_joins_its_original_and_counts_as_reprint():
    log = run(
        new_clusterer(),
        [article("b1", BRIDGE), article("b3", COFFEE, 1, duplicate=copy_of("b1"), source="bao-khac")],
    )
    assert log[-1]["article_ids"] == ["b1", "b3"]
    assert (log[-1]["unique_count"], log[-1]["reprint_count"], log[-1]["source_count"]) == (1, 1, 2)
    assert log[-1]["independent_source_count"] == 1  # type: ignore[typeddict-item]


def test_a_withdrawn_article_leaves_and_stays_out():
    clusterer = new_clusterer()
    log = run(
        clusterer,
        [
            article("b1", BRIDGE),
            article("b1", "", 1, version=2, status="withdrawn"),
            article("b1", BRIDGE),
            article("b2", BRIDGE_AGAIN, 2),
        ],
    )
    assert [r["change"]["type"] for r in log] == ["created", "article_retracted", "created"]
    assert (log[1]["state"], log[1]["article_count"]) == ("closed", 0)


def test_unknown_dates_do_not_part_an_event():
    first = article("b1", BRIDGE, published_precision="received")
    late = article("b2", BRIDGE_AGAIN, 24 * 365 * 3, published_precision="received")
    log = run(new_clusterer(), [first, late])
    assert log[1]["article_ids"] == ["b1", "b2"]


def test_one_article_from_the_future_closes_nothing():
    clusterer = new_clusterer()
    stream = [article("b1", BRIDGE), article("c1", CHESS, 1), article("k1", COFFEE, 2)]
    log = run(clusterer, [*stream, article("x1", "Đàn sếu trở về đầm Tràm Lớn.", 24 * 365 * 70)])
    assert all(r["state"] == "open" for r in log)
    assert clusterer.open_stories == 4


def test_an_article_that_arrives_late_is_judged_by_its_own_time():
    """Two hearings read alike: the late report of the first one belongs to the first, whenever it comes."""

    def report(article_id: str, hours: float, arrives: float) -> EnrichedArticle:
        times = {"published_at": later(hours), "received_at": later(arrives)}
        return article(article_id, BRIDGE, **times)

    def story_with(delay: float) -> list[str]:
        first, second = report("h1", 0, 0), report("h2", 24 * 25, 24 * 25)
        late = report("h3", delay, 24 * 25 + 1)
        near_first = Clusterer(only("gap_days", 1.0))
        log = run(near_first, [first, second, late])
        assert [r["change"]["type"] for r in log if r["change"]["type"] != "closed"][:2] == ["created"] * 2
        return next(r["article_ids"] for r in log if "h3" in r["article_ids"])

    assert story_with(delay=1) == ["h1", "h3"]
    assert story_with(delay=24 * 25 - 1) == ["h2", "h3"]


def only(feature: str, bias: float, weight: float = 1.0) -> Parameters:
    """Return parameters whose join rule looks at one feature."""
    weights = np.array([weight * (name == feature) for name in FEATURES])
    return replace(load_parameters(), join=Rule(bias, weights, 0.5), merge_odds=99.0, split_odds=-99.0)


@pytest.mark.parametrize(
    ("merge_odds", "stories"), [(-9.0, [["b1", "b2", "b3"]]), (9.0, [["b1"], ["b2"], ["b3"]])]
)
def test_an_article_as_near_to_two_stories_makes_them_one_or_founds_a_third(
    merge_odds: float, stories: list[list[str]]
):
    """Each is the other's rival: to either alone it would have been near enough."""
    west = "Cầu treo Nậm Chà bị lũ cuốn trôi trong đêm, trụ phía tây đã nứt. Ba bản vùng cao bị cô lập."
    east = "Huyện Tủa Sín điều xuồng máy chở gạo và thuốc men qua suối cho hai trăm hộ dân bị cô lập."
    both = (
        "Lũ cuốn trôi cầu treo trong đêm, huyện chở gạo và thuốc men bằng xuồng máy. Ba bản vùng cao chờ "
        "hai trăm suất quà, trụ cầu đã nứt từ trước."
    )
    stream = [article("b1", west), article("b2", east, 1), article("b3", both, 2)]
    parameters = only("margin", -1.2, weight=20.0)
    log = run(Clusterer(replace(parameters, merge_odds=merge_odds)), stream)
    last = {r["story_id"]: r for r in log}
    assert sorted(sorted(r["article_ids"]) for r in last.values() if r["state"] != "merged") == stories
    if len(stories) == 1:
        joined = next(r for r in log if r["change"]["article_id"] == "b3")
        assert joined["change"]["reason"]["probability"] >= joined["change"]["reason"]["threshold"]
        assert joined["change"]["reason"]["merge_with"] in last


def test_velocity_counts_the_last_hour_and_the_last_six():
    times = [0.0, 1.0, 4.5, 5.2, 5.6, 6.0]
    log = run(new_clusterer(), [article(f"b{i}", BRIDGE, at) for i, at in enumerate(times)])
    assert log[-1]["article_ids"] == [f"b{i}" for i in range(6)]
    assert log[-1]["velocity"] == {"1h": 3, "6h": 5}


def test_a_source_that_only_copies_is_not_an_independent_one():
    stream = [
        article("b1", BRIDGE, source="bao-mot"),
        article("b2", BRIDGE, 1, duplicate=copy_of("b1"), source="bao-hai"),
        article("b3", BRIDGE_AGAIN, 2, source="bao-ba"),
        article("b4", BRIDGE_AGAIN, 3, duplicate=copy_of("b3"), source="bao-mot"),
    ]
    story: Any = run(new_clusterer(), stream)[-1]
    assert (story["source_count"], story["independent_source_count"]) == (3, 2)
    assert (story["unique_count"], story["reprint_count"]) == (2, 2)


def test_the_article_in_the_middle_gives_the_title():
    """Two articles tell a half of it each; the one that tells both takes the title over."""
    west = "Cầu treo Nậm Chà bị lũ cuốn trôi trong đêm. Ba bản vùng cao bị cô lập, trụ cầu phía tây đã nứt."
    east = "Huyện Tủa Sín điều xuồng máy. Gạo và thuốc men qua suối cho hai trăm hộ dân bị cô lập."
    both = f"Tủa Sín tiếp tế sau khi mất cầu. {west} {east}"
    stream = [article("b1", west), article("b2", east, 1), article("b3", both, 2)]
    log = run(Clusterer(only("single", 9.0)), stream)
    assert [r["lead_article_id"] for r in log] == ["b1", "b1", "b3"]
    assert log[-1]["title"] == stream[2]["title"]


def test_a_story_closes_when_nothing_comes_and_reopens_for_a_late_article():
    fillers = [article(f"x{i}", f"{word}.", 200 + i) for i, word in enumerate(FILLERS)]
    late = article("b9", BRIDGE, 300, published_at=later(2))
    log = run(new_clusterer(), [article("b1", BRIDGE), *fillers, late])
    story_id = log[0]["story_id"]
    bridge = [(r["change"]["type"], r["state"]) for r in log if r["story_id"] == story_id]
    assert bridge == [("created", "open"), ("closed", "closed"), ("reopened", "open")]
    reasons = [r["change"]["reason"] for r in log if r["story_id"] == story_id]
    assert reasons[1]["idle_hours"] == 168
    assert reasons[2]["matched_article"] == "b1"


def test_a_copy_joins_a_story_of_which_only_copies_are_left():
    stream = [
        article("b1", BRIDGE),
        article("c1", BRIDGE_AGAIN + " Xuồng thứ hai đã về tới bến.", 300),
        article("b3", BRIDGE, 301, duplicate=copy_of("b1")),
        article("b1", "", 302, version=2, status="withdrawn"),
        article("b4", BRIDGE, 303, duplicate=copy_of("b3")),
    ]
    log = run(new_clusterer(), stream)
    held = {r["story_id"]: r["article_ids"] for r in log if r["state"] != "merged"}
    assert [ids for ids in held.values() if "b3" in ids] == [["b3", "b4"]]


def test_an_article_that_comes_again_after_its_story_is_forgotten_founds_another():
    fillers = [article(f"x{i}", f"{word}.", 24 * 120 + i) for i, word in enumerate(FILLERS)]
    log = run(new_clusterer(), [article("b1", BRIDGE), *fillers, article("b1", BRIDGE, 24 * 121)])
    founded = [r["story_id"] for r in log if r["change"]["article_id"] == "b1"]
    assert len(set(founded)) == len(founded) == 2


@pytest.mark.parametrize(("days", "reached"), [(61, True), (95, False)])
def test_links_reach_back_to_stories_closed_two_months_ago(days: int, reached: bool):
    quote = [{"text": "Trụ cầu phía tây đã nứt từ mùa mưa trước mà không ai sửa", "speaker": "Giàng A Sử"}]
    inquiry = "Tòa xét xử giám đốc ban dự án. Cầu treo Nậm Chà bị cắt khoản duy tu hai năm liền."
    fillers = [article(f"x{i}", f"{word}.", 24 * days - 9 + i) for i, word in enumerate(FILLERS)]
    stream = [article("b1", BRIDGE, quotes=quote), *fillers, article("h1", inquiry, 24 * days, quotes=quote)]
    clusterer = Clusterer(replace(load_parameters(), join=only("single", -9.0).join))
    log = run(clusterer, stream)
    bridge, court = log[0]["story_id"], next(r for r in log if "h1" in r["article_ids"])
    assert any(r["story_id"] == bridge and r["state"] == "closed" for r in log)
    assert (bridge in [link["story_id"] for link in court["related"]]) is reached
    back = [r for r in log if r["story_id"] == bridge and r["change"]["type"] == "related"]
    assert len(back) == int(reached)


def test_issues_of_a_bulletin_are_stories_of_their_own_and_no_news_joins_them():
    price = "Giá cà phê hôm nay. Cà phê nhân xô tại Ea Tur là {} đồng một ký, thương lái mua cầm chừng."
    series = {"kind": "none", "of": None, "similarity": None, "differs": [], "series": "series-1"}
    closest = {"article_id": "p1", "similarity": {"jaccard": 0.9, "containment": 0.9}}
    issue = {"duplicate": {**series, "closest": closest}}
    stream = [
        article("p1", price.format(51200)),
        article("p2", price.format(51900), 24, **issue),
        article("p3", price.format(52100), 48, **issue),
        article("p4", price.format(52100), 49, duplicate=copy_of("p3"), source="bao-khac"),
        article("n1", price.format(52100) + " Nông dân giữ hàng chờ giá.", 50),
    ]
    log = run(Clusterer(only("single", 9.0)), stream)
    newest: Any = {r["story_id"]: r for r in log}
    held = {tuple(r["article_ids"]): r["series"] for r in newest.values()}
    assert held == {("p1", "n1"): [], ("p2",): ["series-1"], ("p3", "p4"): ["series-1"]}
    founded = next(r for r in log if r["article_ids"] == ["p2"])
    assert founded["change"]["reason"] == {"series": "series-1", "matched_article": "p1"}


def test_a_copy_is_not_weighed():
    """It joins where its original is, though the rule would never let it."""
    stream = [article("b1", BRIDGE), article("b2", COFFEE, 24 * 40, duplicate=copy_of("b1"))]
    log = run(Clusterer(only("single", -99.0)), stream)
    assert log[-1]["article_ids"] == ["b1", "b2"] or log[-2]["article_ids"] == ["b1", "b2"]
    reason = next(r for r in log if r["article_ids"] == ["b1", "b2"])["change"]["reason"]
    assert (reason["duplicate"], reason["probability"]) == ("exact", 1.0)
