"""What an edition's stories are remembered as: the latest record of each, and what it is searched by.

Everything here follows from the published records, and changes only when one is applied.
"""

from __future__ import annotations

import bisect
import hashlib
import zlib
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
from services.clusterer.vectors import Terms, Vectorizer

COMPRESSION = 1
"""zlib's level for the records of closed stories, which are many and seldom looked at: half is left."""


class Story:
    """A story's latest record, packed, and the profiles of its exemplars."""

    __slots__ = (
        "article_ids", "cohesion", "data", "exemplar_ids", "lead", "links", "merged_into", "open", "profiles",
        "quotes", "revision", "slots", "story_id", "times", "touched_at", "unique_count",
    )  # fmt: skip

    def __init__(self, record: StoryState, profiles: Profiles | None, cohesion: float) -> None:
        self.story_id = record["story_id"]
        self.open = record["state"] == "open"
        packed = orjson.dumps(record)
        self.data = packed if self.open else zlib.compress(packed, COMPRESSION)
        self.revision = record["revision"]
        self.merged_into = record["merged_into"]
        self.article_ids = (*record["article_ids"], *(r["article_id"] for r in record["retracted"]))
        self.exemplar_ids = tuple(e["article_id"] for e in record["exemplars"])
        lead = record["lead_article_id"]
        self.lead = self.exemplar_ids.index(lead) if lead in self.exemplar_ids else 0
        self.links = frozenset(link["story_id"] for link in record["related"])
        self.touched_at = record["last_received_at"]
        self.unique_count = record["unique_count"]
        times = record["event_times"]
        self.times: Times | None = times_of(times["newest"], times["oldest"], times["mean"])
        self.profiles = profiles
        self.cohesion = cohesion
        self.quotes = quotes_of(record)
        self.slots: tuple[int, ...] = ()
        """Documents of the index that the exemplars are."""

    @property
    def record(self) -> StoryState:
        """A fresh copy of the record, the caller's to change."""
        return cast(StoryState, orjson.loads(self.data if self.open else zlib.decompress(self.data)))

    @property
    def terms(self) -> list[Terms]:
        """The words of each exemplar, by which the index knows it."""
        if self.profiles is None:
            return []
        ids, offsets = self.profiles.ids, self.profiles.offsets.tolist()
        return [ids[offsets[5 * i] : offsets[5 * i + TEXT + 1]] for i in range(len(self.exemplar_ids))]

    def profile(self, position: int) -> Profile:
        """Return the profile of one exemplar. Raises IndexError for a story without any."""
        if self.profiles is None:
            raise IndexError(position)
        return profile_at(self.profiles, position)

    def group(self, positions: Iterable[int] | None = None) -> Group:
        """Return (some of) the exemplars as articles to compare."""
        exemplars = self.record["exemplars"]
        chosen = list(range(len(exemplars)) if positions is None else positions)
        times = [exemplars[i]["published_at"] for i in chosen]
        return Group([self.profile(i) for i in chosen], [seconds(time) if time else None for time in times])

    @property
    def representatives(self) -> npt.NDArray[np.int64]:
        """Positions of the founder's and the lead article's exemplars."""
        return np.array([0] if self.lead == 0 else [0, self.lead])


Positions = list[int | None]
"""For each exemplar of a record, where an earlier revision had the same one."""


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
        self._replace(known, record)
        limit = (shifted(self.clock["now"], -self._forget_after_hours), "")
        for _, old in self._by_age[: bisect.bisect_left(self._by_age, limit)]:
            self._forget(self._stories[old])

    def story_from(self, record: StoryState) -> Story:
        """Return what `record` would be remembered as."""
        known = self._stories.get(record["story_id"])
        return self._story_from(record, known, _unchanged(record, known))

    def _story_from(self, record: StoryState, known: Story | None, unchanged: Positions) -> Story:
        if known and unchanged == list(range(len(known.exemplar_ids))):
            return Story(record, known.profiles, known.cohesion)
        profiles = [
            known.profile(position)
            if known and position is not None
            else profile_of(exemplar, self.vectorizer)
            for exemplar, position in zip(record["exemplars"], unchanged, strict=True)
        ]
        whole = joined(profiles) if profiles else None
        return Story(record, whole, cohesion_of(whole) if whole else 0.0)

    def _replace(self, known: Story | None, record: StoryState) -> None:
        """Put `record` in the place of `known`. What both have in common (articles, exemplars) stays put."""
        unchanged = _unchanged(record, known)
        story = self._story_from(record, known, unchanged)
        self._stories[story.story_id] = story
        if known:
            self._forget_articles(known, set(story.article_ids))
            self._forget_age(known)
            self._forget_documents(known, {p for p in unchanged if p is not None})
        for article_id in story.article_ids:
            self._story_of[article_id] = story.story_id
        age = (story.touched_at, story.story_id)
        bisect.insort(self._by_age, age)
        if story.open:
            bisect.insort(self._open_by_age, age)
        slots = []
        for article_id, position, i in zip(story.exemplar_ids, unchanged, range(len(unchanged)), strict=True):
            if known and position is not None:
                slots.append(known.slots[position])
                continue
            profile = story.profile(i)
            words = profile.offsets[TEXT + 1]
            slot = self.index.add(_key(article_id), profile.ids[:words], profile.weights[:words])
            self._of_document[slot] = story.story_id
            slots.append(slot)
        story.slots = tuple(slots)

    def _forget(self, story: Story) -> None:
        del self._stories[story.story_id]
        self._forget_articles(story, set())
        self._forget_age(story)
        self._forget_documents(story, set())

    def _forget_articles(self, story: Story, kept: set[str]) -> None:
        for article_id in story.article_ids:
            if article_id not in kept and self._story_of.get(article_id) == story.story_id:
                del self._story_of[article_id]

    def _forget_age(self, story: Story) -> None:
        age = (story.touched_at, story.story_id)
        del self._by_age[bisect.bisect_left(self._by_age, age)]
        if story.open:
            del self._open_by_age[bisect.bisect_left(self._open_by_age, age)]

    def _forget_documents(self, story: Story, kept: set[int]) -> None:
        for position, (slot, terms) in enumerate(zip(story.slots, story.terms, strict=True)):
            if position not in kept:
                self.index.remove(slot, terms)
                del self._of_document[slot]


def _unchanged(record: StoryState, known: Story | None) -> Positions:
    """Return, for each exemplar of `record`, its position among those of `known`, None if it is not there."""
    if known is None or not known.exemplar_ids:
        return [None] * len(record["exemplars"])
    before = {e["article_id"]: (i, e) for i, e in enumerate(known.record["exemplars"])}
    positions: Positions = []
    for exemplar in record["exemplars"]:
        position, same = before.get(exemplar["article_id"], (None, None))
        positions.append(position if same == exemplar else None)
    return positions


def _key(article_id: str) -> int:
    digest = hashlib.blake2b(article_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")
