"""Wires the enricher: news.articles.deduplicated -> news.articles.enriched."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import cast

from services.enricher.enrich import Enricher
from services.runtime.faust_app import on_demand
from services.runtime.records import DeduplicatedArticle, Record
from services.runtime.stage import StatelessStage, Transform
from services.runtime.stream import create_app
from services.runtime.topics import DEDUPLICATED, ENRICHED


def _load() -> Transform:
    enricher = Enricher()

    def transform(article: Record, _: datetime) -> list[Record]:
        return [dict(enricher.enrich(cast(DeduplicatedArticle, article)))]

    return transform


STAGE = StatelessStage(name="enricher", source=DEDUPLICATED, sink=ENRICHED, load=_load)

__getattr__ = on_demand(partial(create_app, STAGE))
