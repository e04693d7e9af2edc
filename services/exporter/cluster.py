"""Reads the groups' committed offsets and the partitions' logs, without being a member of any group."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError, KafkaError

from services.exporter.snapshot import Partition, Position, Snapshot, Waiting
from services.runtime.access import client_arguments, connect, failure
from services.runtime.codec import RECORD_LIMIT_BYTES
from services.runtime.events import arrived_at_ms_of
from services.runtime.settings import KafkaAccess
from services.runtime.topics import DEAD, RAW, all_topics, topic

READ_DEADLINE_S = 15.0
FETCH_WAIT_MS = 100
KNOWN_FOR_S = 60.0
"""A first message is read again after this time, even if its consumer stands still: it may be gone."""
MOST_FETCHED_BYTES = 8 * 1024 * 1024
"""One fetch, all partitions together: only the first message of each is wanted."""


def sources() -> dict[str, str]:
    """Return the source topic of every stage: who may write dead letters reads articles."""
    return {
        stage: one.name
        for one in all_topics().values()
        for stage in one.consumed_by
        if stage in topic(DEAD).produced_by and one.name != DEAD
    }


class Cluster:
    """A connection that takes snapshots. After an error it is of no use: close it and open another."""

    def __init__(self, access: KafkaAccess) -> None:
        self._access = access
        self._stack = AsyncExitStack()
        self._ends: dict[Partition, int] = {}
        self._waiting: dict[Partition, tuple[int, float, Waiting]] = {}
        """What the last snapshots read: the committed offset, when, and the first message from there on."""

    async def __aenter__(self) -> Cluster:
        try:
            self._admin = AIOKafkaAdminClient(**client_arguments(self._access))
            self._stack.push_async_callback(self._admin.close)
            await connect(self._admin, self._access)
            self._consumer = AIOKafkaConsumer(
                **client_arguments(self._access),
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=FETCH_WAIT_MS,
                fetch_max_bytes=MOST_FETCHED_BYTES,
                max_partition_fetch_bytes=RECORD_LIMIT_BYTES,
            )
            self._stack.push_async_callback(self._consumer.stop)
            await connect(self._consumer, self._access)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def snapshot(self) -> Snapshot:
        """Read every group and every partition once. Raises InfrastructureError."""
        try:
            return await asyncio.wait_for(self._snapshot(), READ_DEADLINE_S)
        except (KafkaError, OSError, TimeoutError) as error:
            raise failure(self._access, error) from error

    async def _snapshot(self) -> Snapshot:
        stages = sources()
        committed: dict[tuple[str, int], int] = {}
        members: dict[str, int] = {}
        for stage, source in stages.items():
            group = f"machtin-{stage}"
            coordinator = await self._coordinator_of(group)
            # Named one by one: the embedded broker cannot be asked for all of them.
            wanted = [TopicPartition(source, number) for number in range(topic(source).partitions)]
            offsets = await self._admin.list_consumer_group_offsets(group, coordinator, wanted)
            for where in wanted:
                # A partition that nothing was committed for is left out by Kafka, or said to be at -1.
                given = offsets.get(where)
                committed[source, where.partition] = 0 if given is None else max(0, given.offset)
            members[stage] = _members(await self._admin.describe_consumer_groups([group], coordinator))
        # An end that is read after the committed offset is never before it: no lag below zero.
        first = await self._read(committed)
        positions = tuple(
            Position(stage, source, number, committed[at], self._ends[at], first.get(at))
            for stage, source in stages.items()
            for number in range(topic(source).partitions)
            for at in [(source, number)]
        )
        return Snapshot(time.time(), positions, dict(self._ends), members)

    async def _coordinator_of(self, group: str) -> int:
        """Return the broker that keeps a group's offsets; a new cluster first has to make room for them."""
        while True:
            try:
                return int(await self._admin.find_coordinator(group))
            except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError):
                await asyncio.sleep(FETCH_WAIT_MS / 1000)  # until the deadline of the snapshot

    async def _read(self, committed: Mapping[Partition, int]) -> dict[Partition, Waiting]:
        """Bring the ends up to date; return the first message of each partition that waits.

        The end is the high watermark that a fetch carries, as in `runtime.restore`. Where a group has not
        moved since the last snapshot its first message is known: only the end is looked at.
        """
        now_s = time.monotonic()
        self._waiting = {
            at: (offset, read_at_s, waiting)
            for at, (offset, read_at_s, waiting) in self._waiting.items()
            if committed[at] == offset and now_s - read_at_s < KNOWN_FOR_S
        }
        known = set(self._waiting)
        partitions = [
            TopicPartition(one.name, number)
            for one in all_topics().values()
            for number in range(one.partitions)
        ]
        self._consumer.assign(partitions)  # anew each time: forgets the high watermarks of before
        hints = await self._consumer.end_offsets([p for p in partitions if tuple(p) not in self._ends])
        for where in partitions:
            at = (where.topic, where.partition)
            wanted = at in committed and at not in known
            self._consumer.seek(where, committed[at] if wanted else self._ends.get(at, hints.get(where, 0)))
        pending = set(partitions)
        while pending:
            fetched = await self._consumer.getmany(*pending, timeout_ms=FETCH_WAIT_MS, max_records=None)
            for where in sorted(pending):
                at = (where.topic, where.partition)
                end = self._consumer.highwater(where)
                messages = fetched.get(where, [])
                if end is None or (not messages and await self._consumer.position(where) < end):
                    continue
                self._ends[at] = end
                if messages and at in committed and at not in known:
                    self._waiting[at] = committed[at], now_s, _waiting(messages[0])
                pending.discard(where)
                self._consumer.pause(where)
        self._consumer.unsubscribe()
        return {at: waiting for at, (_, _, waiting) in self._waiting.items()}


def _waiting(message: Any) -> Waiting:
    arrived_at_ms = message.timestamp
    if message.topic != RAW:
        arrived_at_ms = arrived_at_ms_of(list(message.headers), message.timestamp)
    return Waiting(message.offset, message.timestamp / 1000, arrived_at_ms / 1000)


def _members(responses: list[Any]) -> int:
    """Return the number of members in the one group that was asked for."""
    ((_, _, _, _, _, members, *_),) = responses[0].groups
    return len(members)
