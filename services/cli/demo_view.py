"""How the demo looks in the terminal."""

from __future__ import annotations

from collections import Counter

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from services.cli.tally import Tally
from services.runtime.records import Record
from services.runtime.topics import RAW

STORIES_SHOWN = 14


def live_view(tally: Tally, messages: int) -> RenderableType:
    """Return the stories as they stand, the one that changed last first, over a bar of the feed."""
    stories = tally.live_stories()
    titles = {story["story_id"]: story["title"] for story in stories}
    table = Table(expand=True, title=f"{len(stories)} stories forming")
    table.add_column("story", ratio=5, no_wrap=True, overflow="ellipsis")
    table.add_column("articles", justify="right", width=8)
    table.add_column("sources", justify="right", width=7)
    table.add_column("last change", width=17, no_wrap=True)
    table.add_column("related to", ratio=3, no_wrap=True, overflow="ellipsis")
    for story in stories[:STORIES_SHOWN]:
        related = "; ".join(titles.get(link["story_id"], link["story_id"]) for link in story["related"])
        table.add_row(
            Text(story["title"]),
            str(story["article_count"]),
            str(story["source_count"]),
            story["change"]["type"],
            Text(related),
        )
    done = min(tally.seen[RAW], messages)
    counts = Text(
        f"{done} of {messages} articles fed · {len(tally.copies)} copies · {tally.dead} dead letters"
        f" · {len(tally.links())} links"
    )
    return Group(table, ProgressBar(total=messages, completed=done), counts)


def story_line(story: Record) -> str:
    """Return one line about a change of a story, for where there is no terminal to redraw."""
    return (
        f"{story['change']['type']:17} {story['story_id']} revision {story['revision']}:"
        f" {story['article_count']} articles, {story['source_count']} sources: {story['title']}"
    )


def summary(tally: Tally, where: str) -> Table:
    """Return the table that ends the demo."""
    kinds = Counter(tally.copies.values())
    stories = tally.live_stories()
    table = Table(title=f"Mạch Tin on {where}", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    for name, value in (
        ("raw articles", tally.seen[RAW]),
        ("copies, exact", kinds["exact"]),
        ("copies, near", kinds["near"]),
        ("stories", len(stories)),
        ("… of two articles or more", sum(story["article_count"] > 1 for story in stories)),
        ("links between stories", len(tally.links())),
        ("dead letters", tally.dead),
        ("articles per second", f"{tally.articles_per_second():.1f}"),
        ("latency raw → story, p50", f"{tally.latency_s(0.5):.2f} s"),
        ("latency raw → story, p99", f"{tally.latency_s(0.99):.2f} s"),
    ):
        table.add_row(name, str(value))
    return table
