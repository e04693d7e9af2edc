"""What `machtin story` says to an editor: why an article is where it is, also after merges and splits."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console, RenderableType

from services.cli.story import UnknownStoryError, records_of, revisions_of, why
from services.cli.story_view import history_table, story_panel, way_of
from services.clusterer import restructure
from services.clusterer import story as revisions
from services.clusterer.profile import exemplar_of
from services.clusterer.state import Clock, StoryState
from services.clusterer.vectors import Vectorizer, load_background
from services.runtime.codec import encode
from services.runtime.reasons import in_words
from services.runtime.records import StoryRecord
from tests.unit.test_clusterer_cluster import BRIDGE, BRIDGE_AGAIN, CHESS, COFFEE, START, article

CLOCK: Clock = {"now": START, "recent": [START]}
VECTORIZER = Vectorizer(load_background("vi"))
JOINED = {
    "matched_article": "b1", "probability": 0.91, "threshold": 0.5, "score": 0.37,
    "entities": ["Tủa Sín"], "terms": ["cầu treo", "bị lũ"], "quotes": ["Trụ cầu đã nứt từ mùa mưa"],
}  # fmt: skip


def opened(article_id: str, text: str) -> StoryState:
    one = article(article_id, text)
    return revisions.opened(one, exemplar_of(one, VECTORIZER), CLOCK, {"threshold": 0.5})


def added(story: StoryState, article_id: str, text: str, reason: dict[str, Any]) -> StoryState:
    one = article(article_id, text)
    return revisions.joined(story, one, exemplar_of(one, VECTORIZER), CLOCK, "article_added", reason)


@pytest.fixture
def log() -> list[StoryRecord]:
    """b1 and b2 form a story, c1 and c2 another; the second takes in the first, then b1 and b2 split off."""
    bridge = opened("b1", BRIDGE)
    with_two = added(bridge, "b2", BRIDGE_AGAIN, JOINED)
    chess = opened("c1", CHESS)
    with_coffee = added(chess, "c2", COFFEE, {"matched_article": "c1", "duplicate": "near"})
    stays = restructure.merged(with_coffee, with_two, CLOCK, "c2", {"probability": 0.97})
    goes = restructure.redirect(with_two, stays)
    new = restructure.split_off(stays, ["b1", "b2"], CLOCK, {"probability": 0.04}, VECTORIZER)
    rest = restructure.without(stays, new)
    return cast(list[StoryRecord], [bridge, with_two, chess, with_coffee, stays, goes, new, rest])


def shown(what: RenderableType) -> str:
    console = Console(file=io.StringIO(), width=160)
    console.print(what)
    return cast(io.StringIO, console.file).getvalue()


def test_why_says_match_probability_threshold_and_evidence(log: list[StoryRecord]) -> None:
    said = shown(way_of("b2", why(log[:2], log[0]["story_id"], "b2")))
    assert "closest to b1, “Cầu treo Nậm Chà" in said
    assert "probability 0.91 (needed 0.50)" in said
    assert "text similarity 0.37" in said
    assert "both name Tủa Sín" in said
    assert "both say cầu treo, bị lũ" in said
    assert "both quote “Trụ cầu đã nứt từ mùa mưa”" in said


def test_why_follows_an_article_through_a_merge_and_a_split(log: list[StoryRecord]) -> None:
    bridge, chess, split = log[0]["story_id"], log[2]["story_id"], log[6]["story_id"]
    way = why(log, split, "b2")
    assert [(step["story_id"], step["change"]["type"]) for step in way] == [
        (bridge, "article_added"), (chess, "merged"), (bridge, "merged"), (split, "split"), (chess, "split"),
    ]  # fmt: skip
    said = shown(way_of("b2", way))
    assert f"became one with {bridge}" in said
    assert "probability that both are one 0.97" in said
    assert f"split off {chess}" in said
    assert said.count("the article left") == 2
    assert why(log, chess, "b2") == way


def test_a_copy_is_said_to_be_one_and_was_not_weighed(log: list[StoryRecord]) -> None:
    said = shown(way_of("c2", why(log[:4], log[2]["story_id"], "c2")))
    assert "near copy of c1" in said
    assert "probability" not in said


def test_an_article_that_was_never_there_is_refused(log: list[StoryRecord]) -> None:
    with pytest.raises(UnknownStoryError, match="never held"):
        why(log[:4], log[0]["story_id"], "c1")
    with pytest.raises(UnknownStoryError, match="holds no story"):
        why(log, "st-none", "c1")


def test_what_the_topic_has_forgotten_is_said(log: list[StoryRecord]) -> None:
    closed = revisions.change("closed", None, {"idle_hours": 168})
    later = revisions.revised(cast(StoryState, log[1]), CLOCK, closed, state="closed")
    compacted = [cast(StoryRecord, later)]
    said = shown(way_of("b2", why(compacted, later["story_id"], "b2")))
    assert "earlier than what the topic keeps" in said


def test_show_names_stories_of_the_saga_and_history_lists_reasons(log: list[StoryRecord]) -> None:
    link = {"story_id": log[2]["story_id"], "score": 0.8, "reasons": {"terms": ["nứt"], "threshold": 0.6}}
    story = cast(StoryRecord, {**log[1], "related": [link]})
    said = shown(story_panel(story, {log[2]["story_id"]: log[2]["title"]}))
    assert f"same saga: {log[2]['title']}" in said
    assert "probability of one saga 0.80 (needed 0.60); both say nứt" in said
    rows = shown(history_table(revisions_of(log, log[0]["story_id"])))
    assert [kind in rows for kind in ("created", "article_added", "merged")] == [True] * 3


def test_a_record_that_came_twice_counts_once(log: list[StoryRecord]) -> None:
    values = [encode(cast(dict[str, Any], record)) for record in log]
    messages = [SimpleNamespace(value=value) for value in (*values, values[-1], None)]
    assert list(records_of(messages)) == log


def test_every_kind_of_reason_has_words() -> None:
    assert in_words("closed", {"idle_hours": 168, "more": 0}) == ["nothing came for 168 hours"]
    assert in_words("article_retracted", {"version": 2}) == ["the article was withdrawn"]
    assert in_words("reopened", {"version": 3}) == ["version 3 of the article"]
    assert in_words("created", {"threshold": 0.5, "closest_story": "st-x", "probability": 0.125}) == [
        "opened the story", "the closest other one was st-x", "probability 0.12 (needed 0.50)",
    ]  # fmt: skip
    assert "st-y was linked to it" in in_words("related", {"linked_from": "st-y", "score": 0.7})
    assert in_words("related", {"unlinked_from": "st-y"}) == ["st-y grew, and is no longer linked to it"]
    assert "ends the links to st-y, st-z" in in_words("article_added", {"unlinked": ["st-y", "st-z"]})
