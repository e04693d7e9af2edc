"""The floor that is measured beside us is the forty lines that everybody would write, only compiled."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from services.cli.quality.gold import load_gold
from services.cli.quality.story_peers import FLOOR_THRESHOLD, Texts, floor, textclust
from services.runtime.text import syllables


def grams(text: str) -> list[str]:
    words = syllables(text)
    return [*words, *(f"{a} {b}" for a, b in pairwise(words))]


def forty_lines(texts: Texts) -> dict[str, int]:
    counts = [Counter(grams(title) * 3 + grams(text)) for _, title, text in texts]
    frequency = Counter(gram for count in counts for gram in count)
    centroids: list[dict[str, float]] = []
    lengths: list[float] = []
    story_of = {}
    for (article, _, _), count in zip(texts, counts, strict=True):
        weighed = {
            gram: (1 + math.log(n)) * math.log((len(texts) + 1) / (frequency[gram] + 0.5))
            for gram, n in count.items()
            if 1 < frequency[gram] <= len(texts) / 4
        }
        heaviest = sorted(weighed, key=lambda gram: (-weighed[gram], gram))[:200]
        length = math.sqrt(sum(weighed[gram] ** 2 for gram in heaviest))
        vector = {gram: weighed[gram] / length for gram in heaviest}
        cosines = [
            sum(weight * centroid.get(gram, 0.0) for gram, weight in vector.items()) / lengths[story]
            for story, centroid in enumerate(centroids)
        ]
        best = max(range(len(cosines)), key=lambda story: (cosines[story], -story), default=-1)
        if best < 0 or cosines[best] < FLOOR_THRESHOLD:
            best = len(centroids)
            centroids.append({})
            lengths.append(0.0)
        for gram, weight in vector.items():
            centroids[best][gram] = centroids[best].get(gram, 0.0) + weight
        lengths[best] = math.sqrt(sum(weight**2 for weight in centroids[best].values()))
        story_of[article] = best
    return story_of


def parts(story_of: dict[str, str] | dict[str, int]) -> set[frozenset[str]]:
    stories = defaultdict(set)
    for article, story in story_of.items():
        stories[story].add(article)
    return {frozenset(articles) for articles in stories.values()}


def test_the_floor_groups_as_forty_lines_of_plain_python_do() -> None:
    texts = [(m["article_id"], m["title"], m["text"]) for m in load_gold().messages]
    done: list[int] = []
    found = parts(floor(texts, done.append))
    assert found == parts(forty_lines(texts))
    assert sum(done) == len(texts)
    assert any(len(story) > 2 for story in found)


def test_the_floor_takes_an_article_without_a_known_word() -> None:
    texts = [("a", "Lũ", "Lũ lên nhanh"), ("b", "Lũ", "Lũ lên nhanh"), ("c", "", ""), ("d", "Xyz", "qwerty")]
    texts += [(str(n), f"Tin {n}", f"chuyện {n * 7}") for n in range(20)]
    story_of = floor(texts, lambda _: None)
    assert story_of["a"] == story_of["b"]
    assert len({story_of[article] for article in "acd"}) == 3


def test_textclust_keeps_its_stories_of_one_article() -> None:
    """river's cleaning up, every hundred articles, would remove them."""
    pytest.importorskip("river")
    once = [(f"once-{n}", f"tin{n}", " ".join(f"chuyen{n}x{i}" for i in range(20))) for n in range(150)]
    again = [(f"again-{n}", title, text) for n, (_, title, text) in enumerate(once)]
    story_of = textclust(once + again, lambda _: None)
    assert len({story_of[article] for article, _, _ in once}) == len(once)
    assert all(story_of[f"once-{n}"] == story_of[f"again-{n}"] for n in range(len(once)))
