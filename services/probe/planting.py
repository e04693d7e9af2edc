"""One planting: six articles about an invented event, and what has to become of them. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from services.runtime.editions import probe_edition
from services.runtime.records import Record
from services.runtime.times import to_text

LANGUAGE = "vi"
EDITION = probe_edition(LANGUAGE)
ID_PREFIX = "probe-"

Role = Literal["original", "copy", "near", "report", "related", "other"]
"""The first report; the same text elsewhere; with small changes; another report of the same event; a later
event of its saga; an event that has nothing to do with it."""
ROLES: tuple[Role, ...] = get_args(Role)
"""In the order in which they are sent: an original comes before its copies."""

EARLIER = timedelta(days=12)
"""How long before its sequel an event was: sequels of the same hour would be one story with it."""


@dataclass(frozen=True, slots=True)
class Planting:
    """What is sent for one planting, and how its articles are called."""

    name: str
    articles: dict[Role, Record]
    """Raw articles, in the order to send them."""

    def id_of(self, role: Role) -> str:
        """Return the article id of a role."""
        return str(self.articles[role]["article_id"])

    @property
    def ids(self) -> list[str]:
        """The article ids, in the order sent."""
        return [self.id_of(role) for role in self.articles]


@cache
def scenarios() -> dict[str, Any]:
    """Return the invented events that plantings are made from, and the parts of the names in them."""
    text = Path(__file__).with_name("scenarios.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def plant(name: str, number: int, at: datetime) -> Planting:
    """Return the planting called `name`, the `number`th, of the moment `at` (aware).

    The same arguments give the same articles; another name gives other people, places and figures.
    """
    chosen = random.Random(name)
    events = scenarios()["events"]
    event, elsewhere = events[number % len(events)], events[(number + 1) % len(events)]
    words, other_words = _words(event, chosen, at - EARLIER), _words(elsewhere, chosen, at)
    original = _filled(event["original"], words)
    texts: dict[Role, tuple[str, str]] = {
        "original": original,
        "copy": original,
        "near": _near(event, words),
        "report": _filled(event["report"], words),
        "related": _filled(event["related"], words),
        "other": _filled(elsewhere["original"], other_words),
    }
    return Planting(
        name, {role: _article(name, role, *texts[role], at, _published(role, at)) for role in ROLES}
    )


def withdrawal(article_id: str, at: datetime) -> Record:
    """Return the message that takes a planted article back."""
    return {
        "article_id": article_id,
        "status": "withdrawn",
        "language": LANGUAGE,
        "crawled_at": to_text(at),
    }


def _published(role: Role, at: datetime) -> datetime:
    """Return when an article is said to be published: the event was some days ago, its sequel is new."""
    return at if role in ("related", "other") else at - EARLIER


def _article(name: str, role: Role, title: str, text: str, at: datetime, published: datetime) -> Record:
    return {
        "article_id": f"{ID_PREFIX}{name}-{role}",
        "source": f"{ID_PREFIX}{role}",
        "title": title,
        "text": text,
        "language": LANGUAGE,
        "published_at": to_text(published),
        "crawled_at": to_text(at),
    }


def _filled(template: dict[str, str], words: dict[str, str]) -> tuple[str, str]:
    return template["title"].format_map(words), template["text"].format_map(words).strip()


def _near(event: dict[str, Any], words: dict[str, str]) -> tuple[str, str]:
    """Return the original with another headline, some words edited and its last paragraph cut."""
    text = event["original"]["text"].strip().rsplit("\n", 1)[0]
    for old, new in event["near"]["edits"]:
        if old not in text:
            raise ValueError(f"{event['name']}: {old!r} does not stand in the text")
        text = text.replace(old, new)
    return event["near"]["title"].format_map(words), text.format_map(words)


def _words(event: dict[str, Any], chosen: random.Random, at: datetime) -> dict[str, str]:
    """Return what is filled in: no name twice."""
    names = scenarios()["names"]
    people = {
        f"person{number}": f"{surname} {chosen.choice(names['middle'])} {given}"
        for number, surname, given in zip(
            (1, 2, 3), chosen.sample(names["surnames"], 3), chosen.sample(names["given"], 3), strict=True
        )
    }
    most = len(names["places"])
    parts = zip(chosen.sample(names["first"], most), chosen.sample(names["second"], most), strict=True)
    places = dict(zip(names["places"], map(" ".join, parts), strict=True))
    figures = {name: str(chosen.randint(*between)) for name, between in event["figures"].items()}
    ship = f"{chosen.choice('LSTV')}{chosen.choice('GKNR')}-{chosen.randint(1000, 9999)}"
    return {**people, **places, **figures, "ship": ship, "day": f"{at.day}/{at.month}"}
