"""Streams of enriched articles for the clusterer's tests: the gold corpora, and what newsrooms do."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import services.cli
from services.cli.pipeline import Pipeline
from services.clusterer.cluster import Clusterer
from services.clusterer.parameters import Parameters, load_parameters
from services.runtime.codec import decode, encode
from services.runtime.records import EnrichedArticle, StoryRecord
from services.runtime.settings import Settings
from services.runtime.topics import ENRICHED

GOLD = sorted(Path(services.cli.__file__).parent.joinpath("gold_corpus").glob("*.jsonl"))
LIMIT = 1 << 22


@cache
def gold_articles() -> tuple[EnrichedArticle, ...]:
    """Return the articles of the gold corpora as the enricher publishes them."""
    pipeline = Pipeline(Settings())
    return tuple(
        cast(EnrichedArticle, carried.value)
        for corpus in GOLD
        for line in corpus.read_bytes().splitlines()
        for carried in pipeline.feed(line)
        if carried.topic == ENRICHED
    )


def unruly(articles: Iterable[EnrichedArticle], seed: int) -> list[EnrichedArticle]:
    """Return the articles with some late, some sent again, edited, withdrawn, brought back or copied."""
    dice = random.Random(seed)
    stream: list[tuple[float, EnrichedArticle]] = []
    for place, article in enumerate(articles):
        late = dice.choice([0, 0, 0, 0, 0, 0, 0, 0, 5, 40]) * dice.random()
        stream.append((place + late, article))
        after = place + late + 20 * dice.random()
        match dice.randrange(12):
            case 0:
                stream.append((after, article))
            case 1:
                text = f"{article['text']}\nBài viết được cập nhật lúc {place % 24} giờ."
                stream.append((after, changed(article, version=article["version"] + 1, text=text)))
            case 2:
                gone = {"version": article["version"] + 1, "status": "withdrawn", "text": "", "title": ""}
                stream.append((after, changed(article, entities=[], keywords=[], quotes=[], **gone)))
                if dice.random() < 0.5:
                    back = changed(article, version=article["version"] + 2)
                    stream.append((after + 10 * dice.random(), back))
            case 3:
                stream.append((after, copy_of(article, f"{article['article_id']}-chep-lai")))
    return [article for _, article in sorted(stream, key=lambda each: each[0])]


def changed(article: EnrichedArticle, **fields: Any) -> EnrichedArticle:
    """Return an article with some fields replaced."""
    return cast(EnrichedArticle, {**article, **fields})


def copy_of(article: EnrichedArticle, article_id: str, source: str = "Báo Chép Lại") -> EnrichedArticle:
    """Return another source's copy of an article."""
    original = article["duplicate"]["of"] or article["article_id"]
    duplicate = {**article["duplicate"], "kind": "exact", "of": original}
    return changed(article, article_id=article_id, source=source, duplicate=duplicate)


def restless(merge_odds: float = 0.0, split_odds: float = 1.0) -> Parameters:
    """Return parameters with which stories merge and split, are linked and unlinked often."""
    return replace(load_parameters(), merge_odds=merge_odds, split_odds=split_odds, link_kept=0.9)


def through_bytes(record: StoryRecord) -> StoryRecord:
    """Return a record as it comes back from the topic."""
    return cast(StoryRecord, decode(encode(cast(dict[str, Any], record)), LIMIT))


def as_bytes(records: Iterable[StoryRecord]) -> list[bytes]:
    """Return what the topic holds."""
    return [encode(cast(dict[str, Any], record)) for record in records]


def decisions(clusterer: Clusterer, articles: Iterable[EnrichedArticle]) -> list[list[StoryRecord]]:
    """Return what each article brings about, applied as the service applies it."""
    made = []
    for article in articles:
        records = clusterer.decide(article)
        for record in records:
            clusterer.apply(record)
        made.append(records)
    return made
