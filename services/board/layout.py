"""What every page of the board has: the frame, the style, and small pieces. Plain HTML that needs no script.

Whatever comes from an article goes through `escape`: on the board it is text and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from services.runtime.records import StoryEntity

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --line: #8884; --soft: #8882; }
body { max-width: 64rem; margin: 0 auto; padding: 1.2rem 1rem 4rem; }
header { display: flex; gap: 1rem; align-items: baseline; flex-wrap: wrap; margin-bottom: 1rem; }
header a { color: inherit; text-decoration: none; }
h1 { font-size: 1.35rem; margin: 0; } h2 { font-size: 1.08rem; margin: 0; }
h3 { font-size: .8rem; text-transform: uppercase; letter-spacing: .06em; opacity: .7;
  margin: 1.6rem 0 .4rem; }
p { margin: .2rem 0; } .soft { opacity: .72; font-size: .9rem; }
article { border-top: 1px solid var(--line); padding: .8rem 0; }
article h2 a { color: inherit; text-decoration: none; } article h2 a:hover { text-decoration: underline; }
.closed { opacity: .6; }
.chip { display: inline-block; border-radius: .6rem; padding: 0 .5rem; margin: 0 .3rem .2rem 0;
  font-size: .84rem; background: var(--soft); }
.chip.PER { background: #3b82f626; } .chip.LOC { background: #22c55e26; } .chip.ORG { background: #f59e0b2e; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th { text-align: left; font-weight: 600; opacity: .7; }
td, th { padding: .3rem .8rem .3rem 0; vertical-align: top; }
tr + tr td { border-top: 1px solid var(--line); } td.time { white-space: nowrap; }
blockquote { margin: .4rem 0; padding-left: .8rem; border-left: 3px solid var(--line); }
svg { display: block; width: 100%; } svg line { stroke: var(--line); }
svg circle { fill: #3b82f6; fill-opacity: .75; } svg circle.copy { fill: #9ca3af; }
"""


def page(title: str, body: str, *, refresh_seconds: int | None = None) -> str:
    """Return a whole HTML page; `title` is plain text, `body` HTML."""
    refresh = "" if refresh_seconds is None else f'<meta http-equiv="refresh" content="{refresh_seconds}">\n'
    return f"""<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
{refresh}<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
{body}
</body>
</html>
"""


def story_path(story_id: str) -> str:
    """Return where a story's page is."""
    return f"/stories/{quote(story_id, safe='')}"


def story_link(story_id: str, title: str) -> str:
    """Return a link to a story's page."""
    return f'<a href="{escape(story_path(story_id))}">{escape(title)}</a>'


def chips(entities: Iterable[StoryEntity], *, counted: bool = False) -> str:
    """Return entities as small labels in the colour of their type, with the number of their articles."""
    return "".join(
        f'<span class="chip {escape(entity["type"])}">{escape(entity["name"])}'
        f"{' ' + str(entity['count']) if counted else ''}</span>"
        for entity in entities
    )


def count(number: int, one: str, many: str | None = None) -> str:
    """Return `1 article`, `2 articles`; `many` is `one` and an s unless given."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def moment(time: str | None) -> str:
    """Return an RFC 3339 time of a record as people read it: `02/03 07:05` in UTC."""
    return "–" if time is None else f"{time[8:10]}/{time[5:7]} {time[11:16]}"
