"""What the board answers at which path."""

from __future__ import annotations

import orjson

from services.board.front import front_page
from services.board.latest import LatestStories
from services.board.story import story_page
from services.runtime.http import Below, Page, Response


def pages_of(stories: LatestStories) -> tuple[dict[str, Page], dict[str, Below]]:
    """Return the pages by path, and those below a path."""

    def title_of(story_id: str) -> str:
        known = stories.story(story_id)
        return story_id if known is None else known.record["title"]

    def story(story_id: str) -> Response | None:
        known = stories.story(story_id)
        return None if known is None else _html(story_page(known, title_of))

    return {
        "/": lambda: _html(front_page(stories.newest_first())),
        "/stories.json": lambda: Response(
            orjson.dumps(stories.newest_first()), content_type="application/json"
        ),
    }, {"/stories/": story}


def _html(page: str) -> Response:
    return Response(page.encode(), content_type="text/html; charset=utf-8")
