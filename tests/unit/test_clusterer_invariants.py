"""What must hold of the stories whatever arrives in whatever order: generated streams."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.clusterer.cluster import Clusterer
from services.clusterer.state import StoryState
from services.clusterer.tally import MOST_RELATED
from services.runtime.records import EnrichedArticle, StoryRecord
from services.runtime.times import from_text, to_text
from tests.story_streams import as_bytes, copy_of, decisions, restless
from tests.unit.test_clusterer_cluster import START, article

EVENTS = [
    ("Đập Nậm Rốm xả lũ trong đêm", "nước tràn qua bản Hua Pe, dân quân đưa người già lên nhà văn hóa xã"),
    ("Đập Nậm Rốm được gia cố", "kỹ sư bơm vữa vào thân đập, chủ đầu tư hứa xong trước mùa mưa sau"),
    ("Giải vật làng Sình khai hội", "đô vật Trần Hữu Khoa hạ đối thủ trong hai phút trước đình làng"),
    ("Chung kết giải vật làng Sình", "Trần Hữu Khoa thua điểm, cúp về tay đô vật trẻ xã bên kia sông"),
    ("Tàu gỗ chở muối mắc cạn", "biên phòng Cửa Sót kéo tàu ra luồng khi thủy triều lên lúc rạng sáng"),
]
ASIDES = [
    "Người dân kể lại sự việc với phóng viên.",
    "Chính quyền xã đang thống kê thiệt hại.",
    "Chưa có thông báo chính thức nào thêm.",
]
QUOTE = [{"text": "Chúng tôi đã báo trước ba ngày mà không ai trả lời", "speaker": "Lò Văn Pánh"}]


@st.composite
def streams(draw: st.DrawFn) -> list[EnrichedArticle]:
    stream: list[EnrichedArticle] = []
    for number in range(draw(st.integers(2, 24))):
        kind = draw(st.sampled_from(["new", "new", "new", "new", "copy", "edit", "withdraw", "again"]))
        moment = START_TIME + timedelta(hours=draw(st.integers(-48, 400)))
        times = {"received_at": to_text(moment), "published_at": to_text(moment)}
        if kind == "new" or not stream:
            title, told = draw(st.sampled_from(EVENTS))
            text = f"{title}. {told.capitalize()}. {draw(st.sampled_from(ASIDES))}"
            fields: dict[str, Any] = {"quotes": QUOTE} if draw(st.booleans()) else {}
            stream.append(article(f"a{number}", text, **times, **fields))
            continue
        earlier = draw(st.sampled_from(stream))
        if kind == "copy":
            stream.append(copy_of({**earlier, **times}, f"a{number}"))  # type: ignore[typeddict-item]
        elif kind == "again":
            stream.append(earlier)
        else:
            status = "withdrawn" if kind == "withdraw" else "usable"
            version = earlier["version"] + draw(st.integers(1, 2))
            edited = {**earlier, **times, "version": version, "status": status}
            stream.append(edited)  # type: ignore[arg-type]
    return stream


START_TIME = from_text(START)
FRANTIC = restless(merge_odds=-4.0, split_odds=8.0)
"""Stories merge with whatever they may, and split at every seam."""


def newest(log: list[StoryRecord]) -> dict[str, StoryState]:
    return {record["story_id"]: record for record in log}  # type: ignore[misc]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(streams())
def test_whatever_arrives_the_log_keeps_its_promises(stream: list[EnrichedArticle]) -> None:
    clusterer = Clusterer(FRANTIC)
    log: list[StoryRecord] = []
    for records in decisions(clusterer, stream):
        log += records
        stories = newest(log)
        an_article_is_in_one_story(stories)
        links_are_symmetric_and_few(stories)
    revisions_rise_by_one(log)
    a_merged_story_stays_merged(log)
    counts_agree(newest(log))
    assert clusterer.repair() == []
    assert as_bytes([r for d in decisions(Clusterer(FRANTIC), stream) for r in d]) == as_bytes(log)


def an_article_is_in_one_story(stories: dict[str, StoryState]) -> None:
    holders = Counter(i for story in stories.values() for i in story["article_ids"])
    assert all(count == 1 for count in holders.values()), holders


def revisions_rise_by_one(log: list[StoryRecord]) -> None:
    """And so no id is used twice: a story with a revision 1 has only one of it."""
    last: dict[str, int] = {}
    for record in log:
        assert record["revision"] == last.get(record["story_id"], 0) + 1
        last[record["story_id"]] = record["revision"]


def a_merged_story_stays_merged(log: list[StoryRecord]) -> None:
    gone: set[str] = set()
    for record in log:
        assert record["story_id"] not in gone, "a redirect was written over"
        if record["state"] == "merged":
            gone.add(record["story_id"])
    stories = newest(log)
    for story_id in sorted(gone):
        target = stories[story_id]["merged_into"]
        while target in gone:
            target = stories[target]["merged_into"]
        assert target in stories


def links_are_symmetric_and_few(stories: dict[str, StoryState]) -> None:
    """Symmetric in effect: followed through merges, unless the other end is full."""

    def today(story_id: str) -> str:
        while (into := stories[story_id]["merged_into"]) is not None:
            story_id = into
        return story_id

    linked = {
        story_id: {today(link["story_id"]) for link in story["related"]}
        for story_id, story in stories.items()
        if story["state"] != "merged"
    }
    for story_id, others in linked.items():
        assert len(stories[story_id]["related"]) <= MOST_RELATED
        for other in others - {story_id}:
            full = len(stories[other]["related"]) >= MOST_RELATED
            assert full or story_id in linked[other], (story_id, other)


def counts_agree(stories: dict[str, StoryState]) -> None:
    for story in stories.values():
        assert story["article_count"] == story["unique_count"] + story["reprint_count"]
        assert story["article_count"] == len(story["article_ids"]) == len(story["members"])
        assert story["article_count"] == sum(source["articles"] for source in story["sources"])
        assert story["independent_source_count"] <= story["source_count"] == len(story["sources"])
        if story["article_count"]:
            assert story["lead_article_id"] in story["article_ids"]
            assert story["first_published_at"] <= story["last_published_at"]
        else:
            assert story["state"] != "open"
