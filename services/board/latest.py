"""The latest state of the latest stories, and how each came about: what the board shows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from services.runtime.records import Change, StoryRecord

CHANGES_KEPT = 200
"""Changes remembered of a story; the topic has them all."""


@dataclass(slots=True)
class BoardStory:
    """A story as it is now, and what happened to it, oldest first, by revision."""

    record: StoryRecord
    changes: deque[tuple[int, Change]] = field(default_factory=lambda: deque(maxlen=CHANGES_KEPT))


class LatestStories:
    """Keeps the `capacity` stories that changed last, and where merged ones went."""

    def __init__(self, capacity: int = 500) -> None:
        self._capacity = capacity
        self._stories: dict[str, BoardStory] = {}
        self._redirects: dict[str, str] = {}

    def apply(self, record: StoryRecord) -> None:
        """Take a record of news.stories; an older revision than the one known changes nothing."""
        story_id = record["story_id"]
        story = self._stories.get(story_id)
        if story is None:
            story = BoardStory(record)
        elif story.record["revision"] >= record["revision"]:
            return
        story.record = record
        story.changes.append((record["revision"], record["change"]))
        self._stories.pop(story_id, None)  # so that the story goes to the end: changed last
        if record["merged_into"] is not None:
            self._redirects[story_id] = record["merged_into"]
        elif record["article_count"] > 0:
            self._stories[story_id] = story
        for kept in (self._stories, self._redirects):
            if len(kept) > self._capacity:
                del kept[next(iter(kept))]

    def newest_first(self) -> list[StoryRecord]:
        """Return the stories, the one that changed last first."""
        return [story.record for story in reversed(list(self._stories.values()))]

    def story(self, story_id: str) -> BoardStory | None:
        """Return a story, or the one it was merged into; None if the board does not know it."""
        for _ in range(len(self._redirects) + 1):
            if story_id not in self._redirects:
                break
            story_id = self._redirects[story_id]
        return self._stories.get(story_id)
