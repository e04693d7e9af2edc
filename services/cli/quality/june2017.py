"""The real stream of June 2017 with its own times, and our labels of it (see `services/cli/june2017`)."""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

from services.runtime.records import Record

LABELS = Path(__file__).parents[1] / "june2017"


@dataclass(frozen=True, slots=True)
class June:
    """Raw messages in order of arrival, and what was judged of them. The other articles are not noise."""

    messages: list[Record]
    event_of: dict[str, str]
    doubtful: frozenset[str]
    """Articles that may or may not belong to an event: neither right nor wrong anywhere."""
    pairs: dict[tuple[str, str], str]
    """Pairs of events: `related` (same saga) or `topical` (alike and no more)."""
    story_pairs: dict[tuple[str, str], str]
    """The same of pairs of stories, each named by one of its articles."""


def load_june(directory: Path) -> June:
    """Read the labels, and stream2017.jsonl.gz of `directory`. Raises OSError where one is missing."""
    with gzip.open(directory / "stream2017.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    messages = [
        {
            "article_id": row["id"],
            "title": row["title"],
            "text": row["body"],
            "published_at": row["published_at"],
            "crawled_at": row["published_at"],
        }
        for row in rows
    ]
    messages.sort(key=lambda message: (message["crawled_at"], message["article_id"]))
    event_of = {row["article_id"]: row["event"] for row in _table("events2017.tsv")}
    doubtful = frozenset(row["article_id"] for row in _table("doubtful2017.tsv")) - set(event_of)
    pairs = {(row["event_a"], row["event_b"]): row["relation"] for row in _table("sagas2017.tsv")}
    told = {(row["article_a"], row["article_b"]): row["relation"] for row in _table("pairs2017.tsv")}
    return June(messages, event_of, doubtful, pairs, told)


def _table(name: str) -> list[dict[str, str]]:
    with (LABELS / name).open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows, delimiter="\t"))
