"""`machtin story`."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from services.cli.console import out, write_json
from services.cli.reading import read_topic
from services.cli.story import records_of, revisions_of, why
from services.cli.story_view import history_table, story_panel, way_of
from services.runtime.settings import from_environment
from services.runtime.topics import STORIES, topic

app = typer.Typer(no_args_is_help=True, help="One story: its state, its history, its reasons.")

StoryId = Annotated[str, typer.Argument(help="Id of the story, such as st-0123456789abcdef.")]
Json = Annotated[bool, typer.Option("--json", help="For programs: JSON as the topic has it.")]


@app.command("show")
def story_show(story_id: StoryId, json: Json = False) -> None:
    """Show a story as it is now; a merged one shows the story that took it up."""
    messages = _messages()
    revision = revisions_of(records_of(messages), story_id)[-1]
    while revision["merged_into"]:
        if not json:
            out.print(f"{revision['story_id']} was merged into {revision['merged_into']}.", highlight=False)
        revision = revisions_of(records_of(messages), revision["merged_into"])[-1]
    if json:
        write_json(revision)
        return
    titles = {record["story_id"]: record["title"] for record in records_of(messages)}
    out.print(story_panel(revision, titles))


@app.command("history")
def story_history(story_id: StoryId) -> None:
    """List every change of a story that the topic still holds, and why it was made."""
    out.print(history_table(revisions_of(records_of(_messages()), story_id)))


@app.command("why")
def story_why(
    story_id: StoryId,
    article_id: Annotated[str, typer.Argument(help="Id of an article of the story.")],
    json: Json = False,
) -> None:
    """Say why an article is in a story: what it matched, with which probability, on what evidence.

    Follows merges and splits: an article may have joined another story first.
    """
    way = why(records_of(_messages()), story_id, article_id)
    if json:
        steps = [{"story_id": r["story_id"], "revision": r["revision"], **r["change"]} for r in way]
        write_json(steps)
        return
    out.print(way_of(article_id, way))


def _messages() -> list[Any]:
    return asyncio.run(read_topic(from_environment(), topic(STORIES)))
