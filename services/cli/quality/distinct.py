"""Articles that share text with another one and are no copies of it, in many ways.

The counterpart of `variants`: what must be kept, because something in it is news.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from services.cli.quality.edits import DISTINCT, Edit, Text, headline, sentence
from services.cli.quality.variants import around, keep


def _news(rng: random.Random, other: str, words: int) -> str:
    """Return so many words that the article does not have."""
    found = other.split()
    while len(found) < words:
        found += sentence(rng).split()
    return " ".join(found[:words])


def _updated(share: float, place: str, title: Callable[[Text, random.Random], str]) -> Edit:
    """New text of `share` times the old one, at least 100 words, at one place."""

    def edit(article: Text, rng: random.Random, other: str) -> Text:
        new = _news(rng, other, max(100, round(share * len(article.body.split()))))
        half = len(article.body) // 2
        at = {"front": 0, "middle": half + article.body[half:].find(" "), "end": len(article.body)}[place]
        body = f"{article.body[:at].rstrip()}\n{new}\n{article.body[at:].lstrip()}".strip()
        return Text(title(article, rng), body)

    return edit


def _same_title(article: Text, rng: random.Random) -> str:
    return article.title


def _other_title(article: Text, rng: random.Random) -> str:
    return headline(rng)


def _followed_up(article: Text, rng: random.Random, other: str) -> Text:
    """The next day's report, which repeats the first half."""
    background = keep(article, 0, 0.5).body
    words = max(120, 2 * len(background.split()))
    return Text(headline(rng), f"{_news(rng, other, words)}\n{background}")


def _quoting(words: int) -> Edit:
    """Other news around a quoted passage, at most two fifths of the whole."""

    def edit(article: Text, rng: random.Random, other: str) -> Text:
        found = article.body.split()
        length = min(words, len(found) // 2)
        start = rng.randrange(len(found) - length + 1)
        own = _news(rng, other, max(150, round(1.5 * length))).split()
        at = rng.randrange(len(own))
        return Text(headline(rng), " ".join((*own[:at], "“", *found[start : start + length], "”", *own[at:])))

    return edit


def _same_furniture(article: Text, rng: random.Random, other: str) -> Text:
    """An unrelated article in this one's page furniture."""
    return Text(article.title, around(2, 4)(Text("", _news(rng, other, 120)), random.Random(1), other).body)


DISTINCT_VARIANTS: dict[str, dict[str, Edit]] = {
    "live update": {
        "as the edit": DISTINCT["live update"],
        "as much again in front": _updated(1.0, "front", _other_title),
        "as much again at the end, same title": _updated(1.0, "end", _same_title),
        "as much again in the middle": _updated(1.0, "middle", _other_title),
        "0.7 times as much in front, same title": _updated(0.7, "front", _same_title),
        "0.7 times as much at the end": _updated(0.7, "end", _other_title),
    },
    "long quote": {
        "as the edit": DISTINCT["long quote"],
        "80 words": _quoting(80),
        "150 words": _quoting(150),
        "half of the article repeated in other news": _followed_up,
    },
    "other news": {
        "same title": lambda article, rng, other: replace(article, body=other),
        "same title and page furniture": _same_furniture,
    },
}
"""By kind of article that is no copy of the one that it shares text with, then by variant."""
