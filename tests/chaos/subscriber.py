"""A subscriber that reads the stories while everything breaks, as our documentation tells people to."""

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.runtime.topics import STORIES, topic


class Subscriber:
    """Drops ids that it has seen, and notes every revision that does not follow the one before."""

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self._positions = {TopicPartition(STORIES, n): 0 for n in range(topic(STORIES).partitions)}
        self._seen: set[bytes] = set()
        self._revisions: Counter[str] = Counter()
        self.events: dict[int, list[bytes]] = {}
        """Partition -> ids in the order in which they were seen first."""
        self.dropped = 0
        self.faults: list[str] = []

    async def run(self) -> None:
        """Read until cancelled, whatever happens to the broker meanwhile."""
        while True:
            with suppress(KafkaError, OSError):
                await self._read()
            await asyncio.sleep(0.5)

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._servers, enable_auto_commit=False, isolation_level="read_committed"
        )
        try:
            await consumer.start()
            consumer.assign(list(self._positions))
            for where, offset in self._positions.items():
                consumer.seek(where, offset)
            async for message in consumer:
                self._take(message)
        finally:
            await consumer.stop()

    def _take(self, message: Any) -> None:
        self._positions[TopicPartition(message.topic, message.partition)] = message.offset + 1
        event_id = dict(message.headers)["ce_id"]
        if event_id in self._seen:
            self.dropped += 1
            return
        self._seen.add(event_id)
        self.events.setdefault(message.partition, []).append(event_id)
        story = orjson.loads(message.value)
        self._revisions[story["story_id"]] += 1
        if story["revision"] != self._revisions[story["story_id"]]:
            self.faults.append(
                f"a subscriber saw revision {story['revision']} of {story['story_id']}"
                f" after {self._revisions[story['story_id']] - 1}"
            )
