"""`machtin demo`: the whole pipeline as real processes, fed with our own corpus, before your eyes."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
import webbrowser
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.live import Live

from services.cli.demo_view import live_view, story_line, summary
from services.cli.feed import feed_file
from services.cli.processes import (
    ServiceProcess,
    raise_if_ended,
    start_services,
    stop_services,
    wait_until_ready,
)
from services.cli.reading import read_topic
from services.cli.tally import Tally
from services.exporter.cluster import Cluster
from services.runtime import broker as local_broker
from services.runtime.cluster import create_topics
from services.runtime.codec import RECORD_LIMIT_BYTES, decode
from services.runtime.editions import from_probe
from services.runtime.errors import InfrastructureError
from services.runtime.follow import follow
from services.runtime.settings import KafkaAccess, from_environment
from services.runtime.topics import DEAD, RAW, STORIES, all_topics
from services.topology import SERVICES

CORPUS = Path(__file__).parent / "demo_corpus" / "articles.jsonl"

READY_DEADLINE_S = 300.0
"""From the start of the services to the last one ready: compiling on a slow machine takes a while."""
QUIET_DEADLINE_S = 300.0
"""From the last article fed to the end of all work on it."""
POLL_S = 0.25


def run_demo(
    *, broker: Literal["auto", "kafka", "embedded"], keep: bool, rate: float, home: Path, console: Console
) -> int:
    """Run the demo and return the exit status: 0 when every article came out where it should.

    `rate` is in articles per second. With `keep` it goes on until interrupted.
    Leaves nothing running, however it ends.
    """
    with ExitStack() as stack:
        stack.enter_context(_interrupted_by(signal.SIGTERM))
        try:
            access, where = _cluster(stack, broker, home, console)
            services = _services(stack, access, home, console)
            board = next(service for service in services if service.name == "board")
            tally = asyncio.run(_show(access, services, rate, console))
        except KeyboardInterrupt:
            console.print("Interrupted; stopping.")
            return 130
        console.print(summary(tally, where))
        if keep:
            console.print(
                f"The board: {board.url}/\n"
                f"Feed your own: KAFKA_BOOTSTRAP_SERVERS={access.kafka_bootstrap_servers} machtin feed FILE\n"
                "Everything goes on running until you press Ctrl-C here.",
                highlight=False,
            )
            webbrowser.open(board.url)
            _wait_for_interrupt(services, console)
        else:
            console.print(
                "Look next: `make demo KEEP=1` goes on running with the board open; `machtin replay` runs a"
                f" file of yours without a broker; docs/ says how it works. The logs are in {home / 'logs'}.",
                highlight=False,
            )
    return 0


def _wait_for_interrupt(services: list[ServiceProcess], console: Console) -> None:
    try:
        while True:
            for service in services:
                raise_if_ended(service)
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("Stopping.")


def _cluster(
    stack: ExitStack, kind: Literal["auto", "kafka", "embedded"], home: Path, console: Console
) -> tuple[KafkaAccess, str]:
    """Return the way into the cluster and what to call it; start a broker if no cluster is given."""
    access: KafkaAccess = from_environment()
    if "KAFKA_BOOTSTRAP_SERVERS" in os.environ:
        where = f"the cluster at {access.kafka_bootstrap_servers}"
        console.print(f"Using {where}.")
    else:
        shutil.rmtree(home / "broker", ignore_errors=True)  # a demo starts on empty topics
        running = stack.enter_context(local_broker.running(home, kind, progress=console.print))
        access = KafkaAccess(kafka_bootstrap_servers=running.bootstrap_servers)
        where = "Apache Kafka" if running.kind == "kafka" else "the embedded broker"
    results = asyncio.run(create_topics(access, all_topics().values()))
    created = sum(result.outcome == "created" for result in results)
    console.print(f"{created} topics created, {len(results) - created} were there.")
    return access, where


def _services(stack: ExitStack, access: KafkaAccess, home: Path, console: Console) -> list[ServiceProcess]:
    services = start_services(SERVICES, access.kafka_bootstrap_servers, home / "logs")
    stack.callback(stop_services, services)
    with console.status("Starting the services …") as status:
        ready: list[str] = []

        def progress(name: str) -> None:
            ready.append(name)
            status.update(f"Starting the services … ready: {', '.join(ready)}")

        wait_until_ready(services, READY_DEADLINE_S, progress)
    console.print(f"{len(services)} services are ready, each a process of its own.")
    return services


async def _show(access: KafkaAccess, services: list[ServiceProcess], rate: float, console: Console) -> Tally:
    """Feed the corpus and show what comes of it; return the tally when all work is done."""
    tally = Tally()
    messages = len(CORPUS.read_bytes().splitlines())
    watching = asyncio.create_task(_watch(access, tally, console))
    with CORPUS.open("rb") as lines:
        # One partition keeps the corpus in its order, so that every demo tells the same stories.
        feeding = asyncio.create_task(feed_file(access, lines, rate, console, partition=0))
        with Live(console=console, auto_refresh=False, transient=True) as live:
            deadline: float | None = None
            published: Counter[str] | None = None
            clock = asyncio.get_running_loop().time
            while True:
                await asyncio.sleep(POLL_S)
                if console.is_terminal:
                    live.update(live_view(tally, messages), refresh=True)
                for service in services:
                    raise_if_ended(service)
                for task in (watching, feeding):
                    if task.done():
                        task.result()  # raises what ended it
                if not feeding.done():
                    continue
                deadline = deadline or clock() + QUIET_DEADLINE_S
                if published is None and await _all_processed(access):
                    published = await _published(access)
                if published is not None and tally.seen >= published:
                    break
                if clock() > deadline:
                    raise InfrastructureError(f"Not done {QUIET_DEADLINE_S:.0f} s after the last article.")
    watching.cancel()
    return tally


async def _watch(access: KafkaAccess, tally: Tally, console: Console) -> None:
    """Follow every topic into the tally; without a terminal for a live view, print stories as they come."""
    async for message in follow(access, *all_topics().values()):
        if from_probe(message.headers):
            continue
        record = None
        if message.topic not in (RAW, DEAD) and message.value is not None:
            record = decode(message.value, RECORD_LIMIT_BYTES)
        tally.add(message.topic, record, list(message.headers), message.timestamp)
        if message.topic == STORIES and record is not None and not console.is_terminal:
            console.print(story_line(record), highlight=False, markup=False, soft_wrap=True)


async def _all_processed(access: KafkaAccess) -> bool:
    """Tell whether nothing waits for any stage.

    What a stage commits it has published, and a snapshot reads the commits before the ends of the topics:
    where no stage has anything before it, none will get anything more.
    """
    async with Cluster(access) as cluster:
        snapshot = await cluster.snapshot()
    return all(position.waiting is None for position in snapshot.positions)


async def _published(access: KafkaAccess) -> Counter[str]:
    """Return how many messages lie in each topic, the probe's left out."""
    counts: Counter[str] = Counter()
    for one in all_topics().values():
        counts[one.name] = sum(not from_probe(m.headers) for m in await read_topic(access, one))
    return counts


@contextmanager
def _interrupted_by(number: int) -> Iterator[None]:
    """Have a signal end the block as Ctrl-C does, so that everything is stopped in order."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    try:
        yield
    finally:
        signal.signal(number, before)
