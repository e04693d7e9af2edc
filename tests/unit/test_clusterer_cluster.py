"""The clusterer's decisions: what joins, what is linked, and that a crash at any record changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from services.clusterer.clock import shifted
from services.clusterer.cluster import Clusterer
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


def article(article_id: str, text: str, hours: float = 0.0, **fields: Any) -> EnrichedArticle:
    moment = shifted(START, hours)
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
        article("h1", hearing, 60, quotes=quote, entities=names),
        article("c1", CHESS + " Em sẽ dự giải châu Á.", 61, version=2),
        article("b2", "", 62, version=2, status="withdrawn"),
        article("k1", COFFEE, 100),
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
