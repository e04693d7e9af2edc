"""Turns the latest snapshot into metrics at every scrape: the ages grow between two snapshots too."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.exporter.snapshot import Position, Snapshot, lag_messages, lag_s, oldest_age_s

STALE_AFTER_S = 30.0
"""An older snapshot says nothing about now: no lag is better than a wrong one, and an alert sees it."""


_PER_PARTITION: tuple[tuple[str, str, Callable[[Position, float], float]], ...] = (
    (
        "machtin_consumer_lag_messages",
        "Offsets between the first message that the stage has not finished and the partition's end.",
        lambda position, _: lag_messages(position),
    ),
    (
        "machtin_consumer_lag_seconds",
        "How long the first message that the stage has not finished has been in its topic; 0 at the end.",
        lag_s,
    ),
    (
        "machtin_oldest_unprocessed_article_age_seconds",
        "Time since the arrival of the oldest article that the stage has not finished; 0 at the end.",
        oldest_age_s,
    ),
    (
        "machtin_consumer_committed_offset",
        "Offset of the next message that the stage's group will process, as committed.",
        lambda position, _: position.committed,
    ),
)


class LagCollector(Collector):
    """Metrics of the snapshot that was taken last."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds since the epoch."""
        self._clock = clock
        self._snapshot: Snapshot | None = None

    def update(self, snapshot: Snapshot) -> None:
        """Show this snapshot from now on."""
        self._snapshot = snapshot

    def fresh(self) -> Snapshot | None:
        """Return the latest snapshot unless it is too old."""
        snapshot = self._snapshot
        if snapshot is None or self._clock() - snapshot.read_at_s > STALE_AFTER_S:
            return None
        return snapshot

    def collect(self) -> Iterable[Metric]:
        """Return the families; without a fresh snapshot only that there is none."""
        snapshot, now_s = self.fresh(), self._clock()
        yield GaugeMetricFamily(
            "machtin_cluster_readable",
            f"1 when the exporter has read the cluster within the last {STALE_AFTER_S:.0f} s, else 0.",
            float(snapshot is not None),
        )
        if snapshot is None:
            return
        where = ["stage", "topic", "partition"]
        for name, what, value in _PER_PARTITION:
            gauge = GaugeMetricFamily(name, what, labels=where)
            for position in snapshot.positions:
                labels = [position.stage, position.topic, str(position.partition)]
                gauge.add_metric(labels, value(position, now_s))
            yield gauge
        members = GaugeMetricFamily(
            "machtin_consumer_members", "Members of the stage's consumer group.", labels=["stage"]
        )
        for stage, count in snapshot.members.items():
            members.add_metric([stage], count)
        yield members
        messages = CounterMetricFamily(
            "machtin_topic_messages",
            "Messages ever written to a partition, by its end; markers and removed messages included.",
            labels=["topic", "partition"],
        )
        for (topic, partition), end in sorted(snapshot.ends.items()):
            messages.add_metric([topic, str(partition)], end)
        yield messages
