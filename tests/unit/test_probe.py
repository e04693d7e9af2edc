"""What the probe plants and how it judges, without a broker: by the pipeline in one process."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from services.cli.pipeline import Pipeline
from services.probe.planting import EDITION, ROLES, plant, scenarios, withdrawal
from services.probe.watch import CHECKS, WAY, Report, Stories, Watch
from services.runtime.codec import encode
from services.runtime.records import Record
from services.runtime.settings import Settings
from services.runtime.topics import CLEAN, DEDUPLICATED, ENRICHED, STORIES

AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
EVENTS = len(scenarios()["events"])


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(Settings())


def records_of(pipeline: Pipeline, raw: Record) -> Iterator[tuple[str, Record]]:
    """Yield what follows from a raw message, as it would in the probe's edition."""
    for carried in pipeline.feed(encode(raw)):
        assert isinstance(carried.value, dict), carried
        yield carried.topic, {**carried.value, "edition": EDITION}


@pytest.mark.parametrize("number", range(2 * EVENTS))
def test_every_planting_comes_out_right_and_leaves_nothing(pipeline: Pipeline, number: int) -> None:
    """Twice through all events: a planting that is taken back does not meet the next one."""
    at = AT + timedelta(minutes=number)
    planting = plant(f"p{number}", number, at)
    watch, stories = Watch(planting, dict.fromkeys(planting.ids, 0.0)), Stories()
    for raw in planting.articles.values():
        assert not watch.complete
        for topic, record in records_of(pipeline, raw):
            if topic == STORIES:
                stories.apply(record)  # type: ignore[arg-type]
            watch.see(topic, record, 1.5)
    assert watch.complete
    assert watch.lost() == {}
    assert watch.latencies_s == dict.fromkeys(planting.ids, 1.5)
    assert watch.verdicts(stories) == dict.fromkeys(set(CHECKS) - {"withdrawn"}, "right")
    for article_id in planting.ids:
        for topic, record in records_of(pipeline, withdrawal(article_id, at)):
            if topic == STORIES:
                stories.apply(record)  # type: ignore[arg-type]
    assert stories.article_ids == []


def test_a_planting_is_made_of_its_name_alone() -> None:
    first, again, other = plant("a", 2, AT), plant("a", 2, AT), plant("b", 2, AT)
    assert first == again
    assert set(first.articles) == set(ROLES)
    assert list(first.articles) == list(ROLES)
    for role in ROLES:
        assert first.articles[role]["text"] != other.articles[role]["text"]
        for text in (first.articles[role]["text"], first.articles[role]["title"]):
            assert "{" not in text
    assert len({article["text"] for article in first.articles.values()}) == len(ROLES) - 1


def story(story_id: str, article_ids: list[str], related: tuple[str, ...] = (), revision: int = 1) -> Record:
    return {
        "story_id": story_id,
        "revision": revision,
        "edition": EDITION,
        "state": "open",
        "article_ids": article_ids,
        "article_count": len(article_ids),
        "related": [{"story_id": other} for other in related],
    }


def judged(of: dict[str, Record], copies: dict[str, tuple[str, str | None]]) -> dict[str, str]:
    """Return the verdicts on a planting whose roles are in these stories and are these copies."""
    planting = plant("judged", 0, AT)
    names = {role: planting.id_of(role) for role in ROLES}
    watch, stories = Watch(planting, dict.fromkeys(planting.ids, 0.0)), Stories()
    for record in of.values():
        known = {**record, "article_ids": [names[role] for role in record["article_ids"]]}  # type: ignore[index]
        stories.apply(known)  # type: ignore[arg-type]
        watch.see(STORIES, known, 1.0)
    for role, (kind, original) in copies.items():
        duplicate = {"kind": kind, "of": names[original] if original else None}  # type: ignore[index]
        record = {"article_id": names[role], "status": "usable", "duplicate": duplicate}  # type: ignore[index]
        watch.see(DEDUPLICATED, record, 1.0)
    return dict(watch.verdicts(stories))


EVENT = ["original", "copy", "near", "report"]
RIGHT_STORIES = {"e": story("e", EVENT, ("s",)), "s": story("s", ["related"]), "o": story("o", ["other"])}
RIGHT_COPIES: dict[str, tuple[str, str | None]] = {
    "original": ("none", None),
    "copy": ("exact", "original"),
    "near": ("near", "original"),
    "report": ("none", None),
    "related": ("none", None),
    "other": ("none", None),
}


@pytest.mark.parametrize(
    ("stories", "copies", "wrong"),
    [
        ({}, {}, set()),
        ({}, {"copy": ("near", "original")}, {"exact_copy"}),
        ({}, {"copy": ("exact", "near")}, {"exact_copy"}),
        ({}, {"near": ("none", None)}, {"near_copy"}),
        ({}, {"report": ("near", "original")}, {"no_copy"}),
        ({"e": story("e", EVENT[:3], ("s",)), "x": story("x", ["report"])}, {}, {"same_story"}),
        ({"e": story("e", EVENT)}, {}, {"related_linked"}),
        ({"e": story("e", [*EVENT, "related"]), "s": story("s", [])}, {}, {"related_linked"}),
        ({"e": story("e", EVENT, ("s", "o"))}, {}, {"unrelated_apart"}),
        ({"o": story("o", ["other"], ("s",))}, {}, {"unrelated_apart"}),
        ({"s": story("s", ["related", "other"]), "o": story("o", [])}, {}, {"unrelated_apart"}),
    ],
)
def test_what_is_wrong_is_called_wrong(
    stories: dict[str, Record], copies: dict[str, tuple[str, str | None]], wrong: set[str]
) -> None:
    verdicts = judged({**RIGHT_STORIES, **stories}, {**RIGHT_COPIES, **copies})
    assert {check for check, result in verdicts.items() if result != "right"} == wrong


def test_what_was_lost_is_unknown_and_the_stage_that_kept_it_is_named() -> None:
    planting = plant("lost", 0, AT)
    watch = Watch(planting, dict.fromkeys(planting.ids, 0.0))
    for number, role in enumerate(ROLES[:5]):
        for topic in (CLEAN, DEDUPLICATED, ENRICHED)[:number]:
            duplicate = {"kind": "none", "of": None}
            record = {"article_id": planting.id_of(role), "status": "usable", "duplicate": duplicate}
            watch.see(topic, record, 1.0)
    stages = [watch.lost()[planting.id_of(role)] for role in ROLES]
    assert stages == [*WAY.values(), "clusterer", "normalizer"]
    verdicts = watch.verdicts(Stories())
    assert verdicts["same_story"] == verdicts["exact_copy"] == verdicts["no_copy"] == "unknown"
    assert Report("lost", {}, watch.lost(), verdicts).outcome == "lost"
    assert Report("x", {}, {}, {"same_story": "wrong"}).outcome == "wrong"
    assert Report("x", {}, {}, {"same_story": "right"}).outcome == "right"


def test_an_older_revision_and_another_edition_change_nothing() -> None:
    stories = Stories()
    stories.apply(story("e", ["a", "b"], revision=2))  # type: ignore[arg-type]
    stories.apply(story("e", ["a"], revision=1))  # type: ignore[arg-type]
    stories.apply({**story("r", ["c"]), "edition": "vi"})  # type: ignore[arg-type]
    assert stories.article_ids == ["a", "b"]
    stories.apply({**story("e", ["a", "b"], revision=3), "state": "merged"})  # type: ignore[arg-type]
    assert stories.article_ids == []
