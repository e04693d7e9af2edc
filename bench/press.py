"""A made-up press for benchmarks of the clusterer: events, follow-ups and copies as the enricher sends them.

The texts are those of `bench.dedup`, calibrated on a real stream. What is added follows real articles as the
enricher leaves them: five to fifteen entities, of which some belong to the event and some are in the news
every day, 32 keywords, a quote in two articles of five. Four articles in ten follow an earlier event, newer
events more often, and take two fifths of their text from its first article; one in ten is a copy.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from typing import Any, cast

from bench.dedup import Articles, clean
from services.cli.quality.edits import Text
from services.runtime.records import Duplicate, EnrichedArticle

FOLLOW_UPS = 0.4
COPIES = 0.1
EVENTS_FOLLOWED = 4000
"""How many of the newest events still make news."""
OWN_SHARE = 0.6
"""What a follow-up tells in words of its own."""
WINDOW = 9
EVERYDAY_NAMES = 3000
KEYWORDS = 32

_NEW: Duplicate = {
    "kind": "none", "of": None, "similarity": None, "differs": [], "closest": None, "series": None,
}  # fmt: skip


class Press:
    """An endless supply of enriched articles, the same for the same seed."""

    def __init__(self, seed: int, articles_a_day: int) -> None:
        self._seed = seed
        self._texts = Articles(seed).texts()
        self._random = random.Random(seed)
        self._articles_a_day = articles_a_day
        self._events: deque[EnrichedArticle] = deque(maxlen=EVENTS_FOLLOWED)
        self._number = 0

    def founders(self, amount: int) -> Iterator[EnrichedArticle]:
        """Yield first articles of events, nothing else."""
        for _ in range(amount):
            self._number += 1
            yield self._founder()

    def articles(self) -> Iterator[EnrichedArticle]:
        """Yield articles without end, in the order of their arrival."""
        while True:
            self._number += 1
            dice = self._random.random()
            event = self._event() if self._events else None
            if event is None or dice >= FOLLOW_UPS + COPIES:
                yield self._founder()
            elif dice < COPIES:
                yield self._copy(event)
            else:
                yield self._article(self._follow_up(event["text"]), event)

    def _founder(self) -> EnrichedArticle:
        founder = self._article(next(self._texts), None)
        self._events.append(founder)
        return founder

    def _event(self) -> EnrichedArticle:
        back = int(self._random.expovariate(8 / len(self._events)))
        return self._events[-1 - min(back, len(self._events) - 1)]

    def _follow_up(self, founder: str) -> str:
        own, old = next(self._texts).split(" "), founder.split(" ")
        words: list[str] = []
        for start in range(0, len(own), WINDOW):
            source = own if self._random.random() < OWN_SHARE else old
            at = start if source is own else self._random.randrange(max(1, len(old) - WINDOW))
            words += source[at : at + WINDOW]
        return " ".join(words)

    def _article(self, text: str, event: EnrichedArticle | None) -> EnrichedArticle:
        words = [word.strip(".") for word in text[:2000].split(" ")]
        keywords = [f"{words[i]} {words[i + 1]}" for i in range(0, min(2 * KEYWORDS, len(words) - 1), 2)]
        names = [" ".join(words[i : i + 2]).title() for i in range(0, min(10, len(words) - 1), 2)]
        if event:
            known = [entity["name"] for entity in event["entities"]]
            names = names[:2] + self._random.sample(known, min(4, len(known)))
            terms = [keyword["term"] for keyword in event["keywords"]]
            keywords = self._random.sample(terms, min(10, len(terms))) + keywords[: KEYWORDS - 10]
        names += [f"Everyday {int(EVERYDAY_NAMES * self._random.random() ** 3)}" for _ in range(5)]
        quote = " ".join(words[20:40])
        return self._made(
            text,
            entities=[
                {
                    "id": f"person:{name}",
                    "name": name,
                    "type": "PER",
                    "salience": 0.9 / (i + 1),
                    "mentions": [],
                }
                for i, name in enumerate(dict.fromkeys(names))
            ],
            keywords=[
                {"term": term, "weight": round(1 / (1 + 0.2 * i), 4)}
                for i, term in enumerate(dict.fromkeys(keywords))
            ],
            quotes=[{"text": quote, "speaker": None}] if self._random.random() < 0.4 else [],
        )

    def _copy(self, of: EnrichedArticle) -> EnrichedArticle:
        duplicate = {**_NEW, "kind": "exact", "of": of["article_id"]}
        same = {field: of[field] for field in ("entities", "keywords", "quotes")}
        return self._made(of["text"], duplicate=duplicate, **same)

    def _made(self, text: str, **fields: Any) -> EnrichedArticle:
        second = self._number * 86_400 // self._articles_a_day
        article = clean(f"press-{self._seed}-{self._number}", Text(text[:70], text), second)
        return cast(
            EnrichedArticle,
            {**article, "source": f"Báo {second % 97}", "version": 1, "signature": "", "duplicate": _NEW}
            | fields,
        )
