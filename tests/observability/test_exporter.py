"""Lag from outside the consumers, on a real broker: also where no consumer is alive."""

import asyncio
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.exporter.cluster import Cluster
from services.exporter.snapshot import Position, Snapshot, lag_messages, lag_s, oldest_age_s
from services.runtime.broker import RunningBroker
from services.runtime.broker.ports import HOST, free_ports
from services.runtime.events import ARRIVED_AT
from services.runtime.topics import CLEAN, RAW
from tests.access import plain
from tests.integration.conftest import ROOT

pytestmark = pytest.mark.integration

DEADLINE_S = 60.0


async def write(servers: str, topic: str, partition: int, values: list[bytes], arrived_at_s: float) -> None:
    headers = [(ARRIVED_AT, str(int(arrived_at_s * 1000)).encode())]
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for value in values:
            await producer.send_and_wait(topic, value, partition=partition, headers=headers)


async def commit(servers: str, group: str, topic: str, partition: int, offset: int) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, partition)])
        await consumer.commit({TopicPartition(topic, partition): offset})
    finally:
        await consumer.stop()


def position(snapshot: Snapshot, stage: str, partition: int) -> Position:
    return next(one for one in snapshot.positions if (one.stage, one.partition) == (stage, partition))


def test_lag_is_seen_though_no_consumer_lives(cluster: RunningBroker) -> None:
    servers = cluster.bootstrap_servers

    async def scenario() -> None:
        written_from = time.time()
        long_ago = written_from - 3600
        await write(servers, RAW, 2, [b"1", b"2", b"3", b"4", b"5"], long_ago)
        await write(servers, CLEAN, 1, [b"1", b"2"], long_ago)
        async with Cluster(plain(servers)) as connection:
            first = await connection.snapshot()
            raw, clean = position(first, "normalizer", 2), position(first, "deduplicator", 1)
            assert (lag_messages(raw), raw.committed, raw.end) == (5, 0, 5)
            assert lag_messages(clean) == 2
            assert first.members == dict.fromkeys(first.members, 0)
            now_s = time.time()
            assert 0 <= lag_s(raw, now_s) <= now_s - written_from + 1
            # A crawler's header is not trusted, a record of ours carries the article's arrival on.
            assert oldest_age_s(raw, now_s) <= now_s - written_from + 1
            assert oldest_age_s(clean, now_s) >= 3600
            assert lag_s(clean, now_s) < 3600
            assert sum(lag_messages(one) for one in first.positions) == 7

            await commit(servers, "machtin-normalizer", RAW, 2, 3)
            raw = position(await connection.snapshot(), "normalizer", 2)
            assert (lag_messages(raw), raw.committed) == (2, 3)
            assert raw.waiting is not None
            assert raw.waiting.offset == 3

            # It stands still while more comes: the end moves, its first message does not.
            await write(servers, RAW, 2, [b"6"], long_ago)
            still = position(await connection.snapshot(), "normalizer", 2)
            assert (lag_messages(still), still.waiting) == (3, raw.waiting)

            await commit(servers, "machtin-normalizer", RAW, 2, 6)
            done = position(await connection.snapshot(), "normalizer", 2)
            assert (lag_messages(done), lag_s(done, time.time()), done.end) == (0, 0.0, 6)

    asyncio.run(asyncio.wait_for(scenario(), DEADLINE_S))


@contextmanager
def exporter(servers: str) -> Iterator[str]:
    (port,) = free_ports(1)
    environment = {"KAFKA_BOOTSTRAP_SERVERS": servers, "MACHTIN_HTTP_PORT": str(port), "PATH": ""}
    process = subprocess.Popen([sys.executable, "-m", "services.exporter"], cwd=ROOT, env=environment)
    try:
        yield f"http://{HOST}:{port}"
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def page(url: str, wanted: str) -> str:
    """Return the page once it holds `wanted`; whatever it holds at the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                text = response.read().decode()
        except urllib.error.HTTPError as error:
            text = f"{error.code} {error.read().decode()}"
        except OSError as error:
            text = str(error)
        if wanted in text or time.monotonic() > deadline:
            return text
        time.sleep(0.1)


def test_the_exporter_serves_what_it_reads(cluster: RunningBroker) -> None:
    with exporter(cluster.bootstrap_servers) as url:
        metrics = page(f"{url}/metrics", "machtin_cluster_readable 1.0")
        assert "machtin_consumer_lag_seconds{" in metrics
        assert "machtin_build_info{" in metrics
        assert page(f"{url}/ready", "ok") == "ok\n"
        assert page(f"{url}/health", "ok") == "ok\n"


def test_without_a_cluster_it_lives_and_says_so() -> None:
    (port,) = free_ports(1)
    with exporter(f"{HOST}:{port}") as url:
        metrics = page(f"{url}/metrics", "machtin_cluster_read_failures_total 1.0")
        assert "machtin_cluster_read_failures_total 1.0" in metrics
        assert "machtin_cluster_readable 0.0" in metrics
        assert "machtin_consumer_lag" not in metrics
        assert page(f"{url}/ready", "503").startswith("503")
        assert page(f"{url}/health", "ok") == "ok\n"
