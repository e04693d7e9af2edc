"""The guarantees of the stream shell, proved from outside on a real broker.

Each test drives one of the traps of Faust that services/runtime/stream.py names.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from services.cli.reading import read_topic
from services.runtime import broker
from services.runtime.broker import RunningBroker
from services.runtime.broker.ports import HOST, free_ports
from services.runtime.cluster import create_topics
from services.runtime.dead_letters import ATTEMPTS, PREFIX, REASON
from services.runtime.follow import follow
from services.runtime.topics import CLEAN, DEAD, DEDUPLICATED, RAW, all_topics, topic
from services.runtime.watchdog import EXIT_STUCK
from tests.access import plain
from tests.integration.conftest import JARS, ROOT

pytestmark = pytest.mark.integration

DEADLINE_S = 120.0


@pytest.fixture
def workers(tmp_path: Path) -> Iterator["Workers"]:
    with ExitStack() as stack:
        yield Workers(tmp_path, stack)


class Workers:
    """Starts toy stages as real processes, and ends them with the test."""

    def __init__(self, logs: Path, stack: ExitStack) -> None:
        self._logs = logs
        self._stack = stack

    def start(self, stage: str, bootstrap_servers: str, **settings: str) -> subprocess.Popen[bytes]:
        log = self._stack.enter_context((self._logs / f"{stage}-{time.monotonic_ns()}.log").open("wb"))
        worker = subprocess.Popen(
            [sys.executable, "-m", "faust", "-A", f"tests.integration.toy_{stage}", "worker", "-l", "INFO"],
            cwd=ROOT,
            env={**os.environ, "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers, **settings},
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        self._stack.callback(self._end, worker)
        return worker

    @staticmethod
    def _end(worker: subprocess.Popen[bytes]) -> None:
        worker.kill()
        worker.wait(DEADLINE_S)

    async def until_says(self, port: int, path: str, text: str) -> str:
        """Return a worker's page once it holds `text`; whoever calls sets the deadline."""
        while True:
            page = (await asyncio.to_thread(get, port, path))[1]
            if text in page:
                return page
            await asyncio.sleep(0.1)

    def logged(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self._logs.glob("*.log")))


def get(port: int, path: str) -> tuple[int, str]:
    """Return status and body of a worker's page; (0, "") while it does not listen."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


async def count(servers: str, name: str, before: int) -> int:
    """Return how many messages lie in a topic, less those that lay there before."""
    return len(await read_topic(plain(servers), topic(name))) - before


def article(number: int, edition: str) -> dict[str, Any]:
    return {"article_id": f"{edition}-{number}", "edition": edition, "received_at": "2026-03-02T07:05:00Z"}


async def produce(servers: str, name: str, values: list[tuple[bytes | None, bytes]], **options: Any) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        sent = [await producer.send(name, value, key=key, **options) for key, value in values]
        await asyncio.gather(*sent)


async def produce_articles(servers: str, edition: str, numbers: range) -> None:
    articles = [article(number, edition) for number in numbers]
    await produce(
        servers,
        CLEAN,
        [(record["article_id"].encode(), orjson.dumps(record)) for record in articles],
        partition=topic(CLEAN).partition_of(articles[0]),
    )


async def numbers_of(servers: str, edition: str) -> AsyncIterator[tuple[str, int]]:
    """Yield (article id, number) of every record of an edition, as the log holds them."""
    async with aclosing(follow(plain(servers), topic(DEDUPLICATED))) as messages:
        async for message in messages:
            record = orjson.loads(message.value)
            if record["edition"] == edition:
                yield record["article_id"], record["number"]


def test_killed_in_the_middle_it_goes_on_where_its_output_ends(
    cluster: RunningBroker, workers: Workers
) -> None:
    servers, edition, articles = cluster.bootstrap_servers, "kill", 2000

    async def run() -> list[tuple[str, int]]:
        worker = workers.start("stateful", servers)
        await produce_articles(servers, edition, range(articles))
        seen: list[tuple[str, int]] = []
        kills = 0
        async with aclosing(numbers_of(servers, edition)) as numbers:
            async for one in numbers:
                seen.append(one)
                if len(seen) >= (kills + 1) * articles / 4 and kills < 2:
                    kills += 1
                    worker.kill()
                    worker.wait()
                    worker = workers.start("stateful", servers)
                if len({article_id for article_id, _ in seen}) == articles:
                    return seen
        return seen

    seen = asyncio.run(asyncio.wait_for(run(), DEADLINE_S))
    assert seen == [(f"{edition}-{number}", number + 1) for number in range(articles)]


def test_stopped_in_the_middle_it_loses_nothing(cluster: RunningBroker, workers: Workers) -> None:
    """Faust acknowledges what a cancelled agent holds in hand; we must not."""
    servers, edition, articles = cluster.bootstrap_servers, "stop", 3000

    async def run() -> list[tuple[str, int]]:
        worker = workers.start("stateful", servers)
        await produce_articles(servers, edition, range(articles))
        seen: list[tuple[str, int]] = []
        stopped = False
        async with aclosing(numbers_of(servers, edition)) as numbers:
            async for one in numbers:
                seen.append(one)
                if len(seen) >= 300 and not stopped:
                    stopped = True
                    worker.send_signal(signal.SIGTERM)
                    assert await asyncio.to_thread(worker.wait, DEADLINE_S) == 0
                    workers.start("stateful", servers)
                if len({article_id for article_id, _ in seen}) == articles:
                    return seen
        return seen

    seen = asyncio.run(asyncio.wait_for(run(), DEADLINE_S))
    assert seen == [(f"{edition}-{number}", number + 1) for number in range(articles)]


def test_workers_that_join_and_leave_change_nothing(cluster: RunningBroker, workers: Workers) -> None:
    """A rebalance delivers buffered messages again; the two editions lie in different partitions."""
    servers, articles = cluster.bootstrap_servers, 1500
    editions = ["join-a", "join-b"]
    assert len({topic(CLEAN).partition_of(article(0, edition)) for edition in editions}) == 2

    async def run() -> dict[str, list[tuple[str, int]]]:
        workers.start("stateful", servers)
        for edition in editions:
            await produce_articles(servers, edition, range(articles // 2))
        second = workers.start("stateful", servers)
        for edition in editions:
            await produce_articles(servers, edition, range(articles // 2, articles))
        seen: dict[str, list[tuple[str, int]]] = {edition: [] for edition in editions}
        async with aclosing(follow(plain(servers), topic(DEDUPLICATED))) as messages:
            async for message in messages:
                record = orjson.loads(message.value)
                if record["edition"] not in seen:
                    continue
                seen[record["edition"]].append((record["article_id"], record["number"]))
                if sum(map(len, seen.values())) == articles:
                    second.send_signal(signal.SIGTERM)
                if all(len({i for i, _ in one}) == articles for one in seen.values()):
                    return seen
        return seen

    seen = asyncio.run(asyncio.wait_for(run(), DEADLINE_S))
    for edition in editions:
        assert seen[edition] == [(f"{edition}-{number}", number + 1) for number in range(articles)]


def test_a_zombie_that_wakes_up_in_the_middle_of_a_batch_changes_nothing(
    cluster: RunningBroker, workers: Workers
) -> None:
    """Stopped for longer than its session, it goes on writing what its successor has written already."""
    servers, edition, articles = cluster.bootstrap_servers, "zombie", 400

    async def run() -> list[tuple[str, int]]:
        zombie = workers.start("stateful", servers, TOY_TRAP="slow-sends")
        await produce_articles(servers, edition, range(articles))
        seen: list[tuple[str, int]] = []
        stopped = woken = False
        async with aclosing(numbers_of(servers, edition)) as numbers:
            async for one in numbers:
                seen.append(one)
                if len(seen) == 30 and not stopped:
                    stopped = True
                    zombie.send_signal(signal.SIGSTOP)
                    workers.start("stateful", servers)
                if len(set(seen)) == articles and not woken:
                    woken = True
                    zombie.send_signal(signal.SIGCONT)
                if len(seen) >= articles + 50:  # it did write late
                    return seen
        return seen

    seen = asyncio.run(asyncio.wait_for(run(), DEADLINE_S))
    assert list(dict.fromkeys(seen)) == [(f"{edition}-{number}", number + 1) for number in range(articles)]


def test_what_cannot_be_processed_lies_untouched_in_the_dead_letter_topic(
    cluster: RunningBroker, workers: Workers
) -> None:
    servers = cluster.bootstrap_servers
    bad = [
        (b"k1", b"\xff\x00 not JSON at all", "not_json"),
        (None, b'{"text": "no id"}', "no_identity"),
        (b"k3", b'{"article_id": "x", "bug": 1}', "internal_error"),
    ]
    good = orjson.dumps(article(1, "dead"))

    async def run() -> tuple[list[Any], list[Any]]:
        workers.start("stateless", servers)
        await produce(
            servers,
            RAW,
            [(key, value) for key, value, _ in bad] + [(b"ok", good)],
            partition=3,
            headers=[("crawler", b"7"), (ATTEMPTS, b"2")],
        )
        dead: list[Any] = []
        clean: list[Any] = []
        async with aclosing(follow(plain(servers), topic(DEAD), topic(CLEAN))) as messages:
            async for message in messages:
                if message.topic == DEAD:
                    dead.append(message)
                elif message.value == good:
                    clean.append(message)
                if len(dead) == len(bad) and clean:
                    return dead, clean
        return dead, clean

    dead, clean = asyncio.run(asyncio.wait_for(run(), DEADLINE_S))
    by_offset = sorted(dead, key=lambda message: int(dict(message.headers)[PREFIX + "offset"]))
    assert [(m.key, m.value) for m in by_offset] == [(key, value) for key, value, _ in bad]
    for message, (_, _, reason) in zip(by_offset, bad, strict=True):
        headers = dict(message.headers)
        assert headers["crawler"] == b"7"
        assert headers[REASON] == reason.encode()
        assert headers[ATTEMPTS] == b"3"
        assert headers[PREFIX + "topic"] == RAW.encode()
        assert headers[PREFIX + "partition"] == b"3"
        assert headers[PREFIX + "stage"] == b"toy-stateless"
    assert len(clean) == 1


def test_offsets_without_messages_are_no_reason_to_stop(cluster: RunningBroker, workers: Workers) -> None:
    """A crawler that writes in transactions leaves marks in the log, also behind its last message."""
    if cluster.kind != "kafka":
        pytest.skip("the embedded broker knows no transactions")
    servers = cluster.bootstrap_servers
    wanted = [orjson.dumps(article(number, "marks")) for number in range(20)]

    async def run() -> None:
        worker = workers.start("stateless", servers, MACHTIN_STUCK_AFTER_S="5")
        producer = AIOKafkaProducer(bootstrap_servers=servers, transactional_id="crawler")
        async with producer:
            for value in wanted:
                async with producer.transaction():
                    await producer.send_and_wait(RAW, value, partition=5)
        found = set()
        async with aclosing(follow(plain(servers), topic(CLEAN))) as messages:
            async for message in messages:
                found.add(message.value)
                if found.issuperset(wanted):
                    break
        await asyncio.sleep(8)  # longer than a service that stands still is let live
        assert worker.poll() is None

    asyncio.run(asyncio.wait_for(run(), DEADLINE_S))


def test_when_too_much_is_dead_the_service_stops_and_stays_stopped(
    cluster: RunningBroker, workers: Workers
) -> None:
    """It holds its partitions and waits: ended, it would be started again and drain a little more."""
    servers = cluster.bootstrap_servers

    async def run() -> None:
        worker = workers.start("stateless", servers, MACHTIN_HTTP_PORT=str(port), MACHTIN_STUCK_AFTER_S="5")
        await produce(servers, RAW, [(None, b"garbage %d" % number) for number in range(2000)])
        assert "circuit breaker" in await workers.until_says(port, "/ready", "circuit breaker")
        lie_there = await count(servers, DEAD, since)
        await produce(servers, RAW, [(None, b"garbage")])
        # Longer than a service that stands still is let live: this one does not work, and is not stuck.
        await asyncio.sleep(8)
        assert worker.poll() is None
        assert await count(servers, DEAD, since) == lie_there < 2000
        assert (await asyncio.to_thread(get, port, "/health"))[0] == 200
        assert (
            'machtin_breaker_open{stage="toy-stateless"} 1.0'
            in (await asyncio.to_thread(get, port, "/metrics"))[1]
        )
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, DEADLINE_S) == 0

    (port,) = free_ports(1)
    since = asyncio.run(count(servers, DEAD, 0))
    asyncio.run(asyncio.wait_for(run(), DEADLINE_S))
    assert "Circuit breaker" in workers.logged()


def test_a_send_that_is_not_confirmed_ends_the_process_and_nothing_is_lost(
    tmp_path: Path, workers: Workers
) -> None:
    """The broker goes away in the middle of a stream, longer than sends may take, and comes back."""
    edition, articles, home = "outage", 4000, tmp_path / "broker"
    try:
        with broker.running(home, "kafka", cache=JARS) as running:
            servers, port = running.bootstrap_servers, int(running.bootstrap_servers.rsplit(":", 1)[1])
            asyncio.run(create_topics(plain(servers), all_topics().values()))
            worker = workers.start("stateful", servers, MACHTIN_SEND_TIMEOUT_S="3", MACHTIN_BATCH_SIZE="20")

            async def until_some() -> None:
                await produce_articles(servers, edition, range(articles))
                async with aclosing(numbers_of(servers, edition)) as numbers:
                    async for _, number in numbers:
                        if number >= 200:
                            return

            asyncio.run(asyncio.wait_for(until_some(), DEADLINE_S))
    except broker.KafkaUnavailable as reason:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"the embedded broker forgets everything when it stops: {reason}")
    assert worker.wait(DEADLINE_S) == EXIT_STUCK

    with broker.running(home, "kafka", cache=JARS, port=port) as running:
        workers.start("stateful", running.bootstrap_servers)

        async def all_of_them() -> list[tuple[str, int]]:
            seen: list[tuple[str, int]] = []
            async with aclosing(numbers_of(running.bootstrap_servers, edition)) as numbers:
                async for one in numbers:
                    seen.append(one)
                    if len({article_id for article_id, _ in seen}) == articles:
                        return seen
            return seen

        seen = asyncio.run(asyncio.wait_for(all_of_them(), DEADLINE_S))
    # A send that timed out may have arrived all the same: a record may lie there twice, with the same bytes.
    assert list(dict.fromkeys(seen)) == [(f"{edition}-{number}", number + 1) for number in range(articles)]


def test_when_a_record_fails_none_that_follows_it_is_written(
    cluster: RunningBroker, workers: Workers
) -> None:
    """The producer itself goes on with the next record: a log with a hole, which no rebuild can mend."""
    servers, edition, articles = cluster.bootstrap_servers, "hole", 600

    async def run() -> list[tuple[str, int]]:
        worker = workers.start("stateful", servers, TOY_TRAP="fail-one-send")
        await produce_articles(servers, edition, range(articles))
        assert await asyncio.to_thread(worker.wait, DEADLINE_S) == EXIT_STUCK
        workers.start("stateful", servers)
        seen: list[tuple[str, int]] = []
        async with aclosing(numbers_of(servers, edition)) as numbers:
            async for one in numbers:
                seen.append(one)
                if len({article_id for article_id, _ in seen}) == articles:
                    return seen
        return seen

    seen = asyncio.run(asyncio.wait_for(run(), DEADLINE_S))
    assert seen == [(f"{edition}-{number}", number + 1) for number in range(articles)]
    assert "did not confirm a record" in workers.logged()


def test_a_rebuild_that_stalls_says_so_and_ends_the_process(cluster: RunningBroker, workers: Workers) -> None:
    async def run() -> None:
        worker = workers.start(
            "stateful",
            cluster.bootstrap_servers,
            TOY_TRAP="stalled-rebuild",
            MACHTIN_STUCK_AFTER_S="5",
            MACHTIN_HTTP_PORT=str(port),
        )
        await workers.until_says(port, "/ready", "rebuilding the state of partitions [0, 1, 2, 3, 4, 5]")
        assert await asyncio.to_thread(worker.wait, DEADLINE_S) == EXIT_STUCK

    (port,) = free_ports(1)
    asyncio.run(asyncio.wait_for(run(), DEADLINE_S))
    logged = workers.logged()
    assert "for 5 s" in logged or "rebuilding toy-stateful" in logged


def test_a_rebuild_may_take_longer_than_a_standstill(cluster: RunningBroker, workers: Workers) -> None:
    """It gets on; and the batch that waits for it is not stuck either."""
    servers, edition, articles = cluster.bootstrap_servers, "slow", 600

    async def all_numbers(wanted: int) -> None:
        async with aclosing(numbers_of(servers, edition)) as numbers:
            seen = set()
            async for article_id, _ in numbers:
                seen.add(article_id)
                if len(seen) == wanted:
                    return

    async def run() -> None:
        first = workers.start("stateful", servers)
        await produce_articles(servers, edition, range(articles))
        await all_numbers(articles)
        first.kill()
        first.wait()
        slow = workers.start("stateful", servers, TOY_TRAP="slow-rebuild", MACHTIN_STUCK_AFTER_S="5")
        await produce_articles(servers, edition, range(articles, articles + 10))
        await all_numbers(articles + 10)
        assert slow.poll() is None

    asyncio.run(asyncio.wait_for(run(), DEADLINE_S))


@pytest.mark.parametrize("trap", ["silent-consumer", "no-commit"])
def test_a_consumer_that_falls_silent_ends_the_process(
    cluster: RunningBroker, workers: Workers, trap: str
) -> None:
    """The process lives, answers and does nothing: nothing inside it notices, the cluster does."""
    servers, edition = cluster.bootstrap_servers, trap

    async def run() -> None:
        worker = workers.start(
            "stateful", servers, TOY_TRAP=trap, MACHTIN_STUCK_AFTER_S="5", MACHTIN_HTTP_PORT=str(port)
        )
        await workers.until_says(port, "/ready", "ok")
        await produce_articles(servers, edition, range(300))
        assert await asyncio.to_thread(worker.wait, DEADLINE_S) == EXIT_STUCK
        workers.start("stateful", servers)
        async with aclosing(numbers_of(servers, edition)) as numbers:
            seen = set()
            async for article_id, _ in numbers:
                seen.add(article_id)
                if len(seen) == 300:
                    return

    (port,) = free_ports(1)
    asyncio.run(asyncio.wait_for(run(), DEADLINE_S))
    assert "the consumer is silent" in workers.logged()


def test_a_message_that_faust_passes_over_ends_the_process_and_is_not_lost(
    cluster: RunningBroker, workers: Workers
) -> None:
    """Faust takes whatever lies between two offsets for acknowledged; it commits past it."""
    servers, edition, articles = cluster.bootstrap_servers, "skip", 300

    async def run() -> list[tuple[str, int]]:
        worker = workers.start("stateful", servers, TOY_TRAP="skip-a-message")
        await produce_articles(servers, edition, range(articles))
        assert await asyncio.to_thread(worker.wait, DEADLINE_S) == EXIT_STUCK
        workers.start("stateful", servers)
        seen: list[tuple[str, int]] = []
        async with aclosing(numbers_of(servers, edition)) as numbers:
            async for one in numbers:
                seen.append(one)
                if len({article_id for article_id, _ in seen}) == articles:
                    return seen
        return seen

    seen = asyncio.run(asyncio.wait_for(run(), DEADLINE_S))
    assert seen == [(f"{edition}-{number}", number + 1) for number in range(articles)]
    assert "was delivered" in workers.logged()


def test_a_stop_has_an_end_even_when_the_cluster_is_gone(tmp_path: Path, workers: Workers) -> None:
    (http,) = free_ports(1)
    home = tmp_path / "broker"
    with broker.running(home, cache=JARS) as running:
        servers = running.bootstrap_servers
        asyncio.run(create_topics(plain(servers), all_topics().values()))
        worker = workers.start("stateless", servers, MACHTIN_STOP_WITHIN_S="5", MACHTIN_HTTP_PORT=str(http))
        asyncio.run(asyncio.wait_for(workers.until_says(http, "/ready", "ok"), DEADLINE_S))
        os.kill(running.pid, signal.SIGSTOP)  # it accepts connections and answers nothing: the worst case
        try:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(DEADLINE_S) in (0, EXIT_STUCK)
        finally:
            os.kill(running.pid, signal.SIGCONT)
