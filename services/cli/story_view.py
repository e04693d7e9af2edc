"""How a story looks in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from services.runtime.reasons import in_words
from services.runtime.records import Record, StoryRecord

ENTITIES_SHOWN = 15
KEYWORDS_SHOWN = 15
ARTICLES_SHOWN = 12


def story_panel(story: StoryRecord, titles: Mapping[str, str]) -> RenderableType:
    """Return the state of a story; `titles` says what other stories are called, by id."""
    record: Record = {**story}
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    listed = story["article_ids"]
    left = len(listed) - ARTICLES_SHOWN
    for name, value in (
        ("story", f"{story['story_id']}, revision {story['revision']}, {story['state']}"),
        ("articles", f"{story['article_count']}, of them {story['reprint_count']} reprints"),
        (
            "sources",
            f"{story['source_count']}, {record['independent_source_count']} with articles of their own",
        ),
        ("published", f"{_moment(story['first_published_at'])} to {_moment(story['last_published_at'])}"),
        ("velocity", ", ".join(f"{n} in {window}" for window, n in sorted(story["velocity"].items()))),
        ("entities", ", ".join(f"{e['name']} ({e['count']})" for e in story["entities"][:ENTITIES_SHOWN])),
        ("keywords", ", ".join(keyword["term"] for keyword in story["keywords"][:KEYWORDS_SHOWN])),
        ("lead article", story["lead_article_id"]),
        (
            "newest ids" if left > 0 else "article ids",
            ", ".join(listed[-ARTICLES_SHOWN:]) + (f" and {left} earlier" if left > 0 else ""),
        ),
        ("took in", ", ".join(story["supersedes"])),
    ):
        if value:
            facts.add_row(name, Text(value))
    related: list[RenderableType] = []
    for link in story["related"]:
        related.append(Text(f"same saga: {titles.get(link['story_id'], '')} ({link['story_id']})"))
        reason = {"score": link["score"], **link["reasons"]}
        related.append(Padding(Text("; ".join(in_words("related", reason)), style="dim"), (0, 0, 0, 2)))
    return Panel(Group(facts, *related), title=Text(story["title"]))


def history_table(revisions: Sequence[StoryRecord]) -> Table:
    """Return one row per revision, in the order given."""
    table = Table(title=Text(revisions[-1]["title"]))
    for name in ("revision", "time", "change", "article", "articles", "why"):
        table.add_column(name, overflow="fold", no_wrap=name in ("time", "change"))
    for revision in revisions:
        change = revision["change"]
        table.add_row(
            str(revision["revision"]),
            _moment(_clock(revision)),
            change["type"],
            Text(change["article_id"] or ""),
            str(revision["article_count"]),
            Text("; ".join(in_words(change["type"], change["reason"]))),
        )
    return table


def way_of(article_id: str, way: Sequence[StoryRecord]) -> RenderableType:
    """Return the steps by which an article came where it is: when, into which story, on what evidence."""
    lines: list[RenderableType] = []
    if way[0]["change"]["article_id"] != article_id:
        lines.append(Text("It joined earlier than what the topic keeps of this story's history."))
    for revision in way:
        change = revision["change"]
        caused = change["article_id"]
        by = "" if caused in (article_id, None) else f", by {caused}"
        where = f"{revision['story_id']} revision {revision['revision']}"
        gone = "" if article_id in revision["article_ids"] else ": the article left"
        lines.append(Text(f"{_moment(_clock(revision))}  {where}: {change['type']}{by}{gone}", style="bold"))
        lines.append(Padding(Text(f"“{revision['title']}”"), (0, 0, 0, 2)))
        lines += [
            Padding(Text(phrase), (0, 0, 0, 2)) for phrase in in_words(change["type"], _titled(revision))
        ]
    return Group(*lines)


def _titled(revision: StoryRecord) -> Record:
    """Return the reason of a revision, the article that was matched with its title."""
    record: Record = {**revision}
    reason = revision["change"]["reason"]
    titles = {one["article_id"]: one["title"] for one in record["exemplars"]}
    matched = reason.get("matched_article")
    if matched in titles:
        return {**reason, "matched_article": f"{matched}, “{titles[matched]}”"}
    return reason


def _clock(revision: StoryRecord) -> str:
    record: Record = {**revision}
    return str(record["clock"]["now"])


def _moment(time: str) -> str:
    """Return a record's time for people: day and minute, in UTC."""
    return f"{time[8:10]}/{time[5:7]}/{time[:4]} {time[11:16]}"
