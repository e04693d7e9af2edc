"""What a watcher of the topics can say about a run: counts, stories, links, latencies."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from services.runtime.events import Headers, arrived_at_ms_of
from services.runtime.records import Record, StoryRecord
from services.runtime.topics import DEAD, DEDUPLICATED, RAW, STORIES


@dataclass(slots=True)
class Tally:
    """Counts the records of all topics as they come by."""

    seen: Counter[str] = field(default_factory=Counter)
    """Messages by topic."""
    copies: dict[str, str] = field(default_factory=dict)
    """Kind of copy by article id."""
    stories: dict[str, StoryRecord] = field(default_factory=dict)
    """The last revision of every story, the one that changed last at the end."""
    latencies_s: dict[str, float] = field(default_factory=dict)
    """Time from the broker's receipt of a raw article to the first story record that holds it."""
    first_raw_ms: int | None = None
    last_story_ms: int | None = None

    def add(self, topic: str, record: Record | None, headers: Headers, timestamp_ms: int) -> None:
        """Count one message; `record` is None for a dead letter or a tombstone."""
        self.seen[topic] += 1
        if topic == RAW and self.first_raw_ms is None:
            self.first_raw_ms = timestamp_ms
        if record is None:
            return
        if topic == DEDUPLICATED and record["duplicate"]["kind"] != "none":
            self.copies[record["article_id"]] = record["duplicate"]["kind"]
        if topic == STORIES:
            self._add_story(record, headers, timestamp_ms)

    def _add_story(self, record: Record, headers: Headers, timestamp_ms: int) -> None:
        self.last_story_ms = timestamp_ms
        article = record["change"]["article_id"]
        if article is not None and article not in self.latencies_s:
            arrived_at_ms = arrived_at_ms_of(headers, timestamp_ms)
            self.latencies_s[article] = max(0, timestamp_ms - arrived_at_ms) / 1000
        self.stories.pop(record["story_id"], None)
        self.stories[record["story_id"]] = record  # type: ignore[assignment]  # validated where it was made

    @property
    def dead(self) -> int:
        """Number of dead letters."""
        return self.seen[DEAD]

    def live_stories(self) -> list[StoryRecord]:
        """Return the stories that hold articles, the one that changed last first."""
        return [
            story
            for story in reversed(self.stories.values())
            if story["state"] != "merged" and story["article_count"] > 0
        ]

    def links(self) -> set[tuple[str, str]]:
        """Return the pairs of stories that are linked, each once."""
        return {
            (min(story["story_id"], link["story_id"]), max(story["story_id"], link["story_id"]))
            for story in self.live_stories()
            for link in story["related"]
        }

    def articles_per_second(self) -> float:
        """Return articles in stories per second, from the first raw article to the last story record."""
        if self.first_raw_ms is None or self.last_story_ms is None or self.last_story_ms <= self.first_raw_ms:
            return 0.0
        return len(self.latencies_s) * 1000 / (self.last_story_ms - self.first_raw_ms)

    def latency_s(self, share: float) -> float:
        """Return the latency that `share` (0..1) of the articles did not exceed; 0 without articles."""
        ordered = sorted(self.latencies_s.values())
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
