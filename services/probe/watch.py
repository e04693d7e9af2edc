"""What became of a planting, told from the records that any subscriber can read. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from services.probe.planting import EDITION, Planting, Role
from services.runtime.records import Duplicate, Record, StoryRecord
from services.runtime.topics import CLEAN, DEDUPLICATED, ENRICHED, STORIES

WAY: Mapping[str, str] = {
    CLEAN: "normalizer",
    DEDUPLICATED: "deduplicator",
    ENRICHED: "enricher",
    STORIES: "clusterer",
}
"""The topics that an article comes by, and who writes each."""

Check = Literal[
    "exact_copy", "near_copy", "no_copy", "same_story", "related_linked", "unrelated_apart", "withdrawn"
]
"""A copy is called an exact copy of the original; the copy with small changes a near one of it; what is no
copy is called none; all reports of one event are in one story; its sequel is in another story, and the two
are linked; what has nothing to do with them is in a story without a link to them; what is taken back leaves
its story."""
CHECKS: tuple[Check, ...] = get_args(Check)

Outcome = Literal["right", "wrong", "lost"]
Result = Literal["right", "wrong", "unknown"]
"""`unknown`: an article that the check is about got lost."""

_ONE_EVENT: tuple[Role, ...] = ("original", "copy", "near", "report")


class Stories:
    """The stories of the probe's edition that hold articles: none, between two plantings."""

    def __init__(self) -> None:
        self._stories: dict[str, StoryRecord] = {}

    def apply(self, record: StoryRecord) -> None:
        """Take a record of news.stories; other editions' are left out, older revisions too."""
        known = self._stories.get(record["story_id"])
        if record["edition"] != EDITION or (known and known["revision"] > record["revision"]):
            return
        if _alive(record):
            self._stories[record["story_id"]] = record
        else:
            self._stories.pop(record["story_id"], None)

    @property
    def article_ids(self) -> list[str]:
        """The articles that are in a story, sorted."""
        return sorted(i for story in self._stories.values() for i in story["article_ids"])

    def story_of(self, article_id: str) -> StoryRecord | None:
        """Return the story that an article is in."""
        return next((s for s in self._stories.values() if article_id in s["article_ids"]), None)


def _alive(story: StoryRecord) -> bool:
    return story["state"] != "merged" and story["article_count"] > 0


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one planting."""

    name: str
    latencies_s: Mapping[str, float]
    """From the sending of an article to the first record of a story with it, by article id."""
    lost: Mapping[str, str]
    """The stage that an article had not come out of in time, by article id."""
    verdicts: Mapping[Check, Result]

    @property
    def outcome(self) -> Outcome:
        """The planting as a whole: the worst that can be said of it."""
        if self.lost:
            return "lost"
        return "wrong" if "wrong" in self.verdicts.values() else "right"


class Watch:
    """Follows the articles of one planting through the topics."""

    def __init__(self, planting: Planting, sent_at_s: Mapping[str, float]) -> None:
        """`sent_at_s`: when each article was sent, by its id, on any clock."""
        self._planting = planting
        self._sent_at_s = sent_at_s
        self._seen: dict[str, set[str]] = {article_id: set() for article_id in planting.ids}
        self._duplicates: dict[str, Duplicate] = {}
        self.latencies_s: dict[str, float] = {}
        """From the sending of an article to the first record of a story with it, by article id."""

    def see(self, topic: str, record: Record, at_s: float) -> None:
        """Take a record of one of the topics of `WAY`, read at `at_s` on the clock of `sent_at_s`."""
        if topic == STORIES:
            for article_id in self._seen.keys() & set(record["article_ids"]):
                self._seen[article_id].add(topic)
                self.latencies_s.setdefault(article_id, at_s - self._sent_at_s[article_id])
        elif record["article_id"] in self._seen:
            self._seen[record["article_id"]].add(topic)
            if topic == DEDUPLICATED and record["status"] == "usable":
                self._duplicates[record["article_id"]] = record["duplicate"]

    @property
    def complete(self) -> bool:
        """Whether every article has come into a story."""
        return not self.lost()

    def lost(self) -> dict[str, str]:
        """Return the stage that each missing article has not come out of, by article id."""
        return {
            article_id: next(stage for topic, stage in WAY.items() if topic not in seen)
            for article_id, seen in self._seen.items()
            if STORIES not in seen
        }

    def verdicts(self, stories: Stories) -> dict[Check, Result]:
        """Return what is right and wrong about copies and stories, before anything is taken back."""
        return {
            "exact_copy": self._is_copy("copy", "exact"),
            "near_copy": self._is_copy("near", "near"),
            "no_copy": _together(
                [self._is_copy(role, "none") for role in ("original", "report", "related", "other")]
            ),
            **self._stories_are_right(stories),
        }

    def _is_copy(self, role: Role, kind: str) -> Result:
        found = self._duplicates.get(self._planting.id_of(role))
        if found is None:
            return "unknown"
        of = None if kind == "none" else self._planting.id_of("original")
        return "right" if (found["kind"], found["of"]) == (kind, of) else "wrong"

    def _stories_are_right(self, stories: Stories) -> dict[Check, Result]:
        found = {role: stories.story_of(self._planting.id_of(role)) for role in self._planting.articles}
        if None in found.values():
            unknown: Result = "unknown"
            return {"same_story": unknown, "related_linked": unknown, "unrelated_apart": unknown}
        at = cast(dict[Role, StoryRecord], found)
        event, sequel, other = at["original"], at["related"], at["other"]
        one = {at[role]["story_id"] for role in _ONE_EVENT} == {event["story_id"]}
        linked = sequel["story_id"] != event["story_id"] and _linked(event, sequel)
        apart = other["story_id"] not in (event["story_id"], sequel["story_id"]) and not (
            _linked(other, event) or _linked(other, sequel)
        )
        return {
            "same_story": _result(one),
            "related_linked": _result(linked),
            "unrelated_apart": _result(apart),
        }


def _linked(one: StoryRecord, other: StoryRecord) -> bool:
    """Tell whether either story names the other: the second record of a link follows the first."""
    return any(link["story_id"] == other["story_id"] for link in one["related"]) or any(
        link["story_id"] == one["story_id"] for link in other["related"]
    )


def _result(holds: bool) -> Result:
    return "right" if holds else "wrong"


def _together(results: list[Result]) -> Result:
    """Return what several results say as one: any wrong one counts, else any unknown one."""
    return next(
        (said for said in results if said == "wrong"), next((r for r in results if r != "right"), "right")
    )
