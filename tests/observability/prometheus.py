"""A real Prometheus for the tests: Debian's package, scraping every second."""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.runtime.broker.ports import HOST, free_ports
from tests.observability.files import RULE_FILES

START_DEADLINE_S = 60.0

Series = list[dict[str, Any]]


class QueryError(Exception):
    """Prometheus refused a query; the message is its own."""


def needed(program: str) -> str:
    """Return the path of a program; skip the test without it, and fail in CI."""
    found = shutil.which(program)
    if found is None:
        said = f"{program} is not on this machine; Debian has it: apt-get install prometheus"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    return found


class Prometheus:
    """One that runs."""

    def __init__(self, url: str) -> None:
        self._url = url

    def query(self, expr: str) -> Series:
        """Return the series of an instant query at this moment. Raises QueryError."""
        return self._ask("query", query=expr)

    def query_range(self, expr: str, start_s: float, end_s: float, step_s: float) -> Series:
        """Return the series of a range query. Raises QueryError."""
        return self._ask("query_range", query=expr, start=str(start_s), end=str(end_s), step=str(step_s))

    def value(self, expr: str) -> float | None:
        """Return the value of a query with one series at most."""
        series = self.query(expr)
        assert len(series) <= 1, series
        return float(series[0]["value"][1]) if series else None

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._url}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def _ask(self, endpoint: str, **parameters: str) -> Series:
        body = urllib.parse.urlencode(parameters).encode()
        try:
            with urllib.request.urlopen(f"{self._url}/api/v1/{endpoint}", body, timeout=30) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            raise QueryError(json.load(error)["error"]) from error
        return answer["data"]["result"]  # type: ignore[no-any-return]


@contextmanager
def prometheus(home: Path, jobs: dict[str, dict[str, str]]) -> Iterator[Prometheus]:
    """Run a Prometheus with our rules on `jobs`: job -> service -> host:port."""
    program = needed("prometheus")
    (port,) = free_ports(1)
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in RULE_FILES],
        "scrape_configs": [
            {
                "job_name": job,
                "static_configs": [
                    {"targets": [target], "labels": {"service": service}}
                    for service, target in services.items()
                ],
            }
            for job, services in jobs.items()
        ],
    }
    home.joinpath("prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [
        program,
        f"--config.file={home / 'prometheus.yml'}",
        f"--storage.tsdb.path={home / 'data'}",
        f"--web.listen-address={HOST}:{port}",
        "--log.level=warn",
    ]
    with home.joinpath("prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        running = Prometheus(f"http://{HOST}:{port}")
        deadline = time.monotonic() + START_DEADLINE_S
        while not running.answers():
            assert process.poll() is None, home.joinpath("prometheus.log").read_text()
            assert time.monotonic() < deadline, "Prometheus does not start"
            time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait(START_DEADLINE_S)
