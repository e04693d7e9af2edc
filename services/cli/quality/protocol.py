"""The stream protocol of the development data, and the scores: the same for us and for every peer."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from services.runtime.records import Record
from services.runtime.times import to_text

START = datetime(2016, 5, 1, tzinfo=UTC)
DAYS = 60
MEAN_DELAY_HOURS = 36.0
NOISE = 5000


@dataclass(frozen=True, slots=True)
class Item:
    """One article of the development data; `cluster` is None for noise."""

    article_id: str
    title: str
    text: str
    cluster: str | None


@dataclass(frozen=True, slots=True)
class Dataset:
    """Articles, and what is said about pairs of clusters: related, topical, same_event or borderline."""

    items: list[Item]
    pairs: dict[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An article and the moment at which it reaches the system."""

    item: Item
    moment: datetime

    def raw(self) -> Record:
        """Return the message a crawler would have sent."""
        time = to_text(self.moment)
        return {
            "article_id": self.item.article_id,
            "title": self.item.title,
            "text": self.item.text,
            "published_at": time,
            "crawled_at": time,
        }


class Scores(NamedTuple):
    """B-Cubed over the labelled articles. The counts are fractions where a mean is taken."""

    precision: float
    recall: float
    f1: float
    noise: float | None
    """Noise articles in stories that hold a labelled one, None where nobody knows which are noise."""
    stories: float
    """Stories that hold a labelled article."""


def load_dataset(directory: Path) -> Dataset:
    """Read vims.jsonl.gz, stream2017.jsonl.gz and vims_pairs.tsv. Raises OSError where one is missing."""
    items = []
    for name in ("vims.jsonl.gz", "stream2017.jsonl.gz"):
        with gzip.open(directory / name, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                items.append(Item(row["id"], row["title"] or "", row["body"], row.get("cluster")))
    with (directory / "vims_pairs.tsv").open(encoding="utf-8", newline="") as rows:
        table = csv.DictReader(rows, delimiter="\t")
        pairs = {(row["cluster_a"], row["cluster_b"]): row["relation"] for row in table}
    return Dataset(items, pairs)


def stream(
    items: list[Item],
    seed: int,
    noise: int = NOISE,
    days: int = DAYS,
    mean_delay_hours: float = MEAN_DELAY_HOURS,
) -> list[Arrival]:
    """Return the arrivals in order: clusters start uniformly, their articles follow exponentially delayed."""
    rng = random.Random(seed)
    starts: dict[str, float] = {}
    timed: list[tuple[float, Item]] = []
    for item in items:
        if item.cluster is not None:
            start = starts.setdefault(item.cluster, rng.uniform(0, days * 24))
            timed.append((start + rng.expovariate(1 / mean_delay_hours), item))
    unlabelled = [item for item in items if item.cluster is None]
    rng.shuffle(unlabelled)
    timed += [(rng.uniform(0, days * 24), item) for item in unlabelled[:noise]]
    timed.sort(key=lambda pair: (pair[0], pair[1].article_id))
    return [Arrival(item, START + timedelta(hours=hours)) for hours, item in timed]


def score(clusters: Mapping[str, str], noise: set[str] | None, story_of: Mapping[str, str]) -> Scores:
    """Compare a grouping with the labels.

    `clusters`: label by article; `noise`: the articles of no event, if known; `story_of`: story by article.
    An article without a story counts as a story of its own.
    """
    stories = {article: story_of.get(article, f"\0{article}") for article in clusters}
    together = Counter((stories[a], clusters[a]) for a in clusters)
    per_story = Counter(stories.values())
    per_cluster = Counter(clusters.values())
    shares = [
        (together[stories[a], clusters[a]], per_story[stories[a]], per_cluster[clusters[a]]) for a in clusters
    ]
    precision = sum(n / story for n, story, _ in shares) / len(shares)
    recall = sum(n / cluster for n, _, cluster in shares) / len(shares)
    f1 = 2 * precision * recall / (precision + recall)
    strays = None if noise is None else sum(story_of.get(article) in per_story for article in noise)
    return Scores(precision, recall, f1, strays, len(per_story))


def linked_share(
    pairs: Mapping[tuple[str, str], str],
    relation: str,
    stories_of_cluster: Mapping[str, set[str]],
    linked: Callable[[str, str], bool],
) -> float:
    """Return the share of cluster pairs of a `relation` of which any two stories are linked.

    Clusters in one story are not linked: for related ones that is a miss, for topical ones see B-Cubed.
    """
    wanted = [pair for pair, what in sorted(pairs.items()) if what == relation]
    hits = sum(
        any(linked(a, b) for a in sorted(stories_of_cluster[x]) for b in sorted(stories_of_cluster[y]))
        for x, y in wanted
    )
    return hits / len(wanted) if wanted else 0.0
