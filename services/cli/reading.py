"""Reading a whole topic once, for commands that look at what lies there."""

from __future__ import annotations

import asyncio
from typing import Any

from services.runtime.restore import read_to_end
from services.runtime.settings import KafkaAccess
from services.runtime.topics import Topic

STALL_AFTER_S = 30.0


async def read_topic(access: KafkaAccess, topic: Topic) -> list[Any]:
    """Return every message of a topic, ordered by timestamp, then by partition and offset.

    Raises InfrastructureError when the cluster fails or gives nothing for half a minute.
    """
    messages: list[Any] = []

    async def read(partition: int) -> None:
        await read_to_end(access, topic.name, partition, 0, messages.append, lambda *_: None, STALL_AFTER_S)

    await asyncio.gather(*(read(partition) for partition in range(topic.partitions)))
    return sorted(messages, key=lambda message: (message.timestamp, message.partition, message.offset))
