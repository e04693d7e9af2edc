"""`machtin story`: what news.stories says of one story, its past, and why an article is in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from services.runtime.codec import RECORD_LIMIT_BYTES, decode
from services.runtime.records import StoryRecord


class UnknownStoryError(Exception):
    """The topic holds no such story, or the story no such article."""


def revisions_of(messages: Iterable[Any], story_id: str) -> list[StoryRecord]:
    """Return the revisions of a story that the topic still holds, oldest first, each once.

    Raises UnknownStoryError. The topic keeps the whole history for days and the last revision for months.
    """
    revisions = {
        record["revision"]: cast(StoryRecord, record)
        for message in messages
        if message.value is not None and message.key == story_id.encode()
        for record in [decode(message.value, RECORD_LIMIT_BYTES)]
    }
    if not revisions:
        raise UnknownStoryError(f"news.stories holds no story {story_id}.")
    return [revisions[number] for number in sorted(revisions)]


def why(revisions: list[StoryRecord], article_id: str) -> list[StoryRecord]:
    """Return the revisions in which an article came into the story, changed it or left it.

    Raises UnknownStoryError for an article that the story never held.
    """
    found = [revision for revision in revisions if revision["change"]["article_id"] == article_id]
    if not found:
        story_id = revisions[-1]["story_id"]
        held = article_id in revisions[-1]["article_ids"]
        raise UnknownStoryError(
            f"The revision of {story_id} in which {article_id} joined is older than what the topic keeps."
            if held
            else f"{story_id} never held {article_id}."
        )
    return found
