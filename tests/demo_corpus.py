"""The demo corpus, what it should come to, and what a run made of it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.cli.demo import CORPUS
from services.runtime.topics import CLEAN, DEAD, DEDUPLICATED, STORIES

EXPECTED: dict[str, Any] = json.loads((CORPUS.parent / "expected.json").read_text(encoding="utf-8"))
LINES = CORPUS.read_bytes().splitlines()


def write_lines(path: Path, messages: Iterable[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(message) for message in messages) + "\n", encoding="utf-8")
    return path


@dataclass
class Outcome:
    """What the topics hold at the end of a run, by the ids that the articles have in `expected.json`."""

    names: dict[str, str] = field(default_factory=dict)
    """The id that the pipeline gave an article -> the name it has in `expected.json`."""
    copies: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Article -> (kind, original)."""
    stories: dict[str, Any] = field(default_factory=dict)
    dead: list[str] = field(default_factory=list)
    """Reasons, sorted."""

    def members(self) -> dict[str, frozenset[str]]:
        """Return the articles of every story that holds any."""
        return {
            story_id: frozenset(self.names[article] for article in story["article_ids"])
            for story_id, story in self.stories.items()
            if story["state"] != "merged" and story["article_ids"]
        }

    def linked(self) -> set[frozenset[str]]:
        """Return the pairs of stories that name each other as related."""
        return {
            frozenset((story_id, link["story_id"]))
            for story_id, story in self.stories.items()
            for link in story["related"]
        }


def outcome_of(records: Iterable[dict[str, Any]]) -> Outcome:
    """Sum up records as `machtin replay` writes them."""
    outcome = Outcome()
    by_url = {
        json.loads(line).get("url"): f"line:{number}"
        for number, line in enumerate(LINES, start=1)
        if line.startswith(b"{") and line.endswith(b"}") and "article_id" not in json.loads(line)
    }
    for record in records:
        topic, key, value = record["topic"], record["key"], record["value"]
        if topic == CLEAN:
            outcome.names[key] = by_url.get(value["url"], key) if key.startswith("url-") else key
        elif topic == DEDUPLICATED and value["duplicate"]["kind"] != "none":
            original = outcome.names[value["duplicate"]["of"]]
            outcome.copies[outcome.names[key]] = (value["duplicate"]["kind"], original)
        elif topic == STORIES:
            outcome.stories[key] = value
        elif topic == DEAD:
            outcome.dead.append(record["reason"])
    outcome.dead.sort()
    return outcome
