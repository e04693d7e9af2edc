"""Wires the clusterer: news.articles.enriched -> news.stories."""

from __future__ import annotations

from functools import partial

from services.clusterer.cluster import Clusterer, warm_up
from services.runtime.faust_app import on_demand
from services.runtime.stage import StatefulStage
from services.runtime.stream import create_app
from services.runtime.topics import ENRICHED, STORIES

STAGE = StatefulStage(name="clusterer", source=ENRICHED, sink=STORIES, warm_up=warm_up, new_state=Clusterer)

__getattr__ = on_demand(partial(create_app, STAGE))
