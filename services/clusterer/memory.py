"""What an edition's stories are remembered as: the latest record of each, and what it is searched by.

Everything here follows from the published records, and changes only when one is applied.
"""

from __future__ import annotations

import bisect
import hashlib
from collections.abc import Iterable
from typing import cast

import numpy as np
import numpy.typing as npt
import orjson

from services.clusterer.clock import seconds, shifted
from services.clusterer.evidence import Profiles, Times, cohesion_of, joined, times_of
from services.clusterer.index import Index
from services.clusterer.links import quotes_of
from services.clusterer.profile import TEXT, Profile, profile_of
from services.clusterer.reshaping import Group, profile_at
from services.clusterer.state import Clock, StoryState
from services.clusterer.vectors import Vectorizer


class Story:
    """A story's latest record, packed, and the profiles of its exemplars."""

    __slots__ = (
        "article_ids", "cohesion", "data", "exemplar_ids", "lead", "links", "merged_into", "open", "profiles",
        "published", "quotes", "revision", "series", "slots", "story_id", "terms", "times", "touched_at",
        "unique_count",
    )  # fmt: skip

    def __init__(self, record: StoryState, profiles: list[Profile]) -> None:
        self.story_id = record["story_id"]
        self.data = orjson.dumps(record)
        self.revision = record["revision"]
        self.open = record["state"] == "open"
        self.merged_into = record["merged_into"]
        self.article_ids = [*record["article_ids"], *(r["article_id"] for r in record["retracted"])]
        self.exemplar_ids = [e["article_id"] for e in record["exemplars"]]
        self.lead = next(
            (i for i, e in enumerate(record["exemplars"]) if e["article_id"] == record["lead_article_id"]), 0
        )
        self.links = frozenset(link["story_id"] for link in record["related"])
        self.series = frozenset(record["series"])
        self.touched_at = record["last_received_at"]
        self.unique_count = record["unique_count"]
        times = record["event_times"]
        self.times: Times | None = times_of(times["newest"], times["oldest"], times["mean"])
        self.terms = [p.ids[: p.offsets[TEXT + 1]] for p in profiles]
        self.profiles: Profiles | None = joined(profiles) if profiles else None
        self.cohesion = cohesion_of(self.profiles) if self.profiles else 0.0
        self.quotes = quotes_of(record)
        self.slots: list[int] = []
        self.published = [
            seconds(e["published_at"]) if e["published_at"] else None for e in record["exemplars"]
        ]

    @property
    def record(self) -> StoryState:
        """A fresh copy of the record, the caller's to change."""
        return cast(StoryState, orjson.loads(self.data))

    @property
    def whole(self) -> bool:
        """Whether every original article of the story is an exemplar."""
        return len(self.exemplar_ids) == self.unique_count

    def group(self, positions: Iterable[int] | None = None) -> Group:
        """Return (some of) the exemplars as articles to compare."""
        if self.profiles is None:
            return Group([], [])
        chosen = list(range(len(self.exemplar_ids)) if positions is None else positions)
        return Group([profile_at(self.profiles, i) for i in chosen], [self.published[i] for i in chosen])

    @property
    def representatives(self) -> npt.NDArray[np.int64]:
        """Positions of the founder's and the lead article's exemplars."""
        return np.array([0] if self.lead == 0 else [0, self.lead])


class Memory:
    """The stories of one edition, those that were closed not too long ago included."""

    def __init__(self, vectorizer: Vectorizer, forget_after_hours: float) -> None:
        self.vectorizer = vectorizer
        self.clock: Clock | None = None
        self.last: StoryState | None = None
        """The newest record, which tells whether a decision was published whole."""
        self.index = Index()
        self._forget_after_hours = forget_after_hours
        self._stories: dict[str, Story] = {}
        self._story_of: dict[str, str] = {}
        self._of_document: dict[int, str] = {}
        self._by_age: list[tuple[str, str]] = []
        self._open_by_age: list[tuple[str, str]] = []

    @property
    def open_stories(self) -> int:
        """Number of open stories."""
        return len(self._open_by_age)

    @property
    def known_stories(self) -> int:
        """Number of stories in memory."""
        return len(self._stories)

    @property
    def known_articles(self) -> int:
        """Number of articles in memory."""
        return len(self._story_of)

    def story(self, story_id: str) -> Story | None:
        """Return a story, or None if it is unknown or long forgotten."""
        return self._stories.get(story_id)

    def current(self, story_id: str) -> Story | None:
        """Return the story that `story_id` is part of today: merges followed."""
        story = self._stories.get(story_id)
        while story is not None and story.merged_into is not None:
            story = self._stories.get(story.merged_into)
        return story

    def story_of(self, article_id: str | None) -> Story | None:
        """Return the story that holds (or held, if it was withdrawn) an article."""
        return self._stories.get(self._story_of.get(article_id or "", ""))

    def story_of_document(self, document: int) -> Story:
        """Return the story whose exemplar a document of the index is."""
        return self._stories[self._of_document[document]]

    def idle(self, before: str) -> list[tuple[str, str]]:
        """Return (last received at, story id) of the open stories that got nothing since, longest first."""
        return self._open_by_age[: bisect.bisect_left(self._open_by_age, (before, ""))]

    def apply(self, record: StoryState) -> None:
        """Remember a record; a revision that is known already changes nothing."""
        story_id = record["story_id"]
        known = self._stories.get(story_id)
        if known and known.revision >= record["revision"]:
            return
        self.clock = record["clock"]
        self.last = record
        if known:
            self._remove(known)
        self._add(record)
        limit = (shifted(self.clock["now"], -self._forget_after_hours), "")
        for _, old in self._by_age[: bisect.bisect_left(self._by_age, limit)]:
            self._remove(self._stories[old])

    def story_from(self, record: StoryState) -> Story:
        """Return what `record` would be remembered as."""
        return Story(record, [profile_of(e, self.vectorizer) for e in record["exemplars"]])

    def _add(self, record: StoryState) -> None:
        story = self.story_from(record)
        self._stories[story.story_id] = story
        for article_id in story.article_ids:
            self._story_of[article_id] = story.story_id
        age = (story.touched_at, story.story_id)
        bisect.insort(self._by_age, age)
        if story.open:
            bisect.insort(self._open_by_age, age)
        for article_id, profile in zip(story.exemplar_ids, story.group().profiles, strict=True):
            words = profile.offsets[TEXT + 1]
            slot = self.index.add(_key(article_id), profile.ids[:words], profile.weights[:words])
            story.slots.append(slot)
            self._of_document[slot] = story.story_id

    def _remove(self, story: Story) -> None:
        del self._stories[story.story_id]
        for article_id in story.article_ids:
            if self._story_of.get(article_id) == story.story_id:
                del self._story_of[article_id]
        age = (story.touched_at, story.story_id)
        del self._by_age[bisect.bisect_left(self._by_age, age)]
        if story.open:
            del self._open_by_age[bisect.bisect_left(self._open_by_age, age)]
        for slot, terms in zip(story.slots, story.terms, strict=True):
            self.index.remove(slot, terms)
            del self._of_document[slot]


def _key(article_id: str) -> int:
    digest = hashlib.blake2b(article_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")
