"""The whole pipeline in one place: the stages in the order of the data flow, and the services.

    crawlers ─▶ news.articles.raw ─▶ normalizer ─▶ news.articles.clean ─▶ deduplicator
      ─▶ news.articles.deduplicated ─▶ enricher ─▶ news.articles.enriched ─▶ clusterer
      ─▶ news.stories ─▶ board

What no stage can use goes to news.articles.dead.
"""

from __future__ import annotations

import importlib
from typing import cast

from services.runtime.stage import Stage

STAGES = ("normalizer", "deduplicator", "enricher", "clusterer")
"""Services that move records, in the order of the data flow."""

SERVICES = (*STAGES, "board")
"""Every service: each a folder with an app.py, each a process of its own."""


def load_stage(name: str) -> Stage:
    """Return the stage of a service. Imported here, so that a process loads only what it runs."""
    if name not in STAGES:
        raise ValueError(f"{name} is not a stage; the stages are {', '.join(STAGES)}")
    return cast(Stage, importlib.import_module(f"services.{name}.app").STAGE)
