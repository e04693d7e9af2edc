"""The real pipeline, many times over the same articles: names and keywords are found once an article.

What the enricher adds depends on the text alone, and costs most. So it is remembered by article; all else
(dates, copies, stories) is done anew for every stream, by the stages of `services.topology`.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from services.cli.pipeline import Pipeline
from services.clusterer.cluster import Clusterer
from services.clusterer.parameters import Parameters
from services.runtime.codec import encode
from services.runtime.records import Record
from services.runtime.settings import Settings
from services.runtime.stage import StatefulStage, StatelessStage, Transform
from services.runtime.topics import ENRICHED, STORIES
from services.topology import STAGES, load_stage

FOUND = ("entities", "keywords", "quotes")
"""What the enricher adds to an article."""


class Rehearsal:
    """Streams of articles through the pipeline."""

    def __init__(self, cache: Path | None = None) -> None:
        """Load the enricher. `cache`: a pickle of our own making that keeps what it found between runs."""
        self._cache = cache
        self._found: dict[bytes, Record] = {}
        if cache and cache.is_file():
            self._found = pickle.loads(cache.read_bytes())
        self._enrich: Transform | None = None

    def articles(self, messages: Iterable[Record]) -> Iterator[Record]:
        """Yield the enriched articles that follow from raw messages."""
        yield from self._run(messages, STAGES[:-1], None, ENRICHED)

    def stories(self, messages: Iterable[Record], parameters: Parameters | None = None) -> Iterator[Record]:
        """Yield the story records that follow from raw messages, by the shipped parameters or others."""
        yield from self._run(messages, STAGES, parameters, STORIES)

    def save(self) -> None:
        """Write the cache."""
        if self._cache:
            self._cache.write_bytes(pickle.dumps(self._found))

    def _run(
        self, messages: Iterable[Record], names: Iterable[str], parameters: Parameters | None, topic: str
    ) -> Iterator[Record]:
        stages = []
        for name in names:
            stage = load_stage(name)
            if isinstance(stage, StatelessStage) and name == "enricher":
                stage = replace(stage, load=lambda: self._remembering)
            if isinstance(stage, StatefulStage) and name == "clusterer" and parameters:
                stage = replace(stage, new_state=lambda: Clusterer(parameters))
            stages.append(stage)
        pipeline = Pipeline(Settings(), stages)
        for message in messages:
            for carried in pipeline.feed(encode(message)):
                if carried.topic == topic and isinstance(carried.value, dict):
                    yield carried.value

    def _remembering(self, article: Record, arrived_at: datetime) -> list[Record]:
        """Return the article enriched: a transform that asks the real one for what it has not seen."""
        said = f"{article['article_id']}\n{article['title']}\n{article['text']}"
        key = hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest()
        if key not in self._found:
            if self._enrich is None:
                stage: Any = load_stage("enricher")
                self._enrich = stage.load()
            (enriched,) = self._enrich(article, arrived_at)
            self._found[key] = {name: enriched[name] for name in FOUND}
        return [{**article, **self._found[key]}]
