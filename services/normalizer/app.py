"""Wires the normalizer: news.articles.raw -> news.articles.clean."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from services.normalizer.normalize import normalize
from services.runtime.faust_app import on_demand
from services.runtime.records import Record
from services.runtime.stage import StatelessStage, Transform
from services.runtime.stream import create_app
from services.runtime.topics import CLEAN, RAW


def _load() -> Transform:
    def transform(raw: Record, arrived_at: datetime) -> list[Record]:
        return [dict(normalize(raw, arrived_at))]

    return transform


STAGE = StatelessStage(name="normalizer", source=RAW, sink=CLEAN, load=_load)

__getattr__ = on_demand(partial(create_app, STAGE))
