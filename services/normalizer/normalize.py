"""The normalizer's whole decision: one raw record in, one clean article out, or the reason why not."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any, NamedTuple

from services.normalizer import dates, debris, identity, language, markup, segmentation, title, urls
from services.normalizer.characters import printable
from services.normalizer.fields import Fields, as_text, is_absent, line
from services.runtime.errors import InvalidMessage, Reason
from services.runtime.records import CleanArticle, Record, Status
from services.runtime.text import comparable
from services.runtime.times import to_text

MAX_LEAD = 500
MAX_SOURCE = 200
SHORT_TEXT = 200
"""Below this many characters of text, title and summary help to tell the language."""
_MAX_ROUNDS = 5
_WORD = re.compile(r"[^\W_]")


class _Body(NamedTuple):
    text: str
    stray_date: str | None
    segmented: bool
    captions: frozenset[str]


_NOTHING = _Body("", None, False, frozenset())


def _clean_body(text: str) -> _Body:
    """Reduce raw text to the article: rounds of cleaning until nothing changes any more."""
    stray: str | None = None
    segmented = False
    captions: frozenset[str] = frozenset()
    for _ in range(_MAX_ROUNDS):
        before = text
        text = printable(text)
        plain = markup.to_text(text)
        text = text if plain is text else printable(plain)
        found, text = dates.take_stray(text)
        stray = stray or found
        if segmentation.looks_segmented(text):
            segmented = True
            text = segmentation.restore(text)
        cleaned = debris.remove(text)
        text, captions = cleaned.text, captions | cleaned.captions
        if text == before:
            break
    return _Body(text, stray, segmented, captions)


def _status(value: Any) -> Status:
    word = value.strip().lower() if isinstance(value, str) else value
    if word is None or word == "usable":
        return "usable"
    if word == "withdrawn":
        return "withdrawn"
    shown = repr(word[:50]) if isinstance(word, str) else f"a {type(word).__name__}"
    raise InvalidMessage(Reason.BAD_STATUS, f"The status is {shown}; send usable or withdrawn.")


def _raw_text(value: Any) -> str:
    if value is None:
        raise InvalidMessage(Reason.NO_TEXT, "There is no text; send text, or status withdrawn.")
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    if not isinstance(value, str):
        raise InvalidMessage(Reason.BAD_FIELD, f"The text is a {type(value).__name__}; send a string.")
    return value


def _identify(raw: Fields) -> tuple[str, str | None, str | None, bool]:
    """Return article id, url, canonical url, and whether the id was made from the url."""
    url = raw.url("url")
    canonical = urls.canonical(url) if url is not None else None
    given = raw.value("article_id")
    name = as_text(given)
    if given is not None and name is None:
        raise InvalidMessage(Reason.BAD_FIELD, f"The article_id is a {type(given).__name__}; send a string.")
    article_id = identity.from_crawler(name) if name is not None else ""
    if article_id:
        return article_id, url, canonical, False
    if canonical is None:
        raise InvalidMessage(Reason.NO_IDENTITY, "There is neither an article_id nor a usable http(s) url.")
    return identity.from_url(canonical), url, canonical, True


def _without_headline(headline: str, text: str) -> str:
    """Return `text` without a first line that repeats `headline`, cleaned of what that line had hidden."""
    shorter = title.drop_repeated(headline, text)
    if shorter == text:
        return text
    cleaned = _clean_body(shorter).text
    return cleaned if _WORD.search(cleaned) and not is_absent(cleaned) else text


def normalize(raw: Record, arrived_at: datetime) -> CleanArticle:
    """Return the clean article of a crawler's record.

    `raw` is a decoded JSON object, `arrived_at` the aware time at which it reached the broker. The result
    depends on these two alone. `derived` names the fields that the crawler did not send and this function
    inferred. Raises InvalidMessage (NO_IDENTITY, NO_TEXT, BAD_FIELD, BAD_STATUS) where the record cannot
    be used, and nothing else.
    """
    given = Fields(raw)
    derived: set[str] = set()

    status = _status(given.value("status"))
    article_id, url, canonical_url, made = _identify(given)
    if made:
        derived.add("article_id")
    body = _NOTHING if status == "withdrawn" else _clean_body(_raw_text(given.value("text")))
    if status == "usable" and (_WORD.search(body.text) is None or is_absent(body.text)):
        raise InvalidMessage(Reason.NO_TEXT, "There is no word in the text.")

    headline = given.line("title", title.MAX_LENGTH, segmented=body.segmented)
    summary = debris.strip_lead_tag(given.line("summary", MAX_LEAD, segmented=body.segmented))
    text = body.text
    if text:
        opening = text
        if not _WORD.search(headline):
            headline, opening = title.derive(text, body.captions, run_in=body.segmented)
            headline = line(headline, title.MAX_LENGTH)
            derived.add("title")
        shorter = _without_headline(headline, text)
        if not summary:
            opening = opening if shorter == text else shorter
            paragraph = debris.strip_lead_tag(title.first_paragraph(opening, body.captions))
            summary = line(title.opening(paragraph, MAX_LEAD), MAX_LEAD)
            derived.add("lead")
        text = shorter

    sample = text if len(text) >= SHORT_TEXT else f"{headline}\n{summary}\n{text}"
    code, detected = language.decide(sample, as_text(given.value("language")))
    if detected:
        derived.add("language")
        given.refuse("language")

    crawled = given.moment("crawled_at", arrived_at)
    received_at = arrived_at if crawled is None else crawled.at
    published = given.moment("published_at", received_at)
    if published is None:
        published = dates.parse(body.stray_date, latest=received_at)
        derived.add("published_at")
    modified = given.moment("modified_at", received_at)

    source = given.line("source", MAX_SOURCE)
    if not source and url is not None:
        source = urls.host(url)
        derived.add("source")

    return CleanArticle(
        article_id=article_id,
        edition=language.edition_of(code),
        url=url,
        canonical_url=canonical_url,
        source=source,
        title=headline,
        lead=summary,
        text=text,
        language=code,
        published_at=to_text(received_at if published is None else published.at),
        published_precision="received" if published is None else published.precision,
        modified_at=None if modified is None else to_text(modified.at),
        received_at=to_text(received_at),
        status=status,
        derived=sorted(derived),
        content_hash=hashlib.sha256(comparable(text).encode()).hexdigest(),
        authors=given.items("authors", split=False),
        categories=sorted(given.items("categories", split=True)),
        tags=sorted(given.items("tags", split=True)),
        image_url=given.url("image_url"),
        extra=given.extra(),
    )
