"""A clusterer that is rebuilt from the topic goes on as if nothing had happened: after any record.

What happens after a cut is checked one step at a time: `repair` must return exactly what is missing of the
decision that was cut, and the decision after it must be the same bytes. By induction so is everything after.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.clusterer.cluster import Clusterer
from services.runtime.records import EnrichedArticle, StoryRecord
from tests.story_streams import as_bytes, decisions, gold_articles, restless, through_bytes, unruly

ROOT = Path(__file__).parents[2]
EVERY_KIND = {
    "created", "article_added", "merged", "split", "related", "article_retracted", "closed", "reopened",
}  # fmt: skip


@pytest.fixture(scope="module")
def stream() -> list[EnrichedArticle]:
    return unruly(gold_articles(), 1)


@pytest.fixture(scope="module")
def made(stream: list[EnrichedArticle]) -> list[list[StoryRecord]]:
    return decisions(Clusterer(restless()), stream)


def test_the_stream_has_every_kind_of_change_and_late_articles(
    stream: list[EnrichedArticle], made: list[list[StoryRecord]]
) -> None:
    assert {record["change"]["type"] for records in made for record in records} == EVERY_KIND
    received = [article["received_at"] for article in stream]
    assert received != sorted(received)
    assert any(len(records) > 2 for records in made)
    reasons = [record["change"]["reason"] for records in made for record in records]
    assert any("unlinked" in reason for reason in reasons)
    assert any("unlinked_from" in reason for reason in reasons)


def test_a_restart_after_any_record_continues_with_the_same_bytes(
    stream: list[EnrichedArticle], made: list[list[StoryRecord]]
) -> None:
    survivor = Clusterer(restless())
    for number, (article, records) in enumerate(zip(stream, made, strict=True)):
        assert as_bytes(survivor.decide(article)) == as_bytes(records), f"article {number}"
        for done, record in enumerate(records, start=1):
            survivor.apply(through_bytes(record))
            missing = as_bytes(records[done:])
            assert as_bytes(survivor.repair()) == missing, f"article {number}, after record {done}"


def test_what_was_decided_is_not_decided_again_after_a_restart(
    stream: list[EnrichedArticle], made: list[list[StoryRecord]]
) -> None:
    for cut in range(0, len(stream), 50):
        survivor = Clusterer(restless())
        for records in made[:cut]:
            for record in records:
                survivor.apply(through_bytes(record))
        for article in stream[max(0, cut - 60) : cut]:
            assert survivor.decide(article) == [], f"{article['article_id']} after a cut at {cut}"


def test_a_compacted_topic_is_as_good_as_the_whole(
    stream: list[EnrichedArticle], made: list[list[StoryRecord]]
) -> None:
    for cut in range(30, len(stream), 60):
        log = [record for records in made[:cut] for record in records]
        newest = {record["story_id"]: position for position, record in enumerate(log)}
        survivor = Clusterer(restless())
        for position in sorted(newest.values()):
            survivor.apply(through_bytes(log[position]))
        following = stream[cut : cut + 40]
        expected = made[cut : cut + 40]
        assert [as_bytes(d) for d in decisions(survivor, following)] == [as_bytes(d) for d in expected]


def test_decisions_leave_memory_and_records_alone(
    stream: list[EnrichedArticle], made: list[list[StoryRecord]]
) -> None:
    """Records share what did not change: nothing in a published one may change afterwards."""
    clusterer = Clusterer(restless())
    published: list[tuple[StoryRecord, bytes]] = []
    for article in stream[:300]:
        records = clusterer.decide(article)
        published += zip(records, as_bytes(records), strict=True)
        for record in records:
            clusterer.apply(record)
        assert as_bytes(clusterer.decide(article)) == []
    for record, before in published:
        assert as_bytes([record]) == [before]


def test_another_process_with_another_hash_seed_decides_the_same_bytes(
    made: list[list[StoryRecord]],
) -> None:
    program = (
        "import hashlib\n"
        "from services.clusterer.cluster import Clusterer\n"
        "from tests.story_streams import as_bytes, decisions, gold_articles, restless, unruly\n"
        "made = decisions(Clusterer(restless()), unruly(gold_articles(), 1))\n"
        "print(hashlib.sha256(b''.join(b for d in made for b in as_bytes(d))).hexdigest())\n"
    )
    ours = hashlib.sha256(b"".join(b for records in made for b in as_bytes(records))).hexdigest()
    theirs = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert theirs.stdout.strip() == ours
