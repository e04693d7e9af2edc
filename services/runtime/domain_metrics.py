"""What the published records say about the news: copies, languages, sources, stories.

Counted from the records themselves, after the cluster has confirmed them, so that the figures are about
what subscribers see. `updates_of` is pure; `DomainMetrics` puts its result into Prometheus metrics.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.runtime.labels import BoundedLabel
from services.runtime.records import ChangeType, EntityType, Record
from services.runtime.times import seconds_of

log = logging.getLogger(__name__)

MOST_SOURCES = 200
"""Sources with a series of their own in each normalizer; a national press has fewer that matter."""
MOST_LANGUAGES = 40

STORY_SIZES = (1, 2, 3, 5, 10, 20, 50, 100)
"""Numbers of articles whose first reaching is counted."""

_DELAY_BUCKETS = (1, 5, 15, 60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 7 * 86_400)
_ENTITY_BUCKETS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
_SIZE_BUCKETS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One metric: what it counts, its label with the values known from the start, and its stage."""

    stage: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    label: str | None = None
    values: tuple[str, ...] = ()
    """Label values that exist at zero from the start, so that an absence can be seen."""
    most: int | None = None
    """Most different label values, where they come from outside."""
    buckets: tuple[float, ...] = ()


DECLARATIONS: Mapping[str, Declaration] = {
    "machtin_source_articles": Declaration(
        "normalizer",
        "counter",
        "Articles of a source that the normalizer published, newer versions included.",
        label="source",
        most=MOST_SOURCES,
    ),
    "machtin_source_latest_arrival_timestamp_seconds": Declaration(
        "normalizer",
        "gauge",
        "When the latest article of a source arrived, in seconds since the epoch.",
        label="source",
        most=MOST_SOURCES,
    ),
    "machtin_language_articles": Declaration(
        "normalizer",
        "counter",
        "Articles by language (ISO 639-1; und where nothing reliable can be said).",
        label="language",
        most=MOST_LANGUAGES,
    ),
    "machtin_withdrawn_articles": Declaration("normalizer", "counter", "Withdrawals of articles."),
    "machtin_crawl_delay_seconds": Declaration(
        "normalizer",
        "histogram",
        "Event time from publication to arrival of an article whose publication is known to the second.",
        buckets=_DELAY_BUCKETS,
    ),
    "machtin_copies": Declaration(
        "deduplicator",
        "counter",
        "Articles by what the deduplicator found: none (an original), exact or near.",
        label="kind",
        values=("none", "exact", "near"),
    ),
    "machtin_article_versions": Declaration(
        "deduplicator", "counter", "Newer versions of articles that were known already."
    ),
    "machtin_article_entities": Declaration(
        "enricher", "histogram", "Different entities named by an article.", buckets=_ENTITY_BUCKETS
    ),
    "machtin_entities": Declaration(
        "enricher",
        "counter",
        "Entities named by articles, by type.",
        label="type",
        values=get_args(EntityType),
    ),
    "machtin_story_changes": Declaration(
        "clusterer",
        "counter",
        "Revisions of stories by what changed.",
        label="type",
        values=get_args(ChangeType),
    ),
    "machtin_stories_reaching_size": Declaration(
        "clusterer",
        "counter",
        "Stories that reached a number of articles one by one; merges pass sizes without being counted.",
        label="articles",
        values=tuple(map(str, STORY_SIZES)),
    ),
    "machtin_closed_story_articles": Declaration(
        "clusterer", "histogram", "Articles of a story when it closed.", buckets=_SIZE_BUCKETS
    ),
    "machtin_publication_to_story_seconds": Declaration(
        "clusterer",
        "histogram",
        "From an article's publication to the record of its story: event time until it was crawled,"
        " wall time from its arrival on.",
        buckets=_DELAY_BUCKETS,
    ),
}
"""Counters get `_total` from the client library."""


@dataclass(frozen=True, slots=True)
class Update:
    """One change of one metric: what a counter grows by, a gauge becomes, or a histogram observes."""

    metric: str
    value: float = 1.0
    label: str | None = None


def updates_of(stage: str, record: Record, arrived_at_s: float, age_s: float) -> list[Update]:
    """Return what one record published by `stage` changes in the metrics. Pure.

    `arrived_at_s`: when the raw article behind it reached the broker, in seconds since the epoch;
    `age_s`: wall time since then.
    """
    if stage == "normalizer":
        return _clean(record, arrived_at_s)
    if stage == "deduplicator":
        return _deduplicated(record)
    if stage == "enricher":
        return _enriched(record)
    return _story(record, age_s) if stage == "clusterer" else []


def _clean(article: Record, arrived_at_s: float) -> list[Update]:
    if article["status"] == "withdrawn":
        return [Update("machtin_withdrawn_articles")]
    updates = [
        Update("machtin_source_articles", label=article["source"]),
        Update("machtin_source_latest_arrival_timestamp_seconds", arrived_at_s, article["source"]),
        Update("machtin_language_articles", label=article["language"]),
    ]
    if article["published_precision"] == "second":
        delay_s = seconds_of(article["received_at"]) - seconds_of(article["published_at"])
        updates.append(Update("machtin_crawl_delay_seconds", max(0.0, delay_s)))
    return updates


def _deduplicated(article: Record) -> list[Update]:
    if article["status"] == "withdrawn":
        return []
    if article["version"] > 1:
        return [Update("machtin_article_versions")]
    return [Update("machtin_copies", label=article["duplicate"]["kind"])]


def _enriched(article: Record) -> list[Update]:
    if article["status"] == "withdrawn":
        return []
    return [
        Update("machtin_article_entities", float(len(article["entities"]))),
        *(Update("machtin_entities", label=entity["type"]) for entity in article["entities"]),
    ]


def _story(story: Record, age_s: float) -> list[Update]:
    change = story["change"]
    updates = [Update("machtin_story_changes", label=change["type"])]
    member = next((m for m in story.get("members", ()) if m["article_id"] == change["article_id"]), None)
    came_in = change["type"] in ("created", "article_added", "reopened")
    if member is not None and came_in and member["version"] == 1:  # an edit is no news of the story's growth
        if story["article_count"] in STORY_SIZES:
            updates.append(Update("machtin_stories_reaching_size", label=str(story["article_count"])))
        if member["published_at"] is not None:
            crawled_after_s = seconds_of(member["received_at"]) - seconds_of(member["published_at"])
            late_s = max(0, crawled_after_s) + max(0.0, age_s)
            updates.append(Update("machtin_publication_to_story_seconds", late_s))
    if change["type"] == "closed":
        updates.append(Update("machtin_closed_story_articles", float(story["article_count"])))
    return updates


class DomainMetrics:
    """The metrics of the records of one stage, registered in `registry`."""

    def __init__(self, registry: CollectorRegistry, stage: str) -> None:
        """Declare the metrics of `stage`; none for a stage that is not of the news pipeline."""
        self._stage = stage
        self._metrics: dict[str, Counter | Gauge | Histogram] = {}
        self._bounds: dict[str, BoundedLabel] = {}
        self._uncounted = Counter(
            "machtin_uncounted_records",
            "Published records that the figures about the news leave out: they were not as expected.",
            ["stage"],
            registry=registry,
        )
        self._uncounted.labels(stage)
        bounded: dict[str, BoundedLabel] = {}  # metrics with the same label hold the same values
        for name, declared in DECLARATIONS.items():
            if declared.stage != stage:
                continue
            self._metrics[name] = metric = _metric(name, declared, registry)
            for value in declared.values:
                metric.labels(value)
            if declared.most is not None and declared.label is not None:
                self._bounds[name] = bounded.setdefault(declared.label, BoundedLabel(declared.most))

    def count(self, record: Record, arrived_at_s: float, age_s: float) -> None:
        """Count one record that the cluster has confirmed; arguments as in `updates_of`.

        A record that cannot be counted is logged: no figure is worth stopping the stream for.
        """
        try:
            updates = updates_of(self._stage, record, arrived_at_s, age_s)
        except (KeyError, TypeError, ValueError):
            log.exception("a published record is not as the metrics expect it")
            self._uncounted.labels(self._stage).inc()
            return
        for update in updates:
            self._apply(update)

    def _apply(self, update: Update) -> None:
        metric = self._metrics[update.metric]
        if update.label is not None:
            bound = self._bounds.get(update.metric)
            metric = metric.labels(bound(update.label) if bound else update.label)
        if isinstance(metric, Histogram):
            metric.observe(update.value)
        elif isinstance(metric, Gauge):
            metric.set(update.value)
        else:
            metric.inc(update.value)


def _metric(name: str, declared: Declaration, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    labels = () if declared.label is None else (declared.label,)
    if declared.kind == "histogram":
        return Histogram(name, declared.help, labels, buckets=declared.buckets, registry=registry)
    made: type[Counter] | type[Gauge] = Counter if declared.kind == "counter" else Gauge
    return made(name, declared.help, labels, registry=registry)
