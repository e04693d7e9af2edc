"""The demo corpus through real services on a real broker, watched by a real Prometheus."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from services.cli.feed import key_of
from services.cli.processes import ServiceProcess, start_services, stop_services, wait_until_ready
from services.runtime.broker.ports import HOST, free_ports
from services.runtime.topics import RAW
from services.topology import SERVICES
from tests.demo_corpus import LINES
from tests.integration.conftest import ROOT
from tests.observability.prometheus import Prometheus, Series, prometheus

DEADLINE_S = 240.0
SHOWN_S = 120
"""The time range that the panels are asked for."""
VARIABLES = {"$job": ".+", "$instance": ".+", "$__rate_interval": "30s", "$__range": f"{SHOWN_S}s"}


async def feed(servers: str, per_s: float) -> None:
    """Send the demo corpus to one partition, in its order."""
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for line in LINES:
            await producer.send(RAW, line, key=key_of(line), partition=0)
            await asyncio.sleep(1 / per_s)


def until(said: str, holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, said
        time.sleep(0.2)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


@dataclass(frozen=True)
class Run:
    """The demo corpus through real services, which still run, under the eyes of a Prometheus."""

    servers: str
    services: list[ServiceProcess]
    prometheus: Prometheus

    def series(self, target: dict[str, Any]) -> Series:
        """Return what a panel's query gives: samples at this moment (`value`) or of the time shown."""
        expr = target["expr"]
        for name, value in VARIABLES.items():
            expr = expr.replace(name, value)
        assert "$" not in expr, expr
        if target.get("instant"):
            return self.prometheus.query(expr)
        now_s = time.time()
        return self.prometheus.query_range(expr, now_s - SHOWN_S, now_s, 1)

    def asked(self, target: dict[str, Any]) -> list[float]:
        """Return the values that a panel's query gives, of all series together."""
        series = self.series(target)
        return [float(sample[1]) for one in series for sample in one.get("values") or [one["value"]]]


@contextmanager
def demo(servers: str, home: Path, articles_per_s: float) -> Iterator[Run]:
    """Start everything, feed the corpus, and yield when all of it is done, counted and scraped."""
    (port,) = free_ports(1)
    environment = {"KAFKA_BOOTSTRAP_SERVERS": servers, "MACHTIN_HTTP_PORT": str(port), "PATH": ""}
    exporter = subprocess.Popen([sys.executable, "-m", "services.exporter"], cwd=ROOT, env=environment)
    services: list[ServiceProcess] = []
    try:
        until("the exporter serves: its port is free no more", lambda: listens(port))
        services = start_services(SERVICES, servers, home / "logs")
        jobs = {
            "machtin": {service.name: f"{HOST}:{service.port}" for service in services},
            "exporter": {"exporter": f"{HOST}:{port}"},
        }
        wait_until_ready(services, DEADLINE_S, lambda _: None)
        with prometheus(home, jobs) as running:
            # What is counted before the first scrape is no growth to Prometheus.
            until("everything is scraped", lambda: running.value("count(up == 1)") == len(SERVICES) + 1)
            until("the cluster is read", lambda: running.value("machtin_cluster_readable") == 1)
            until("every service is ready", lambda: running.value("sum(machtin_ready)") == len(SERVICES))
            asyncio.run(feed(servers, articles_per_s))
            processed = 'sum(machtin_messages_total{stage="normalizer"})'
            until("all is processed", lambda: running.value(processed) == len(LINES))
            until("nothing waits", lambda: running.value("sum(machtin_consumer_lag_messages)") == 0)
            written = 'sum(machtin_topic_messages_total{topic="news.stories"})'
            changes = "sum(machtin_story_changes_total)"
            until("all stories count", lambda: (running.value(written) or 0) == running.value(changes) != 0)
            yield Run(servers, services, running)
    finally:
        exporter.terminate()
        exporter.wait(DEADLINE_S)
        stop_services(services)
