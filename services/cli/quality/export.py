"""How good the version that runs is on our own gold set, as figures for machines.

No traffic is in them: the same version gives the same figures everywhere, so one that falls below its floor
was changed, in its code, its parameters or a library.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from services.cli.quality.gold import GoldSet
from services.cli.quality.rehearsal import Rehearsal
from services.cli.quality.stories import gold_result
from services.runtime.metrics import QualityMetrics

FLOORS: Mapping[str, float] = {
    "stories_precision": 0.93,
    "stories_recall": 0.70,
    "stories_f1": 0.80,
    "related_linked": 0.75,
    "topical_apart": 0.9,
}
"""Shares (0..1) that a release must reach: B-Cubed precision, recall and F1 of the stories, share of pairs of
events of one saga that are linked, and of pairs of events that are only alike that are not."""


def figures(gold: GoldSet) -> dict[str, float]:
    """Return the figures of `FLOORS`, by running the gold set through the pipeline in this process."""
    result = gold_result(Rehearsal(), gold)
    return {
        "stories_precision": result.scores.precision,
        "stories_recall": result.scores.recall,
        "stories_f1": result.scores.f1,
        "related_linked": result.related,
        "topical_apart": 1 - result.topical,
    }


async def measure_apart(metrics: QualityMetrics) -> None:
    """Measure in a process of its own, whose models and memory go with it, and show the figures.

    Raises RuntimeError with the end of its log where it fails.
    """
    command = (sys.executable, "-m", "services.cli.main", "quality", "export", "--as", "json")
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    try:
        said, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode != 0:
        raise RuntimeError(errors.decode(errors="replace")[-2000:])
    metrics.set(json.loads(said), FLOORS)


def exposition(measured: Mapping[str, float]) -> str:
    """Return the figures and their floors as a file for Prometheus' textfile collector."""
    registry = CollectorRegistry()
    QualityMetrics(registry).set(measured, FLOORS)
    return generate_latest(registry).decode()
