"""The demo corpus through real services on a real broker, watched by a real Prometheus."""

import asyncio
import os
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
from services.cli.reading import read_topic
from services.runtime.broker.ports import HOST, free_ports
from services.runtime.editions import from_probe
from services.runtime.topics import RAW, STORIES, topic
from services.topology import SERVICES
from tests.access import plain
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


def beside(servers: str, port: int, *command: str) -> subprocess.Popen[bytes]:
    """Start what is no service but belongs to the pipeline: the exporter, the probe."""
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": servers, "MACHTIN_HTTP_PORT": str(port)}
    return subprocess.Popen([sys.executable, "-m", "services.cli.main", *command], cwd=ROOT, env=environment)


def processed(running: Prometheus) -> float:
    """Return how many raw messages have been processed, those of the probe not counted."""
    sent = running.value("machtin_probe_messages_total") or 0.0
    return (running.value('sum(machtin_messages_total{stage="normalizer"})') or 0.0) - sent


@contextmanager
def demo(servers: str, home: Path, articles_per_s: float) -> Iterator[Run]:
    """Start everything, feed the corpus, and yield when all of it is done, counted and scraped."""
    port, probe_port = free_ports(2)
    exporter = beside(servers, port, "exporter")
    started, services = [exporter], []
    try:
        until("the exporter serves: its port is free no more", lambda: listens(port))
        services = start_services(SERVICES, servers, home / "logs")
        jobs = {
            "machtin": {service.name: f"{HOST}:{service.port}" for service in services},
            "exporter": {"exporter": f"{HOST}:{port}"},
            "probe": {"probe": f"{HOST}:{probe_port}"},
        }
        wait_until_ready(services, DEADLINE_S, lambda _: None)
        with prometheus(home, jobs) as running:
            started.append(beside(servers, probe_port, "probe", "--every", "5"))
            # What is counted before the first scrape is no growth to Prometheus.
            until("everything is scraped", lambda: running.value("count(up == 1)") == len(SERVICES) + 2)
            until("the cluster is read", lambda: running.value("machtin_cluster_readable") == 1)
            until("every service is ready", lambda: running.value("sum(machtin_ready)") == len(SERVICES))
            planted = 'sum(machtin_probe_plantings_total{outcome="right"})'
            until("the probe has planted", lambda: (running.value(planted) or 0) >= 3)
            until("the quality is measured", lambda: bool(running.query("machtin_quality_ratio")))
            asyncio.run(feed(servers, articles_per_s))  # last: rates are about the latest half minute
            until("all is processed", lambda: processed(running) >= len(LINES))
            until("nothing waits", lambda: running.value("sum(machtin_consumer_lag_messages)") == 0)
            messages = asyncio.run(read_topic(plain(servers), topic(STORIES)))
            written = sum(not from_probe(message.headers) for message in messages)
            changes = "sum(machtin_story_changes_total)"
            until("all stories count", lambda: running.value(changes) == written != 0)
            yield Run(servers, services, running)
    finally:
        for process in started:
            process.terminate()
            process.wait(DEADLINE_S)
        stop_services(services)
