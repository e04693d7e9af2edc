"""Decides for every article whether it is new, a copy, or a new version. Pure: records in, records out.

`decide` never changes state; `apply` is the only way in, and takes what was published. Start-up therefore
rebuilds the index by applying the output topic, and a replayed message finds itself already there.
"""

from __future__ import annotations

import random
from typing import cast

from services.deduplicator.edition import Edition
from services.runtime.records import CleanArticle, DeduplicatedArticle

WINDOW_S = 7 * 86_400
"""How long an article is remembered by default, in seconds of event time."""


class Deduplicator:
    """The memory of one partition: one edition or several, never matched against each other."""

    def __init__(self, window_s: int = WINDOW_S) -> None:
        """Remember articles for `window_s` seconds of event time."""
        self.window_s = window_s
        self._editions: dict[str, Edition] = {}

    @property
    def entries(self) -> int:
        """Article versions remembered."""
        return sum(edition.index.entries for edition in self._editions.values() if edition.index)

    @property
    def memory_bytes(self) -> int:
        """Bytes allocated by the index."""
        return sum(edition.index.memory_bytes for edition in self._editions.values() if edition.index)

    @property
    def longest_probe(self) -> int:
        """Slots of a table that one look-up of a shingle reads at most in one segment."""
        return max((e.index.longest_probe for e in self._editions.values() if e.index), default=0)

    def decide(self, article: CleanArticle) -> list[DeduplicatedArticle]:
        """Return the record to publish for `article`; [] for a replay. Changes nothing.

        Raises InvalidMessage for a record that the normalizer cannot have made.
        """
        edition = self._editions.get(article["edition"])
        return (edition or Edition(self.window_s)).decide(article)

    def apply(self, record: DeduplicatedArticle) -> None:
        """Take a published record into memory. Applying one twice changes nothing.

        Raises InvalidMessage for a record that `decide` cannot have made.
        """
        edition = self._editions.get(record["edition"])
        if edition is None:
            edition = Edition(self.window_s)
            edition.apply(record)
            self._editions[record["edition"]] = edition
        else:
            edition.apply(record)

    def repair(self) -> list[DeduplicatedArticle]:
        """Return nothing: every decision is one record, so a crash cannot leave half of one."""
        return []


def warm_up() -> None:
    """Compile everything compiled (or load it from disk), so that the first article does not wait.

    Some ten seconds when nothing is compiled yet. A copy, a new version and a withdrawal of a made-up
    article pass through every compiled function, and so many others that the tables grow.
    """
    rng = random.Random(0)
    text = " ".join(f"câu số {n} của bài thử kể về làng thứ {n * 7}" for n in range(40))
    deduplicator = Deduplicator(window_s=8)
    steps = [("a", text, "usable", 0), ("b", text[:800], "usable", 1), ("a", text[9:], "usable", 2)]
    steps += [("a", "", "withdrawn", 3), ("c", text, "usable", 4), ("d", text, "usable", 6)]
    for n in range(300):
        steps.append((f"other-{n}", " ".join(f"w{rng.getrandbits(32):x}" for _ in range(30)), "usable", 7))
    for article_id, body, status, second in steps:
        article = {
            "article_id": article_id,
            "edition": "vi",
            "canonical_url": f"https://example.org/{article_id}",
            "title": "bài thử",
            "lead": "",
            "text": body,
            "status": status,
            "content_hash": str(len(body)),
            "received_at": f"2026-01-01T00:00:0{second}Z",
        }
        for record in deduplicator.decide(cast(CleanArticle, article)):
            deduplicator.apply(record)
