"""The front page: the stories, the one that changed last first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from services.board.layout import chips, count, moment, page, story_link
from services.runtime.records import StoryRecord

REFRESH_SECONDS = 3
NAMES_SHOWN = 8


def front_page(stories: Sequence[StoryRecord]) -> str:
    """Return the HTML of `stories`, in the order given."""
    titles = {story["story_id"]: story["title"] for story in stories}
    several = sum(story["article_count"] > 1 for story in stories)
    body = "\n".join(_story(story, titles) for story in stories) or "<p>No stories yet.</p>"
    head = (
        f'<header><h1>Mạch Tin</h1><span class="soft">{count(len(stories), "story", "stories")}, {several} of'
        " several articles; the one that changed last first</span></header>"
    )
    return page("Mạch Tin: stories", f"{head}\n{body}", refresh_seconds=REFRESH_SECONDS)


def _story(story: StoryRecord, titles: Mapping[str, str]) -> str:
    facts = [
        count(story["article_count"], "article"),
        *([count(story["reprint_count"], "reprint")] if story["reprint_count"] else []),
        count(story["source_count"], "source"),
        f"{moment(story['first_published_at'])} – {moment(story['last_published_at'])} UTC",
        *([f"{story['velocity']['1h']} in the last hour"] if story["velocity"]["1h"] > 1 else []),
        f"revision {story['revision']}: {story['change']['type'].replace('_', ' ')}",
    ]
    links = "; ".join(
        story_link(link["story_id"], titles.get(link["story_id"], link["story_id"]))
        for link in story["related"]
    )
    return f"""<article class="{escape(story["state"])}">
<h2>{story_link(story["story_id"], story["title"])}</h2>
<p class="soft">{escape(" · ".join(facts))}</p>
<p>{chips(story["entities"][:NAMES_SHOWN])}</p>
{f'<p class="soft">Same saga: {links}</p>' if links else ""}
</article>"""
