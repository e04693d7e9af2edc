"""The raw record's fields: what crawlers call them, and what may be made of a wrong type."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

import orjson

from services.normalizer import dates, markup, segmentation, urls
from services.normalizer.characters import one_line, printable, shorten, whole_characters
from services.normalizer.formats import TEXT_NAMES, flat
from services.runtime.records import Record

ALIASES: dict[str, tuple[str, ...]] = {
    # field: what crawlers call it, the first one present counts
    "article_id": ("id", "guid", "uri"),
    "url": ("link",),
    "text": TEXT_NAMES[1:],  # news-please, Scrapy, ninjs 1, fundus, RSS
    "title": ("headline",),  # ninjs
    "summary": ("lead", "sapo", "description", "excerpt"),  # ours, Vietnamese pages, RSS, trafilatura
    "source": ("source_domain", "source-hostname", "hostname"),  # news-please, trafilatura
    "published_at": (
        "date_publish", "publish_date", "publishing_date", "published", "pubDate", "date",
        "firstCreated", "firstcreated", "versionCreated", "versioncreated",
    ),
    "modified_at": ("date_modify", "modified", "updated"),
    "crawled_at": ("date_download",),
    "language": ("lang", "meta_lang"),
    "authors": ("author", "byline", "by"),
    "categories": ("category", "section"),
    "tags": ("keywords", "topics"),
    "image_url": ("image", "top_image"),
    "status": ("pubstatus", "pubStatus"),
}  # fmt: skip
"""Field names of news-please, trafilatura, newspaper4k, Scrapy items, fundus, ninjs and RSS, in one place."""

MAX_LIST = 50
MAX_ITEM = 200
MAX_EXTRA = 16 * 1024
_MAX_DEPTH = 20
_SEPARATORS = re.compile(r"[;,\n]")
_ADDRESS = re.compile(r"\s*https?://", re.IGNORECASE)
_ABSENT = frozenset(["", "none", "null", "nan", "undefined"])
"""What crawlers make of a missing value when they turn it into a string."""
_INT64 = 2**63


def as_text(value: Any) -> str | None:
    """Return a string or the digits of a number; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float):
        return f"{value:.0f}" if math.isfinite(value) and value == int(value) and abs(value) < 1e18 else None
    return str(value) if abs(value) < 10**40 else None


def as_list(value: Any, *, split: bool) -> list[str] | None:
    """Return the names in a list, or in one string (`split`: joined by `;` or `,`); None for other types.

    At most 50 items of 200 characters, in order, without repetitions. Objects count by their `name`.
    """
    if isinstance(value, str):
        values: list[Any] = _SEPARATORS.split(value) if split else value.split(";")
    elif isinstance(value, list):
        values = value
    else:
        return None
    names: dict[str, None] = {}
    for item in values:
        name = as_text(item.get("name") if isinstance(item, dict) else item)
        if name is not None and (cleaned := line(name, MAX_ITEM)):
            names[cleaned] = None
        if len(names) == MAX_LIST:
            break
    return list(names)


def line(value: str, limit: int, *, segmented: bool = False) -> str:
    """Return a short field as one line of inert plain text of at most `limit` characters."""
    text = one_line(markup.to_text(printable(value[: 20 * limit])))
    if segmented or segmentation.looks_segmented(text):
        text = one_line(segmentation.restore(text))
    return shorten(text, limit)


def is_absent(value: Any) -> bool:
    """Say whether a raw value is none: null, nothing but white space, or the word for it."""
    return value is None or (isinstance(value, str) and len(value) < 20 and value.strip().lower() in _ABSENT)


class Fields:
    """The fields of a raw record by our names, read one by one.

    `rest` is everything else: unknown fields, and known ones whose value could not be used.
    """

    def __init__(self, raw: Record) -> None:
        raw = flat(raw)
        extra = raw.get("extra")
        self.rest: Record = {key: value for key, value in raw.items() if key != "extra"}
        self._values: Record = {}
        self._names: dict[str, str] = {}
        for field in ALIASES:
            self._take(field)
        source = self._values.get("source")
        if isinstance(source, str) and _ADDRESS.match(source):
            # trafilatura calls the page's address `source` and the site `source-hostname`
            del self._values["source"]
            self._values.setdefault("url", source)
            self._names.setdefault("url", self._names.pop("source"))
            self._take("source")
        if isinstance(extra, dict):
            self.rest = {**extra, **self.rest}
        elif extra is not None:
            self.rest["extra"] = extra

    def _take(self, field: str) -> None:
        for name in (field, *ALIASES[field]):
            if name in self.rest and not is_absent(self.rest[name]):
                self._values[field], self._names[field] = self.rest.pop(name), name
                return
            if name == field:
                self.rest.pop(name, None)

    def value(self, field: str) -> Any:
        """Return the raw value, None if it is absent."""
        return self._values.get(field)

    def refuse(self, field: str) -> None:
        """Put a value that cannot be used back where unknown fields are kept."""
        if field in self._values:
            self.rest[self._names[field]] = self._values[field]

    def line(self, field: str, limit: int, *, segmented: bool = False) -> str:
        """Return a short text, empty if it is absent or of a wrong type."""
        value = as_text(self.value(field))
        if value is None:
            self.refuse(field)
            return ""
        return line(value, limit, segmented=segmented)

    def items(self, field: str, *, split: bool) -> list[str]:
        """Return a list of names, empty if it is absent or of a wrong type."""
        items = as_list(self.value(field), split=split)
        if items is None:
            self.refuse(field)
        return items or []

    def moment(self, field: str, latest: datetime) -> dates.Moment | None:
        """Return a time that is plausible at `latest`."""
        moment = dates.parse(self.value(field), latest=latest)
        if moment is None:
            self.refuse(field)
        return moment

    def url(self, field: str) -> str | None:
        """Return a safe URL, or the first of a list of them."""
        value = self.value(field)
        url = urls.safe(value[0] if isinstance(value, list) and value else value)
        if url is None:
            self.refuse(field)
        return url

    def extra(self) -> Record:
        """Return what is left, keys sorted, safe for any encoder; over 16 KiB encoded only a marker."""
        safe: Record = dict(sorted(_inert(self.rest, 0).items()))
        return safe if len(orjson.dumps(safe)) <= MAX_EXTRA else {"_dropped": "too large"}


def _inert(value: Any, depth: int) -> Any:
    """Return JSON that any encoder accepts: no lone surrogates, no infinities, no integers over 64 bits.

    Below 20 levels nothing is kept.
    """
    if depth > _MAX_DEPTH:
        return None
    if isinstance(value, str):
        return whole_characters(value)
    if isinstance(value, dict):
        return {whole_characters(str(key)): _inert(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_inert(item, depth + 1) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        return as_text(value)
    return value
