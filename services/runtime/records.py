"""The records that travel between services, as typed dictionaries.

A record is the JSON object on the topic, nothing more: no wrapper, no conversion. The JSON Schemas in
`schemas/records/` are the contract for others; a contract test keeps the two in step.

All times are RFC 3339 in UTC with second precision and a final `Z` (`2026-03-02T07:05:00Z`), so that
they sort as strings. All lists that are sets in meaning are sorted.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

Record = dict[str, Any]
"""Any decoded record, where a function does not care which."""

Precision = Literal["second", "day", "month", "year", "received"]
"""How exact `published_at` is; `received` means that no date was given and `received_at` stands in."""

Status = Literal["usable", "withdrawn"]


class CleanArticle(TypedDict):
    """What the normalizer publishes on `news.articles.clean`."""

    article_id: str
    edition: str
    """Who clusters it: one writer holds one edition. By default the language."""
    url: str | None
    canonical_url: str | None
    source: str
    title: str
    lead: str
    text: str
    """Plain NFC text, paragraphs separated by one newline; empty for a withdrawn article."""
    language: str
    """ISO 639-1 code, or `und` where nothing reliable can be said."""
    published_at: str
    published_precision: Precision
    modified_at: str | None
    received_at: str
    status: Status
    derived: list[str]
    """Fields that the crawler did not send and the normalizer inferred, such as `title`."""
    content_hash: str
    """SHA-256 (hex) of the comparison form of `text`: equal for exact copies."""
    authors: list[str]
    categories: list[str]
    tags: list[str]
    image_url: str | None
    extra: Record


class Similarity(TypedDict):
    """Estimated overlap of two texts' shingle sets, each 0..1."""

    jaccard: float
    containment: float
    """Share of the smaller text's shingles that the larger one holds."""


class Closest(TypedDict):
    """An earlier article that shares text without being the original of a copy."""

    article_id: str
    similarity: Similarity


Difference = Literal["added_text", "figures", "lead", "tail", "title"]


class Duplicate(TypedDict):
    """The deduplicator's verdict and the evidence for it."""

    kind: Literal["none", "exact", "near"]
    of: str | None
    """The earliest original, never itself a copy."""
    similarity: Similarity | None
    differs: list[Difference]
    """What is different from `of`, sorted."""
    closest: Closest | None
    """For kind `none`: the earlier article this one builds on (a live update, a bulletin's last issue)."""
    series: str | None
    """Id of the bulletin series (weather, gold price, lottery) this article is an issue of."""


class DeduplicatedArticle(CleanArticle):
    """What the deduplicator publishes on `news.articles.deduplicated`."""

    version: int
    """1 for the first version of `article_id`, one more for each edit or withdrawal."""
    duplicate: Duplicate
    signature: str
    """Base64 of the sampled shingle hashes: what the index is rebuilt from."""


EntityType = Literal["PER", "LOC", "ORG", "MISC"]


class Mention(TypedDict):
    """One occurrence in `text`: character offsets, end exclusive, so that text[start:end] is the text."""

    start: int
    end: int
    text: str


class Entity(TypedDict):
    """One identity named by an article."""

    id: str
    name: str
    type: EntityType
    salience: float
    mentions: list[Mention]


class Keyword(TypedDict):
    """A term and its weight, heaviest first."""

    term: str
    weight: float


class Quote(TypedDict):
    """Reported direct speech."""

    text: str
    speaker: str | None
    """Entity id or name of who said it, where the text tells."""


class EnrichedArticle(DeduplicatedArticle):
    """What the enricher publishes on `news.articles.enriched`."""

    entities: list[Entity]
    keywords: list[Keyword]
    quotes: list[Quote]


ChangeType = Literal[
    "created", "article_added", "merged", "split", "related", "article_retracted", "closed", "reopened"
]


class StoryEntity(TypedDict):
    """An entity of a story, with the number of the story's articles that name it."""

    id: str
    name: str
    type: EntityType
    count: int


class Reasons(TypedDict):
    """The evidence for a join or a link."""

    matched_article: NotRequired[str]
    score: NotRequired[float]
    threshold: NotRequired[float]
    entities: NotRequired[list[str]]
    terms: NotRequired[list[str]]
    quotes: NotRequired[list[str]]


class Change(TypedDict):
    """What this revision changed and why."""

    type: ChangeType
    article_id: str | None
    reason: Record


class RelatedStory(TypedDict):
    """A link to another story of the same saga."""

    story_id: str
    score: float
    reasons: Record


class StoryRecord(TypedDict):
    """What the clusterer publishes on `news.stories`: the whole new state of one story."""

    story_id: str
    revision: int
    edition: str
    state: Literal["open", "closed", "merged"]
    change: Change
    title: str
    lead_article_id: str
    article_ids: list[str]
    article_count: int
    unique_count: int
    reprint_count: int
    source_count: int
    first_published_at: str
    last_published_at: str
    velocity: Record
    entities: list[StoryEntity]
    keywords: list[Keyword]
    related: list[RelatedStory]
    supersedes: list[str]
    merged_into: str | None
