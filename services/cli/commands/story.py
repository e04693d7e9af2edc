"""`machtin story`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from services.cli.console import out
from services.cli.reading import read_topic
from services.cli.story import revisions_of, why
from services.cli.story_view import history_table, story_panel
from services.runtime.records import StoryRecord
from services.runtime.settings import from_environment
from services.runtime.topics import STORIES, topic

app = typer.Typer(no_args_is_help=True, help="One story: its state, its history, its reasons.")

StoryId = Annotated[str, typer.Argument(help="Id of the story, such as st-0123456789abcdef.")]


@app.command("show")
def story_show(story_id: StoryId) -> None:
    """Show a story as it is now; a merged one shows the story that took it up."""

    revision = _story(story_id)[-1]
    while revision["merged_into"]:
        out.print(f"{revision['story_id']} was merged into {revision['merged_into']}.", highlight=False)
        revision = _story(revision["merged_into"])[-1]
    out.print(story_panel(revision))


@app.command("history")
def story_history(story_id: StoryId) -> None:
    """List every change of a story that the topic still holds, and why it was made."""

    out.print(history_table(_story(story_id)))


@app.command("why")
def story_why(
    story_id: StoryId, article_id: Annotated[str, typer.Argument(help="Id of an article of the story.")]
) -> None:
    """Say why an article is in a story: what it matched, with which score, on what evidence."""

    for revision in why(_story(story_id), article_id):
        out.print_json(data={"revision": revision["revision"], **revision["change"]}, ensure_ascii=False)


def _story(story_id: str) -> list[StoryRecord]:

    messages = asyncio.run(read_topic(from_environment(), topic(STORIES)))
    return revisions_of(messages, story_id)
