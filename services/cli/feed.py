"""`machtin feed`: raw articles from a file to news.articles.raw."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from rich.console import Console

from services.runtime.access import client_arguments, connect, failure
from services.runtime.settings import KafkaAccess
from services.runtime.topics import RAW, topic

UNCONFIRMED_LIMIT = 10_000
"""Messages sent ahead of their confirmation, so that a long file does not fill the memory."""


async def feed_file(
    access: KafkaAccess,
    lines: Iterable[bytes],
    rate: float | None,
    console: Console,
    partition: int | None = None,
) -> int:
    """Send every line that is not empty, unchanged, and return how many the cluster confirmed.

    `rate` is in messages per second. Without `partition` the key decides, and order is kept between the
    versions of an article only. A line that the topic would refuse for its size is named on `console` and
    left out. Raises InfrastructureError when the cluster fails.
    """
    limit = int(topic(RAW).config["max.message.bytes"])
    producer = AIOKafkaProducer(**client_arguments(access), acks="all", max_request_size=limit)
    sent = 0
    try:
        await connect(producer, access)
        started = time.monotonic()
        unconfirmed: list[asyncio.Future[object]] = []
        for number, line in enumerate(lines, start=1):
            value = line.rstrip(b"\r\n")
            if not value:
                continue
            if rate is not None:
                await asyncio.sleep(max(0.0, started + sent / rate - time.monotonic()))
            try:
                unconfirmed.append(await producer.send(RAW, value, key=key_of(value), partition=partition))
                sent += 1
            except MessageSizeTooLargeError:
                console.print(f"Line {number} has {len(value)} bytes; the topic takes {limit}. Left out.")
            if len(unconfirmed) >= UNCONFIRMED_LIMIT:
                await asyncio.gather(*unconfirmed)
                unconfirmed.clear()
        await asyncio.gather(*unconfirmed)
    except (KafkaError, OSError) as error:
        raise failure(access, error) from error
    finally:
        await producer.stop()
    return sent


def key_of(value: bytes) -> bytes | None:
    """Return the raw message's key: its article_id or url, so that its versions keep their order."""
    try:
        raw = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    key = (raw.get("article_id") or raw.get("url")) if isinstance(raw, dict) else None
    return str(key).encode("utf-8", "replace") if key else None
