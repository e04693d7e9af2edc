"""How a story's record changes: each function returns a new revision and leaves the old one alone.

A revision shares with the one before what did not change. So lists and dictionaries inside a record are
replaced, never changed.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal, cast

from services.clusterer.state import Clock, Exemplar, Member, Retracted, StoryState
from services.clusterer.tally import (
    MOST_RETRACTED,
    MOST_SERIES,
    add_article_id,
    add_entities,
    add_exemplar,
    add_keywords,
    add_member,
    add_quotes,
    count_source,
    entities_of,
    quotes_of,
    refresh,
    remove_names,
    velocity,
)
from services.runtime.records import Change, ChangeType, EnrichedArticle, Record


def story_id_of(edition: str, founder: str, founded_at: str) -> str:
    """Return the id of the story in `edition` that `founder`, an article id, founds at a time of the clock.

    The time makes the id unique: an article that comes again when its story is long forgotten founds another.
    """
    digest = hashlib.sha256(f"{edition}\n{founder}\n{founded_at}".encode("utf-8", "surrogatepass"))
    return f"st-{digest.hexdigest()[:16]}"


def change(kind: ChangeType, article_id: str | None, reason: Record) -> Change:
    """Return the `change` of a revision."""
    return {"type": kind, "article_id": article_id, "reason": reason}


def copy(story: StoryState) -> StoryState:
    """Return a record to set fields of; what the fields hold is shared with `story`."""
    return cast(StoryState, {**story})


def opened(article: EnrichedArticle, exemplar: Exemplar, clock: Clock, reason: Record) -> StoryState:
    """Return the first revision of the story that `article` founds."""
    story_id = story_id_of(article["edition"], article["article_id"], clock["now"])
    empty = empty_story(story_id, article["edition"], clock, article["received_at"])
    empty["title"] = exemplar["title"]
    empty["lead_article_id"] = article["article_id"]
    empty["first_published_at"] = empty["last_published_at"] = article["published_at"]
    new = _with_article(empty, article, exemplar, clock)
    new["change"] = change("created", article["article_id"], reason)
    return new


def empty_story(story_id: str, edition: str, clock: Clock, received_at: str) -> StoryState:
    """Return revision 0 of a story, which is never published: nothing in it yet."""
    return {
        "story_id": story_id,
        "revision": 0,
        "edition": edition,
        "state": "open",
        "change": change("created", None, {}),
        "title": "",
        "lead_article_id": "",
        "article_ids": [],
        "article_count": 0,
        "unique_count": 0,
        "reprint_count": 0,
        "source_count": 0,
        "independent_source_count": 0,
        "first_published_at": received_at,
        "last_published_at": received_at,
        "last_received_at": min(received_at, clock["now"]),
        "velocity": {},
        "entities": [],
        "keywords": [],
        "quotes": [],
        "related": [],
        "supersedes": [],
        "merged_into": None,
        "clock": clock,
        "event_times": {"known": 0, "oldest": None, "newest": None, "mean": None},
        "members": [],
        "exemplars": [],
        "sources": [],
        "retracted": [],
        "series": [],
    }


def joined(
    story: StoryState,
    article: EnrichedArticle,
    exemplar: Exemplar,
    clock: Clock,
    kind: Literal["article_added", "reopened"],
    reason: Record,
) -> StoryState:
    """Return the revision of `story` after `article` joined it."""
    new = _with_article(copy(story), article, exemplar, clock)
    new["change"] = change(kind, article["article_id"], reason)
    new["state"] = "open"
    return new


def revised(story: StoryState, clock: Clock, what: Change, **fields: Any) -> StoryState:
    """Return the next revision of `story` with `what` as its change and some fields replaced."""
    new = copy(story)
    new["revision"] += 1
    new["change"] = what
    new["clock"] = clock
    new.update(fields)  # type: ignore[typeddict-item]
    new["velocity"] = velocity(new)
    return new


def retracted(story: StoryState, article_id: str, version: int, clock: Clock, reason: Record) -> StoryState:
    """Return the revision of `story` after `article_id` was withdrawn; a story without articles is closed."""
    gone: Retracted = {"article_id": article_id, "version": version}
    new = revised(story, clock, change("article_retracted", article_id, reason))
    new["retracted"] = [*new["retracted"], gone][-MOST_RETRACTED:]
    remove(new, article_id)
    if not new["article_count"]:
        new["state"] = "closed"
    refresh(new)
    return new


def updated(
    story: StoryState, article: EnrichedArticle, exemplar: Exemplar, clock: Clock, reason: Record
) -> StoryState:
    """Return the revision of `story` after a newer version of one of its articles arrived.

    The article stays where it is and counts once. If it had been withdrawn it comes back; keywords, of which
    a story keeps only sums, are those of the first version.
    """
    new = copy(story)
    article_id = article["article_id"]
    new["retracted"] = [r for r in new["retracted"] if r["article_id"] != article_id]
    again = article_id in new["article_ids"]
    if again:
        remove(new, article_id)
    new = _with_article(new, article, exemplar, clock, again)
    new["change"] = change("article_added", article_id, reason)
    if not story["article_count"]:
        new["change"]["type"], new["state"] = "reopened", "open"
    return new


def _with_article(
    new: StoryState, article: EnrichedArticle, exemplar: Exemplar, clock: Clock, again: bool = False
) -> StoryState:
    duplicate = article["duplicate"]
    # A copy of something that is not in this story tells it something new.
    copy_of = duplicate["of"] if duplicate["of"] in new["article_ids"] else None
    new["revision"] += 1
    new["clock"] = clock
    new["article_count"] += 1
    new["reprint_count" if copy_of else "unique_count"] += 1
    add_article_id(new, article["article_id"])
    member: Member = {
        "article_id": article["article_id"],
        "version": article["version"],
        "received_at": article["received_at"],
        "published_at": exemplar["published_at"],
        "source": article["source"],
        "copy_of": copy_of,
    }
    add_member(new, member)
    new["last_received_at"] = max(new["last_received_at"], min(article["received_at"], clock["now"]))
    add_entities(new, entities_of(article))
    if not again:
        add_keywords(new, article["keywords"])
    if not copy_of:
        add_exemplar(new, exemplar)
        add_quotes(new, quotes_of(article))
    if duplicate["series"]:
        new["series"] = sorted({*new["series"], duplicate["series"]})[-MOST_SERIES:]
    refresh(new, exemplar["published_at"])
    return new


def remove(new: StoryState, article_id: str) -> None:
    """Take an article out of a record. What a story keeps only sums of (keywords) stays."""
    new["article_ids"] = [i for i in new["article_ids"] if i != article_id]
    new["article_count"] -= 1
    member = next((m for m in new["members"] if m["article_id"] == article_id), None)
    new["reprint_count" if member and member["copy_of"] else "unique_count"] -= 1
    if member:
        new["members"] = [m for m in new["members"] if m["article_id"] != article_id]
        count_source(new, member, -1)
    for exemplar in new["exemplars"]:
        if exemplar["article_id"] == article_id:
            remove_names(new, exemplar)
    new["exemplars"] = [e for e in new["exemplars"] if e["article_id"] != article_id]
    new["quotes"] = [q for q in new["quotes"] if q["article_id"] != article_id]
