"""How a story looks in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from services.runtime.records import StoryRecord

ENTITIES_SHOWN = 15
KEYWORDS_SHOWN = 15


def story_panel(story: StoryRecord) -> RenderableType:
    """Return the state of a story."""
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    for name, value in (
        ("story", f"{story['story_id']}, revision {story['revision']}, {story['state']}"),
        ("articles", f"{story['article_count']}, of them {story['reprint_count']} reprints"),
        ("sources", str(story["source_count"])),
        ("published", f"{story['first_published_at']} – {story['last_published_at']}"),
        ("velocity", ", ".join(f"{n} in {window}" for window, n in sorted(story["velocity"].items()))),
        ("entities", ", ".join(f"{e['name']} ({e['count']})" for e in story["entities"][:ENTITIES_SHOWN])),
        ("keywords", ", ".join(keyword["term"] for keyword in story["keywords"][:KEYWORDS_SHOWN])),
        ("lead article", story["lead_article_id"]),
        ("all articles", ", ".join(story["article_ids"])),
    ):
        facts.add_row(name, Text(value))
    related = [
        Text(f"related: {link['story_id']} ({link['score']:.2f}) {_compact(link['reasons'])}")
        for link in story["related"]
    ]
    return Panel(Group(facts, *related), title=Text(story["title"]))


def history_table(revisions: Sequence[StoryRecord]) -> Table:
    """Return one row per revision, in the order given."""
    table = Table(title=Text(revisions[-1]["title"]))
    for name in ("revision", "change", "article", "articles", "why"):
        table.add_column(name, overflow="fold")
    for revision in revisions:
        change = revision["change"]
        table.add_row(
            str(revision["revision"]),
            change["type"],
            Text(change["article_id"] or ""),
            str(revision["article_count"]),
            Text(_compact(change["reason"])),
        )
    return table


def _compact(reason: object) -> str:
    return orjson.dumps(reason).decode()
