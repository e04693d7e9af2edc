"""Wires the board: news.stories -> a page for people, and the same as JSON."""

from __future__ import annotations

import logging
import uuid
from typing import Any, cast

import faust

from services.board.latest import LatestStories
from services.board.pages import pages_of
from services.runtime.codec import RECORD_LIMIT_BYTES, decode
from services.runtime.faust_app import faust_app, on_demand
from services.runtime.http import metrics_page, serve, verdict
from services.runtime.metrics import Metrics
from services.runtime.records import StoryRecord
from services.runtime.settings import Settings
from services.runtime.topics import STORIES
from services.runtime.watchdog import end_process

log = logging.getLogger(__name__)


def create_app(settings: Settings) -> faust.App:
    """Return the board's app. A consumer group of its own: every board shows every story."""
    app = faust_app(f"board-{uuid.uuid4().hex[:12]}", settings)
    stories = LatestStories()
    pages, below = pages_of(stories)
    metrics = Metrics("board")
    source = app.topic(
        STORIES, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )

    async def read(stream: Any) -> None:
        async for event in stream.noack().events():
            try:
                if event.value is not None:
                    stories.apply(cast(StoryRecord, decode(event.value, RECORD_LIMIT_BYTES)))
            except Exception as error:
                log.exception("the board cannot go on")
                end_process(str(error))
            metrics.messages.labels("board", "published").inc()
            event.ack()

    async def serve_pages() -> None:
        server = serve(
            settings.http_host,
            settings.http_port,
            {
                **pages,
                "/metrics": metrics_page(metrics.registry),
                "/health": verdict(lambda: None),
                "/ready": verdict(lambda: None),
            },
            below,
        )
        metrics.ready.labels("board").set(1)  # as /ready says
        log.info("The board is at http://%s:%d/", settings.http_host, server.server_port)

    app.agent(source, name="board", concurrency=1)(read)
    app.task(serve_pages)
    return app


__getattr__ = on_demand(create_app)
