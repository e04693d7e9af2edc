"""What two articles are compared by: words, title, names, numbers and dates, each a sparse vector.

The profile of an article is computed twice from the same few fields: from the article when it arrives, and
from the exemplar that a story's record keeps of it. Both give the same numbers, because the exemplar is made
first and the profile from it.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from services.clusterer.clock import known_time
from services.clusterer.state import Exemplar, Name
from services.clusterer.vectors import Terms, Vector, Vectorizer, Weights, from_text, to_text, unit
from services.runtime.records import EnrichedArticle, Entity

ARTICLE_TERMS = 120
MOST_NAMES = 16
MOST_FORMS = 10
"""Mentions of a name whose wording is looked for in the title."""
REMEMBERED_FORMS = 50_000
"""Wordings of names kept at hand as they are looked for: the same ones come again and again."""
PLACE_IDS = ("place:", "geonames:", "vn-province:", "country:")
"""How the ids of places begin, see the enricher's gazetteer."""
MOST_NUMBERS = 16
MOST_DATES = 8
FIRST_DAY, OTHER_DAY = 2.0, 1.0
"""Weights that tell the first day named in an article from the others."""
TITLE_CHARACTERS = 300
ID_CHARACTERS = 120
"""Entity ids longer than this are cut: they come from outside and a record is bounded."""

TEXT, TITLE, NAMES, NUMBERS, DATES, TITLE_NAMES, TITLE_WORDS, PLACES = range(8)
SECTIONS = 8

# Numbers begin with a digit class: so the engine skips to the next digit instead of trying every character.
_DATE = re.compile(r"(\d(?<![\d.,/]\d)\d?)(?:[/\-.]|\s+tháng\s+)(\d{1,2})(?:[/\-.](?:\d{4}|\d{2}))?(?![\d/])")
_NUMBER = re.compile(r"\d\d*(?:[.,]\d+)*")
_WORD = re.compile(r"\w+")
_SEPARATORS = re.compile(r"[.,]")
MOST_CHARACTERS = 8_000
"""Names, numbers and dates are looked for in so much of the text: what an article is about stands early."""


_NOTHING: tuple[Terms, Weights] = (np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.float32))


class Profile(NamedTuple):
    """Sections one after the other: section s is `ids[offsets[s]:offsets[s + 1]]`, ascending, with weights.

    Text and numbers have unit length, titles their background weights, names what the article gives them; of
    the dates the first one named weighs more. Of the title, its names stand once more, and so does what it
    says beside them: who it is about, and what has happened. So do the names of places: where it has.
    """

    ids: npt.NDArray[np.uint32]
    weights: npt.NDArray[np.float32]
    offsets: npt.NDArray[np.int32]


def exemplar_of(article: EnrichedArticle, vectorizer: Vectorizer) -> Exemplar:
    """Return what a story keeps of an article to compare others with."""
    return read(article, vectorizer)[0]


def read(article: EnrichedArticle, vectorizer: Vectorizer) -> tuple[Exemplar, Vector]:
    """Return what a story keeps of an article, and its vector as it can be read from that."""
    title = article["title"][:TITLE_CHARACTERS]
    start = article["text"][:MOST_CHARACTERS]
    dates, numbers = dates_and_numbers(f"{title}\n{start}")
    rarities = {number: vectorizer.rarity(number) for number in numbers}
    kept = sorted((n for n in numbers if rarities[n] > 0), key=lambda n: (-rarities[n], n))[:MOST_NUMBERS]
    vector = vectorizer.vector(title, article["text"], ARTICLE_TERMS)
    spaced = _spaced(title)
    titled = _in_title(spaced, article["entities"])
    exemplar: Exemplar = {
        "article_id": article["article_id"],
        "title": title,
        "published_at": known_time(article),
        "names": _names(article["entities"], titled, vectorizer),
        "numbers": sorted(kept),
        "dates": dates[:MOST_DATES],
        "vector": to_text(vector),
    }
    if titled:
        exemplar["title_words"] = _without(spaced, set().union(*titled.values())).strip()
    return exemplar, vector


def profile_of(exemplar: Exemplar, vectorizer: Vectorizer, vector: Vector | None = None) -> Profile:
    """Return what is compared. Raises ValueError if the exemplar's vector is none.

    `vector`: the exemplar's, if it is at hand.
    """
    if vector is None:
        vector = from_text(exemplar["vector"])
    in_title = [n for n in exemplar["names"] if n.get("in_title")]
    places = [n for n in exemplar["names"] if n["id"].startswith(PLACE_IDS)]
    numbers = _section(exemplar["numbers"], [vectorizer.rarity(n) for n in exemplar["numbers"]])
    days = exemplar["dates"]
    dates = _section(days, [OTHER_DAY if place else FIRST_DAY for place in range(len(days))])
    title = vectorizer.title(exemplar["title"])
    sections: list[tuple[Terms, Weights]] = [
        (vector.terms, vector.weights),
        title,
        _listed(exemplar["names"]),
        (numbers[0], unit(numbers[1])),
        dates,
        _listed(in_title),
        vectorizer.title(exemplar["title_words"]) if "title_words" in exemplar else title,
        _listed(places),
    ]
    return Profile(
        np.concatenate([ids for ids, _ in sections]),
        np.concatenate([weights for _, weights in sections]),
        np.array([*accumulate((len(ids) for ids, _ in sections), initial=0)], dtype=np.int32),
    )


def dates_and_numbers(text: str) -> tuple[list[str], list[str]]:
    """Return the days (`2/9`, day and month, no zeros) and the other numbers (digits only) named in `text`.

    Both without repetition, in order of appearance. A day without a month is a number like any other.
    """
    dates: dict[str, None] = {}
    numbers: dict[str, None] = {}
    at = undated = 0
    while number := _NUMBER.search(text, at):
        start, at = number.span()
        # A date begins where a number does, but not within what looked like another date.
        date = _DATE.match(text, start) if start >= undated else None
        if date:
            undated = date.end()
            day, month = int(date[1]), int(date[2])
            if 1 <= day <= 31 and 1 <= month <= 12:
                dates[f"{day}/{month}"] = None
                at = undated
                continue
        numbers[_SEPARATORS.sub("", number[0])[:20]] = None
    return list(dates), [number for number in numbers if len(number) > 1]


def _names(entities: list[Entity], titled: dict[str, set[str]], vectorizer: Vectorizer) -> list[Name]:
    """Return the names that say most. `titled`: the ids of those in the title."""
    weighed: dict[str, float] = {}
    for entity in entities:
        name = entity["id"][:ID_CHARACTERS]
        weight = vectorizer.rarity(entity["name"]) * (0.5 + entity["salience"])
        if weight > 0 and name not in weighed:
            weighed[name] = round(weight, 2)
    ranked = sorted(sorted(weighed), key=weighed.__getitem__, reverse=True)[:MOST_NAMES]
    return [_named(name, weighed[name], name in titled) for name in ranked]


def _named(name: str, weight: float, in_title: bool) -> Name:
    return {"id": name, "weight": weight, "in_title": True} if in_title else {"id": name, "weight": weight}


def _in_title(title: str, entities: list[Entity]) -> dict[str, set[str]]:
    """Return, by id, the names that stand in a title, in the wordings in which they do.

    `title`: its words as `_spaced` returns them; so the wordings are, too.
    """
    found: dict[str, set[str]] = {}
    for entity in entities:
        for mention in entity["mentions"][:MOST_FORMS]:
            form = _spaced_form(mention["text"])
            if form in title:
                found.setdefault(entity["id"][:ID_CHARACTERS], set()).add(form)
    return found


def _without(title: str, forms: set[str]) -> str:
    """Return a title, as `_spaced` returns it, without some wordings, the longest first."""
    for form in sorted(forms, key=lambda form: (-len(form), form)):
        while form in title:  # two in a row share the space between them
            title = title.replace(form, " ")
    return title


def _spaced(text: str) -> str:
    """Return the words of `text` in small letters, a space on either side of each."""
    return f" {' '.join(_WORD.findall(text.lower()))} "


_spaced_form = lru_cache(maxsize=REMEMBERED_FORMS)(_spaced)


def _listed(names: list[Name]) -> tuple[Terms, Weights]:
    return _section([name["id"] for name in names], [name["weight"] for name in names])


def _section(names: list[str], weights: list[float]) -> tuple[Terms, Weights]:
    if not names:
        return _NOTHING
    merged: dict[int, float] = {}
    for name, weight in zip(names, weights, strict=True):
        merged.setdefault(zlib.crc32(name.encode("utf-8", "surrogatepass")), weight)
    ids = sorted(merged)
    return np.array(ids, dtype=np.uint32), np.array([merged[i] for i in ids], dtype=np.float32)
