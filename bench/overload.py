"""What happens at twice the rate that the pipeline can sustain: lag, memory, losses, and how it catches up.

    python -m bench.overload [--calibrate 1500] [--seconds 120] [--factor 2]

Real Apache Kafka and one process of each service. First a burst is fed and the time until the last story
gives the sustainable rate. Then articles come at `factor` times that rate, and every few seconds the lag of
each stage and the memory of each service are noted; after the last article the time until nothing waits.
At the end every raw message must be found as a clean article or a dead letter, and every article in a story.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from services.cli.processes import (
    ServiceProcess,
    raise_if_ended,
    start_services,
    stop_services,
    wait_until_ready,
)
from services.cli.reading import read_topic
from services.exporter.cluster import Cluster
from services.exporter.snapshot import lag_messages
from services.runtime import broker
from services.runtime.access import client_arguments
from services.runtime.cluster import create_topics
from services.runtime.settings import KafkaAccess
from services.runtime.topics import CLEAN, DEAD, ENRICHED, RAW, STORIES, all_topics, topic
from services.topology import STAGES
from tests.chaos.articles import raw_messages

READY_WITHIN_S = 900.0
SAMPLE_S = 5.0
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """The pipeline at one moment."""

    at_s: float
    fed: int
    lag: dict[str, int]
    rss: dict[str, float]
    """Resident memory of each service, in MiB."""


def resident_mib(service: ServiceProcess) -> float:
    """Return the resident memory of a service by its own metrics; 0 where it does not answer."""
    for family in text_string_to_metric_families(service.get("/metrics") or ""):
        if family.name == "process_resident_memory_bytes":
            return float(family.samples[0].value) / MIB
    return 0.0


async def feed(
    access: KafkaAccess, messages: Sequence[tuple[str, bytes]], rate: float, fed: list[int]
) -> None:
    """Send at `rate` messages per second; `fed[0]` counts what the cluster has confirmed."""
    async with AIOKafkaProducer(**client_arguments(access), acks="all") as producer:
        began = time.monotonic()
        for start in range(0, len(messages), 50):
            await asyncio.sleep(max(0.0, began + start / rate - time.monotonic()))
            some = messages[start : start + 50]
            await asyncio.gather(*[await producer.send(RAW, value, key=key.encode()) for key, value in some])
            fed[0] += len(some)


async def watch(
    access: KafkaAccess, services: list[ServiceProcess], fed: list[int], feeding: asyncio.Task[None]
) -> list[Sample]:
    """Sample until everything is fed and nothing waits."""
    began = time.monotonic()
    samples: list[Sample] = []
    async with Cluster(access) as cluster:
        while True:
            for service in services:
                raise_if_ended(service)
            snapshot = await cluster.snapshot()
            lag = dict.fromkeys(STAGES, 0)
            for position in snapshot.positions:
                lag[position.stage] += lag_messages(position)
            rss = {one.name: await asyncio.to_thread(resident_mib, one) for one in services}
            samples.append(Sample(time.monotonic() - began, fed[0], lag, rss))
            if feeding.done():
                feeding.result()
                if not any(lag.values()):
                    return samples
            await asyncio.sleep(SAMPLE_S)


async def run(
    access: KafkaAccess, services: list[ServiceProcess], messages: Sequence[tuple[str, bytes]], rate: float
) -> list[Sample]:
    """Feed messages at a rate and watch until nothing waits any more."""
    fed = [0]
    feeding = asyncio.create_task(feed(access, messages, rate, fed))
    return await watch(access, services, fed, feeding)


async def unaccounted(access: KafkaAccess) -> tuple[int, int, int]:
    """Return the raw messages, those found neither clean nor dead, and the articles in no story."""
    raw = await read_topic(access, topic(RAW))
    dead = {(m.key, m.value) for m in await read_topic(access, topic(DEAD))}
    clean = {m.key for m in await read_topic(access, topic(CLEAN))}
    enriched = [orjson.loads(m.value) for m in await read_topic(access, topic(ENRICHED))]
    usable = {article["article_id"] for article in enriched if article["status"] == "usable"}
    told: set[str] = set()
    for message in await read_topic(access, topic(STORIES)):
        told.update(orjson.loads(message.value)["article_ids"])
    lost = sum(m.key not in clean and (m.key, m.value) not in dead for m in raw)
    return len(raw), lost, len(usable - told)


def show(samples: list[Sample]) -> None:
    """Print one line per sample: seconds, articles fed, lag of each stage, memory of each service."""
    print(f"{'s':>5} {'fed':>7} | " + " ".join(f"{name[:9]:>9}" for name in STAGES) + " | MiB")
    for sample in samples:
        lag = " ".join(f"{sample.lag[name]:>9}" for name in STAGES)
        rss = " ".join(f"{name[:5]} {value:.0f}" for name, value in sample.rss.items())
        print(f"{sample.at_s:5.0f} {sample.fed:7} | {lag} | {rss}")


def main() -> int:
    """Run the benchmark; the exit status is 1 when something was lost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calibrate", type=int, default=1500, help="articles of the first burst")
    parser.add_argument("--seconds", type=float, default=120, help="length of the overload")
    parser.add_argument("--factor", type=float, default=2.0, help="times the sustainable rate")
    given = parser.parse_args()
    articles = raw_messages(10_000_000, seed=1)
    with (
        tempfile.TemporaryDirectory(prefix="machtin-overload-") as home,
        broker.running(Path(home), "kafka", cache=Path(".machtin"), progress=print) as running,
    ):
        access = KafkaAccess(kafka_bootstrap_servers=running.bootstrap_servers)
        asyncio.run(create_topics(access, all_topics().values()))
        services = start_services(STAGES, running.bootstrap_servers, Path(home) / "logs")
        try:
            wait_until_ready(services, READY_WITHIN_S, lambda name: print(f"{name} is ready"))
            burst = list(islice(articles, given.calibrate))
            took_s = asyncio.run(run(access, services, burst, float("inf")))[-1].at_s
            rate = given.calibrate / took_s
            print(f"\nA burst of {given.calibrate} articles took {took_s:.0f} s: {rate:.0f} a second.")
            flood = list(islice(articles, int(given.factor * rate * given.seconds)))
            print(f"{len(flood)} articles at {given.factor:g} times that rate:\n")
            samples = asyncio.run(run(access, services, flood, given.factor * rate))
            messages, lost, untold = asyncio.run(unaccounted(access))
        finally:
            stop_services(services)
    show(samples)
    fed_at = next(sample.at_s for sample in samples if sample.fed == len(flood))
    print(f"\nlargest lag of a stage     {max(max(s.lag.values()) for s in samples):>8,} messages")
    print(f"caught up                  {samples[-1].at_s - fed_at:>8.0f} s after the last article")
    for name, before in samples[0].rss.items():
        most = max(sample.rss[name] for sample in samples)
        print(f"{name + ': memory':26} {before:>8.0f} MiB before, {most:.0f} MiB at most")
    print(f"raw messages               {messages:>8,}\nlost                       {lost:>8,}")
    print(f"articles in no story       {untold:>8,}")
    return 1 if lost or untold else 0


if __name__ == "__main__":
    sys.exit(main())
