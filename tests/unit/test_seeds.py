"""The two articles that the project grew from, where they are at hand: two stories, linked, no copies."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.cli.pipeline import Pipeline
from services.runtime.settings import Settings
from services.runtime.text import fold
from services.runtime.topics import DEDUPLICATED, STORIES
from tests.demo_corpus import LINES

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"


def run(messages: list[bytes]) -> tuple[list[Any], dict[str, Any]]:
    """Return the deduplicated records and the last state of every story."""
    pipeline = Pipeline(Settings())
    carried = [one for message in messages for one in pipeline.feed(message)]
    articles = [one.value for one in carried if one.topic == DEDUPLICATED]
    return articles, {one.key: one.value for one in carried if one.topic == STORIES}  # type: ignore[misc]


def check(messages: list[bytes], quote: str, names: list[str]) -> None:
    articles, stories = run(messages)
    assert [article["duplicate"]["kind"] for article in articles] == ["none", "none"]
    assert [article["language"] for article in articles] == ["vi", "vi"]
    assert len(stories) == 2
    for story_id, story in stories.items():
        (other,) = set(stories) - {story_id}
        assert [link["story_id"] for link in story["related"]] == [other]
        said = fold(json.dumps(story["related"][0]["reasons"], ensure_ascii=False))
        assert fold(quote) in said
        for name in names:
            assert fold(name) in said, (name, said)


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the seeds are not beside this checkout")
@pytest.mark.parametrize("order", [1, -1], ids=["as they came", "the other way round"])
def test_the_seeds_are_two_related_stories(order: int) -> None:
    messages = [
        json.dumps({"article_id": path.stem, "text": path.read_text(encoding="utf-8")}).encode()
        for path in sorted(SEEDS.glob("*.txt"))
    ][::order]
    check(messages, "an ninh của Nga", ["Ukraine", "G7", "Zelensky", "Nga"])


def test_our_own_equivalents_are_two_related_stories() -> None:
    messages = [line for line in LINES if b"mekong-0" in line]
    assert len(messages) == 2
    check(messages, "Mekong", ["Campuchia", "Lào", "Thái Lan", "M5"])
