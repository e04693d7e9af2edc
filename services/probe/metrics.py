"""What the probe tells Prometheus."""

from __future__ import annotations

import time
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.probe.watch import CHECKS, WAY, Outcome, Report, Result
from services.runtime.metrics import AGE_BUCKETS, QualityMetrics, describe_process


class ProbeMetrics:
    """The probe's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.failures = Counter(
            "machtin_probe_failures",
            "Times that the probe could not go on because of the cluster.",
            registry=self.registry,
        )
        self.messages = Counter(
            "machtin_probe_messages",
            "Raw messages that the probe has sent: articles and their withdrawals.",
            registry=self.registry,
        )
        self._plantings = Counter(
            "machtin_probe_plantings",
            "Plantings by outcome: right, wrong, or lost where an article did not come into a story in time.",
            ["outcome"],
            registry=self.registry,
        )
        self._articles = Counter(
            "machtin_probe_articles",
            "Articles planted and looked for.",
            registry=self.registry,
        )
        self._lost = Counter(
            "machtin_probe_lost_articles",
            "Planted articles not in a story in time, by the first stage that they had not come out of.",
            ["stage"],
            registry=self.registry,
        )
        self._checks = Counter(
            "machtin_probe_checks",
            "What was checked of each planting; unknown where an article that the check needs was lost.",
            ["check", "result"],
            registry=self.registry,
        )
        self._latency = Histogram(
            "machtin_probe_latency_seconds",
            "Wall time from the sending of a planted article to the record of its story, as a subscriber"
            " sees it.",
            buckets=AGE_BUCKETS,
            registry=self.registry,
        )
        self._finished = Gauge(
            "machtin_probe_last_planting_timestamp_seconds",
            "When the last planting was finished, in seconds since the epoch; 0 before the first.",
            registry=self.registry,
        )
        self.quality = QualityMetrics(self.registry)
        for outcome in get_args(Outcome):
            self._plantings.labels(outcome)
        for stage in WAY.values():
            self._lost.labels(stage)
        for check in CHECKS:
            for result in get_args(Result):
                self._checks.labels(check, result)
        describe_process(self.registry, "probe")

    def count(self, report: Report) -> None:
        """Count one planting."""
        self._plantings.labels(report.outcome).inc()
        self._articles.inc(len(report.latencies_s) + len(report.lost))
        for latency_s in report.latencies_s.values():
            self._latency.observe(latency_s)
        for stage in report.lost.values():
            self._lost.labels(stage).inc()
        for check, result in report.verdicts.items():
            self._checks.labels(check, result).inc()
        self._finished.set(time.time())
