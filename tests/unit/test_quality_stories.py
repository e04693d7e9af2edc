"""The gate: stories on our own gold set do not get worse. And the scores themselves, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from services.cli.quality.gold import load_gold
from services.cli.quality.grouping import grouping_of
from services.cli.quality.rehearsal import Rehearsal
from services.cli.quality.stories import Result, Stream, gold_result, judged
from services.cli.quality.stories_view import calibration

MARGIN = 0.01
"""How much worse than when the parameters were learned is still let through (shares, 0..1)."""
LEARNED = {"f1": 0.8418, "related": 0.8421}
MOST_FALSE_LINKS = 2


@pytest.fixture(scope="module")
def result() -> Result:
    return gold_result(Rehearsal(), load_gold())


def test_the_gold_set_is_as_large_as_it_says() -> None:
    gold = load_gold()
    articles = {message["article_id"] for message in gold.messages}
    assert len(articles) == len(gold.messages) >= 300
    assert articles == set(gold.event_of) | gold.singles
    assert len(set(gold.event_of.values())) >= 40
    assert len(gold.sagas) >= 12
    assert {event for pair in gold.pairs for event in pair} <= set(gold.event_of.values())


def test_events_are_grouped_as_well_as_before(result: Result) -> None:
    assert result.scores.f1 >= LEARNED["f1"] - MARGIN, result


def test_sagas_are_linked_as_well_as_before(result: Result) -> None:
    assert result.related >= LEARNED["related"] - MARGIN, result
    assert result.topical == 0, result
    assert result.false_links <= MOST_FALSE_LINKS, result


def record(story: str, kind: str, article: str | None, articles: list[str], **fields: Any) -> dict[str, Any]:
    change = {"type": kind, "article_id": article, "reason": {}}
    made = {"story_id": story, "state": "open", "merged_into": None, "article_ids": articles, "related": []}
    return made | {"change": change} | fields


def test_a_merge_is_followed_and_counts_as_churn_of_what_moved() -> None:
    records = [
        record("s1", "created", "a", ["a"]),
        record("s2", "created", "b", ["b"]),
        record("s2", "article_added", "c", ["b", "c"]),
        record("s3", "created", "n", ["n"], related=[{"story_id": "s1"}]),
        record("s2", "merged", "c", ["b", "c", "a"]),
        record("s1", "merged", "c", [], state="merged", merged_into="s2"),
    ]
    labels = {"a": "x", "b": "x", "c": "y"}
    got = judged(grouping_of(records), labels, {"n"}, {("x", "y"): "topical"})
    assert got.scores.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3) / 3)
    assert got.scores.recall == 1
    assert got.churn == pytest.approx(1 / 4)
    assert grouping_of(records).links() == {frozenset(("s2", "s3"))}
    assert got.scores.noise == 0


def test_a_link_between_events_nobody_called_related_is_false() -> None:
    records = [
        record("s1", "created", "a", ["a"], related=[{"story_id": "s2"}]),
        record("s2", "created", "b", ["b"], related=[{"story_id": "s3"}]),
        record("s3", "created", "c", ["c"]),
    ]
    labels = {"a": "x", "b": "y", "c": "z"}
    got = judged(grouping_of(records), labels, set(), {("x", "y"): "related"})
    assert (got.related, got.false_links) == (1.0, 1)


def joined(story: str, article: str, probability: float) -> dict[str, Any]:
    change = {"type": "article_added", "article_id": article, "reason": {"probability": probability}}
    return record(story, "article_added", article, [article], change=change)


def test_calibration_counts_right_joins_of_all_streams_by_their_probability() -> None:
    first = [
        record("s1", "created", "a", ["a"]),
        joined("s1", "b", 0.62),
        joined("s1", "c", 0.68),
        joined("s1", "noise", 0.64),
    ]
    second = [record("s1", "created", "d", ["d"]), joined("s1", "e", 0.99)]
    streams = [
        Stream([], {"a": "x", "b": "x", "c": "y"}, {"noise"}, {}),
        Stream([], {"d": "x", "e": "x"}, set(), {}),
    ]
    rows = calibration(streams, [grouping_of(first), grouping_of(second)]).splitlines()[2:]
    assert rows == ["| 0.60–0.70 | 2 | 0.650 | 0.500 |", "| 0.99–1.00 | 1 | 0.990 | 1.000 |"]
