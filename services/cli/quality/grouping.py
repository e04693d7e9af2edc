"""Where the articles ended: read from the last revision of every story, merges followed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.runtime.records import Record


@dataclass
class Grouping:
    """What a stream of story records came to."""

    stories: dict[str, Record] = field(default_factory=dict)
    """The last revision of each."""
    first_of: dict[str, str] = field(default_factory=dict)
    """The story that each article was first put into."""
    joins: dict[str, float] = field(default_factory=dict)
    """The probability at which an article joined, by article."""

    def take(self, record: Record) -> None:
        """Count one more revision."""
        story_id, change = record["story_id"], record["change"]
        self.stories[story_id] = record
        article = change["article_id"]
        if change["type"] in ("created", "article_added", "reopened") and article not in self.first_of:
            self.first_of[article] = story_id
            reason = change["reason"]
            if change["type"] != "created" and "probability" in reason and "duplicate" not in reason:
                self.joins[article] = reason["probability"]

    def story_of(self) -> dict[str, str]:
        """Return the story of every article at the end."""
        return {
            article: story_id
            for story_id, record in self.stories.items()
            if record["state"] != "merged"
            for article in record["article_ids"]
        }

    def current(self, story_id: str) -> str:
        """Return the story that `story_id` is part of at the end."""
        while (record := self.stories.get(story_id)) and record["merged_into"]:
            story_id = record["merged_into"]
        return story_id

    def links(self) -> set[frozenset[str]]:
        """Return the pairs of stories of which one names the other as related."""
        pairs = {
            frozenset((self.current(story_id), self.current(link["story_id"])))
            for story_id, record in self.stories.items()
            for link in record["related"]
        }
        return {pair for pair in pairs if len(pair) == 2}

    def moved(self) -> list[str]:
        """Return the articles that a reader finds in another story than the one they first appeared in.

        A merge leads the reader on from one story to the other: only the smaller side of it has moved.
        """
        last = self.story_of()
        return sorted(a for a, story in self.first_of.items() if a in last and last[a] != story)


def grouping_of(records: Iterable[Record]) -> Grouping:
    """Return what records of `news.stories`, in order, came to."""
    grouping = Grouping()
    for record in records:
        grouping.take(record)
    return grouping


def stories_of_labels(label_of: Mapping[str, str], story_of: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the stories that hold articles of each label."""
    found: dict[str, set[str]] = defaultdict(set)
    for article, label in label_of.items():
        found[label] |= {story_of[article]} if article in story_of else set()
    return found
