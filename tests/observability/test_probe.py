"""The probe on a real broker with real services: all is right, and then something is not."""

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.cli.processes import ServiceProcess, start_services, stop_services, wait_until_ready
from services.probe.watch import CHECKS
from services.runtime.broker import RunningBroker
from services.runtime.broker.ports import HOST, free_ports
from services.topology import SERVICES
from tests.integration.conftest import ROOT
from tests.observability.scenario import DEADLINE_S, until

pytestmark = pytest.mark.integration


@dataclass(frozen=True)
class Pipeline:
    """All services at work."""

    servers: str
    logs: Path
    services: dict[str, ServiceProcess]


@pytest.fixture(scope="module")
def pipeline(cluster: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    logs = tmp_path_factory.mktemp("logs")
    services = start_services(SERVICES, cluster.bootstrap_servers, logs)
    try:
        wait_until_ready(services, DEADLINE_S, lambda _: None)
        yield Pipeline(cluster.bootstrap_servers, logs, {one.name: one for one in services})
    finally:
        stop_services(services)


@dataclass(frozen=True)
class Probe:
    process: subprocess.Popen[str]
    url: str

    def page(self, path: str) -> str:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as response:
                return str(response.read().decode())
        except OSError:
            return ""

    def value(self, name: str, **labels: str) -> float:
        """Return a sample of the probe's metrics, -1 while there is none."""
        for family in text_string_to_metric_families(self.page("/metrics")):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return float(sample.value)
        return -1.0


@contextmanager
def probe(servers: str, *options: str) -> Iterator[Probe]:
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [sys.executable, "-m", "services.cli.main", "probe", *options],
        cwd=ROOT,
        env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": servers, "MACHTIN_HTTP_PORT": str(port)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Probe(process, f"http://{HOST}:{port}")
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_sees_all_its_plantings_come_out_right(pipeline: Pipeline) -> None:
    with probe(pipeline.servers, "--every", "1", "--plantings", "5", "--deadline", "60") as running:
        _, said = running.process.communicate(timeout=DEADLINE_S)
    assert running.process.returncode == 0, said
    assert said.count(": right; 6 in a story within") == 5, said


def probe_records(pipeline: Pipeline) -> bool:
    """Tell whether `machtin tail --probes` shows what the probe has planted."""
    command = [sys.executable, "-m", "services.cli.main", "tail", "news.stories", "--probes"]
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": pipeline.servers}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as tail:
        assert tail.stdout is not None
        line = tail.stdout.readline()
        tail.kill()
    return b'"edition":"vi-probe"' in line


def test_nobody_sees_what_it_plants(pipeline: Pipeline) -> None:
    """The test before has planted thirty articles."""
    assert pipeline.services["board"].get("/stories.json") == "[]"
    tail = [sys.executable, "-m", "services.cli.main", "tail", "news.stories"]
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": pipeline.servers}
    with subprocess.Popen(
        [*tail, "--probes"], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    ) as everything:
        assert everything.stdout is not None
        assert b'"edition":"vi-probe"' in everything.stdout.readline()
        everything.kill()
    copies = (pipeline.services["deduplicator"].get("/metrics") or "").splitlines()
    assert 'machtin_copies_total{kind="near"} 0.0' in copies, "it counts as no news"


def test_it_tells_of_loss_and_of_recovery(pipeline: Pipeline) -> None:
    clusterer = pipeline.services["clusterer"].process.pid  # of a supervisor that leads the service's group
    with probe(pipeline.servers, "--every", "2", "--deadline", "5") as running:
        right = {"outcome": "right"}
        until("one is right", lambda: running.value("machtin_probe_plantings_total", **right) >= 1)
        assert running.page("/health") == running.page("/ready") == "ok\n"
        for check in CHECKS:
            checked = {"check": check, "result": "right"}
            assert running.value("machtin_probe_checks_total", **checked) >= 1, check
        assert running.value("machtin_probe_latency_seconds_count") >= 6
        assert running.value("machtin_probe_lost_articles_total", stage="clusterer") == 0
        os.killpg(clusterer, signal.SIGSTOP)
        try:
            lost = {"stage": "clusterer"}
            until("it is lost", lambda: running.value("machtin_probe_lost_articles_total", **lost) >= 6)
            for stage in ("normalizer", "deduplicator", "enricher"):
                assert running.value("machtin_probe_lost_articles_total", stage=stage) == 0, stage
            assert running.value("machtin_probe_checks_total", check="same_story", result="unknown") >= 1
            assert running.value("machtin_probe_checks_total", check="near_copy", result="unknown") == 0
        finally:
            os.killpg(clusterer, signal.SIGCONT)
        before = running.value("machtin_probe_plantings_total", **right)
        until(
            "it is right again", lambda: running.value("machtin_probe_plantings_total", **right) >= before + 2
        )


def test_what_a_killed_probe_leaves_behind_is_taken_back_by_the_next(pipeline: Pipeline) -> None:
    with probe(pipeline.servers, "--every", "600", "--deadline", "30") as killed:
        until("it is there", lambda: killed.page("/health") == "ok\n")
        killed.process.kill()
    with probe(pipeline.servers, "--every", "1", "--plantings", "1") as next_one:
        _, said = next_one.process.communicate(timeout=DEADLINE_S)
    assert next_one.process.returncode == 0, said
