"""Breaks the pipeline while it runs, and proves from outside that nothing is lost and nothing doubled.

Real Apache Kafka, every service as processes, two workers of each; killed with -9, stopped beyond the
session timeout and woken up again, and the broker restarted, all at random moments of a fixed seed.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from services.cli.reading import read_topic
from services.runtime import broker
from services.runtime.cluster import create_topics
from services.runtime.topics import RAW, all_topics
from services.topology import STAGES
from tests.access import plain
from tests.chaos.articles import raw_messages
from tests.chaos.verifier import Report, verify

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]

ROOT = Path(__file__).parents[2]
WORKERS_EACH = 2
BROKER_RESTARTS = 2
ZOMBIES = 2
ZOMBIE_SLEEP_S = 15.0
"""Longer than the session timeout of 10 s: the group gives the partitions away meanwhile."""
QUIET_S = 20.0
DEADLINE_S = 600.0
"""From the last disturbance to the end of all work."""


class Fleet:
    """The services' processes; one that ends is started again, as any supervisor does."""

    def __init__(self, servers: str, logs: Path) -> None:
        self._servers = servers
        self._logs = logs
        self._workers: dict[tuple[str, int], subprocess.Popen[bytes]] = {}
        self.starts: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()

    def supervise(self) -> None:
        """Start every worker that does not run."""
        for name in STAGES:
            for number in range(WORKERS_EACH):
                worker = self._workers.get((name, number))
                if worker is None or worker.poll() is not None:
                    self._workers[name, number] = self._start(name, number)

    def _start(self, name: str, number: int) -> subprocess.Popen[bytes]:
        self.starts[name] += 1
        with (self._logs / f"{name}-{number}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "faust", "-A", f"services.{name}.app", "worker", "-l", "WARN"],
                cwd=ROOT,
                env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": self._servers, "MACHTIN_SEND_TIMEOUT_S": "10"},
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def kill(self, rng: random.Random) -> None:
        """Kill the worker of a service whose turn it is, so that every service is killed several times."""
        name = min(STAGES, key=lambda one: (self.kills[one], rng.random()))
        self.kills[name] += 1
        self._workers[name, rng.randrange(WORKERS_EACH)].kill()

    def signal(self, name: str, number: int, what: signal.Signals) -> None:
        """Send a signal to one worker."""
        self._workers[name, number].send_signal(what)

    def end(self) -> None:
        """Kill every worker, stopped ones too."""
        for worker in self._workers.values():
            worker.kill()
        for worker in self._workers.values():
            worker.wait()


@contextmanager
def fleet_on(servers: str, logs: Path) -> Iterator[Fleet]:
    fleet = Fleet(servers, logs)
    try:
        fleet.supervise()
        yield fleet
    finally:
        fleet.end()


async def feed(servers: str, messages: list[tuple[str, bytes]], pace_s: float) -> None:
    """Send every message until it is confirmed, whatever happens to the broker meanwhile."""
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", request_timeout_ms=60_000)
    await producer.start()
    try:
        for start in range(0, len(messages), 50):
            await asyncio.gather(
                *[
                    await producer.send(RAW, value, key=key.encode())
                    for key, value in messages[start : start + 50]
                ]
            )
            await asyncio.sleep(pace_s)
    finally:
        await producer.stop()


async def read_all(servers: str) -> dict[str, list[Any]]:
    """Return the messages of every topic, in the order of the partitions' logs."""
    return {
        name: sorted(await read_topic(plain(servers), one), key=lambda m: (m.partition, m.offset))
        for name, one in all_topics().items()
    }


async def at_rest(servers: str, fleet: Fleet) -> tuple[dict[str, list[Any]], Report]:
    """Leave every service alone until nothing more is written; return all topics and the verdict on them.

    Quiet with a fault may be a service that still starts: it is given until the deadline to come round.
    """
    deadline = time.monotonic() + DEADLINE_S
    before: dict[str, int] = {}
    quiet_since = time.monotonic()
    while True:
        fleet.supervise()
        topics = await read_all(servers)
        now = {name: len(messages) for name, messages in topics.items()}
        if now != before:
            before, quiet_since = now, time.monotonic()
        if time.monotonic() - quiet_since > QUIET_S or time.monotonic() > deadline:
            report = await asyncio.to_thread(verify, topics)
            if not report.faults or time.monotonic() > deadline:
                return topics, report
        await asyncio.sleep(1)


def test_nothing_is_lost_and_nothing_is_doubled(
    tmp_path: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    articles = pytestconfig.getoption("--chaos-articles")
    kills = pytestconfig.getoption("--chaos-kills")
    seed = pytestconfig.getoption("--chaos-seed")
    rng = random.Random(seed)
    messages = list(raw_messages(articles, seed))
    home, jars = tmp_path / "broker", ROOT / ".machtin"
    began = time.monotonic()
    disturbances: list[Any] = ["kill"] * kills + ["restart"] * BROKER_RESTARTS + ["zombie"] * ZOMBIES
    rng.shuffle(disturbances)

    with broker.running(home, "kafka", cache=jars) as first:
        port = int(first.bootstrap_servers.rsplit(":", 1)[1])
        servers = first.bootstrap_servers
        asyncio.run(create_topics(plain(servers), all_topics().values()))

        async def run(fleet: Fleet) -> tuple[dict[str, list[Any]], Report]:
            feeding = asyncio.create_task(feed(servers, messages, pace_s=0.2))
            for disturbance in disturbances:
                await asyncio.sleep(rng.uniform(2, 6))
                fleet.supervise()
                if disturbance == "kill":
                    fleet.kill(rng)
                elif disturbance == "restart":
                    await asyncio.to_thread(broker.stop, home)
                    await asyncio.to_thread(
                        broker.start, home, "kafka", port=port, cache=jars, tie_to_parent=True
                    )
                else:
                    victim = rng.choice(STAGES), rng.randrange(WORKERS_EACH)
                    fleet.signal(*victim, signal.SIGSTOP)
                    await asyncio.sleep(ZOMBIE_SLEEP_S)
                    fleet.signal(*victim, signal.SIGCONT)
            await feeding
            return await at_rest(servers, fleet)

        with fleet_on(servers, tmp_path) as fleet:
            topics, report = asyncio.run(run(fleet))

    report.figures |= {f"{name}: killed": fleet.kills[name] for name in STAGES}
    report.figures |= {f"{name}: started": fleet.starts[name] for name in STAGES}
    report.figures |= {"broker restarts": BROKER_RESTARTS, "zombies": ZOMBIES}
    report.figures["seconds"] = int(time.monotonic() - began)
    with capsys.disabled():
        print(f"\nChaos, seed {seed}:", *report.lines(), sep="\n")
    assert not report.faults, "\n".join(report.faults)
    assert len(topics[RAW]) >= articles
