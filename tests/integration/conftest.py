"""A real broker for the tests: Apache Kafka where it can be had, else the embedded one; it says which."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.runtime import broker
from services.runtime.broker import RunningBroker
from services.runtime.cluster import create_topics
from services.runtime.topics import all_topics
from tests.access import plain

ROOT = Path(__file__).parents[2]
JARS = ROOT / ".machtin"
"""Fetched once for all tests, and for the demo."""


def pytest_report_header() -> str:
    return "broker of the integration tests: " + ("Apache Kafka" if _kind() == "kafka" else "as can be had")


def _kind() -> str:
    # In CI the guarantees are proved on the reference, or not at all.
    return "kafka" if os.environ.get("CI") == "true" else "auto"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBroker]:
    """Yield a broker with empty topics, for one module's tests."""
    import asyncio

    home = tmp_path_factory.mktemp("broker")
    with broker.running(home, _kind(), cache=JARS, progress=print) as running:  # type: ignore[arg-type]
        asyncio.run(create_topics(plain(running.bootstrap_servers), all_topics().values()))
        yield running
