"""The probe: plants, looks, takes back, and tells."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from prometheus_client import Counter

from services.probe.connection import Connection
from services.probe.metrics import ProbeMetrics
from services.probe.planting import Planting, plant, withdrawal
from services.probe.watch import Report, Stories, Watch
from services.runtime import logs
from services.runtime.errors import InfrastructureError
from services.runtime.http import metrics_page, serve, verdict
from services.runtime.metrics import QualityMetrics
from services.runtime.records import Record, StoryRecord
from services.runtime.settings import Settings
from services.runtime.topics import RAW, STORIES, topic

log = logging.getLogger(__name__)

RETRY_S = 2.0

Quality = Callable[[QualityMetrics], Awaitable[None]]
"""Measures once how good the version that runs is, and shows it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How often is planted, and how long an article may take."""

    every_s: float = 300.0
    """Six articles and six withdrawals each time: at this rate 2 % on top of a national press."""
    deadline_s: float = 60.0
    """An article that is in no story by then counts as lost."""
    plantings: int | None = None
    """End after so many; None goes on."""


class Probe:
    """One probe on one connection."""

    def __init__(
        self, connection: Connection, deadline_s: float, alive: Callable[[], None], sent: Counter
    ) -> None:
        """`alive` is called whenever the cluster has answered; `sent` counts the messages."""
        self._connection = connection
        self._sent = sent
        self._deadline_s = deadline_s
        self._alive = alive
        self._stories = Stories()
        self._watch: Watch | None = None

    async def start(self) -> None:
        """Read up to now, and take back what an earlier probe has left behind."""
        await self._connection.catch_up(self._handle)
        await self._take_back(self._stories.article_ids, partition=0)

    async def planting(self, planting: Planting, partition: int) -> Report:
        """Plant by one partition of the raw topic, look for what comes of it, and take it back."""
        sent_at_s: dict[str, float] = {}
        watch = self._watch = Watch(planting, sent_at_s)
        for article in planting.articles.values():
            sent_at_s[article["article_id"]] = time.monotonic()
            await self._send([article], partition)
        await self._read_until(lambda: watch.complete)
        latencies_s, lost = dict(watch.latencies_s), watch.lost()
        verdicts = watch.verdicts(self._stories)
        self._watch = None
        # By the same partition: a withdrawal comes after its article, however late that is.
        gone = await self._take_back(sorted({*planting.ids, *self._stories.article_ids}), partition)
        verdicts["withdrawn"] = "unknown" if lost else "right" if gone else "wrong"
        return Report(planting.name, latencies_s, lost, verdicts)

    async def idle(self, seconds: float) -> None:
        """Go on reading for a while: whoever stops is behind when it starts again."""
        await self._read_until(lambda: False, seconds)

    async def _take_back(self, article_ids: list[str], partition: int) -> bool:
        """Withdraw articles; tell whether the edition is empty in time."""
        if article_ids:
            now = datetime.now(UTC)
            await self._send([withdrawal(one, now) for one in article_ids], partition)
            await self._read_until(lambda: not self._stories.article_ids)
        if self._stories.article_ids:
            return False
        await self._connection.remember()
        return True

    async def _send(self, articles: list[Record], partition: int) -> None:
        self._sent.inc(len(articles))
        await self._connection.send(articles, partition)

    async def _read_until(self, done: Callable[[], bool], seconds: float | None = None) -> None:
        deadline = time.monotonic() + (self._deadline_s if seconds is None else seconds)
        while not done() and time.monotonic() < deadline:
            await self._connection.read(self._handle)
            self._alive()

    def _handle(self, name: str, record: Record) -> None:
        if name == STORIES:
            self._stories.apply(cast(StoryRecord, record))
        if self._watch is not None:
            self._watch.see(name, record, time.monotonic())


def run(settings: Settings, plan: Plan, quality: Quality | None = None) -> list[Report]:
    """Serve /metrics, /health and /ready, and plant again and again, until interrupted or all is planted.

    Return the reports of the plantings, where `plan` says how many. A cluster that fails is counted and
    tried again.
    """
    logs.configure(settings)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its failures come to us as exceptions
    reports: list[Report] = []
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(settings, plan, quality, reports))
    return reports


async def _run(settings: Settings, plan: Plan, quality: Quality | None, reports: list[Report]) -> None:
    metrics = ProbeMetrics()
    measuring = asyncio.create_task(_measure(quality, metrics.quality)) if quality else None
    alive_at_s = time.monotonic()
    ready = False

    def alive() -> None:
        nonlocal alive_at_s
        alive_at_s = time.monotonic()

    def stuck() -> str | None:
        for_s = time.monotonic() - alive_at_s
        return f"no attempt to read the cluster for {for_s:.0f} s" if for_s > settings.stuck_after_s else None

    server = serve(
        settings.http_host,
        settings.http_port,
        {
            "/metrics": metrics_page(metrics.registry),
            "/health": verdict(stuck),
            "/ready": verdict(lambda: None if ready else "the cluster has not been read yet"),
        },
    )
    log.info("the probe serves /metrics on port %d", server.server_port)
    while plan.plantings is None or len(reports) < plan.plantings:
        try:
            async with Connection(settings) as connection:
                probe = Probe(connection, plan.deadline_s, alive, metrics.messages)
                await probe.start()
                ready = True
                while plan.plantings is None or len(reports) < plan.plantings:
                    next_at_s = time.monotonic() + plan.every_s
                    await _plant_once(probe, metrics, plan, reports)
                    if plan.plantings is None or len(reports) < plan.plantings:
                        await probe.idle(next_at_s - time.monotonic())
        except InfrastructureError as error:
            ready = False
            alive()
            metrics.failures.inc()
            log.warning("%s Trying again.", error)
            await asyncio.sleep(RETRY_S)
    if measuring is not None:
        await measuring


async def _measure(quality: Quality, metrics: QualityMetrics) -> None:
    try:
        await quality(metrics)
    except Exception:  # an alert tells that nobody measures; the plantings go on
        log.exception("the quality on the gold set cannot be measured")


async def _plant_once(probe: Probe, metrics: ProbeMetrics, plan: Plan, reports: list[Report]) -> None:
    now = datetime.now(UTC)
    number = int(now.timestamp() // plan.every_s)
    planting = plant(f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}", number, now)
    report = await probe.planting(planting, number % topic(RAW).partitions)
    metrics.count(report)
    if plan.plantings is not None:
        reports.append(report)
    level = logging.INFO if report.outcome == "right" else logging.WARNING
    log.log(level, "%s", _sentence(report))


def _sentence(report: Report) -> str:
    said = [f"planting {report.name}: {report.outcome}"]
    if report.latencies_s:
        said.append(f"{len(report.latencies_s)} in a story within {max(report.latencies_s.values()):.2f} s")
    said += [f"{article_id} did not come out of the {stage}" for article_id, stage in report.lost.items()]
    said += [f"{check} is {result}" for check, result in report.verdicts.items() if result != "right"]
    return "; ".join(said)
