"""What the recognition of names passes on: names found, and runs of capital words to be decided."""

from __future__ import annotations

from typing import NamedTuple

from services.enricher.gazetteer import Entry
from services.runtime.records import EntityType


class Span(NamedTuple):
    """A name at tokens[first:last] of a sentence."""

    sentence: int
    first: int
    last: int
    type: EntityType
    entry: Entry | None
    """The identity, where the gazetteer knows it."""
    titled: bool
    """A title or word of address stands before it."""
    variant: str | None = None
    """Country code of a foreign body with a common name: the `RU` of Bộ Ngoại giao Nga (or VN)."""


class Run(NamedTuple):
    """A run of capital words that no table knows."""

    sentence: int
    first: int
    last: int
    keys: tuple[str, ...]
    titled: bool
    certain: EntityType | None
    """What the words right before it say, whatever the other occurrences do."""
    votes: dict[EntityType, float]
    """Evidence of this occurrence's context: it adds up over the article."""
    looks: dict[EntityType, float]
    """Evidence of the form alone and weak evidence: it counts once."""
    weak: bool
    """A single word, or the first of a sentence: taken only where the article names it in full."""
