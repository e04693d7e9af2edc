"""What a story record carries beyond the subscriber's fields: all that the clusterer's memory is made of."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from services.runtime.records import Keyword, Quote, StoryEntity, StoryRecord


class Member(TypedDict):
    """One article of a story. Only the founder and the newest ones are listed (see `story.MOST_MEMBERS`)."""

    article_id: str
    version: int
    received_at: str
    published_at: str | None
    """Null where the article's own date is unknown or absurd."""
    source: str
    copy_of: str | None


class Name(TypedDict):
    """An entity that an article is about, and how much it says: rarity of the name times its salience."""

    id: str
    weight: float
    in_title: NotRequired[bool]
    """True where the title names it."""


class Exemplar(TypedDict):
    """What a story keeps of one of its articles, to compare new articles and other stories with."""

    article_id: str
    title: str
    published_at: str | None
    """Null where the article's own date is not known to the day."""
    names: list[Name]
    numbers: list[str]
    dates: list[str]
    """Days that the article names, as `day/month`."""
    title_words: NotRequired[str]
    """What the title says beside names, in small letters; left out where no name stands in it."""
    vector: str
    """Its words: base64 of one number per term, see `services.clusterer.vectors`."""


class StorySource(TypedDict):
    """How much of a story one source wrote."""

    name: str
    articles: int
    originals: int
    """Articles that are not copies of an earlier one."""


class StoryQuote(Quote):
    """A quote and the first article of the story that carried it."""

    article_id: str


class Told(TypedDict):
    """What an article or a story says by name."""

    entities: list[StoryEntity]
    keywords: list[Keyword]
    quotes: list[StoryQuote]


class EventTimes(TypedDict):
    """Known publication times of a story's articles; null where none is known."""

    known: int
    oldest: str | None
    newest: str | None
    mean: str | None


class Clock(TypedDict):
    """Event time as the clusterer saw it at this decision."""

    now: str
    recent: list[str]
    """`received_at` of the newest articles decided, oldest first: `now` is their median, never going back."""


class Retracted(TypedDict):
    """An article that was withdrawn, so that its earlier versions, delivered again, stay out."""

    article_id: str
    version: int


class StoryState(StoryRecord):
    """The record on `news.stories`: `StoryRecord` and what the next decision needs to know."""

    independent_source_count: int
    last_received_at: str
    clock: Clock
    event_times: EventTimes
    members: list[Member]
    exemplars: list[Exemplar]
    """The founder first; at most `story.MOST_EXEMPLARS`, the most different ones."""
    quotes: list[StoryQuote]
    sources: list[StorySource]
    retracted: list[Retracted]
    series: list[str]
    """Bulletin series that the story holds an issue of."""
