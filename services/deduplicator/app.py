"""Wires the deduplicator: news.articles.clean -> news.articles.deduplicated."""

from __future__ import annotations

from functools import partial

from services.deduplicator.deduplicate import Deduplicator, warm_up
from services.runtime.faust_app import on_demand
from services.runtime.settings import from_environment
from services.runtime.stage import StatefulStage
from services.runtime.stream import create_app
from services.runtime.topics import CLEAN, DEDUPLICATED


def _new_state() -> Deduplicator:
    return Deduplicator(window_s=from_environment().copies_window_h * 3600)


STAGE = StatefulStage(
    name="deduplicator", source=CLEAN, sink=DEDUPLICATED, warm_up=warm_up, new_state=_new_state
)

__getattr__ = on_demand(partial(create_app, STAGE))
