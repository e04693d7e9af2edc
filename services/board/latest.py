"""The latest state of the latest stories: what the board shows."""

from __future__ import annotations

from services.runtime.records import StoryRecord


class LatestStories:
    """Keeps the last revision of the `capacity` stories that changed last."""

    def __init__(self, capacity: int = 200) -> None:
        self._capacity = capacity
        self._stories: dict[str, StoryRecord] = {}

    def apply(self, record: StoryRecord) -> None:
        """Take a record of news.stories; an older revision than the one known changes nothing."""
        known = self._stories.get(record["story_id"])
        if known is not None and known["revision"] >= record["revision"]:
            return
        self._stories.pop(record["story_id"], None)  # so that the story goes to the end: changed last
        if record["state"] != "merged" and record["article_count"] > 0:
            self._stories[record["story_id"]] = record
        if len(self._stories) > self._capacity:
            del self._stories[next(iter(self._stories))]

    def newest_first(self) -> list[StoryRecord]:
        """Return the stories, the one that changed last first."""
        return list(reversed(self._stories.values()))
