"""Every metric of the services, declared once, in seconds and bytes. Labels never carry article text.

What the records say about the news is in `runtime.domain_metrics`; lag is measured from outside, by the
exporter, since a consumer that is stuck or dead cannot tell how far behind it is.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from importlib import metadata
from typing import Protocol, runtime_checkable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from services.runtime.domain_metrics import DomainMetrics
from services.runtime.errors import Reason
from services.runtime.version import VERSION

LATENCY_SLO_S = 5.0
"""An article is in its story within this time of its arrival, for 99 of 100 articles."""

_DURATION_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
AGE_BUCKETS = (0.1, 0.25, 0.5, 1, 2, 3, 4, LATENCY_SLO_S, 7.5, 10, 15, 30, 60, 300, 3600)
"""Close together around the objective: the share of articles within it must be exact."""


@runtime_checkable
class MeasuredIndex(Protocol):
    """A state that tells how much it remembers, and the memory that takes."""

    @property
    def entries(self) -> int:
        """Article versions remembered."""

    @property
    def memory_bytes(self) -> int:
        """Bytes allocated."""


@runtime_checkable
class MeasuredStories(Protocol):
    """A state that holds stories."""

    @property
    def open_stories(self) -> int:
        """Stories that articles can join."""

    @property
    def known_stories(self) -> int:
        """Stories in memory, open or not."""

    @property
    def known_articles(self) -> int:
        """Articles in memory."""

    @property
    def memory_bytes(self) -> int:
        """Bytes allocated."""


class Metrics:
    """The metrics of one process, in a registry of their own (tests run many apps in one process)."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self.registry = CollectorRegistry()
        self.messages = self._counter(
            "machtin_messages",
            "Input messages processed, by what became of them: published, unchanged (a replay) or dead.",
            ["stage", "outcome"],
        )
        self.records = self._counter("machtin_records_published", "Output records confirmed by the cluster.")
        self.dead_letters = self._counter(
            "machtin_dead_letters",
            "Messages sent to the dead-letter topic, by reason.",
            ["stage", "reason"],
        )
        self.decision_seconds = self._histogram(
            "machtin_decision_seconds",
            "Time of the pure decision on one message, decoding included.",
            _DURATION_BUCKETS,
        )
        self.batch_seconds = self._histogram(
            "machtin_batch_seconds",
            "Time from taking a batch to the cluster's confirmation of its last record.",
            _DURATION_BUCKETS,
        )
        self.age_seconds = self._histogram(
            "machtin_article_age_seconds",
            "Wall time from a raw article's arrival at the broker to the end of this stage's work on it.",
            AGE_BUCKETS,
        )
        self.restored_records = self._counter(
            "machtin_restored_records",
            "Records read back from the output topic to rebuild the state.",
        )
        self.restore = RestoreMetrics(stage, self.registry)
        self.rebalances = self._counter(
            "machtin_rebalances", "Partition assignments received from the group."
        )
        self.assigned_partitions = self._gauge(
            "machtin_assigned_partitions", "Input partitions that this process reads now."
        )
        self.ready = self._gauge(
            "machtin_ready", "1 when the process has its partitions and its state, else 0."
        )
        self.breaker_open = self._gauge(
            "machtin_breaker_open",
            "1 when too many dead letters have stopped the stage until somebody starts it again, else 0.",
        )
        self.state = StateMetrics(stage, self.registry)
        self.domain = DomainMetrics(self.registry, stage)
        # A series that exists from the start can be seen to stay at zero.
        for outcome in ("published", "unchanged", "dead"):
            self.messages.labels(stage, outcome)
        for reason in Reason:
            self.dead_letters.labels(stage, reason.value)
        for counter in (self.records, self.restored_records, self.rebalances):
            counter.labels(stage)
        for gauge in (self.assigned_partitions, self.ready, self.breaker_open):
            gauge.labels(stage).set(0)
        for histogram in (self.decision_seconds, self.batch_seconds, self.age_seconds):
            histogram.labels(stage)
        describe_process(self.registry, stage)

    def _counter(self, name: str, what: str, labels: list[str] | None = None) -> Counter:
        return Counter(name, what, labels or ["stage"], registry=self.registry)

    def _gauge(self, name: str, what: str) -> Gauge:
        return Gauge(name, what, ["stage"], registry=self.registry)

    def _histogram(self, name: str, what: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, what, ["stage"], buckets=buckets, registry=self.registry)


class RestoreMetrics:
    """How far the rebuilding of each partition's state has come, and how long it will take."""

    def __init__(self, stage: str, registry: CollectorRegistry) -> None:
        self._stage = stage
        self._started: dict[int, tuple[int, float]] = {}
        """Partition -> (offset it started at, monotonic time)."""

        def gauge(name: str, what: str) -> Gauge:
            return Gauge(name, what, ["stage", "partition"], registry=registry)

        self._remaining = gauge(
            "machtin_restore_remaining_records",
            "Offsets of the output topic still to be read to rebuild the state; 0 when it is rebuilt.",
        )
        self._eta = gauge(
            "machtin_restore_eta_seconds",
            "Time that the rest of the rebuilding will take at its mean speed so far; 0 when it is rebuilt.",
        )
        self._duration = gauge(
            "machtin_restore_duration_seconds", "Time that the rebuilding has taken, or took."
        )

    def started(self, partition: int, position: int) -> None:
        """Note that the rebuilding of a partition starts at offset `position` of the output topic."""
        self._started[partition] = position, time.monotonic()
        self._duration.labels(self._stage, partition).set(0)

    def progress(self, partition: int, position: int, end: int) -> None:
        """Note that everything before `position` is read, of what ends at `end` now."""
        start, since = self._started[partition]
        elapsed_s = time.monotonic() - since
        remaining = max(0, end - position)
        self._remaining.labels(self._stage, partition).set(remaining)
        self._duration.labels(self._stage, partition).set(elapsed_s)
        read = position - start
        if read > 0 or not remaining:
            self._eta.labels(self._stage, partition).set(eta_s(read, remaining, elapsed_s))

    def gone(self, partition: int) -> None:
        """Forget a partition that somebody else has now."""
        if self._started.pop(partition, None) is None:
            return
        for gauge in (self._remaining, self._eta, self._duration):
            gauge.remove(self._stage, partition)


def eta_s(read: int, remaining: int, elapsed_s: float) -> float:
    """Return the seconds that `remaining` records take at the speed of those `read` in `elapsed_s`."""
    return elapsed_s * remaining / read if remaining else 0.0


class StateMetrics:
    """How much the state of each partition holds; only what a state can tell has series."""

    def __init__(self, stage: str, registry: CollectorRegistry) -> None:
        self._stage = stage
        self._entries = Gauge(
            "machtin_state_entries",
            "What the state of a partition holds: articles (the deduplicator: their versions), stories in"
            " memory, and open stories.",
            ["stage", "partition", "of"],
            registry=registry,
        )
        self._bytes = Gauge(
            "machtin_state_bytes",
            "Bytes allocated by the state of a partition.",
            ["stage", "partition"],
            registry=registry,
        )

    def measure(self, partition: int, state: object) -> None:
        """Take the sizes of a partition's state. Called where the state changes: it is not thread-safe."""
        if isinstance(state, MeasuredIndex):
            self._entries.labels(self._stage, partition, "articles").set(state.entries)
            self._bytes.labels(self._stage, partition).set(state.memory_bytes)
        if isinstance(state, MeasuredStories):
            self._bytes.labels(self._stage, partition).set(state.memory_bytes)
            self._entries.labels(self._stage, partition, "articles").set(state.known_articles)
            self._entries.labels(self._stage, partition, "stories").set(state.known_stories)
            self._entries.labels(self._stage, partition, "open stories").set(state.open_stories)

    def gone(self, partition: int) -> None:
        """Forget a partition that somebody else has now."""
        self._entries.remove_by_labels({"partition": str(partition)})
        self._bytes.remove(self._stage, partition)


def describe_process(registry: CollectorRegistry, stage: str) -> None:
    """Register what is the same in every process: its resources and what it was built from."""
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    build = Gauge(
        "machtin_build_info",
        "Always 1; what runs is in the labels.",
        ["stage", "version", "python", "faust", "aiokafka"],
        registry=registry,
    )
    build.labels(
        stage,
        VERSION,
        platform.python_version(),
        metadata.version("faust-streaming"),
        metadata.version("aiokafka"),
    ).set(1)


class QualityMetrics:
    """How good the version that runs is on labelled articles, beside what it must reach."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ratio = Gauge(
            "machtin_quality_ratio",
            "Share (0..1) reached on the gold set by the version that runs, by measure.",
            ["measure"],
            registry=registry,
        )
        self._floor = Gauge(
            "machtin_quality_floor_ratio",
            "Share (0..1) that a release must reach on the gold set, by measure.",
            ["measure"],
            registry=registry,
        )

    def set(self, measured: Mapping[str, float], floors: Mapping[str, float]) -> None:
        """Show these figures, each with its floor."""
        for measure, floor in floors.items():
            self._ratio.labels(measure).set(measured[measure])
            self._floor.labels(measure).set(floor)
