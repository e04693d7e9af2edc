"""What a story counts: sources, entities, keywords, quotes, times.

Each function sets fields of the given record; what the fields held is shared with older revisions and stays
as it was.

All bounds that keep a record small are here: with names of usual length a story of any size stays below
64 KiB, beside the ids of its articles.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from services.clusterer.clock import seconds, shifted, time_text
from services.clusterer.state import Exemplar, Member, StoryQuote, StorySource, StoryState, Told
from services.clusterer.vectors import cosines, from_text
from services.runtime.records import EnrichedArticle, Entity, Keyword, Record, StoryEntity

MOST_ARTICLE_IDS = 800
"""Of a larger story the founder and the newest are listed; `article_count` counts all."""
MOST_MEMBERS = 60
MOST_EXEMPLARS = 8
MOST_ENTITIES = 40
MOST_KEYWORDS = 24
MOST_QUOTES = 12
QUOTE_CHARACTERS = 300
MOST_SOURCES = 40
MOST_RETRACTED = 40
MOST_RELATED = 16
MOST_SUPERSEDED = 40
MOST_SERIES = 4
NAME_CHARACTERS = 80
"""Names, ids of entities, keywords and sources come from outside: what is longer is cut."""

_ID = itemgetter("id")

LEAD_BONUS = 0.02
"""How much closer to the others (mean cosine) an article must be before it takes over the title."""


def add_article_id(new: StoryState, article_id: str) -> None:
    """List one more article; the second oldest makes room."""
    ids = [*new["article_ids"], article_id]
    new["article_ids"] = ids if len(ids) <= MOST_ARTICLE_IDS else [ids[0], *ids[2:]]


def add_member(new: StoryState, member: Member) -> None:
    """List one more article in detail and count its source."""
    members = [*new["members"], member]
    new["members"] = members if len(members) <= MOST_MEMBERS else [members[0], *members[2:]]
    count_source(new, member, 1)


def count_source(new: StoryState, member: Member, by: int) -> None:
    """Count an article of a source in (`by` = 1) or out (-1)."""
    name = member["source"][:NAME_CHARACTERS]
    add_sources(new, [{"name": name, "articles": by, "originals": 0 if member["copy_of"] else by}])


def add_sources(new: StoryState, more: list[StorySource]) -> None:
    """Add another story's counts."""
    counted: dict[str, StorySource] = {s["name"]: s for s in new["sources"]}
    for source in more:
        known = counted.get(source["name"], {"name": source["name"], "articles": 0, "originals": 0})
        counted[source["name"]] = {
            "name": source["name"],
            "articles": known["articles"] + source["articles"],
            "originals": known["originals"] + source["originals"],
        }
    new["sources"] = _ranked_sources(list(counted.values()))


def _ranked_sources(sources: list[StorySource]) -> list[StorySource]:
    kept = [s for s in sources if s["articles"] > 0]
    return sorted(kept, key=lambda s: (-s["articles"], s["name"]))[:MOST_SOURCES]


def entities_of(article: EnrichedArticle) -> list[StoryEntity]:
    """Return what one article adds to a story's entities, the most salient ones, each once."""
    found: dict[str, StoryEntity] = {}
    by_id: list[Entity] = sorted(article["entities"], key=_ID)
    ranked = sorted(by_id, key=itemgetter("salience"), reverse=True)
    for entity in ranked[:MOST_ENTITIES]:
        key = entity["id"][:NAME_CHARACTERS]
        found.setdefault(
            key, {"id": key, "name": entity["name"][:NAME_CHARACTERS], "type": entity["type"], "count": 1}
        )
    return list(found.values())


def add_entities(new: StoryState, more: list[StoryEntity]) -> None:
    """Add counts by entity; the most frequent ones stay."""
    counted: dict[str, StoryEntity] = {e["id"]: e for e in new["entities"]}
    for entity in more:
        known = counted.get(entity["id"])
        counted[entity["id"]] = {**known, "count": known["count"] + entity["count"]} if known else entity
    new["entities"] = _ranked_entities(counted.values())[:MOST_ENTITIES]


def _ranked_entities(entities: Iterable[StoryEntity]) -> list[StoryEntity]:
    return sorted(sorted(entities, key=_ID), key=itemgetter("count"), reverse=True)


def remove_names(new: StoryState, gone: Exemplar) -> None:
    """Count out the entities that an exemplar names: those that its article is about."""
    ids = {name["id"] for name in gone["names"]}
    left: list[StoryEntity] = [{**e, "count": e["count"] - (e["id"] in ids)} for e in new["entities"]]
    new["entities"] = _ranked_entities(e for e in left if e["count"] > 0)


def add_keywords(new: StoryState, more: list[Keyword]) -> None:
    """Add weights by keyword; the heaviest ones stay, of equal ones the first in the alphabet."""
    counted = {k["term"]: k["weight"] for k in new["keywords"]}
    for keyword in more:
        term = keyword["term"][:NAME_CHARACTERS]
        known = counted.get(term)
        counted[term] = keyword["weight"] if known is None else round(known + keyword["weight"], 4)
    ranked = sorted(sorted(counted), key=counted.__getitem__, reverse=True)[:MOST_KEYWORDS]
    new["keywords"] = [{"term": term, "weight": counted[term]} for term in ranked]


def add_quotes(new: StoryState, more: list[StoryQuote]) -> None:
    """Keep quotes as long as there is room: the first ones reported."""
    new["quotes"] = [*new["quotes"], *more][:MOST_QUOTES]


def quotes_of(article: EnrichedArticle) -> list[StoryQuote]:
    """Return an article's quotes as a story keeps them."""
    return [
        {
            "text": quote["text"][:QUOTE_CHARACTERS],
            "speaker": quote["speaker"][:NAME_CHARACTERS] if quote["speaker"] else None,
            "article_id": article["article_id"],
        }
        for quote in article["quotes"][:MOST_QUOTES]
    ]


def told(article: EnrichedArticle) -> Told:
    """Return what an article alone says, as a story of it would."""
    return {
        "entities": sorted(entities_of(article), key=_ID),
        "keywords": article["keywords"][:MOST_KEYWORDS],
        "quotes": quotes_of(article),
    }


def add_exemplar(new: StoryState, exemplar: Exemplar) -> None:
    """Keep one more article to compare with; the most redundant one makes room, never the founder."""
    kept = [*new["exemplars"], exemplar]
    if len(kept) > MOST_EXEMPLARS:
        del kept[_most_redundant(kept)]
    new["exemplars"] = kept


def _most_redundant(exemplars: list[Exemplar]) -> int:
    """Return the position of the exemplar that is closest to another one."""
    similar = cosines([from_text(e["vector"]) for e in exemplars])
    closest = [max(row[:i] + row[i + 1 :]) if i else -1.0 for i, row in enumerate(similar)]
    return max(range(len(closest)), key=lambda i: (closest[i], -i))


def refresh(new: StoryState, dated: str | None = None) -> None:
    """Recompute what follows from the rest: sources, times, velocity, lead article and title.

    `dated`: the known publication time of an article just added; needed for a story with more articles
    than are listed in detail, whose mean can only be moved.
    """
    new["source_count"] = len(new["sources"])
    new["independent_source_count"] = sum(1 for s in new["sources"] if s["originals"] > 0)
    _refresh_times(new, dated)
    new["velocity"] = velocity(new)
    if new["exemplars"]:
        lead = _medoid(new["exemplars"], new["lead_article_id"])
        new["lead_article_id"], new["title"] = lead["article_id"], lead["title"]
    elif new["article_ids"] and new["lead_article_id"] not in new["article_ids"]:
        new["lead_article_id"] = new["article_ids"][0]


def _refresh_times(new: StoryState, dated: str | None) -> None:
    if len(new["members"]) == new["article_count"]:
        known = sorted(m["published_at"] for m in new["members"] if m["published_at"])
        new["event_times"] = {
            "known": len(known),
            "oldest": known[0] if known else None,
            "newest": known[-1] if known else None,
            "mean": time_text(sum(map(seconds, known)) // len(known)) if known else None,
        }
    elif dated:
        times = new["event_times"]
        total = (seconds(times["mean"]) if times["mean"] else 0) * times["known"] + seconds(dated)
        new["event_times"] = {
            "known": times["known"] + 1,
            "oldest": min(times["oldest"] or dated, dated),
            "newest": max(times["newest"] or dated, dated),
            "mean": time_text(total // (times["known"] + 1)),
        }
    shown = [m["published_at"] or m["received_at"] for m in new["members"]]
    if shown:
        new["first_published_at"] = new["event_times"]["oldest"] or min(shown)
        new["last_published_at"] = new["event_times"]["newest"] or max(shown)


def velocity(story: StoryState) -> Record:
    """Return how many articles were received in the last hour and the last six hours of event time.

    The clock is a median and lies some articles behind: the newest article not far ahead of it ends the
    hour. Counts stop at MOST_MEMBERS.
    """
    now = story["clock"]["now"]
    times = [m["received_at"] for m in story["members"]]
    ahead = shifted(now, 6)
    end = max([now, *(t for t in times if t < ahead)])
    begins = {"1h": shifted(end, -1), "6h": shifted(end, -6)}
    return {name: sum(1 for t in times if begin < t <= end) for name, begin in begins.items()}


def _medoid(exemplars: list[Exemplar], lead: str) -> Exemplar:
    """Return the exemplar closest to the others; the present lead stays unless one is clearly closer."""
    if len(exemplars) == 1:
        return exemplars[0]
    similar = cosines([from_text(e["vector"]) for e in exemplars])
    best, best_score = exemplars[0], -1.0
    for i, exemplar in enumerate(exemplars):
        score = sum(similar[i][j] for j in range(len(exemplars)) if j != i)
        if exemplar["article_id"] == lead:
            score += LEAD_BONUS * (len(exemplars) - 1)
        if score > best_score:
            best, best_score = exemplar, score
    return best
