"""Reads a whole topic from its beginning and goes on reading, outside any consumer group."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.runtime.access import client_arguments, connect
from services.runtime.codec import RECORD_LIMIT_BYTES
from services.runtime.errors import InfrastructureError
from services.runtime.settings import KafkaAccess
from services.runtime.topics import Topic


async def follow(access: KafkaAccess, *topics: Topic) -> AsyncIterator[Any]:
    """Yield aiokafka's messages of the topics: those that lie there, then those that come.

    Messages of one partition come in order. Raises InfrastructureError when the cluster fails.
    """
    partitions = [
        TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)
    ]
    consumer = AIOKafkaConsumer(
        **client_arguments(access),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=RECORD_LIMIT_BYTES,
    )
    try:
        await connect(consumer, access)
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)  # or, where retention has been at work, the earliest there is
        async for message in consumer:
            yield message
    except (KafkaError, OSError) as error:
        raise InfrastructureError(
            f"Reading {', '.join(t.name for t in topics)} failed: {error!r}."
        ) from error
    finally:
        await consumer.stop()
