"""`machtin story`: what news.stories says of one story, its past, and why an article is in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from services.runtime.codec import RECORD_LIMIT_BYTES, decode
from services.runtime.records import StoryRecord

LEAVING = ("merged", "split", "article_retracted")
"""Changes by which an article leaves a story. By others it may leave the list of a story with very many."""


class UnknownStoryError(Exception):
    """The topic holds no such story, or the story no such article."""


def records_of(messages: Iterable[Any]) -> Iterator[StoryRecord]:
    """Yield the records of messages of news.stories in order, each once: some may have come twice."""
    seen: set[tuple[str, int]] = set()
    for message in messages:
        if message.value is None:
            continue
        record = cast(StoryRecord, decode(message.value, RECORD_LIMIT_BYTES))
        if (record["story_id"], record["revision"]) not in seen:
            seen.add((record["story_id"], record["revision"]))
            yield record


def revisions_of(records: Iterable[StoryRecord], story_id: str) -> list[StoryRecord]:
    """Return the revisions of a story that the topic still holds, oldest first.

    Raises UnknownStoryError. The topic keeps the whole history for days and the last revision for months.
    """
    revisions = [record for record in records if record["story_id"] == story_id]
    if not revisions:
        raise UnknownStoryError(f"news.stories holds no story {story_id}.")
    return sorted(revisions, key=lambda record: record["revision"])


def why(records: Iterable[StoryRecord], story_id: str, article_id: str) -> list[StoryRecord]:
    """Return the revisions by which an article came into, changed or left stories, oldest first.

    Merges and splits included: the way begins where the article first joined, though that may have been
    another story. The topic may no longer hold that revision: then `change` of the first one returned is
    about something else. Raises UnknownStoryError for an article that the story never held.
    """
    holders: set[str] = set()
    way: list[StoryRecord] = []
    oldest: StoryRecord | None = None
    for record in records:
        if record["story_id"] == story_id:
            oldest = oldest or record
        here = article_id in record["article_ids"]
        was_here = record["story_id"] in holders
        change = record["change"]
        left = was_here and not here and change["type"] in LEAVING
        if left or (here and (not was_here or change["article_id"] == article_id)):
            way.append(record)
        if here:
            holders.add(record["story_id"])
        elif left:
            holders.discard(record["story_id"])
    if oldest is None:
        raise UnknownStoryError(f"news.stories holds no story {story_id}.")
    if not any(record["story_id"] == story_id for record in way):
        raise UnknownStoryError(f"{story_id} never held {article_id}.")
    return way
