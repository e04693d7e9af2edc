"""Traps of Faust and its producer, sprung on purpose and at once instead of once a month."""

import asyncio
import time
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import NotLeaderForPartitionError
from faust.transport.consumer import Consumer
from faust.transport.drivers import aiokafka as driver

from services.runtime import restore
from tests.integration.toy_stages import Numbering

AFTER = 100
"""Messages or records that pass before the trap springs."""


def spring(trap: str | None) -> None:
    """Patch the process for one trap, by its name."""
    if trap is not None:
        {
            "fail-one-send": _fail_one_send,
            "slow-sends": _slow_sends,
            "silent-consumer": _silent_consumer,
            "no-commit": _no_commit,
            "skip-a-message": _skip_a_message,
            "stalled-rebuild": _stalled_rebuild,
            "slow-rebuild": _slow_rebuild,
        }[trap]()


def _fail_one_send() -> None:
    """One record expires in the producer's buffer; those behind it are sent."""
    patched: Any = driver.Producer
    send, sent = patched.send, 0

    async def failing(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal sent
        sent += 1
        if sent != AFTER:
            return await send(self, *args, **kwargs)
        loop = asyncio.get_running_loop()
        never = loop.create_future()
        loop.call_soon(never.set_exception, NotLeaderForPartitionError())
        return never

    patched.send = failing


def _slow_sends() -> None:
    """A batch takes seconds to send, so that a process can be stopped in the middle of one."""
    patched: Any = driver.Producer
    send = patched.send

    async def slow(self: Any, *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0.02)
        return await send(self, *args, **kwargs)

    patched.send = slow


def _silent_consumer() -> None:
    """The thread of the consumer goes on living, and nothing comes from it any more."""
    patched: Any = driver.AIOKafkaConsumerThread
    getmany, given = patched.getmany, 0

    async def silent(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal given
        if given >= AFTER:
            await asyncio.Event().wait()
        records = await getmany(self, *args, **kwargs)
        given += sum(map(len, records.values()))
        return records

    patched.getmany = silent


def _no_commit() -> None:
    """Offsets are handed over and never arrive."""
    patched: Any = driver.AIOKafkaConsumerThread

    async def commit(self: Any, offsets: Any) -> bool:
        return True

    patched.commit = commit


def _skip_a_message() -> None:
    """The position moves on past a message that was not delivered, as after a hasty rebalance."""
    patched: Any = Consumer
    getmany, given = patched.getmany, 0

    async def skipping(self: Any, timeout: float) -> Any:
        nonlocal given
        async for tp, message in getmany(self, timeout):
            given += 1
            if given != AFTER:
                yield tp, message

    patched.getmany = skipping


def _stalled_rebuild() -> None:
    """The broker takes every fetch and never has anything to give."""

    class Stalled(AIOKafkaConsumer):  # type: ignore[misc]
        async def getmany(self, *_: Any, **__: Any) -> dict[Any, Any]:
            await asyncio.sleep(0.1)
            return {}

        def highwater(self, _: Any) -> None:
            return None

    restore.AIOKafkaConsumer = Stalled


def _slow_rebuild() -> None:
    """The records of one edition take their time: the whole takes longer than a stuck process may live."""
    patched: Any = Numbering
    apply = patched.apply

    def slow(self: Any, record: Any) -> None:
        if record["edition"] == "slow":  # not what other tests have left in the topic
            time.sleep(0.02)
        apply(self, record)

    patched.apply = slow
