"""The probe's way in and out: it writes raw articles as a crawler does, and reads as a subscriber does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from services.probe.planting import EDITION
from services.probe.watch import WAY
from services.runtime.access import client_arguments, connect, failure
from services.runtime.codec import RECORD_LIMIT_BYTES, decode, encode
from services.runtime.editions import PROBE_HEADER, from_probe
from services.runtime.errors import InfrastructureError
from services.runtime.records import Record
from services.runtime.settings import KafkaAccess
from services.runtime.topics import RAW, topic

GROUP = "machtin-probe"
"""Only remembers how far the probe has cleaned up: it is a member of no group."""
POLL_MS = 100
START_DEADLINE_S = 60.0

Handle = Callable[[str, Record], None]
"""Takes a record of the probe's edition and the topic that it came by."""


class Connection:
    """One connection to the cluster. After an error it is of no use: close it and open another."""

    def __init__(self, access: KafkaAccess) -> None:
        self._access = access
        self._stack = AsyncExitStack()
        self._partitions = [
            TopicPartition(name, number)
            for name in WAY
            if (number := topic(name).partition_of({"edition": EDITION})) is not None
        ]

    async def __aenter__(self) -> Connection:
        arguments = client_arguments(self._access)
        try:
            self._producer = AIOKafkaProducer(**arguments, acks="all")
            self._stack.push_async_callback(self._producer.stop)
            await connect(self._producer, self._access)
            self._consumer = AIOKafkaConsumer(
                **arguments,
                group_id=GROUP,
                enable_auto_commit=False,
                auto_offset_reset="latest",
                max_partition_fetch_bytes=RECORD_LIMIT_BYTES,
            )
            self._stack.push_async_callback(self._consumer.stop)
            await connect(self._consumer, self._access)
            self._consumer.assign(self._partitions)
        except InfrastructureError:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def send(self, articles: Iterable[Record], partition: int) -> None:
        """Send raw articles one after the other, marked as the probe's. Raises InfrastructureError."""
        try:
            for article in articles:
                await self._producer.send_and_wait(
                    RAW,
                    encode(article),
                    key=str(article["article_id"]).encode(),
                    partition=partition,
                    headers=[(PROBE_HEADER, b"1")],
                )
        except (KafkaError, OSError) as error:
            raise failure(self._access, error) from error

    async def catch_up(self, handle: Handle) -> None:
        """Read what came since the last `remember`, or nothing. Raises InfrastructureError."""
        pending = set(self._partitions)
        deadline = asyncio.get_running_loop().time() + START_DEADLINE_S
        try:
            while pending:
                await self.read(handle)
                for where in list(pending):
                    end = self._consumer.highwater(where)
                    if end is not None and await self._consumer.position(where) >= end:
                        pending.discard(where)
                if asyncio.get_running_loop().time() > deadline:
                    raise InfrastructureError(f"{GROUP} does not come to the end of {sorted(pending)}.")
        except (KafkaError, OSError) as error:
            raise failure(self._access, error) from error

    async def read(self, handle: Handle) -> None:
        """Read what has come, for a tenth of a second at most. Raises InfrastructureError."""
        try:
            fetched = await self._consumer.getmany(timeout_ms=POLL_MS)
        except (KafkaError, OSError) as error:
            raise failure(self._access, error) from error
        for where, messages in fetched.items():
            for message in messages:
                if message.value is not None and from_probe(message.headers):
                    handle(where.topic, decode(message.value, RECORD_LIMIT_BYTES))

    async def remember(self) -> None:
        """Commit that nothing before this moment has to be looked at again. Raises InfrastructureError."""
        try:
            await self._consumer.commit()
        except (KafkaError, OSError) as error:
            raise failure(self._access, error) from error
