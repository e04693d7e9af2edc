"""Merging two stories that turn out to be one, splitting one that turns out to be two.

A merge publishes the story that stays, with the other's articles in it, then the other as `merged`: a
redirect that is never reopened. A split publishes the new story, then the old one without its articles. In
this order a crash in between leaves no article without a story, and the record that was published says what
is missing.
"""

from __future__ import annotations

from typing import Literal

from services.clusterer.state import Clock, Exemplar, StoryState
from services.clusterer.story import change, copy, empty_story, remove, revised, story_id_of
from services.clusterer.tally import (
    MOST_RELATED,
    MOST_RETRACTED,
    MOST_SERIES,
    MOST_SUPERSEDED,
    add_article_id,
    add_entities,
    add_exemplar,
    add_keywords,
    add_member,
    add_quotes,
    add_sources,
    refresh,
)
from services.clusterer.vectors import BUCKETS, Vectorizer, from_text
from services.runtime.records import Record, StoryEntity


def stays(a: StoryState, b: StoryState) -> bool:
    """Return whether `a` stays when the two are merged: the larger one does, or the one of smaller id."""
    return (-a["article_count"], a["story_id"]) < (-b["article_count"], b["story_id"])


def merged(stays: StoryState, goes: StoryState, clock: Clock, article_id: str, reason: Record) -> StoryState:
    """Return the revision of `stays` that has taken in `goes`."""
    reason = {**reason, "merged_with": goes["story_id"]}
    new = revised(stays, clock, change("merged", article_id, reason), state="open")
    for other in goes["article_ids"]:
        add_article_id(new, other)
    count: Literal["article_count", "unique_count", "reprint_count"]
    for count in ("article_count", "unique_count", "reprint_count"):
        new[count] += goes[count]
    sources = new["sources"]
    for member in goes["members"]:
        add_member(new, member)
    new["sources"] = sources
    add_sources(new, goes["sources"])
    for exemplar in goes["exemplars"]:
        add_exemplar(new, exemplar)
    add_entities(new, goes["entities"])
    add_keywords(new, goes["keywords"])
    add_quotes(new, goes["quotes"])
    _join_times(new, goes)
    new["retracted"] = [*new["retracted"], *goes["retracted"]][-MOST_RETRACTED:]
    new["series"] = sorted({*new["series"], *goes["series"]})[-MOST_SERIES:]
    superseded = [*new["supersedes"], *goes["supersedes"], goes["story_id"]]
    new["supersedes"] = superseded[-MOST_SUPERSEDED:]
    new["last_received_at"] = max(new["last_received_at"], goes["last_received_at"])
    both = {new["story_id"], goes["story_id"]}
    links = {link["story_id"]: link for link in [*goes["related"], *new["related"]]}
    ranked = sorted(links.values(), key=lambda link: (-link["score"], link["story_id"]))
    new["related"] = [link for link in ranked if link["story_id"] not in both][:MOST_RELATED]
    refresh(new)
    return new


def _join_times(new: StoryState, goes: StoryState) -> None:
    """Set the times of two stories; `refresh` computes them anew where every article is listed."""
    a, b = new["event_times"], goes["event_times"]
    if not a["known"] or (b["known"] and b["known"] > a["known"]):
        new["event_times"] = b | {"known": a["known"] + b["known"]}
    else:
        new["event_times"] = a | {"known": a["known"] + b["known"]}
    for bound, pick in (("oldest", min), ("newest", max)):
        known = [t for t in (a[bound], b[bound]) if t]  # type: ignore[literal-required]
        new["event_times"][bound] = pick(known) if known else None  # type: ignore[literal-required]


def redirect(goes: StoryState, stays: StoryState) -> StoryState:
    """Return the last revision of a story that was merged into another: it holds nothing any more."""
    reason = {"merged_with": stays["story_id"]}
    what = change("merged", stays["change"]["article_id"], reason)
    return revised(
        goes, stays["clock"], what, state="merged", merged_into=stays["story_id"], article_ids=[],
        article_count=0, unique_count=0, reprint_count=0, source_count=0, independent_source_count=0,
        members=[], exemplars=[], sources=[], entities=[], keywords=[], quotes=[], retracted=[], series=[],
        related=[], event_times={"known": 0, "oldest": None, "newest": None, "mean": None},
    )  # fmt: skip


def moving(story: StoryState, originals: list[str]) -> list[str]:
    """Return the articles that leave `story` with `originals`: these and their copies."""
    wanted = set(originals)
    return [m["article_id"] for m in story["members"] if m["article_id"] in wanted or m["copy_of"] in wanted]


def split_off(
    story: StoryState, originals: list[str], clock: Clock, reason: Record, vectorizer: Vectorizer
) -> StoryState:
    """Return the first revision of the story that `originals`, articles of `story`, form from now on.

    Of what `story` keeps only sums of, the new story gets what its own articles name.
    """
    articles = moving(story, originals)
    # The founder may have founded a story before: the old story and its revision make the id unique.
    founder = f"{originals[0]}\n{story['story_id']}\n{story['revision']}"
    story_id = story_id_of(story["edition"], founder, clock["now"])
    new = empty_story(story_id, story["edition"], clock, clock["now"])
    members = [m for m in story["members"] if m["article_id"] in set(articles)]
    new["revision"] = 1
    reason = {**reason, "split_from": story["story_id"]}
    new["change"] = change("split", story["change"]["article_id"], reason)
    new["last_received_at"] = max(min(m["received_at"], clock["now"]) for m in members)
    new["article_count"] = len(members)
    new["reprint_count"] = sum(1 for m in members if m["copy_of"])
    new["unique_count"] = len(members) - new["reprint_count"]
    for member in members:
        add_article_id(new, member["article_id"])
        add_member(new, member)
    exemplars = [e for e in story["exemplars"] if e["article_id"] in set(originals)]
    new["exemplars"] = exemplars
    new["lead_article_id"] = exemplars[0]["article_id"]
    add_entities(new, _named(story["entities"], exemplars))
    terms = set().union(*(from_text(e["vector"]).terms.tolist() for e in exemplars))
    add_keywords(
        new,
        [
            keyword
            for keyword in story["keywords"]
            if terms.intersection(vectorizer.vector("", keyword["term"], BUCKETS).terms.tolist())
        ],
    )
    add_quotes(new, [q for q in story["quotes"] if q["article_id"] in set(articles)])
    new["series"] = list(story["series"])
    refresh(new)
    return new


def _named(entities: list[StoryEntity], exemplars: list[Exemplar]) -> list[StoryEntity]:
    counts = {e["id"]: 0 for e in entities}
    for exemplar in exemplars:
        for name in exemplar["names"]:
            if name["id"] in counts:
                counts[name["id"]] += 1
    return [e | {"count": counts[e["id"]]} for e in entities if counts[e["id"]]]


def without(story: StoryState, new: StoryState) -> StoryState:
    """Return the revision of `story` after `new` was split off it."""
    reason = {**new["change"]["reason"], "split_into": new["story_id"]}
    del reason["split_from"]
    rest = copy(story)
    for article_id in new["article_ids"]:
        remove(rest, article_id)
    rest = revised(rest, new["clock"], change("split", new["change"]["article_id"], reason))
    refresh(rest)
    return rest
