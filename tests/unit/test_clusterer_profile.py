"""What is read from an article, and by when stories were last touched."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from services.clusterer.ages import Ages
from services.clusterer.profile import dates_and_numbers, profile_of, read
from services.clusterer.vectors import (
    REMEMBERED_VECTORS,
    Vectorizer,
    from_text,
    load_background,
    pack,
    to_text,
)
from tests.story_streams import gold_articles
from tests.unit.test_clusterer_cluster import article


@pytest.mark.parametrize(
    ("text", "dates", "numbers"),
    [
        ("Lễ mừng ngày 2/9, lùi sang 12 tháng 10", ["2/9", "12/10"], []),
        ("Khởi công 05/03/2026, giá 1.250,5 tỷ", ["5/3"], ["12505"]),
        ("Tỷ số 45-6-7", [], ["45"]),  # `6-7` is part of what looks like a date
        ("Vé 2/9.500 đồng", ["2/9"], ["500"]),
        ("Xe số 1.000/5", [], ["1000"]),  # nor does a date begin within a number
        ("Ngày 7, 15 người", [], ["15"]),
        ("Không có số nào", [], []),
    ],
)
def test_dates_and_numbers_are_told_apart(text: str, dates: list[str], numbers: list[str]) -> None:
    assert dates_and_numbers(text) == (dates, numbers)


def test_an_article_is_compared_by_what_its_record_will_say() -> None:
    vectorizer = Vectorizer(load_background("vi"))
    arrived = [read(article, vectorizer) for article in gold_articles()[:40]]
    for number in range(REMEMBERED_VECTORS):  # so that those of the articles are read from the records
        to_text(pack(np.array([number], dtype=np.uint32), np.ones(1, dtype=np.float32)))
    for exemplar, vector in arrived:
        assert from_text(exemplar["vector"]) is not vector
        at_once, later = profile_of(exemplar, vectorizer, vector), profile_of(exemplar, vectorizer)
        for here, there in zip(at_once, later, strict=True):
            np.testing.assert_array_equal(here, there)


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Bắt giám đốc Công ty Sông Vàng, ông Lê An", "bắt giám đốc công ty ông"),
        ("SÔNG VÀNG kiện Lê An: Lê An không tới", "kiện không tới"),
        ("Sông Vàng", ""),
        ("Sông Vàng Lê An", ""),
        ("Lê Ann thắng kiện", None),  # a name is whole words
        ("Hai người được thả", None),
        ("", None),
    ],
)
def test_a_title_is_kept_without_its_names_where_it_has_some(title: str, words: str | None) -> None:
    def entity(name: str) -> dict[str, Any]:
        mention = {"start": 0, "end": len(name), "text": name}
        return {"id": f"org:{name}", "name": name, "type": "ORG", "salience": 0.5, "mentions": [mention]}

    arrived = article(
        "bao-1", "Sông Vàng và Lê An", title=title, entities=[*map(entity, ("Lê An", "Sông Vàng", "An"))]
    )
    exemplar, _ = read(arrived, Vectorizer(load_background("vi")))
    assert exemplar.get("title_words") == words


def test_the_longest_idle_come_first_whatever_the_order_of_arrival() -> None:
    dice = random.Random(5)
    ages, known = Ages(), {}
    for number in range(400):
        time = f"2026-03-{dice.randrange(1, 4):02}T{dice.randrange(24):02}:{dice.randrange(60):02}:00Z"
        known[f"st-{number}"] = time
        ages.add(f"st-{number}", time)
    for story_id in dice.sample(sorted(known), 250):
        ages.remove(story_id, known.pop(story_id))
    assert len(ages) == len(known)
    for before in ("2026-03-01T00:00:00Z", "2026-03-02T07:31:00Z", "2026-03-09T00:00:00Z"):
        expected = sorted((time, story_id) for story_id, time in known.items() if time < before)
        assert ages.before(before) == expected
    with pytest.raises(KeyError):
        ages.remove("st-unknown", "2026-03-02T00:00:00Z")
