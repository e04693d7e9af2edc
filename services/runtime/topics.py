"""The topics, read from `schemas/topics/*.yaml`: the only place where a topic is declared."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from services.runtime.editions import language_of
from services.runtime.records import Record

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"

RAW = "news.articles.raw"
CLEAN = "news.articles.clean"
DEDUPLICATED = "news.articles.deduplicated"
ENRICHED = "news.articles.enriched"
STORIES = "news.stories"
DEAD = "news.articles.dead"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as declared: its contract, its ownership and its configuration on the cluster."""

    name: str
    description: str
    owner: str
    produced_by: tuple[str, ...]
    consumed_by: tuple[str, ...]
    schema: str | None
    """Name of the JSON Schema in `schemas/records/`; None where the bytes are anybody's."""
    event_type: str | None
    """CloudEvents type of its records."""
    key: str | None
    """The record's field that is the Kafka key."""
    partition_by: Literal["key", "edition"]
    partitions: int
    config: dict[str, str]
    """Topic configuration, in Kafka's own names and units."""

    def key_of(self, record: Record) -> bytes:
        """Return the Kafka key of a record of this topic."""
        if self.key is None:
            raise ValueError(f"{self.name} has no key field: its keys are those of the original messages")
        return str(record[self.key]).encode()

    def partition_of(self, record: Record) -> int | None:
        """Return the partition of a record, or None where the producer's partitioner decides by the key.

        All records of an edition lie in one partition, in the order of the decisions: the output of a
        crashed writer is then always a prefix of what it would have written (docs/design.md). The probe's
        articles go where the real ones of their language go: it measures that way and no other.
        """
        if self.partition_by == "key":
            return None
        return zlib.crc32(language_of(str(record["edition"])).encode()) % self.partitions


@cache
def all_topics() -> dict[str, Topic]:
    """Return every declared topic by name, in the order of the data flow."""
    topics = {}
    for path in SCHEMAS.joinpath("topics").glob("*.yaml"):
        declared = yaml.safe_load(path.read_text(encoding="utf-8"))
        declared["produced_by"] = tuple(declared["produced_by"])
        declared["consumed_by"] = tuple(declared["consumed_by"])
        declared["config"] = {name: str(value) for name, value in declared["config"].items()}
        topics[declared["name"]] = Topic(**declared)
    return {name: topics[name] for name in (RAW, CLEAN, DEDUPLICATED, ENRICHED, STORIES, DEAD)}


def topic(name: str) -> Topic:
    """Return the declaration of a topic; KeyError for one that is not declared."""
    return all_topics()[name]
