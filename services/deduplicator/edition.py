"""The memory of one edition: who is who, what is alive, and what a published record changes."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple, cast

import numpy as np

from services.deduplicator.clock import Clock
from services.deduplicator.decision import Decision, Original, none
from services.deduplicator.index import Index, Rows, Stored
from services.deduplicator.matching import Examination, Matcher
from services.deduplicator.rows import CHUNK_BITS, DELIVERY, ID, REPLACED, SHORT, WITHDRAWN, content_key
from services.deduplicator.signature import EMPTY, Signature, from_text, to_text
from services.deduplicator.sketch import sketch
from services.runtime.errors import InvalidMessage, Reason
from services.runtime.records import CleanArticle, DeduplicatedArticle, Duplicate

SEGMENTS = 4
"""The window expires in so many parts: an article is remembered for one window to 5/4 of one."""

_MAX_STEPS = 8
_64_BITS = 0xFFFFFFFFFFFFFFFF


class _Keys(NamedTuple):
    """What identifies an article and its version: 64-bit hashes, 0 for none."""

    received: int
    """`received_at` in seconds since the Unix epoch."""
    id: int
    url: int
    content: int
    state: int
    """Of what a version says: equal for a replay."""

    delivery: int
    """Of one message: equal when an earlier version is delivered once more."""


def _key(value: object) -> int:
    """Return a 64-bit hash, never 0: Python's own, which differs between processes. Keys never leave one."""
    return hash(value) & _64_BITS or 1


def _series_key(first_issue: str) -> int:
    """Return the key of a series, which is published and so the same everywhere."""
    digest = blake2b(f"series {first_issue}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def _keys(article: CleanArticle) -> _Keys:
    """Return the keys of an article. Raises InvalidMessage if `received_at` is no time.

    A canonical URL without a path is a whole site and names no article.
    """
    received, url, content_hash = article["received_at"], article["canonical_url"], article["content_hash"]
    try:
        if len(received) != 20 or received[19] != "Z":
            raise ValueError(received)
        seconds = int(datetime.fromisoformat(received).timestamp())
    except (ValueError, TypeError) as error:
        raise InvalidMessage(Reason.BAD_FIELD, f"received_at is not a time: {error}") from error
    try:
        content = int(content_hash[:16], 16) & _64_BITS
    except ValueError:  # not the normalizer's SHA-256
        content = _key(content_hash)
    has_path = url is not None and 0 < url.find("/", 8) < len(url) - 1
    id_key = _key(article["article_id"])
    state = _key((article["status"], content_hash, article["title"]))
    delivery = _key((id_key, state, seconds))
    return _Keys(seconds, id_key, _key(url) if has_path else 0, content, state, delivery)


def _content_key(content: int, signature: Signature) -> int:
    """Return the key under which the index lists a text; see `content_key`."""
    if signature.length >= SHORT:
        return content
    return int(content_key(np.uint64(content), signature.length, signature.title))


def _signature(record: DeduplicatedArticle) -> Signature:
    try:
        return from_text(record["signature"])
    except (ValueError, TypeError) as error:
        raise InvalidMessage(Reason.BAD_FIELD, f"signature: {error}") from error


def _series_of(record: DeduplicatedArticle) -> int:
    name = record["duplicate"]["series"]
    try:
        return 0 if name is None else int(name.removeprefix("series-"), 16) & _64_BITS
    except ValueError as error:
        raise InvalidMessage(Reason.BAD_FIELD, f"series: {error}") from error


class Edition:
    """Everything remembered of one edition. Only `apply` changes it."""

    def __init__(self, window_s: int) -> None:
        """Remember articles for `window_s` seconds of event time."""
        self._window_s = window_s
        self._span_s = max(1, window_s // SEGMENTS)
        self._clock: Clock | None = None
        self._matcher = Matcher()
        self._order = 0
        self._serial = 0
        self._fresh: tuple[object, _Keys, Signature, Stored | None] | None = None
        """The last decision and what was computed for it: usually the next record to apply."""
        self.index: Index | None = None
        """The articles; None before the first one."""

    def decide(self, article: CleanArticle) -> list[DeduplicatedArticle]:
        """Return the record to publish for `article`, or none when it is a replay."""
        keys = _keys(article)
        index = self.index
        known = None
        duplicate = None
        text = article["text"] if article["status"] == "usable" else ""
        if index is None or self._clock is None:
            signature = sketch(article["title"], text)
        else:
            first = self._first_alive(index, self._clock, keys.received)
            found = self._matcher.look(index, first, article["title"], text, keys.id, keys.url, keys.content)
            signature = found.signature
            if found.known >= 0:
                known = index.stored(found.known)
                if known.state == keys.state or index.find(DELIVERY, keys.delivery, first) >= 0:
                    return []
            if text and (found.matches or found.same >= 0):
                duplicate = self._judge(index, first, found, keys, known)
        if article["status"] == "withdrawn":
            signature = EMPTY
        record: dict[str, Any] = {
            **article,
            "version": 1,
            "duplicate": duplicate or none(),
            "signature": to_text(signature.packed) if signature is not EMPTY else "",
        }
        if known is not None:
            record["article_id"], record["version"] = known.article_id, known.version + 1
            keys = keys._replace(id=known.id_key)
        self._fresh = (record, keys, signature, known)
        return [cast(DeduplicatedArticle, record)]

    def _judge(
        self, index: Index, first: int, found: Examination, keys: _Keys, known: Stored | None
    ) -> Duplicate:
        """Return the verdict on an article that shares text with remembered ones."""
        rows = Rows(index)
        own = 0 if known is None else known.id_key

        def original(stored: Stored) -> Original:
            return self._original(index, rows, first, stored, own)

        content = _content_key(keys.content, found.signature)
        return Decision(rows, found, content, known, original, _series_key).verdict()

    def _first_alive(self, index: Index, clock: Clock, received: int) -> int:
        """Return the first row alive once an article has come; the last chunk always is."""
        chunks = index.chunks
        if len(chunks) == 1 or received - self._window_s < (chunks[0].span + 1) * self._span_s:
            return 0
        oldest = clock.after(received).now - self._window_s
        first = 0
        while first < len(chunks) - 1 and (chunks[first].span + 1) * self._span_s <= oldest:
            first += 1
        return first << CHUNK_BITS

    def _original(self, index: Index, rows: Rows, first: int, stored: Stored, own: int) -> Original:
        """Return whom a remembered article stands for: itself, unless it is a copy.

        A copy of a withdrawn original stands for itself, but one of the article `own` always for that.
        """
        current = stored
        for _ in range(_MAX_STEPS):  # more than one only after an original was withdrawn
            if current.root == 0:
                break
            if current.root == own:
                return Original(own, current.of, None)
            reference = index.find(ID, current.root, first)
            if reference < 0:
                return Original(current.root, current.of, None)
            target = rows[reference]
            if target.flags & WITHDRAWN:
                break
            current = target
        return Original(current.id_key, current.article_id, current)

    def apply(self, record: DeduplicatedArticle) -> None:
        """Take a published record into memory. Applying one twice changes nothing.

        Raises InvalidMessage for a record that `decide` cannot have made.
        """
        fresh, self._fresh = self._fresh, None
        if fresh is not None and fresh[0] is record:
            _, keys, signature, known = fresh
        else:
            keys, signature = _keys(record), _signature(record)
            known = self._known(keys)
        series = _series_of(record)
        if self._clock is None or self.index is None:
            self._clock = Clock(keys.received, self._window_s)
            self.index = Index(keys.received // self._span_s)
        index, clock = self.index, self._clock
        if known is not None:
            if known.version >= record["version"]:
                return
            index.flag(known.reference, REPLACED)
        self._clock = clock.after(keys.received)
        span = self._clock.now // self._span_s
        if span != index.chunks[-1].span:
            self._move(index, span, self._clock.now - self._window_s)
        self._add(index, record, keys, signature, series, known)

    def _known(self, keys: _Keys) -> Stored | None:
        """Return the current version of the article of a published record."""
        if self.index is None or self._clock is None:
            return None
        first = self._first_alive(self.index, self._clock, keys.received)
        reference = self.index.find(ID, keys.id, first)
        return None if reference < 0 else self.index.stored(reference)

    def _add(
        self,
        index: Index,
        record: DeduplicatedArticle,
        keys: _Keys,
        signature: Signature,
        series: int,
        known: Stored | None,
    ) -> None:
        of = record["duplicate"]["of"]
        root = 0 if of is None else _key(of)
        content = _content_key(keys.content, signature)
        index.add(
            record["article_id"],
            of or "",
            (keys.id, keys.url, content, keys.state, keys.delivery, root, series),
            signature,
            WITHDRAWN if record["status"] == "withdrawn" else 0,
            record["version"],
            self._order if known is None else known.order,
            self._serial,
        )
        self._serial += 1
        if known is None:
            self._order += 1

    def _move(self, index: Index, span: int, oldest: int) -> None:
        """Begin another span and let chunks expire that hold nothing from the second `oldest` on."""
        if index.chunks[-1].span > span:  # the clock was wrong and has been put back
            for chunk in index.chunks:
                chunk.span = min(chunk.span, span)
            return
        index.open_span(span)
        index.drop(sum((chunk.span + 1) * self._span_s <= oldest for chunk in index.chunks))
