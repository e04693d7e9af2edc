"""What an edition's stories are remembered as: the latest record of each, and what it is searched by.

Everything here follows from the published records, and changes only when one is applied.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import cast

import numpy as np
import numpy.typing as npt
import orjson

from services.clusterer.ages import Ages
from services.clusterer.centre import centre_of
from services.clusterer.clock import seconds, shifted
from services.clusterer.evidence import UNKNOWN, Compared, cohesion_of, times_of
from services.clusterer.index import Index, Numbers, grown
from services.clusterer.pool import Pool
from services.clusterer.profile import TEXT, Profile, profile_of
from services.clusterer.quotes import NO_QUOTES, Quotes, quotes_of
from services.clusterer.reshaping import Group
from services.clusterer.state import Clock, Exemplar, StoryQuote, StoryState
from services.clusterer.tally import MOST_RELATED
from services.clusterer.vectors import Vector, Vectorizer

DOCUMENTS_PER_STORY = 4
"""How many index documents are asked for, per story wanted: a story has several exemplars."""

COMPRESSION = 1
"""zlib's level for the records of closed stories, which are many and seldom looked at: half is left."""


class Story:
    """A story's latest record, packed, and what it is compared by."""

    __slots__ = (
        "article_ids", "cohesion", "data", "links", "merged_into", "number", "open", "published", "quotes",
        "revision", "series", "slots", "story_id", "times", "touched_at", "unique_count",
    )  # fmt: skip

    def __init__(self, record: StoryState, number: int, quotes: Quotes) -> None:
        self.story_id = record["story_id"]
        self.number = number
        """The group of its documents in the index."""
        self.open = record["state"] == "open"
        packed = orjson.dumps(record)
        self.data = packed if self.open else zlib.compress(packed, COMPRESSION)
        self.revision = record["revision"]
        self.merged_into = record["merged_into"]
        self.article_ids = (*record["article_ids"], *(r["article_id"] for r in record["retracted"]))
        self.links = frozenset(link["story_id"] for link in record["related"])
        self.series = tuple(record["series"])
        self.touched_at = record["last_received_at"]
        self.unique_count = record["unique_count"]
        times = record["event_times"]
        self.times = times_of(times["newest"], times["oldest"], times["mean"])
        self.published = tuple(_published(exemplar) for exemplar in record["exemplars"])
        self.cohesion = 0.0
        self.quotes = quotes
        self.slots: tuple[int, ...] = ()
        """The exemplars, as documents of the index. Where their profiles are in the pool, see `_own`."""

    @property
    def record(self) -> StoryState:
        """The record, unpacked. It is shared: fields of a copy may be set, what they hold never changed."""
        return _unpacked(self)


@lru_cache(maxsize=64)
def _unpacked(story: Story) -> StoryState:
    """Return a story's record. Cached: one decision asks for the same few records several times."""
    return cast(StoryState, orjson.loads(story.data if story.open else zlib.decompress(story.data)))


class Memory:
    """The stories of one edition, those that were closed not too long ago included."""

    def __init__(self, vectorizer: Vectorizer, forget_after_hours: int) -> None:
        self.vectorizer = vectorizer
        self.clock: Clock | None = None
        self.last: StoryState | None = None
        """The newest record, which tells whether a decision was published whole."""
        self.index = Index()
        self.pool = Pool()
        self._forget_after_hours = forget_after_hours
        self._stories: dict[str, Story] = {}
        self._story_of: dict[str, str] = {}
        self._by_number: list[Story | None] = []
        self._free_numbers: list[int] = []
        self._centres = np.zeros(1024, dtype=np.int64)
        """What a story is linked by, a slot of the pool: the sum of its exemplars, or the only one."""
        self._linkable = np.zeros(1024, dtype=np.bool_)
        """Whether it has room for a link. Issues of a bulletin never have: they are alike, and no saga."""
        self._quoting = np.zeros(1024, dtype=np.bool_)
        """Whether it has quotes."""
        self._latest: tuple[Exemplar, Profile] | None = None
        self._latest_quotes: tuple[list[StoryQuote], Quotes] = ([], NO_QUOTES)
        self._latest_centre: tuple[list[Exemplar], Profile] | None = None
        self._ages = Ages()
        self._open_ages = Ages()
        self._packed_bytes = 0

    @property
    def memory_bytes(self) -> int:
        """Bytes of the index, the profiles and the packed records: what grows with the stories."""
        return self.index.memory_bytes + self.pool.memory_bytes + self._packed_bytes

    @property
    def open_stories(self) -> int:
        """Number of open stories."""
        return len(self._open_ages)

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

    def all_stories(self) -> list[Story]:
        """Return every story in memory."""
        return list(self._stories.values())

    def current(self, story_id: str) -> Story | None:
        """Return the story that `story_id` is part of today: merges followed."""
        story = self._stories.get(story_id)
        while story is not None and story.merged_into is not None:
            story = self._stories.get(story.merged_into)
        return story

    def story_of(self, article_id: str | None) -> Story | None:
        """Return the story that holds (or held, if it was withdrawn) an article."""
        return self._stories.get(self._story_of.get(article_id or "", ""))

    def near(self, profile: Profile, most: int) -> Numbers:
        """Return up to `most` stories whose exemplars share most with an article, best first."""
        words = profile.offsets[TEXT + 1]
        ids, weights = profile.ids[:words], profile.weights[:words]
        return self.index.search(ids, weights, most * DOCUMENTS_PER_STORY, most)

    def numbered(self, numbers: Numbers) -> list[Story]:
        """Return the stories that have these numbers at present."""
        return [cast(Story, self._by_number[number]) for number in numbers.tolist()]

    def linkable(self, numbers: Numbers, known: set[int]) -> Numbers:
        """Return which stories can get one more link; `known`: the numbers of those that need none."""
        free = numbers[self._linkable[numbers]]
        return free[[number not in known for number in free.tolist()]] if known else free

    def quoting(self, numbers: Numbers) -> npt.NDArray[np.intp]:
        """Return at which places of `numbers` there are stories with quotes."""
        return np.flatnonzero(self._quoting[numbers])

    def centres(self, numbers: Numbers) -> npt.NDArray[np.int64]:
        """Return what the stories are linked by: slots of the pool."""
        return self._centres[numbers]

    def idle(self, before: str) -> list[tuple[str, str]]:
        """Return (last received at, story id) of the open stories that got nothing since, longest first."""
        return self._open_ages.before(before)

    def apply(self, record: StoryState) -> None:
        """Remember a record; a revision that is known already changes nothing."""
        story_id = record["story_id"]
        known = self._stories.get(story_id)
        if known and known.revision >= record["revision"]:
            return
        self.clock = record["clock"]
        self.last = record
        self._replace(known, record)
        for _, old in self._ages.before(shifted(self.clock["now"], -self._forget_after_hours)):
            self.forget(old)

    def compact(self) -> None:
        """Give back the room of what was forgotten."""
        self.index.compact()
        self.pool.compact()

    def profile_of(self, exemplar: Exemplar, vector: Vector | None = None) -> Profile:
        """Return the profile of any exemplar; `vector`: the exemplar's, if it is at hand.

        The last one is kept: what is decided on is then applied.
        """
        if self._latest is None or self._latest[0] != exemplar:
            self._latest = (exemplar, profile_of(exemplar, self.vectorizer, vector))
        return self._latest[1]

    def profile(self, slot: int) -> Profile:
        """Return the profile of an exemplar."""
        return self.pool.profiles.profile(_own(slot))

    def quotes_of(self, record: StoryState) -> Quotes:
        """Return what a record's quotes are compared by. The last ones are kept, as above."""
        if self._latest_quotes[0] is not record["quotes"]:
            self._latest_quotes = (record["quotes"], quotes_of(record))
        return self._latest_quotes[1]

    def centre_of(self, record: StoryState) -> Profile:
        """Return what the story of a record, published or about to be, is linked by."""
        return self._centre(record["exemplars"], lambda: self.profiles_of(record))

    def _centre(self, exemplars: list[Exemplar], profiles: Callable[[], list[Profile]]) -> Profile:
        """Return the centre of exemplars. The last one is kept, as above."""
        if self._latest_centre is None or self._latest_centre[0] != exemplars:
            self._latest_centre = (exemplars, centre_of(profiles()))
        return self._latest_centre[1]

    def group(self, record: StoryState) -> Group:
        """Return the exemplars of a record, published or about to be, as articles to compare."""
        return Group(self.profiles_of(record), [_published(exemplar) for exemplar in record["exemplars"]])

    def group_of(self, story: Story) -> Group:
        """Return the exemplars of a story as articles to compare."""
        return Group([self.profile(slot) for slot in story.slots], list(story.published))

    def profiles_of(self, record: StoryState) -> list[Profile]:
        """Return the profiles of the exemplars of a record, published or about to be."""
        kept = _kept(record, self._stories.get(record["story_id"]))
        return [
            self.profile_of(exemplar) if slot is None else self.profile(slot)
            for exemplar, slot in zip(record["exemplars"], kept, strict=True)
        ]

    def compared(self, stories: Sequence[Story]) -> Compared:
        """Return what an article is compared with to find out whether it belongs to one of `stories`."""
        return Compared(
            self.pool.profiles,
            np.array([_own(slot) for story in stories for slot in story.slots], dtype=np.int64),
            np.array([*accumulate((len(story.slots) for story in stories), initial=0)], dtype=np.int64),
            np.array([story.times for story in stories], dtype=np.int64).reshape(-1, 3),
            np.array([story.unique_count for story in stories], dtype=np.int64),
            np.array([story.cohesion for story in stories]),
        )

    def _replace(self, known: Story | None, record: StoryState) -> None:
        """Put `record` in the place of `known`. What both have in common (articles, exemplars) stays put."""
        number = known.number if known else self._new_number()
        story = self._by_number[number] = Story(record, number, self.quotes_of(record))
        self._linkable[number] = len(story.links) < MOST_RELATED and not story.series
        self._quoting[number] = story.quotes is not NO_QUOTES
        kept = _kept(record, known)
        self._stories[story.story_id] = story
        self._packed_bytes += len(story.data)
        if known:
            self._packed_bytes -= len(known.data)
            self._forget_articles(known, set(story.article_ids))
            self._forget_age(known)
            self._forget_documents(known, {slot for slot in kept if slot is not None})
        for article_id in story.article_ids:
            self._story_of[article_id] = story.story_id
        self._ages.add(story.story_id, story.touched_at)
        if story.open:
            self._open_ages.add(story.story_id, story.touched_at)
        story.slots = tuple(
            self._remember(exemplar, number) if slot is None else slot
            for exemplar, slot in zip(record["exemplars"], kept, strict=True)
        )
        if known and None not in kept and story.slots == known.slots:  # a freed slot may be used again
            story.cohesion = known.cohesion
            return
        self._forget_centre(known)
        if len(story.slots) > 1:
            profiles = self.pool.profiles
            story.cohesion = cohesion_of(profiles, np.array([_own(slot) for slot in story.slots]))
            self._centres[number] = _sum(story.slots[0])
            centre = self._centre(record["exemplars"], lambda: [self.profile(slot) for slot in story.slots])
            self.pool.put(_sum(story.slots[0]), centre)
        elif story.slots:
            self._centres[number] = _own(story.slots[0])

    def _new_number(self) -> int:
        if self._free_numbers:
            return self._free_numbers.pop()
        self._by_number.append(None)
        if len(self._by_number) > len(self._centres):
            self._centres, self._linkable = grown(self._centres), grown(self._linkable)
            self._quoting = grown(self._quoting)
        return len(self._by_number) - 1

    def _remember(self, exemplar: Exemplar, number: int) -> int:
        profile = self.profile_of(exemplar)
        words = profile.offsets[TEXT + 1]
        key = _key(exemplar["article_id"])
        slot = self.index.add(key, number, profile.ids[:words], profile.weights[:words])
        self.pool.put(_own(slot), profile)
        return slot

    def forget(self, story_id: str) -> None:
        """Forget a story. Raises KeyError if it is unknown."""
        story = self._stories.pop(story_id)
        self._packed_bytes -= len(story.data)
        self._forget_articles(story, set())
        self._forget_age(story)
        self._forget_documents(story, set())
        self._forget_centre(story)
        self._by_number[story.number] = None
        self._free_numbers.append(story.number)

    def _forget_articles(self, story: Story, kept: set[str]) -> None:
        for article_id in story.article_ids:
            if article_id not in kept and self._story_of.get(article_id) == story.story_id:
                del self._story_of[article_id]

    def _forget_age(self, story: Story) -> None:
        self._ages.remove(story.story_id, story.touched_at)
        if story.open:
            self._open_ages.remove(story.story_id, story.touched_at)

    def _forget_documents(self, story: Story, kept: set[int]) -> None:
        for slot in story.slots:
            if slot not in kept:
                profile = self.profile(slot)
                self.index.remove(slot, profile.ids[: profile.offsets[TEXT + 1]])
                self.pool.remove(_own(slot))

    def _forget_centre(self, story: Story | None) -> None:
        if story and len(story.slots) > 1:
            self.pool.remove(_sum(story.slots[0]))


def _published(exemplar: Exemplar) -> int:
    """Return when an exemplar was published, in seconds since the epoch, or UNKNOWN."""
    time = exemplar["published_at"]
    return seconds(time) if time else UNKNOWN


def _own(document: int) -> int:
    """Return where in the pool the profile of a document of the index is."""
    return 2 * document


def _sum(document: int) -> int:
    """Return where in the pool the centre is of the story whose first exemplar is a document of the index."""
    return 2 * document + 1


def _kept(record: StoryState, known: Story | None) -> list[int | None]:
    """Return, for each exemplar of `record`, the slot in which `known` has the same one, None if none."""
    if known is None or not known.slots:
        return [None] * len(record["exemplars"])
    exemplars = zip(known.record["exemplars"], known.slots, strict=True)
    before = {exemplar["article_id"]: (exemplar, slot) for exemplar, slot in exemplars}
    slots = []
    for exemplar in record["exemplars"]:
        same, slot = before.get(exemplar["article_id"], (None, None))
        slots.append(slot if same == exemplar else None)
    return slots


def _key(article_id: str) -> int:
    digest = hashlib.blake2b(article_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")
