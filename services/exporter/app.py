"""The exporter: lag in messages and seconds for Prometheus, from outside the consumers."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter

from services.exporter.cluster import Cluster
from services.exporter.collector import LagCollector
from services.runtime import logs
from services.runtime.errors import InfrastructureError
from services.runtime.http import metrics_page, serve, verdict
from services.runtime.metrics import describe_process
from services.runtime.settings import Settings

log = logging.getLogger(__name__)

POLL_S = 2.0
"""Between two snapshots; ages are brought up to date at every scrape."""


def run(settings: Settings) -> None:
    """Serve /metrics, /health and /ready, and read the cluster again and again, until interrupted.

    A cluster that fails is reported as a metric and tried again: this process is what tells of it.
    """
    logs.configure(settings)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its failures come to us as exceptions
    with suppress(KeyboardInterrupt):
        asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    registry = CollectorRegistry()
    collector = LagCollector(time.time)
    registry.register(collector)
    failures = Counter(
        "machtin_cluster_read_failures",
        "Times that the exporter could not read the cluster.",
        registry=registry,
    )
    describe_process(registry, "exporter")
    turned_at = time.monotonic()

    def stuck() -> str | None:
        for_s = time.monotonic() - turned_at
        return f"no attempt to read the cluster for {for_s:.0f} s" if for_s > settings.stuck_after_s else None

    server = serve(
        settings.http_host,
        settings.http_port,
        {
            "/metrics": metrics_page(registry),
            "/health": verdict(stuck),
            "/ready": verdict(lambda: None if collector.fresh() else "the cluster has not been read yet"),
        },
    )
    log.info("the exporter serves /metrics on port %d", server.server_port)
    while True:
        try:
            async with Cluster(settings) as cluster:
                while True:
                    turned_at = time.monotonic()
                    collector.update(await cluster.snapshot())
                    await asyncio.sleep(POLL_S)
        except InfrastructureError as error:
            turned_at = time.monotonic()
            failures.inc()
            log.warning("%s Trying again.", error)
            await asyncio.sleep(POLL_S)
