"""The log is the database: what a story's record takes on it is bounded, whatever comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from services.clusterer import story as revisions
from services.clusterer import tally
from services.clusterer.clock import seconds, time_text
from services.clusterer.profile import ARTICLE_TERMS, exemplar_of
from services.clusterer.state import Clock, StoryState
from services.clusterer.vectors import Vectorizer, load_background
from services.runtime.codec import RECORD_LIMIT_BYTES, encode
from services.runtime.records import EnrichedArticle
from tests.unit.test_clusterer_cluster import START, article

VECTORIZER = Vectorizer(load_background("vi"))
CLOCK: Clock = {"now": START, "recent": [START] * 9}


def big_article(number: int, name_length: int) -> EnrichedArticle:
    """Return an article of which every list is full, and nothing in it is in another one."""

    def name(kind: str, i: int) -> str:
        return f"{kind}-{number}-{i}-".ljust(name_length, "ế")

    text = " ".join(f"từ{number}x{i} riêng{number}y{i} {number * 300 + i}" for i in range(2 * ARTICLE_TERMS))
    fields: dict[str, Any] = {
        "source": name("báo", 0),
        "entities": [
            {"id": name("org", i), "name": name("Tên", i), "type": "ORG", "salience": 0.5, "mentions": []}
            for i in range(60)
        ],
        "keywords": [{"term": name("từ", i), "weight": 0.9} for i in range(40)],
        "quotes": [{"text": name("lời", i) * 8, "speaker": name("ông", i)} for i in range(20)],
    }
    return article(f"bao-thu-{number:06}".ljust(min(name_length, 200), "0"), text, number / 60, **fields)


def growing(amount: int, name_length: int) -> Iterator[StoryState]:
    """Yield a story of 1, 2, … `amount` articles."""
    first = big_article(0, name_length)
    story = revisions.opened(first, exemplar_of(first, VECTORIZER), CLOCK, {})
    yield story
    for number in range(1, amount):
        one = big_article(number, name_length)
        now: Clock = {"now": time_text(seconds(START) + 60 * number), "recent": CLOCK["recent"]}
        story = revisions.joined(story, one, exemplar_of(one, VECTORIZER), now, "article_added", {})
        yield story


def size_of(story: StoryState) -> int:
    return len(encode(cast(dict[str, Any], story)))


def test_a_record_grows_by_the_ids_of_its_articles_and_then_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MOST_ARTICLE_IDS", 90)
    sizes = {story["article_count"]: size_of(story) for story in growing(120, 24)}
    assert sizes[70] < 64 * 1024
    assert sizes[90] - sizes[70] < 20 * 30 + 1024
    assert abs(sizes[120] - sizes[90]) < 1024


@pytest.mark.parametrize("name_length", [80, 500])
def test_no_names_however_long_bring_a_record_near_what_a_message_may_hold(name_length: int) -> None:
    *_, story = growing(70, name_length)
    assert size_of(story) < RECORD_LIMIT_BYTES / 4
