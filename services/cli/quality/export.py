"""How good the version that runs is on our own gold set, as figures for machines.

No traffic is in them: the same version gives the same figures everywhere, so one that falls below its floor
was changed, in its code, its parameters or a library.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from services.cli.pipeline import Pipeline
from services.cli.quality.protocol import linked_share, score
from services.runtime.codec import encode
from services.runtime.metrics import QualityMetrics
from services.runtime.records import Record
from services.runtime.settings import Settings
from services.runtime.topics import STORIES

GOLD = Path(__file__).parents[1] / "gold_corpus"

FLOORS: Mapping[str, float] = {
    "stories_precision": 0.93,
    "stories_recall": 0.66,
    "stories_f1": 0.78,
    "related_linked": 0.75,
    "topical_apart": 0.9,
}
"""Shares (0..1) that a release must reach: B-Cubed precision, recall and F1 of the stories, share of pairs of
events of one saga that are linked, and of pairs of events that are only alike that are not."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Raw messages in order of arrival, and what a perfect system would make of them."""

    messages: list[Record]
    event_of: dict[str, str]
    """Event by article; an article that belongs to none is an event of its own."""
    pairs: dict[tuple[str, str], str]
    """Pairs of events: `related` or `topical`."""


def load(directory: Path = GOLD) -> Labels:
    """Read every NAME.jsonl with its NAME.expected.json. Raises OSError where one is missing."""
    labels = Labels([], {}, {})
    for path in sorted(directory.glob("*.jsonl")):
        labels.messages.extend(map(json.loads, path.read_text(encoding="utf-8").splitlines()))
        expected = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))
        labels.event_of.update((i, event) for event, ids in expected["events"].items() for i in ids)
        labels.event_of.update((i, i) for i in expected["singles"])
        for relation in ("related", "topical"):
            labels.pairs.update(((a, b), relation) for a, b in expected[f"{relation}_pairs"])
    labels.messages.sort(key=lambda message: (message["crawled_at"], message["article_id"]))
    return labels


def figures(labels: Labels) -> dict[str, float]:
    """Return the figures of `FLOORS`, by running the gold set through the pipeline in this process."""
    pipeline = Pipeline(Settings())
    last: dict[str, Record] = {}
    for message in labels.messages:
        for carried in pipeline.feed(encode(message)):
            if carried.topic == STORIES and isinstance(carried.value, dict):
                last[carried.value["story_id"]] = carried.value
    live = {story_id: story for story_id, story in last.items() if story["state"] != "merged"}
    story_of = {article: story_id for story_id, story in live.items() for article in story["article_ids"]}
    stories_of_event: dict[str, set[str]] = defaultdict(set)
    for article, event in labels.event_of.items():
        stories_of_event[event] |= {story_of[article]} if article in story_of else set()
    links = {frozenset((a, link["story_id"])) for a, story in live.items() for link in story["related"]}

    def linked(a: str, b: str) -> bool:
        return frozenset((a, b)) in links

    scores = score(labels.event_of, set(), story_of)
    return {
        "stories_precision": scores.precision,
        "stories_recall": scores.recall,
        "stories_f1": scores.f1,
        "related_linked": linked_share(labels.pairs, "related", stories_of_event, linked),
        "topical_apart": 1 - linked_share(labels.pairs, "topical", stories_of_event, linked),
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
