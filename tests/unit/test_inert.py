"""What an article says is text on every surface (board, terminal, metrics), and nothing in it is fetched."""

import io
import json
import socket
import subprocess
import sys
import urllib.request
from typing import Any

import pytest
from prometheus_client import generate_latest
from rich.console import Console
from selectolax.lexbor import LexborHTMLParser

from services.board.latest import LatestStories
from services.board.pages import pages_of
from services.cli.console import InertConsole, inert
from services.cli.dead import Letter
from services.cli.dead_view import letters_table
from services.cli.demo_view import live_view, story_line
from services.cli.pipeline import Pipeline
from services.cli.story_view import history_table, story_panel, way_of
from services.cli.tally import Tally
from services.runtime.broker.kafka import properties
from services.runtime.dead_letters import PREFIX, REASON
from services.runtime.http import serve
from services.runtime.metrics import Metrics
from services.runtime.settings import Settings
from services.runtime.topics import SCHEMAS, STORIES, all_topics

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><svg/onload=alert(1)>&lt;b&gt;"
ESCAPES = "\x1b[2J\x1b]0;tên giả\x07\x9b31m\r\b\u202e[red]đỏ[/red][link=file:///etc/passwd]x"

KEPT = {
    *("story_id", "state", "type", "edition", "merged_into", "published_at", "received_at", "now", "recent"),
    *("first_published_at", "last_published_at", "last_received_at", "oldest", "newest", "mean"),
}
"""Fields that no article's text can get into: ours, or times."""


def hostile_story(payload: str) -> Any:
    """Return the example of a story with the payload in front of every text that comes from outside."""
    example = json.loads(
        SCHEMAS.joinpath("examples", STORIES, "02-article-added.json").read_text(encoding="utf-8")
    )
    story = example.get("value", example)
    story["related"] = [{"story_id": "st-0123456789abcdef", "score": 0.5, "reasons": {"terms": [payload]}}]
    return _poisoned(story, payload)


def _poisoned(value: Any, payload: str, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _poisoned(one, payload, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_poisoned(one, payload, name) for one in value]
    return payload + value if isinstance(value, str) and name not in KEPT else value


def served(path: str, payload: str) -> tuple[str, Any]:
    stories = LatestStories()
    stories.apply(hostile_story(payload))
    pages, below = pages_of(stories)
    server = serve("127.0.0.1", 0, pages, below)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}", timeout=30) as answer:
            return answer.read().decode(), answer.headers
    finally:
        server.shutdown()
        server.server_close()


def paths() -> list[str]:
    return ["/", f"/stories/{hostile_story('')['story_id']}"]


@pytest.mark.parametrize("path", paths())
def test_markup_in_an_article_is_text_on_the_board(path: str) -> None:
    html, headers = served(path, MARKUP)
    plain = LexborHTMLParser(served(path, "")[0])
    tree = LexborHTMLParser(html)
    assert [node.tag for node in tree.css("*")] == [node.tag for node in plain.css("*")]
    for node in tree.css("*"):
        assert not any(name.startswith("on") for name in node.attributes)
        assert not (node.attributes.get("href") or "").startswith(("javascript", "data", "http"))
    assert "alert(1)" in tree.text()
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert "script-src" not in policy


def test_the_boards_json_is_never_taken_for_a_page() -> None:
    text, headers = served("/stories.json", MARKUP)
    assert json.loads(text)[0]["title"].startswith(MARKUP)
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Content-Type-Options"] == "nosniff"


def views() -> dict[str, Any]:
    story = hostile_story(ESCAPES)
    tally = Tally()
    tally.add(STORIES, story, [], 0)
    letter = Letter(
        "0:1",
        0,
        ESCAPES.encode(),
        b"",
        [(REASON, ESCAPES.encode()), (PREFIX + "exception.message", ESCAPES.encode())],
    )
    return {
        "demo": live_view(tally, 10),
        "story": story_panel(story, {"st-0123456789abcdef": ESCAPES}),
        "history": history_table([story]),
        "why": way_of(story["change"]["article_id"], [story]),
        "dead": letters_table([letter]),
    }


@pytest.mark.parametrize("name", ["demo", "story", "history", "why", "dead"])
@pytest.mark.parametrize("terminal", [False, True])
def test_what_a_terminal_would_obey_is_only_shown(name: str, terminal: bool) -> None:
    shown = io.StringIO()
    console = InertConsole(file=shown, width=40_000, force_terminal=terminal, legacy_windows=False)
    console.print(views()[name])
    text = shown.getvalue()
    for obeyed in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\x08", "\u202e", "\x1b[31m"):
        assert obeyed not in text
    assert "[red]đỏ[/red]" in text
    if not terminal:
        assert "\x1b" not in text


def test_rich_alone_would_let_it_through() -> None:
    shown = io.StringIO()
    Console(file=shown, width=40_000).print(views()["story"])
    assert "\x1b[2J" in shown.getvalue()


def test_a_line_about_a_story_is_inert_too() -> None:
    shown = io.StringIO()
    InertConsole(file=shown).print(story_line(hostile_story(ESCAPES)), markup=False, soft_wrap=True)
    assert "\x1b" not in shown.getvalue()
    assert "[red]" in shown.getvalue()


def test_what_is_no_control_character_stays_as_it_is() -> None:
    text = "Thủ tướng nói:\t“Được”\n👩‍👩‍👧‍👦 e\u0301 \u200b"
    assert inert(text) == text
    assert inert("a\x1bb\x00\x7f") == "a␛b␀\ufffd"


def test_messages_are_exact_in_a_pipe() -> None:
    program = f"from services.cli.console import write_line; write_line({ESCAPES.encode()!r})"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60)
    assert printed.stdout == ESCAPES.encode() + b"\n"


URLS = "Xem http://169.254.169.254/latest/meta-data và https://vi.du/a.jpg, ftp://vi.du, file:///etc/passwd. "
ARTICLES = (
    {"text": f"<p>{URLS}</p><img src='http://vi.du/a.png'><iframe src='//vi.du'></iframe><link href='//vi'>"},
    {"text": f"<!DOCTYPE a [<!ENTITY x SYSTEM 'http://vi.du/x'>]><p>&x; {URLS}</p>"},
    {"text": f"<?xml-stylesheet href='http://vi.du/x'?><script src='http://vi.du/x'></script>{URLS}"},
    {
        "text": URLS,
        "url": "http://vi.du/tin?id=1",
        "image_url": "http://vi.du/a.png",
        "source": "http://vi.du",
    },
    {"text": URLS, "title": "http://vi.du", "authors": ["http://vi.du"], "extra": {"amp": "http://vi.du"}},
)


def test_nothing_in_an_article_makes_a_service_open_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline(Settings())  # models and tables are on disk; from here on nothing may be asked for
    opened: list[Any] = []

    def forbidden(*arguments: Any, **_: Any) -> Any:
        opened.append(arguments)
        raise OSError("forbidden by the test")

    for name in ("socket", "create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, forbidden)
    topics = set()
    for number, article in enumerate(ARTICLES):
        for carried in pipeline.feed(json.dumps({"article_id": f"url-{number}", **article}).encode()):
            assert carried.failure is None
            topics.add(carried.topic)
    assert STORIES in topics
    assert opened == []
    with pytest.raises(OSError, match="forbidden"):
        urllib.request.urlopen("http://127.0.0.1:9/", timeout=1)


def test_no_title_and_no_text_becomes_a_metric() -> None:
    pipeline = Pipeline(Settings())
    metrics = Metrics("clusterer")
    raw = {"article_id": "nhan-1", "title": "Tựa đề lạ", "text": "Câu văn lạ. " * 20, "source": "Báo Lạ"}
    for carried in pipeline.feed(json.dumps(raw).encode()):
        if carried.topic == STORIES:
            metrics.domain.count(carried.value, 0.0, 0.0)  # type: ignore[arg-type]
    exposed = generate_latest(metrics.registry).decode()
    assert 'machtin_story_changes_total{type="created"}' in exposed or "machtin_story_changes" in exposed
    assert "lạ" not in exposed
    assert "nhan-1" not in exposed


def test_everything_listens_on_loopback_unless_told_otherwise() -> None:
    server = serve(Settings().http_host, 0, {})
    try:
        assert server.server_address[0] == "127.0.0.1"
    finally:
        server.shutdown()
        server.server_close()
    configured = dict(line.split("=", 1) for line in properties(1, 2).splitlines())
    for listener in configured["listeners"].split(","):
        assert listener.split("://")[1].startswith("127.0.0.1:")
    assert all(one.name.startswith("news.") for one in all_topics().values())
