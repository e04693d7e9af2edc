"""The development broker itself: it starts, carries a message, is found again, and leaves nothing behind."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from services.runtime import broker
from services.runtime.broker import (
    BrokerKind,
    BrokerUnavailable,
    KafkaUnavailable,
    RunningBroker,
    kafka,
    lifecycle,
    process,
)

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
# The jars are fetched once for all tests, and for the demo.
CACHE = ROOT / ".machtin"
DEADLINE_S = 60.0
TOPIC = "broker.test"


@pytest.fixture(params=["kafka", "embedded"])
def kind(request: pytest.FixtureRequest) -> BrokerKind:
    if request.param == "embedded":
        return "embedded"
    try:
        kafka.find_java()
        broker.fetch_kafka(CACHE)
    except KafkaUnavailable as reason:
        pytest.skip(str(reason))
    return "kafka"


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:.0f} s: {what}"
        time.sleep(0.05)


async def topic(servers: str, name: str = TOPIC) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    try:
        await admin.start()
        answer = await admin.create_topics([NewTopic(name, 2, 1)])
    finally:
        await admin.close()
    assert [error[1] for error in answer.topic_errors] == [0]


async def produce(servers: str, values: list[bytes | None]) -> None:
    """Write all values to partition 1, as one batch where the client can."""
    async with AIOKafkaProducer(bootstrap_servers=servers, max_request_size=kafka.MESSAGE_BYTES) as producer:
        sent = [
            await producer.send(TOPIC, value, key=b"key", partition=1, headers=[("id", b"1")])
            for value in values
        ]
        await asyncio.gather(*sent)


async def consume(servers: str) -> tuple[list[bytes | None], dict[int, int | None]]:
    """Read both partitions to the high watermark that fetch responses name; return it for each."""
    partitions = [TopicPartition(TOPIC, number) for number in (0, 1)]
    values: list[bytes | None] = []
    async with AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False) as consumer:
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)

        async def at_end(partition: TopicPartition) -> bool:
            ends = consumer.highwater(partition)
            return ends is not None and await consumer.position(partition) >= ends

        while not all([await at_end(partition) for partition in partitions]):
            for messages in (await consumer.getmany(timeout_ms=100)).values():
                values += [message.value for message in messages]
        return values, {partition.partition: consumer.highwater(partition) for partition in partitions}


async def last_offset_said(servers: str) -> int:
    async with AIOKafkaConsumer(bootstrap_servers=servers) as consumer:
        ends = await consumer.end_offsets([TopicPartition(TOPIC, 1)])
        return int(ends[TopicPartition(TOPIC, 1)])


def identity(running: RunningBroker) -> str:
    known_as = process.identity(running.pid)
    assert known_as is not None
    return known_as


def test_a_message_goes_through_and_a_stop_leaves_no_process(tmp_path: Path, kind: BrokerKind) -> None:
    told: list[str] = []
    with broker.running(tmp_path, kind, cache=CACHE, progress=told.append) as started:
        assert started.kind == kind
        assert started.bootstrap_servers in told[-1]
        known_as = identity(started)
        values = [b"one", None, "ba trận lũ".encode(), os.urandom(2 * 1024 * 1024)]

        async def through() -> tuple[list[bytes | None], dict[int, int | None]]:
            await topic(started.bootstrap_servers)
            await produce(started.bootstrap_servers, values)
            return await consume(started.bootstrap_servers)

        assert asyncio.run(asyncio.wait_for(through(), DEADLINE_S)) == (values, {0: 0, 1: 4})
        assert broker.status(tmp_path) == started
        assert broker.start(tmp_path, cache=CACHE) == started
        assert started.log_file.stat().st_size > 0
    assert not process.alive(started.pid, known_as)
    assert broker.status(tmp_path) is None
    assert not (tmp_path / "broker.json").exists()


def test_what_is_written_survives_a_restart_on_kafka_alone(tmp_path: Path, kind: BrokerKind) -> None:
    async def write(servers: str) -> None:
        await topic(servers)
        await produce(servers, [b"kept"])

    async def read(servers: str) -> list[bytes | None]:
        if kind == "embedded":
            # It would create the topic on being asked for it, so that no error tells it is gone.
            await topic(servers)
        return (await consume(servers))[0]

    with broker.running(tmp_path, kind, cache=CACHE) as first:
        asyncio.run(asyncio.wait_for(write(first.bootstrap_servers), DEADLINE_S))
        known_as = identity(first)
        os.kill(first.pid, signal.SIGKILL)
        until(lambda: not process.alive(first.pid, known_as), "the broker is gone")
        with broker.running(tmp_path, kind, cache=CACHE) as second:
            assert second.pid != first.pid
            kept = asyncio.run(asyncio.wait_for(read(second.bootstrap_servers), DEADLINE_S))
    assert kept == ([b"kept"] if kind == "kafka" else [])


def test_the_end_of_a_partition_is_known_from_list_offsets_on_kafka_alone(
    tmp_path: Path, kind: BrokerKind
) -> None:
    """The reason why a rebuild reads to the high watermark of fetch responses."""

    async def batches(servers: str) -> tuple[int, int | None]:
        await topic(servers)
        await produce(servers, [b"x"] * 50)
        await produce(servers, [b"x"] * 200)
        _, ends = await consume(servers)
        return await last_offset_said(servers), ends[1]

    with broker.running(tmp_path, kind, cache=CACHE) as started:
        said, high = asyncio.run(asyncio.wait_for(batches(started.bootstrap_servers), DEADLINE_S))
    assert high == 250
    if kind == "kafka":
        assert said == 250
    else:
        # It names the first offset of the last batch, plus one. When this fails, Tansu has been corrected.
        assert said < 250


def test_two_starts_at_once_give_one_broker(tmp_path: Path, kind: BrokerKind) -> None:
    found: list[RunningBroker] = []
    threads = [
        threading.Thread(
            target=lambda: found.append(broker.start(tmp_path, kind, cache=CACHE, tie_to_parent=True))
        )
        for _ in range(3)
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2 * DEADLINE_S)
        assert len(found) == 3
        assert len(set(found)) == 1
        # The threads that started it are gone, and it is tied to the process alone.
        assert broker.status(tmp_path) == found[0]
    finally:
        broker.stop(tmp_path)
    assert process.identity(found[0].pid) is None


def test_it_can_be_started_and_stopped_inside_an_event_loop(tmp_path: Path, kind: BrokerKind) -> None:
    async def inside() -> RunningBroker | None:
        with broker.running(tmp_path, kind, cache=CACHE):
            return broker.status(tmp_path)

    assert asyncio.run(inside()) is not None
    assert broker.status(tmp_path) is None


def test_the_port_can_be_chosen_and_a_taken_one_is_an_error(tmp_path: Path, kind: BrokerKind) -> None:
    with broker.running(tmp_path / "a", kind, cache=CACHE) as first:
        port = int(first.bootstrap_servers.rpartition(":")[2])
        with pytest.raises(BrokerUnavailable, match=f"Port {port} .*choose another"):
            broker.start(tmp_path / "b", kind, port=port, cache=CACHE)
    with broker.running(tmp_path / "b", kind, port=port, cache=CACHE) as second:
        assert second.bootstrap_servers == first.bootstrap_servers


def test_another_broker_on_its_port_is_not_taken_for_it(
    tmp_path: Path, kind: BrokerKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race for a port: ours is given one that another broker has, sees it and takes the next."""
    with broker.running(tmp_path / "a", kind, cache=CACHE) as first:
        taken = int(first.bootstrap_servers.rpartition(":")[2])
        free = lifecycle.free_ports
        offered: list[list[int]] = []

        def racing(count: int) -> list[int]:
            offered.append(free(count))
            return [taken, *offered[-1][1:]] if len(offered) == 1 else offered[-1]

        monkeypatch.setattr(lifecycle, "free_ports", racing)
        with broker.running(tmp_path / "b", kind, cache=CACHE) as second:
            assert second.bootstrap_servers != first.bootstrap_servers
            assert len(offered) == 2
        assert broker.status(tmp_path / "a") == first


@pytest.mark.parametrize("tied", [True, False])
def test_it_ends_with_a_killed_parent_only_when_tied_to_it(
    tmp_path: Path, kind: BrokerKind, tied: bool
) -> None:
    code = (
        "import sys, time; from pathlib import Path; from services.runtime import broker; "
        f"broker.start(Path(sys.argv[1]), {kind!r}, cache=Path(sys.argv[2]), tie_to_parent={tied}); "
        "print('started', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), str(CACHE)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        try:
            assert parent.stdout is not None
            assert parent.stdout.readline() == "started\n"
            started = broker.status(tmp_path)
            assert started is not None
            known_as = identity(started)
        finally:
            parent.kill()
    if tied:
        until(lambda: not process.alive(started.pid, known_as), "the broker is gone")
        assert broker.status(tmp_path) is None
    else:
        assert broker.status(tmp_path) == started
        assert broker.stop(tmp_path)
        assert not process.alive(started.pid, known_as)


def test_storage_that_cannot_be_read_is_an_error_with_what_kafka_said(
    tmp_path: Path, kind: BrokerKind
) -> None:
    if kind == "embedded":
        pytest.skip("it has no storage")
    with broker.running(tmp_path, kind, cache=CACHE):
        pass
    identities = tmp_path / "broker" / "kafka" / "data" / "meta.properties"
    identities.write_text(identities.read_text().replace("node.id=1", "node.id=2"))
    with pytest.raises(BrokerUnavailable, match="ended while it started") as caught:
        broker.start(tmp_path, kind, cache=CACHE)
    assert "node" in str(caught.value).lower()
    assert broker.status(tmp_path) is None
