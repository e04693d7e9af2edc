"""The figures about the news, counted from records as they lie on the topics."""

import json
import math
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from services.cli.pipeline import Pipeline
from services.runtime.domain_metrics import DECLARATIONS, MOST_SOURCES, DomainMetrics, updates_of
from services.runtime.labels import MOST_CHARACTERS, OTHER, BoundedLabel
from services.runtime.settings import Settings
from services.runtime.topics import CLEAN, DEDUPLICATED, ENRICHED, SCHEMAS, STORIES
from services.topology import STAGES
from tests.demo_corpus import LINES

TOPIC_OF = {"normalizer": CLEAN, "deduplicator": DEDUPLICATED, "enricher": ENRICHED, "clusterer": STORIES}

Samples = dict[tuple[str, str], float]
"""(name, value of the only label or "") -> value."""


def samples_of(registry: CollectorRegistry) -> Samples:
    from prometheus_client import generate_latest

    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_created"))
    }


def examples(topic: str) -> list[Any]:
    files = sorted(SCHEMAS.joinpath("examples", topic).glob("*.json"))
    read = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return [example.get("value", example) for example in read]


@pytest.fixture(scope="module")
def demo() -> dict[str, Any]:
    """The records of the demo corpus by topic."""
    pipeline, records = Pipeline(Settings()), {topic: [] for topic in TOPIC_OF.values()}  # type: ignore[var-annotated]
    for line in LINES:
        for carried in pipeline.feed(line):
            if carried.failure is None:
                records[carried.topic].append(carried.value)
    return records


def counted(stage: str, records: list[Any]) -> Samples:
    registry = CollectorRegistry()
    metrics = DomainMetrics(registry, stage)
    for record in records:
        metrics.count(record, 1_700_000_000.0, 2.5)
    return samples_of(registry)


def test_sums_agree_with_the_records(demo: dict[str, Any]) -> None:
    clean = counted("normalizer", demo[CLEAN])
    usable = [one for one in demo[CLEAN] if one["status"] == "usable"]
    for prefix in ("machtin_source_articles_total", "machtin_language_articles_total"):
        assert sum(v for (name, _), v in clean.items() if name == prefix) == len(usable)
    assert clean["machtin_withdrawn_articles_total", ""] == len(demo[CLEAN]) - len(usable) > 0

    copies = counted("deduplicator", demo[DEDUPLICATED])
    for kind in ("none", "exact", "near"):
        expected = sum(
            one["duplicate"]["kind"] == kind
            for one in demo[DEDUPLICATED]
            if one["version"] == 1 and one["status"] == "usable"
        )
        assert copies["machtin_copies_total", kind] == expected > 0

    enriched = counted("enricher", demo[ENRICHED])
    entities = sum(len(one["entities"]) for one in demo[ENRICHED])
    assert enriched["machtin_article_entities_sum", ""] == entities
    assert sum(v for (name, _), v in enriched.items() if name == "machtin_entities_total") == entities

    stories = counted("clusterer", demo[STORIES])
    created = [one for one in demo[STORIES] if one["change"]["type"] == "created"]
    assert stories["machtin_story_changes_total", "created"] == len(created) > 0
    assert stories["machtin_stories_reaching_size_total", "1"] == len(created)
    assert 0 < stories["machtin_stories_reaching_size_total", "2"] < len(created)
    changes = sum(v for (name, _), v in stories.items() if name == "machtin_story_changes_total")
    assert changes == len(demo[STORIES])
    # At least the 2.5 s of wall time for every article counted.
    count = stories["machtin_publication_to_story_seconds_count", ""]
    assert count > 0
    assert stories["machtin_publication_to_story_seconds_sum", ""] >= 2.5 * count
    for samples in (clean, copies, enriched, stories):
        assert next(v for (name, _), v in samples.items() if name == "machtin_uncounted_records_total") == 0


@pytest.mark.parametrize("stage", STAGES)
def test_every_example_of_the_contract_can_be_counted(stage: str) -> None:
    records = examples(TOPIC_OF[stage])
    assert records
    for record in records:
        for update in updates_of(stage, record, 0.0, 1.0):
            declared = DECLARATIONS[update.metric]
            assert declared.stage == stage
            assert (update.label is None) == (declared.label is None)
            assert math.isfinite(update.value)
            assert update.value >= 0


def test_an_edit_is_neither_growth_nor_latency() -> None:
    story = {
        "article_count": 2,
        "change": {"type": "article_added", "article_id": "a"},
        "members": [
            {
                "article_id": "a",
                "version": 2,
                "published_at": "2026-01-01T00:00:00Z",
                "received_at": "2026-01-01T00:01:00Z",
            }
        ],
    }
    first = {**story, "members": [{**story["members"][0], "version": 1}]}  # type: ignore[dict-item, index]
    assert [u.metric for u in updates_of("clusterer", story, 0.0, 1.0)] == ["machtin_story_changes"]
    updates = {u.metric: u for u in updates_of("clusterer", first, 0.0, 1.0)}
    assert updates["machtin_stories_reaching_size"].label == "2"
    assert updates["machtin_publication_to_story_seconds"].value == 61.0


def test_a_record_that_is_not_as_expected_is_counted_as_such_and_stops_nothing() -> None:
    samples = counted("normalizer", [{}, {"status": "usable"}])
    assert samples["machtin_uncounted_records_total", "normalizer"] == 2


def test_a_stage_outside_the_pipeline_has_no_figures_about_the_news() -> None:
    samples = counted("toy", [{"anything": 1}])
    assert samples == {("machtin_uncounted_records_total", "toy"): 0}


def test_label_values_from_outside_are_few_and_short() -> None:
    label = BoundedLabel(3)
    assert [label(v) for v in ("Báo Một", "Báo Hai", "", "a\nb", "x" * (MOST_CHARACTERS + 1))] == [
        "Báo Một",
        "Báo Hai",
        OTHER,
        OTHER,
        OTHER,
    ]
    assert [label(v) for v in ("Báo Ba", "Báo Bốn", "Báo Một")] == ["Báo Ba", OTHER, "Báo Một"]


def test_a_flood_of_sources_does_not_flood_prometheus(demo: dict[str, Any]) -> None:
    article = next(one for one in demo[CLEAN] if one["status"] == "usable")
    samples = counted("normalizer", [{**article, "source": f"Báo {n}"} for n in range(2 * MOST_SOURCES)])
    for name in ("machtin_source_articles_total", "machtin_source_latest_arrival_timestamp_seconds"):
        sources = {label for (sample, label) in samples if sample == name}
        assert len(sources) == MOST_SOURCES + 1
        assert OTHER in sources
    assert samples["machtin_source_articles_total", OTHER] == MOST_SOURCES
