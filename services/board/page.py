"""The board's page: plain HTML that needs no script, every word of an article escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from services.runtime.records import StoryRecord

REFRESH_SECONDS = 3

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h1 small { font-weight: normal; opacity: .65; }
article { border-top: 1px solid #8886; padding: .7rem 0; }
h2 { font-size: 1.05rem; margin: 0 0 .2rem; }
p { margin: .15rem 0; } .facts, .links { opacity: .75; font-size: .9rem; }
.names span { border: 1px solid #8886; border-radius: .3rem; padding: 0 .35rem; margin-right: .3rem;
  font-size: .85rem; }
.closed { opacity: .6; }
"""


def page(stories: Sequence[StoryRecord]) -> str:
    """Return the HTML page of `stories`, in the order given."""
    titles = {story["story_id"]: story["title"] for story in stories}
    body = "\n".join(_story(story, titles) for story in stories) or "<p>No stories yet.</p>"
    return f"""<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{REFRESH_SECONDS}">
<title>Mạch Tin: stories</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Mạch Tin <small>{len(stories)} stories, the one that changed last first</small></h1>
{body}
</body>
</html>
"""


def _story(story: StoryRecord, titles: dict[str, str]) -> str:
    facts = [
        _count(story["article_count"], "article"),
        _count(story["reprint_count"], "reprint"),
        _count(story["source_count"], "source"),
        f"{story['first_published_at']} – {story['last_published_at']}",
        f"revision {story['revision']}: {story['change']['type']}",
    ]
    names = "".join(f"<span>{escape(entity['name'])}</span>" for entity in story["entities"][:8])
    links = "; ".join(
        f'<a href="#{escape(link["story_id"])}">{escape(titles.get(link["story_id"], link["story_id"]))}</a>'
        for link in story["related"]
    )
    return f"""<article id="{escape(story["story_id"])}" class="{escape(story["state"])}">
<h2>{escape(story["title"])}</h2>
<p class="facts">{escape(" · ".join(facts))}</p>
<p class="names">{names}</p>
{f'<p class="links">Related: {links}</p>' if links else ""}
</article>"""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
