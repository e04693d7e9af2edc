"""Decide which story an article belongs to: records in, records out.

State changes only by `apply`, which takes published records; `decide` looks and never touches. So what the
process knows is what the topic says, and a rebuild from the topic is the same state. A decision is one
record about the article, followed by what that record entails for other stories (`consequences`). If a
crash cuts a decision short, `repair` publishes exactly the missing ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from services.clusterer import story as revisions
from services.clusterer.clock import advance, seconds
from services.clusterer.consequences import Consequences
from services.clusterer.evidence import LEVEL, UNKNOWN, compare, scaled, with_rivals
from services.clusterer.index import NO_NUMBERS, Numbers
from services.clusterer.links import QUOTES_SHARED, link_features, shared
from services.clusterer.memory import Memory, Story
from services.clusterer.parameters import Parameters, load_parameters, probability_of
from services.clusterer.profile import TEXT, Profile, exemplar_of, read
from services.clusterer.quotes import NO_QUOTES, quotes_of, quotes_shared, shared_quotes
from services.clusterer.reshaping import SMALLEST_SPLIT, Group, mutual_odds, weakest_seam
from services.clusterer.sparse import common
from services.clusterer.state import Clock, Exemplar, StoryState
from services.clusterer.tally import MOST_RELATED, add_exemplar, told
from services.clusterer.vectors import Vectorizer, load_background
from services.runtime.editions import language_of
from services.runtime.records import EnrichedArticle, Quote, Record, RelatedStory, StoryRecord

MOST_PHRASES = 6

MERGE_GATE = 0.1
"""How probable a second story must be for the article that joined the first: then the two are compared."""


class Clusterer:
    """The stories of one partition: the editions in it know nothing of each other."""

    def __init__(self, parameters: Parameters | None = None) -> None:
        """Hold no stories. `parameters` are the shipped ones unless given; raises OSError without them."""
        self._parameters = parameters or load_parameters()
        self._editions: dict[str, Edition] = {}

    @property
    def memory_bytes(self) -> int:
        """Bytes allocated by the indices and the packed records."""
        return sum(edition.memory.memory_bytes for edition in self._editions.values())

    @property
    def open_stories(self) -> int:
        """Number of stories that are open."""
        return sum(edition.memory.open_stories for edition in self._editions.values())

    @property
    def known_stories(self) -> int:
        """Number of stories in memory, open or not."""
        return sum(edition.memory.known_stories for edition in self._editions.values())

    @property
    def known_articles(self) -> int:
        """Number of articles in memory."""
        return sum(edition.memory.known_articles for edition in self._editions.values())

    def decide(self, article: EnrichedArticle) -> list[StoryRecord]:
        """Return the records that `article` brings about, in order; none if it brings nothing new."""
        return self.edition(article["edition"]).decide(article)

    def apply(self, record: StoryRecord) -> None:
        """Take over a published record. A revision that is already known changes nothing."""
        self.edition(record["edition"]).memory.apply(cast(StoryState, record))

    def repair(self) -> list[StoryRecord]:
        """Return what a crash left unpublished of the last decision; none if it was complete."""
        return [record for name in sorted(self._editions) for record in self._editions[name].repair()]

    def edition(self, name: str) -> Edition:
        """Return one edition's stories."""
        if name not in self._editions:
            self._editions[name] = Edition(self._parameters, _vectorizer(language_of(name)))
        return self._editions[name]


@cache
def _vectorizer(edition: str) -> Vectorizer:
    return Vectorizer(load_background(edition))


class Candidate(NamedTuple):
    """A story that an article may belong to, and how probable that is."""

    story: Story
    closest: int
    """Position of the exemplar that is closest to the article."""
    values: npt.NDArray[np.float64]
    """Raw, in the order of FEATURES."""
    probability: float


@dataclass(frozen=True)
class Arrival:
    """An article and what it is compared by."""

    article: EnrichedArticle
    exemplar: Exemplar
    profile: Profile
    rare: npt.NDArray[np.bool_]
    clock: Clock


class Edition:
    """The stories of one edition."""

    def __init__(self, parameters: Parameters, vectorizer: Vectorizer) -> None:
        self.memory = Memory(vectorizer, parameters.forget_after_hours)
        self._parameters = parameters
        self._vectorizer = vectorizer
        self._consequences = Consequences(self.memory, parameters, vectorizer)

    def decide(self, article: EnrichedArticle) -> list[StoryRecord]:
        """Return the records that `article` brings about."""
        home = self.memory.story_of(article["article_id"])
        if home:
            first = self._newer_version(home, article)
        elif article["status"] == "withdrawn":
            first = None
        else:
            first = self._placed(self.arrival(article))
        return [first, *self._consequences.of(first)] if first else []

    def repair(self) -> list[StoryRecord]:
        """Return what a crash left unpublished of the last decision."""
        return self._consequences.of(self.memory.last) if self.memory.last else []

    def arrival(self, article: EnrichedArticle) -> Arrival:
        """Return `article` with what it is compared by."""
        exemplar, vector = read(article, self._vectorizer)
        profile = self.memory.profile_of(exemplar, vector)
        rare = self._vectorizer.rare(profile.ids[: profile.offsets[TEXT + 1]])
        return Arrival(article, exemplar, profile, rare, advance(self.memory.clock, article["received_at"]))

    def weighed(self, arrival: Arrival, stories: list[Story]) -> list[Candidate]:
        """Return how probable it is that the article belongs to each story, most probable first."""
        published = arrival.exemplar["published_at"]
        at = seconds(published) if published else UNKNOWN
        seen = compare(arrival.profile, arrival.rare, at, self.memory.compared(stories))
        probabilities = self._parameters.join.probabilities(scaled(seen.values))
        weighed = [*map(Candidate, stories, seen.closest.tolist(), seen.values, probabilities)]
        return sorted(weighed, key=lambda c: (-c.probability, c.story.story_id))

    def join(self, story: Story, arrival: Arrival, reason: Record, near: Numbers) -> StoryState:
        """Return the record of `story` with the article in it."""
        kind: Literal["article_added", "reopened"] = "article_added" if story.open else "reopened"
        new = revisions.joined(story.record, arrival.article, arrival.exemplar, arrival.clock, kind, reason)
        new["related"], ended = self._links(new, arrival, near)
        if ended:
            new["change"]["reason"]["unlinked"] = ended
        return new

    def found(self, arrival: Arrival, reason: Record, near: Numbers) -> StoryState:
        """Return the record of a new story that the article founds."""
        new = revisions.opened(arrival.article, arrival.exemplar, arrival.clock, reason)
        new["related"], _ = self._links(new, arrival, near)
        return new

    def _placed(self, arrival: Arrival) -> StoryState:
        duplicate = arrival.article["duplicate"]
        near = self.memory.near(arrival.profile, self._parameters.link_candidates)
        original = self.memory.story_of(duplicate["of"]) if duplicate["kind"] != "none" else None
        if original and original.article_ids and original.record["article_count"]:
            reason: Record = {
                "matched_article": duplicate["of"],
                "duplicate": duplicate["kind"],
                "probability": 1.0,
                **self._shared(arrival, original),
            }
            return self.join(original, arrival, reason, near)
        if duplicate["series"]:
            # Each issue of a bulletin is an event of its own: it reads like the last one, and like no news.
            last = duplicate["closest"]["article_id"] if duplicate["closest"] else None
            return self.found(arrival, {"series": duplicate["series"], "matched_article": last}, near)
        closest = self.memory.numbered(near[: self._parameters.join_candidates])
        news = [story for story in closest if not story.series]
        weighed = self.weighed(arrival, news)
        threshold = self._parameters.join.threshold
        if weighed and weighed[0].probability >= threshold:
            new = self._joined(arrival, weighed[0], weighed[0].probability, near)
            new["change"]["reason"] |= self._merge_plan(new, weighed[1:]) or self._split_plan(new)
            return new
        merging = self._joined_by_merging(arrival, weighed, near)
        if merging:
            return merging
        reason = {"threshold": threshold}
        if weighed:
            reason["closest_story"] = weighed[0].story.story_id
            reason["probability"] = round(weighed[0].probability, 4)
        return self.found(arrival, reason, near)

    def _joined(self, arrival: Arrival, best: Candidate, probability: float, near: Numbers) -> StoryState:
        reason = {
            "matched_article": best.story.record["exemplars"][best.closest]["article_id"],
            "probability": round(probability, 4),
            "threshold": self._parameters.join.threshold,
            "score": round(float(best.values[1]), 4),
            **self._shared(arrival, best.story, best.closest),
        }
        return self.join(best.story, arrival, reason, near)

    def _joined_by_merging(
        self, arrival: Arrival, weighed: list[Candidate], near: Numbers
    ) -> StoryState | None:
        """Return the best story with the article in it, if that makes it one with a rival of its.

        Two stories of one event are each other's rivals for its next article, which would found a third.
        So it is asked how probable the best one is without the rival; and whether the two are then one.
        """
        rivals = [other for other in weighed[1:] if other.probability >= MERGE_GATE]
        if not rivals:
            return None
        best = weighed[0]
        for rival, alone in zip(rivals, self._probabilities_without(rivals, weighed), strict=True):
            if alone >= self._parameters.join.threshold:
                grown = revisions.copy(best.story.record)
                add_exemplar(grown, arrival.exemplar)
                plan = self._merge_plan(grown, [rival])
                if plan:
                    new = self._joined(arrival, best, alone, near)
                    new["change"]["reason"] |= plan
                    return new
        return None

    def _probabilities_without(self, rivals: list[Candidate], weighed: list[Candidate]) -> list[float]:
        """Return how probable the best story is if one of its rivals were not there, for each of them."""
        best, *others = weighed
        levels = [max((o.values[LEVEL] for o in others if o is not r), default=0.0) for r in rivals]
        rows = np.repeat(best.values[np.newaxis], len(rivals), axis=0)
        return self._parameters.join.probabilities(scaled(with_rivals(rows, np.array(levels))))

    def _merge_plan(self, grown: StoryState, others: list[Candidate]) -> Record:
        """Return with which story one that has just grown is to be merged; nothing if with none.

        `others`: the other stories its newest article was weighed for, most probable first.
        The plan becomes part of the published reason, so that a crash in between does not stop it.
        """
        for other in others:
            if other.probability < MERGE_GATE:
                break
            odds = self.oneness(grown, other.story)
            if odds >= self._parameters.merge_odds:
                merging = round(probability_of(odds), 4)
                return {"merge_with": other.story.story_id, "merge_probability": merging}
        return {}

    def oneness(self, new: StoryState, other: Story) -> float:
        """Return the log-odds that a story, as it has just become, and `other` are one."""
        both = (self.memory.group(new), self.memory.group_of(other))
        return mutual_odds(*both, self._parameters.join, self._vectorizer)

    def _split_plan(self, new: StoryState) -> Record:
        """Return what is to be split off a story that has come to be two; nothing if it has not."""
        if not SMALLEST_SPLIT <= len(new["exemplars"]) == new["unique_count"]:
            return {}
        group = self.memory.group(new)
        sides = weakest_seam(group)
        if sides is None:
            return {}
        stay, leave = (group.part(side) for side in sides)
        odds = mutual_odds(stay, leave, self._parameters.join, self._vectorizer)
        if odds > self._parameters.split_odds:
            return {}
        leaving = [new["exemplars"][i]["article_id"] for i in sides[1]]
        return {"split_off": leaving, "split_probability": round(probability_of(odds), 4)}

    def _newer_version(self, home: Story, article: EnrichedArticle) -> StoryState | None:
        record, article_id, version = home.record, article["article_id"], article["version"]
        known = next((m["version"] for m in record["members"] if m["article_id"] == article_id), 1)
        gone = next((r["version"] for r in record["retracted"] if r["article_id"] == article_id), None)
        if version <= (known if gone is None else gone):
            return None
        clock = advance(self.memory.clock, article["received_at"])
        if article["status"] == "withdrawn":
            if gone is not None:
                return None
            return revisions.retracted(record, article_id, version, clock, {"version": version})
        return revisions.updated(
            record, article, exemplar_of(article, self._vectorizer), clock, {"version": version}
        )

    def _shared(self, arrival: Arrival, story: Story, exemplar: int = 0) -> Record:
        article = told(arrival.article)
        evidence = shared(article, story.record, shared_quotes(quotes_of(article), story.quotes))
        if not evidence["terms"] and story.slots:
            evidence["terms"] = self._phrases(arrival, arrival.profile, story.slots[exemplar])
        return evidence

    def _phrases(self, arrival: Arrival, profile: Profile, slot: int) -> list[str]:
        """Return what `profile` and the exemplar in `slot` share, as it stands in the arrived article."""
        article = arrival.article
        other = self.memory.profile(slot)
        terms = common(profile.ids[: profile.offsets[1]], other.ids[: other.offsets[1]])
        return self._vectorizer.phrases(article["title"], article["text"], terms, MOST_PHRASES)

    def _links(
        self, new: StoryState, arrival: Arrival, near: Numbers
    ) -> tuple[list[RelatedStory], list[str]]:
        """Return the links of `new`, which has just grown, and the stories that it is linked to no more.

        Its newest article makes new ones visible. The old ones are judged anew: what a first short report
        had in common with another story may turn out to be little once there are more.
        """
        links = new["related"]
        me = self.memory.story(new["story_id"])
        ends = [self.memory.current(link["story_id"]) for link in links]
        held = [(k["story_id"], end) for k, end in zip(links, ends, strict=True) if end and end.slots]
        candidates = self.memory.linkable(near, {story.number for story in (me, *ends) if story})
        others = np.array([*(end.number for _, end in held), *candidates.tolist()], dtype=np.int32)
        # A story of which only copies are left, the originals withdrawn, has nothing to be compared by.
        if new["series"] or not len(others) or not new["exemplars"]:
            return links, []
        rule = self._parameters.link
        features = self.compared(new, others)
        kept = rule.probabilities(features[: len(held)]) if held else []
        ended = [
            story_id for (story_id, _), p in zip(held, kept, strict=True) if p < self._parameters.link_kept
        ]
        found: list[RelatedStory] = []
        passed = rule.passed(features[len(held) :])
        stories = self.memory.numbered(candidates[[row for row, _ in passed]])
        for other, (_, probability) in zip(stories, passed, strict=True):
            evidence = shared(new, other.record, shared_quotes(self.memory.quotes_of(new), other.quotes))
            if not evidence["terms"]:
                founder = self.memory.profiles_of(new)[0]
                evidence["terms"] = self._phrases(arrival, founder, other.slots[0])
            reasons = {**evidence, "threshold": rule.threshold}
            found.append({"story_id": other.story_id, "score": round(probability, 4), "reasons": reasons})
        found.sort(key=lambda link: (-link["score"], link["story_id"]))
        links = [link for link in links if link["story_id"] not in ended]
        return [*links, *found][:MOST_RELATED], ended

    def compared(self, new: StoryState, others: Numbers) -> npt.NDArray[np.float64]:
        """Return the features of the link rule for a story and each of the others, a row each.

        `new` has just got an article; the others have articles to be compared with.
        """
        centre, quotes = self.memory.centre_of(new), self.memory.quotes_of(new)
        rare = self._vectorizer.rare(centre.ids[: centre.offsets[TEXT + 1]])
        features = link_features(centre, rare, self.memory.pool.profiles, self.memory.centres(others))
        if quotes is not NO_QUOTES:
            quoting = self.memory.quoting(others)
            theirs = [other.quotes for other in self.memory.numbered(others[quoting])]
            features[quoting, QUOTES_SHARED] = np.log(1.0 + np.array(quotes_shared(quotes, theirs)))
        return features


def warm_up() -> None:
    """Load the tables and compile everything: after this the first article costs no more than others."""
    clusterer = Clusterer()
    memory = clusterer.edition("vi").memory
    quotes: list[Quote] = [{"text": "Cây cầu này sẽ nối đôi bờ mãi mãi về sau", "speaker": None}]
    for number in range(2):
        article = _sample(f"warm-up-{number}", "Cầu mới 12 tỷ đồng khánh thành ngày 2/9")
        for record in clusterer.decide(article | {"quotes": quotes}):
            clusterer.apply(record)
    arrival = clusterer.edition("vi").arrival(_sample("warm-up", "Cầu cũ đóng từ 12 tháng trước"))
    founded = clusterer.edition("vi").found(arrival, {}, NO_NUMBERS)
    last = cast(StoryState, memory.last)
    quotes_shared(quotes_of(last), [quotes_of(last)])
    memory.apply(founded)
    clusterer.edition("vi").compared(founded, memory.near(arrival.profile, 1))
    clusterer.edition("vi").oneness(founded, memory.all_stories()[0])
    weakest_seam(Group([arrival.profile] * SMALLEST_SPLIT, [UNKNOWN] * SMALLEST_SPLIT))
    memory.forget(founded["story_id"])
    memory.compact()


def _sample(article_id: str, text: str) -> EnrichedArticle:
    now = "2026-01-01T00:00:00Z"
    return {
        "article_id": article_id, "edition": "vi", "url": None, "canonical_url": None, "source": "warm-up",
        "title": text, "lead": text, "text": text, "language": "vi", "published_at": now,
        "published_precision": "second", "modified_at": None, "received_at": now, "status": "usable",
        "derived": [], "content_hash": "", "authors": [], "categories": [], "tags": [], "image_url": None,
        "extra": {}, "version": 1, "signature": "", "entities": [], "keywords": [], "quotes": [],
        "duplicate": {
            "kind": "none", "of": None, "similarity": None, "differs": [], "closest": None, "series": None,
        },
    }  # fmt: skip
