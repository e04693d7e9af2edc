"""The board in a real browser: stories are readable, and nothing that an article says is more than text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, cast

import pytest

from services.board.app import pages_of
from services.board.latest import LatestStories
from services.runtime.http import serve
from services.runtime.records import StoryRecord
from tests.browser import chromium
from tests.contract.contract_files import load_examples

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        chromium.path() is None and os.environ.get("CI") != "true",
        reason="there is no Chromium on this machine",
    ),
]

ATTACK = (
    "Cầu mới</title><script>document.title = 'broken'</script>"
    "<img src=x onerror=\"document.title = 'broken'\"><a href=javascript:alert(1)>x</a>' onload='"
)


class Elements(HTMLParser):
    """Collects every element of a document with its attributes, and its text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def attacked(value: Any) -> Any:
    """Return a record in which every free text is an attack."""
    if isinstance(value, dict):
        kept = {
            "story_id",
            "state",
            "type",
            "published_at",
            "received_at",
            "article_id",
            "copy_of",
            "merged_into",
        }
        return {k: v if k in kept or k.endswith("_at") else attacked(v) for k, v in value.items()}
    if isinstance(value, list):
        return [attacked(one) for one in value]
    return ATTACK if isinstance(value, str) else value


@pytest.fixture
def stories() -> LatestStories:
    return LatestStories()


@pytest.fixture
def url(stories: LatestStories) -> Iterator[str]:
    pages, below = pages_of(stories)
    server = serve("127.0.0.1", 0, pages, below)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def load(stories: LatestStories, change: Any = lambda record: record) -> StoryRecord:
    for record in load_examples("news.stories").values():
        stories.apply(cast(StoryRecord, change(record)))
    return max(stories.newest_first(), key=lambda story: story["article_count"])


def test_a_reader_goes_from_the_front_page_to_a_story_and_its_reasons(
    stories: LatestStories, url: str
) -> None:
    story = load(stories)
    front = Elements(chromium.dom(url))
    assert story["title"] in front.text
    links = [attributes["href"] for tag, attributes in front.found if tag == "a"]
    assert f"/stories/{story['story_id']}" in links
    page = Elements(chromium.dom(f"{url}/stories/{story['story_id']}"))
    assert story["title"] in page.text
    assert sum(tag == "circle" for tag, _ in page.found) == story["article_count"]
    assert any(entity["name"] in page.text for entity in story["entities"])
    assert story["change"]["type"].replace("_", " ") in page.text


def test_what_an_article_says_is_text_and_nothing_else(stories: LatestStories, url: str) -> None:
    story = load(stories, attacked)
    assert story["title"] == ATTACK
    for path in ("/", f"/stories/{story['story_id']}"):
        document = Elements(chromium.dom(url + path))
        assert ATTACK in document.text
        tags = {tag for tag, _ in document.found}
        assert not tags & {"script", "img", "iframe", "object", "form"}
        for tag, attributes in document.found:
            assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
            assert not (attributes.get("href") or "").lower().startswith("javascript:")
