"""A withdrawn article leaves its story, all the way from the raw message through the four stages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from services.cli.pipeline import Pipeline
from services.runtime.settings import Settings
from services.runtime.topics import DEAD, DEDUPLICATED, ENRICHED, STORIES

FIRE = (
    "Khoảng 3 giờ sáng nay, lửa bùng lên ở dãy kho gỗ sau chợ Bến Tràm rồi lan nhanh sang hai xưởng mộc. "
    "Lực lượng chữa cháy của huyện Thạnh An điều sáu xe bồn, bơm nước từ kênh Ông Kèo để chặn ngọn lửa. "
    "Theo Chủ tịch huyện Lê Minh Khôi, không có ai thiệt mạng, nhưng chín hộ dân phải dời đi trong đêm. "
    "Ông Trần Văn Bảy, chủ một xưởng mộc, nói toàn bộ số gỗ căm xe mua từ trước Tết đã cháy hết. "
    "Đến 6 giờ 30 đám cháy được khống chế, công an đang lấy lời khai của người trực kho. "
    "Huyện đã mở nhà văn hóa làm chỗ ở tạm và phát cơm cho các gia đình bị ảnh hưởng. "
    "Ban quản lý chợ cho biết các sạp phía trước vẫn bán bình thường từ trưa nay."
)
LATER = (
    "Công an huyện Thạnh An xác định vụ cháy kho gỗ phía sau chợ Bến Tràm bắt nguồn từ một ổ điện bị chập. "
    "Chủ tịch huyện Lê Minh Khôi yêu cầu kiểm tra lại toàn bộ đường dây ở các xưởng mộc quanh chợ Bến Tràm. "
    "Ông Trần Văn Bảy cùng chín hộ dân mất nhà sẽ nhận tiền hỗ trợ trong tuần này, theo huyện Thạnh An. "
    "Lực lượng chữa cháy đề nghị chợ làm thêm hai trụ nước bên kênh Ông Kèo trước mùa khô."
)
TITLE = "Cháy kho gỗ sau chợ Bến Tràm"
ORIGINAL = {"article_id": "bao-a-1", "title": TITLE, "text": FIRE, "source": "Báo A"}
COPY = {"article_id": "bao-b-7", "title": TITLE, "text": f"(Theo Báo A) {FIRE}", "source": "Báo B"}
FOLLOW_UP = {
    "article_id": "bao-c-3",
    "title": "Cháy kho gỗ chợ Bến Tràm: do chập điện",
    "text": LATER,
    "source": "Báo C",
}
WITHDRAWAL = {"article_id": "bao-a-1", "status": "withdrawn", "text": ""}

Message = dict[str, Any]
Feed = Callable[..., dict[str, list[dict[str, Any]]]]


@pytest.fixture(name="feed")
def feed_of_a_new_pipeline() -> Feed:
    pipeline = Pipeline(Settings())
    minutes = iter(range(60))

    def feed(*messages: Message) -> dict[str, list[dict[str, Any]]]:
        """Return every record that follows from the messages, a minute apart, by topic."""
        records: dict[str, list[dict[str, Any]]] = {}
        for message in messages:
            at = f"2026-05-04T08:{next(minutes):02}:00Z"
            for carried in pipeline.feed(json.dumps({"crawled_at": at, **message}).encode()):
                value = carried.value
                records.setdefault(carried.topic, []).append({} if isinstance(value, str) else dict(value))
        return records

    return feed


def test_a_withdrawn_original_leaves_the_story_and_its_copy_stays(feed: Feed) -> None:
    before = feed(ORIGINAL, COPY, FOLLOW_UP)[STORIES][-1]
    assert before["article_ids"] == ["bao-a-1", "bao-b-7", "bao-c-3"]
    assert (before["unique_count"], before["reprint_count"]) == (2, 1)

    records = feed(WITHDRAWAL)

    assert DEAD not in records
    (gone,) = records[DEDUPLICATED]
    assert (gone["article_id"], gone["version"], gone["status"]) == ("bao-a-1", 2, "withdrawn")
    assert (gone["text"], gone["signature"]) == ("", "")
    assert [record["status"] for record in records[ENRICHED]] == ["withdrawn"]
    after = records[STORIES][-1]
    assert after["story_id"] == before["story_id"]
    assert (after["change"]["type"], after["change"]["article_id"]) == ("article_retracted", "bao-a-1")
    assert after["article_ids"] == ["bao-b-7", "bao-c-3"]
    assert after["lead_article_id"] != "bao-a-1"


def test_the_next_copy_is_one_of_the_earliest_that_is_left(feed: Feed) -> None:
    story = feed(ORIGINAL, COPY, FOLLOW_UP)[STORIES][-1]["story_id"]
    feed(WITHDRAWAL)
    records = feed({**ORIGINAL, "article_id": "bao-d-4", "source": "Báo D"})
    assert records[DEDUPLICATED][0]["duplicate"]["of"] == "bao-b-7"
    assert records[STORIES][-1]["story_id"] == story
    assert "bao-a-1" not in records[STORIES][-1]["article_ids"]


def test_a_withdrawal_delivered_again_changes_nothing(feed: Feed) -> None:
    feed(ORIGINAL, FOLLOW_UP)
    withdrawal = {
        "article_id": "bao-a-1",
        "status": "withdrawn",
        "text": "",
        "crawled_at": "2026-05-04T09:30:00Z",
    }
    assert STORIES in feed(withdrawal)
    assert feed(withdrawal).keys() & {DEDUPLICATED, ENRICHED, STORIES} == set()


def test_a_story_of_which_every_article_is_withdrawn_is_closed(feed: Feed) -> None:
    feed(ORIGINAL, COPY)
    last = feed(
        WITHDRAWAL,
        {"article_id": "bao-b-7", "status": "withdrawn", "text": FIRE},  # the text is not passed on
    )[STORIES][-1]
    assert last["state"] == "closed"
    assert last["article_ids"] == []
