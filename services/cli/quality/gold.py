"""Our own gold set: articles written for this project, and which events and sagas they belong to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from services.runtime.records import Record

CORPUS = Path(__file__).parents[1] / "gold_corpus"


@dataclass(frozen=True, slots=True)
class GoldSet:
    """Raw messages in order of arrival, and what a perfect system would make of them."""

    messages: list[Record]
    event_of: dict[str, str]
    singles: set[str]
    """Articles that belong to no event."""
    pairs: dict[tuple[str, str], str]
    """Pairs of events: `related` (same saga) or `topical` (alike and no more)."""
    sagas: dict[str, list[str]]


def load_gold(directory: Path = CORPUS) -> GoldSet:
    """Read every `NAME.jsonl` with its `NAME.expected.json`. Raises OSError where one is missing."""
    gold = GoldSet([], {}, set(), {}, {})
    for path in sorted(directory.glob("*.jsonl")):
        gold.messages.extend(map(json.loads, path.read_text(encoding="utf-8").splitlines()))
        expected = json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))
        gold.event_of.update((i, event) for event, ids in expected["events"].items() for i in ids)
        gold.singles.update(expected["singles"])
        gold.sagas.update(expected["sagas"])
        for relation in ("related", "topical"):
            gold.pairs.update(((a, b), relation) for a, b in expected[f"{relation}_pairs"])
    gold.messages.sort(key=lambda message: (message["crawled_at"], message["article_id"]))
    return gold
