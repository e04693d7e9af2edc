"""Reads a partition to its end: how a stateful service finds its memory again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.runtime.access import client_arguments, connect
from services.runtime.errors import InfrastructureError
from services.runtime.settings import KafkaAccess

TURN_S = 0.05
"""How long messages are handled before others get a turn: one fetch can hold thousands."""
FETCH_WAIT_MS = 100
"""How long the broker may hold an empty fetch: what finding the end of a partition costs."""


async def read_to_end(
    access: KafkaAccess,
    topic: str,
    partition: int,
    start: int,
    handle: Callable[[Any], None],
    progress: Callable[[int, int], None],
    stall_after_s: float,
) -> int:
    """Call `handle` with every message of the partition from offset `start` on; return the next offset.

    The end is the high watermark that the fetch responses carry: the embedded broker answers ListOffsets
    wrongly, and Kafka's answer may be older than the fetch. `progress` gets (offsets read, offset of the
    end). Raises InfrastructureError when the cluster fails, or gives nothing new for `stall_after_s`.
    """
    where = TopicPartition(topic, partition)
    consumer = AIOKafkaConsumer(
        **client_arguments(access),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=FETCH_WAIT_MS,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    try:
        await connect(consumer, access)
        consumer.assign([where])
        consumer.seek(where, start)
        moved_at = time.monotonic()
        while True:
            fetched = await consumer.getmany(where, timeout_ms=2 * FETCH_WAIT_MS)
            turn_began = time.monotonic()
            for message in fetched.get(where, []):
                handle(message)
                if time.monotonic() - turn_began > TURN_S:
                    progress(message.offset + 1, consumer.highwater(where) or message.offset + 1)
                    await asyncio.sleep(0)
                    turn_began = time.monotonic()
            position = await consumer.position(where)
            end = consumer.highwater(where)
            if end is not None:
                progress(position, end)
                if position >= end:
                    return int(position)
            if fetched:
                moved_at = time.monotonic()
            elif time.monotonic() - moved_at > stall_after_s:
                # What may not be read, or is not there, aiokafka asks for again and again.
                hint = " See that it exists and that we may read it." if end is None else ""
                raise InfrastructureError(
                    f"Reading {topic}[{partition}] stopped at offset {position} of {end}"
                    f" for {stall_after_s:.0f} s.{hint}"
                )
    except KafkaError as error:
        raise InfrastructureError(f"Reading {topic}[{partition}] failed: {error!r}.") from error
    finally:
        await consumer.stop()
