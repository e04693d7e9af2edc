"""Wires the board: news.stories -> a page for people, and the same as JSON."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, cast

import faust
from aiokafka.errors import KafkaError
from faust.types import TP

from services.board.latest import LatestStories
from services.board.pages import pages_of
from services.board.reading import Reading
from services.runtime.codec import RECORD_LIMIT_BYTES, decode
from services.runtime.editions import from_probe
from services.runtime.faust_app import faust_app, on_demand
from services.runtime.http import metrics_page, serve, verdict
from services.runtime.input_probe import Standstill
from services.runtime.metrics import Metrics
from services.runtime.records import StoryRecord
from services.runtime.settings import Settings
from services.runtime.topics import STORIES
from services.runtime.watchdog import end_process

log = logging.getLogger(__name__)

LOOK_S = 0.5
"""Between two questions to the cluster where the topic ends."""


def create_app(settings: Settings) -> faust.App:
    """Return the board's app. A consumer group of its own: every board shows every story."""
    app = faust_app(f"board-{uuid.uuid4().hex[:12]}", settings)
    stories = LatestStories()
    pages, below = pages_of(stories)
    metrics = Metrics("board")
    reading = Reading()
    standstill = Standstill(settings.stuck_after_s)
    source = app.topic(
        STORIES, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )

    async def read(stream: Any) -> None:
        async for event in stream.noack().events():
            try:
                if event.value is not None and not from_probe(event.headers.items()):
                    stories.apply(cast(StoryRecord, decode(event.value, RECORD_LIMIT_BYTES)))
            except Exception as error:
                log.exception("the board cannot go on")
                end_process(str(error))
            metrics.messages.labels("board", "published").inc()
            event.ack()
            reading.read(event.message.partition, event.message.offset)

    async def look() -> None:
        """Ask the cluster where the topic ends, again and again, and end the process when it is stuck."""
        while not (partitions := app.consumer.assignment()):
            await asyncio.sleep(LOOK_S)
        first = await app.consumer.earliest_offsets(*partitions)
        reading.started(_by_partition(first), await _ends(app, partitions))
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                standstill.saw(reading.waiting(await _ends(app, partitions)))
            except (KafkaError, OSError) as error:  # an outage is not mended by starting again
                log.warning("the cluster does not say where the topic ends: %r", error)
            stuck = standstill.stuck()
            if stuck is not None:
                end_process(stuck)

    async def serve_pages() -> None:
        server = serve(
            settings.http_host,
            settings.http_port,
            {
                **pages,
                "/metrics": metrics_page(metrics.registry),
                "/health": verdict(standstill.stuck),
                "/ready": verdict(reading.not_ready),
            },
            below,
        )
        metrics.ready.labels("board").set_function(lambda: float(reading.not_ready() is None))
        log.info("The board is at http://%s:%d/", settings.http_host, server.server_port)

    app.agent(source, name="board", concurrency=1)(read)
    app.task(serve_pages)
    app.task(look)
    return app


async def _ends(app: faust.App, partitions: Iterable[TP]) -> dict[int, int]:
    """Return where the partitions end: as the cluster says, or as a fetch has seen where that is further.

    The embedded broker's own answer is too low.
    """
    asked = _by_partition(await app.consumer.highwaters(*partitions))
    return {
        where.partition: max(asked[where.partition], app.consumer.highwater(where) or 0)
        for where in partitions
    }


def _by_partition(offsets: Mapping[TP, int]) -> dict[int, int]:
    return {where.partition: offset for where, offset in offsets.items()}


__getattr__ = on_demand(create_app)
