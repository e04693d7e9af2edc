"""The development data as the clusterer sees it: normalized, deduplicated and enriched, for experiments."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.cli.quality.protocol import START, Arrival, Dataset, Item
from services.deduplicator.deduplicate import Deduplicator
from services.runtime.errors import InvalidMessage
from services.runtime.times import to_text
from services.topology import load_stage

Enriched = dict[str, Any]


def prepare(items: list[Item], cache: Path | None = None) -> dict[str, Enriched]:
    """Return each usable article normalized and enriched, by id; dates are those of START.

    Slow (tens of milliseconds an article): with `cache`, results are kept in that file (a pickle of our own
    making, for the same articles and until you delete it).
    """
    key = hashlib.sha256("".join(f"{i.article_id}{len(i.text)}" for i in items).encode()).hexdigest()
    if cache and cache.is_file():
        stored = pickle.loads(cache.read_bytes())
        if stored["key"] == key:
            prepared: dict[str, Enriched] = stored["articles"]
            return prepared
    normalize = load_stage("normalizer").load()  # type: ignore[union-attr]
    enrich = load_stage("enricher").load()  # type: ignore[union-attr]
    prepared = {}
    for item in items:
        try:
            (clean,) = normalize(Arrival(item, START).raw(), START)
        except InvalidMessage:
            continue
        (enriched,) = enrich({**clean, "version": 1, "signature": "", "duplicate": None}, START)
        prepared[item.article_id] = enriched
    if cache:
        cache.write_bytes(pickle.dumps({"key": key, "articles": prepared}))
    return prepared


def feed(arrivals: list[Arrival], prepared: dict[str, Enriched]) -> Iterator[tuple[Item, Enriched]]:
    """Yield the enriched articles of a stream in order, deduplicated among themselves."""
    deduplicator = Deduplicator()
    for arrival in arrivals:
        article = prepared.get(arrival.item.article_id)
        if article is None:
            continue
        time = to_text(arrival.moment)
        dated = {**article, "published_at": time, "received_at": time, "published_precision": "second"}
        for record in deduplicator.decide(dated):  # type: ignore[arg-type]
            deduplicator.apply(record)
            yield arrival.item, {**dated, **record}


def usable(dataset: Dataset, prepared: dict[str, Enriched]) -> list[Item]:
    """Return the articles that the normalizer accepts."""
    return [item for item in dataset.items if item.article_id in prepared]
