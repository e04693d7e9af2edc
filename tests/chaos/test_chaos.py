"""Breaks the pipeline while it runs, and proves from outside that nothing is lost and nothing doubled.

Real Apache Kafka, every service as processes, two workers of each, all of them behind a proxy that can be
cut; killed with -9 (while they rebuild their state, too), stopped beyond the session timeout and woken up
again; workers join and leave; the broker is stopped and killed. All in an order that the seed decides.
"""

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from services.cli.reading import read_topic
from services.runtime.cluster import create_topics
from services.runtime.errors import InfrastructureError
from services.runtime.input_probe import InputProbe
from services.runtime.topics import RAW, STORIES, all_topics
from services.topology import STAGES, load_stage
from tests.access import plain
from tests.chaos.articles import raw_messages
from tests.chaos.fleet import ROOT, STATEFUL, Fleet
from tests.chaos.kafka import ChaosKafka
from tests.chaos.proxy import Proxy
from tests.chaos.subscriber import Subscriber
from tests.chaos.verifier import Report, verify, verify_subscriber

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(4 * 3600)]

ZOMBIE_SLEEP_S = 15.0
CUT_S = 13.0
"""Longer than the session timeout of 10 s, so that the group gives the partitions away, and longer than a
send may take."""
QUIET_S = 5.0
DEADLINE_S = 7200.0
"""From the last disturbance to the end of all work, on a machine that does ten other things."""


@dataclass(frozen=True)
class Plan:
    """How often each thing happens."""

    kills: int
    of_them_rebuilding: int
    zombies: int
    broker_restarts: int
    cuts: int
    changes: int
    """A worker leaves and another joins."""

    @staticmethod
    def of(kills: int) -> "Plan":
        long = kills >= 20
        return Plan(kills, 6 if long else 2, 4 if long else 1, 2, 4 if long else 1, 4 if long else 1)

    def order(self, rng: random.Random) -> list[str]:
        """Return everything in a random order; rebuilding takes some state, so those come later."""
        early = ["kill"] * (self.kills - 2 * self.of_them_rebuilding)
        early += ["restart"] * self.broker_restarts + ["zombie"] * self.zombies
        early += ["cut"] * self.cuts + ["change"] * self.changes
        rng.shuffle(early)
        at = sorted(rng.randrange(len(early) // 3, len(early) + 1) for _ in range(self.of_them_rebuilding))
        for number, position in enumerate(at):
            early.insert(position + number, "kill rebuilding")
        return early


class Chaos:
    """Does one thing after another to the fleet, the network and the broker."""

    def __init__(self, fleet: Fleet, kafka: ChaosKafka, proxy: Proxy, rng: random.Random) -> None:
        self._fleet = fleet
        self._kafka = kafka
        self._proxy = proxy
        self._rng = rng
        self.done: Counter[str] = Counter()

    async def run(self, plan: Plan) -> None:
        """Carry out the plan; wait before each thing until there is somebody at work to disturb."""
        for what in plan.order(self._rng):
            await getattr(self, what.replace(" ", "_"))()
            self.done[what] += 1
            await asyncio.sleep(self._rng.uniform(0.0, 3.0))

    def _next(self, stages: tuple[str, ...], counts: Counter[str]) -> str:
        return min(stages, key=lambda stage: (counts[stage], self._rng.random()))

    async def kill(self) -> None:
        worker = await self._fleet.ready(self._next(STAGES, self._fleet.kills), self._rng)
        assert worker is not None, "no worker became ready"
        await asyncio.sleep(self._rng.uniform(0.0, 1.5))
        self._fleet.kill(worker)

    async def kill_rebuilding(self) -> None:
        stage = self._next(STATEFUL, self._fleet.killed_rebuilding)
        worker = await self._fleet.rebuilding(stage, self._rng)
        assert worker is not None, f"no {stage} was seen rebuilding its state"
        self._fleet.kill(worker)
        self._fleet.killed_rebuilding[stage] += 1

    async def restart(self) -> None:
        hard = self.done["restart"] % 2 == 1
        await asyncio.to_thread(self._kafka.restart, hard=hard)

    async def zombie(self) -> None:
        stage = STAGES[-1 - self.done["zombie"] % len(STAGES)]
        worker = await self._fleet.at_work(stage, self._rng)
        assert worker is not None, "no worker became ready"
        worker.frozen = True
        worker.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(ZOMBIE_SLEEP_S)
        worker.process.send_signal(signal.SIGCONT)
        worker.frozen = False

    async def cut(self) -> None:
        self._proxy.cut()
        await asyncio.sleep(CUT_S)
        self._proxy.heal(reset=self.done["cut"] % 2 == 1)

    async def change(self) -> None:
        stage = STAGES[self.done["change"] % len(STAGES)]
        worker = await self._fleet.ready(stage, self._rng)
        assert worker is not None, "no worker became ready"
        self._fleet.join(stage)
        await asyncio.sleep(self._rng.uniform(0.0, 5.0))
        self._fleet.leave(worker)


@contextmanager
def running(fleet: Fleet) -> Iterator[None]:
    try:
        fleet.start()
        yield
    finally:
        fleet.end()


async def supervise(fleet: Fleet) -> None:
    while True:
        fleet.supervise()
        await asyncio.sleep(0.5)


async def feed(servers: str, messages: list[tuple[str, bytes]], pace_s: float) -> None:
    """Send every message until it is confirmed, whatever happens to the broker meanwhile.

    One message of a crawler may be written twice: what counts is what lies in the topic.
    """
    producer = AIOKafkaProducer(bootstrap_servers=servers, acks="all", request_timeout_ms=180_000)
    await producer.start()
    try:
        for start in range(0, len(messages), 50):
            some = messages[start : start + 50]
            await asyncio.gather(*[await producer.send(RAW, value, key=key.encode()) for key, value in some])
            await asyncio.sleep(pace_s)
    finally:
        await producer.stop()


async def at_rest(servers: str, within_s: float = DEADLINE_S) -> bool:
    """Return True once no stage has anything left to do; False when that takes longer than `within_s`."""
    deadline = time.monotonic() + within_s
    probes = {name: InputProbe(plain(servers), load_stage(name).source, 60.0) for name in STAGES}
    quiet_since: float | None = None
    try:
        while time.monotonic() < deadline:
            await asyncio.sleep(1)
            waiting = False
            for name, probe in probes.items():
                partitions = range(all_topics()[load_stage(name).source].partitions)
                try:
                    waiting = waiting or bool(await probe.waiting(f"machtin-{name}", partitions))
                except InfrastructureError:
                    waiting = True
            if waiting:
                quiet_since = None
            else:
                quiet_since = quiet_since or time.monotonic()
                if time.monotonic() - quiet_since > QUIET_S:
                    return True
        return False
    finally:
        for probe in probes.values():
            await probe.close()


async def read_all(servers: str) -> dict[str, list[Any]]:
    """Return the messages of every topic, in the order of the partitions' logs."""
    return {
        name: sorted(await read_topic(plain(servers), one), key=lambda m: (m.partition, m.offset))
        for name, one in all_topics().items()
    }


async def run(
    kafka: ChaosKafka, fleet: Fleet, messages: list[tuple[str, bytes]], plan: Plan, rng: random.Random
) -> Report:
    """Feed and disturb until all is done; return the verdict."""
    began = time.monotonic()
    subscriber = Subscriber(kafka.direct)
    pace_s = 50 * 5.0 * len(plan.order(random.Random(0))) / len(messages)
    async with Proxy(kafka.proxy_port, kafka.behind_proxy) as proxy:
        with running(fleet):
            background = [asyncio.create_task(supervise(fleet)), asyncio.create_task(subscriber.run())]
            feeding = asyncio.create_task(feed(kafka.direct, messages, pace_s))
            chaos = Chaos(fleet, kafka, proxy, rng)
            await chaos.run(plan)
            await feeding
            rested = await at_rest(kafka.direct)
            lasted = int(time.monotonic() - began)
            for task in background:
                if task.done():
                    task.result()  # raises what ended it
                task.cancel()
            with suppress(asyncio.CancelledError):
                await background[1]
    topics = await read_all(kafka.direct)
    report = await asyncio.to_thread(verify, topics)
    verify_subscriber(report, subscriber.events, subscriber.faults, topics[STORIES])
    if not rested:
        report.faults.append(f"work was left {DEADLINE_S:.0f} s after the last disturbance")
    report.figures["live subscriber: events seen once"] = sum(map(len, subscriber.events.values()))
    report.figures["live subscriber: dropped as seen"] = subscriber.dropped
    for name in STAGES:
        report.figures[f"{name}: killed with -9"] = fleet.kills[name]
        if name in STATEFUL:
            report.figures["  while rebuilding its state (" + name + ")"] = fleet.killed_rebuilding[name]
        report.figures[f"{name}: ended itself, started again"] = fleet.ended_by_themselves[name]
    report.figures |= {
        "kills in all": sum(fleet.kills.values()),
        "zombies (stopped 15 s)": chaos.done["zombie"],
        "workers that left and joined": chaos.done["change"],
        "broker restarts": kafka.restarts,
        "network cuts (13 s)": proxy.cuts,
        "seconds under chaos": lasted,
        "seconds": int(time.monotonic() - began),
    }
    return report


def test_nothing_is_lost_and_nothing_is_doubled(
    tmp_path: Path, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    articles = pytestconfig.getoption("--chaos-articles")
    plan = Plan.of(pytestconfig.getoption("--chaos-kills"))
    seed = pytestconfig.getoption("--chaos-seed")
    sabotage = pytestconfig.getoption("--chaos-sabotage")
    kafka = ChaosKafka(tmp_path / "kafka", ROOT / ".machtin")
    fleet = Fleet(kafka.proxied, tmp_path)
    if sabotage:
        fleet.app, fleet.environment = "tests.chaos.sabotage", {"CHAOS_SABOTAGE": sabotage}
    kafka.start()
    try:
        asyncio.run(create_topics(plain(kafka.direct), all_topics().values()))
        messages = list(raw_messages(articles, seed))
        report = asyncio.run(run(kafka, fleet, messages, plan, random.Random(seed)))
    finally:
        kafka.stop()
    with capsys.disabled():
        title = f"Chaos, seed {seed}" + (f", sabotage: {sabotage}" if sabotage else "")
        print(f"\n{title}:", *report.lines(), *(f"FAULT: {fault}" for fault in report.faults), sep="\n")
    assert report.figures["raw messages"] >= articles
    if sabotage:
        assert report.faults, f"{sabotage} went unnoticed: the run proves nothing"
    else:
        assert not report.faults, "\n".join(report.faults)
