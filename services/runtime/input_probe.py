"""Looks at a stage's input beside Faust's consumer, as a stranger would, and tells whether it stands still.

Consumers are known to die silently while their process lives (faust-streaming #175, #523, #549, #640), and
Faust's own detector compares two different clocks and cannot fire. So what waits is read from the cluster.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.runtime.access import client_arguments, connect
from services.runtime.errors import InfrastructureError
from services.runtime.settings import KafkaAccess

FETCH_WAIT_MS = 100

# It reports every assignment, and a probe makes one with every look.
logging.getLogger("aiokafka.consumer.subscription_state").setLevel(logging.WARNING)


class InputProbe:
    """Reads one topic outside of any group. Connects when first asked, and anew after an error."""

    def __init__(self, access: KafkaAccess, topic: str, deadline_s: float) -> None:
        """Take the longest time in seconds that an answer may take."""
        self._access = access
        self._topic = topic
        self._deadline_s = deadline_s
        self._stack = AsyncExitStack()
        self._consumer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._lock = asyncio.Lock()

    async def first_from(self, partition: int, offset: int) -> int | None:
        """Return the offset of the first message at `offset` or after it; None while there is none.

        Offsets that hold no message (retention, the marks of transactions) are passed over. Raises
        InfrastructureError when the cluster does not answer.
        """
        return (await self._read({partition: offset})).get(partition)

    async def waiting(self, group: str, partitions: Iterable[int]) -> dict[int, int]:
        """Return the offset of the first message that `group` has not committed, where there is one.

        Raises InfrastructureError when the cluster does not answer.
        """
        return await self._read(partitions, group)

    async def close(self) -> None:
        """Close the connections."""
        self._consumer = self._admin = None
        await self._stack.aclose()

    async def _read(self, wanted: Iterable[int] | Mapping[int, int], group: str = "") -> dict[int, int]:
        async with self._lock:
            try:
                async with asyncio.timeout(self._deadline_s):
                    await self._connect()
                    starts = wanted if isinstance(wanted, Mapping) else await self._committed(group, wanted)
                    return await self._first(starts)
            except InfrastructureError:
                await self.close()
                raise
            except (KafkaError, OSError, TimeoutError) as error:
                await self.close()
                raise InfrastructureError(f"Looking at {self._topic} failed: {error!r}.") from error

    async def _connect(self) -> None:
        if self._consumer is not None:
            return
        consumer = AIOKafkaConsumer(
            **client_arguments(self._access),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=FETCH_WAIT_MS,
            max_partition_fetch_bytes=1,  # a broker sends the first batch whatever its size
        )
        self._stack.push_async_callback(consumer.stop)
        await connect(consumer, self._access)
        admin = AIOKafkaAdminClient(**client_arguments(self._access))
        self._stack.push_async_callback(admin.close)
        await connect(admin, self._access)
        self._consumer, self._admin = consumer, admin

    async def _committed(self, group: str, partitions: Iterable[int]) -> dict[int, int]:
        assert self._admin is not None
        where = [TopicPartition(self._topic, number) for number in partitions]
        coordinator = int(await self._admin.find_coordinator(group))
        offsets = await self._admin.list_consumer_group_offsets(group, coordinator, where)
        given = {tp.partition: offsets[tp].offset for tp in where if tp in offsets}
        return {tp.partition: max(0, given.get(tp.partition, 0)) for tp in where}

    async def _first(self, starts: Mapping[int, int]) -> dict[int, int]:
        """Return the first offset that a fetch from each start gives, where the log does not end there."""
        consumer = self._consumer
        assert consumer is not None
        pending = {TopicPartition(self._topic, number): start for number, start in starts.items()}
        if not pending:
            return {}
        consumer.assign(list(pending))  # anew each time: forgets the ends of before
        for where, start in pending.items():
            consumer.seek(where, start)
        first: dict[int, int] = {}
        while pending:
            fetched = await consumer.getmany(*pending, timeout_ms=FETCH_WAIT_MS)
            for where in list(pending):
                end = consumer.last_stable_offset(where)
                if fetched.get(where):
                    first[where.partition] = fetched[where][0].offset
                elif end is None or await consumer.position(where) < end:
                    continue
                consumer.pause(where)
                del pending[where]
        return first


class Standstill:
    """Tells when the same message has been the first to wait for too long."""

    def __init__(self, limit_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the longest time in seconds that a message may be first in the queue."""
        self._limit_s = limit_s
        self._clock = clock
        self._since: dict[tuple[int, int], float] = {}
        """(partition, offset) of each first message -> when it was first seen to wait."""

    def saw(self, waiting: Mapping[int, int]) -> None:
        """Take what waits now: partition -> offset of its first message."""
        now = self._clock()
        self._since = {at: self._since.get(at, now) for at in waiting.items()}

    def stuck(self) -> str | None:
        """Return which partition stands still, or None."""
        now = self._clock()
        for (partition, offset), since in sorted(self._since.items()):
            if now - since > self._limit_s:
                return (
                    f"partition {partition}: the message at offset {offset} has waited for"
                    f" {now - since:.0f} s: the consumer is silent"
                )
        return None
