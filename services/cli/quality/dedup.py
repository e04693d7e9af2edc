"""How well copies are found: every named edit of an article through normalizer and deduplicator.

Without data on the articles of our own corpora; with data on stream2017 and vims, whose texts are not ours
to ship. Everything goes the way of `machtin replay`: raw messages as JSON through the stages' runners.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from services.cli.quality.bulletins import Bulletin, bulletins
from services.cli.quality.edits import Edit, Text
from services.cli.quality.peers import Peer, shingles
from services.cli.quality.variants import VARIANTS
from services.deduplicator.deduplicate import Deduplicator
from services.runtime.codec import RECORD_LIMIT_BYTES, decode, encode
from services.runtime.errors import InvalidMessage
from services.runtime.records import CleanArticle, DeduplicatedArticle, Duplicate
from services.runtime.settings import Settings
from services.runtime.stage import Failure, StatelessStage, stateless_runner
from services.runtime.times import to_text
from services.topology import load_stage

CORPORA = Path(__file__).parents[1]
OWN = ("demo_corpus/articles.jsonl", "gold_corpus/domestic.jsonl", "gold_corpus/world-and-culture.jsonl")
START = datetime(2026, 4, 1, tzinfo=UTC)
SEED = 2017
SAME_JACCARD, SAME_CONTAINMENT = 0.7, 0.8
"""Computed similarities from which a pair should be found."""

MOSTLY_NEW = 0.4
"""Share of a later text that the earlier one lacks, above which it is a live update and no copy."""


@dataclass(frozen=True, slots=True)
class Original:
    """An article as a crawler found it."""

    key: str
    text: Text


class Chain:
    """Normalizer and deduplicator, fed with raw messages one after another."""

    def __init__(self) -> None:
        stage = load_stage("normalizer")
        assert isinstance(stage, StatelessStage)
        self._normalizer = stateless_runner(stage.load(), Settings().max_message_bytes)
        self.deduplicator = Deduplicator()

    def clean(self, key: str, text: Text, at: datetime = START, **fields: str) -> CleanArticle | None:
        """Return the normalized article, or None where the normalizer refuses it."""
        message = {"article_id": key, "title": text.title, "text": text.body, **fields}
        outcome = self._normalizer.process(json.dumps(message).encode(), at)
        if isinstance(outcome, Failure):
            return None
        return cast(CleanArticle, decode(encode(outcome[0]), RECORD_LIMIT_BYTES))

    def verdict(self, article: CleanArticle) -> Duplicate | None:
        """Return what the article would be called, without remembering it; None for a replay."""
        records = self.deduplicator.decide(article)
        return records[0]["duplicate"] if records else None

    def feed(self, article: CleanArticle) -> DeduplicatedArticle | None:
        """Decide and remember; None for a replay."""
        records = self.deduplicator.decide(article)
        for record in records:
            self.deduplicator.apply(record)
        return records[0] if records else None


@dataclass(slots=True)
class Base:
    """A stream of untouched articles, taken in."""

    chain: Chain
    texts: dict[str, Text]
    clean: dict[str, CleanArticle]
    verdicts: dict[str, Duplicate]

    @property
    def claims(self) -> list[str]:
        """Articles called copies."""
        return [key for key, verdict in self.verdicts.items() if verdict["kind"] != "none"]

    @property
    def originals(self) -> list[str]:
        """Articles called none, in a seeded order."""
        keys = [key for key, verdict in self.verdicts.items() if verdict["kind"] == "none"]
        random.Random(SEED).shuffle(keys)
        return keys


def own_articles(names: Sequence[str] = OWN) -> list[Original]:
    """Return the articles of our own corpora; the demo corpus holds invalid messages, which are left out."""
    articles: dict[str, Original] = {}
    for name in names:
        for line in (CORPORA / name).read_bytes().splitlines():
            try:
                raw = decode(line, RECORD_LIMIT_BYTES)
            except InvalidMessage:
                continue
            key, body = raw.get("article_id") or raw.get("url"), raw.get("text")
            if isinstance(key, str) and isinstance(body, str) and body.strip():
                articles.setdefault(key, Original(key, Text(str(raw.get("title") or ""), body)))
    return list(articles.values())


def data_articles(directory: Path, name: str) -> list[Original]:
    """Return the articles of one file of the development data. Raises OSError where it is missing."""
    with gzip.open(directory / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [Original(row["id"], Text(row["title"] or "", row["body"])) for row in rows]


def take_in(articles: Iterable[Original]) -> Base:
    """Feed untouched articles, all received at one time, to a new chain."""
    base = Base(Chain(), {}, {}, {})
    for article in articles:
        clean = base.chain.clean(article.key, article.text)
        record = None if clean is None else base.chain.feed(clean)
        if clean is not None and record is not None:
            base.texts[article.key] = article.text
            base.clean[article.key] = clean
            base.verdicts[article.key] = record["duplicate"]
    return base


@dataclass(slots=True)
class Outcome:
    """What became of one edit of many articles."""

    tried: int = 0
    copies: int = 0
    """Called copies of the article they were made from."""
    others: int = 0
    """Called copies of another article."""
    named: int = 0
    """Called none, with the article they were made from as evidence."""
    by_peer: dict[str, int] = field(default_factory=dict)

    @property
    def recall(self) -> float:
        """Share called copies of the right article."""
        return self.copies / max(1, self.tried)

    @property
    def called(self) -> float:
        """Share called copies of anything."""
        return (self.copies + self.others) / max(1, self.tried)


def measure(
    base: Base, edit: Edit, name: str, keys: Sequence[str], news: Sequence[str], peers: dict[str, Peer]
) -> Outcome:
    """Return what is said of each article's edited form, with only the untouched articles remembered.

    `news` are texts of articles that are not remembered, from which edits take what is new.
    """
    outcome = Outcome(by_peer=dict.fromkeys(peers, 0))
    for number, key in enumerate(keys):
        text = edit(base.texts[key], random.Random(f"{SEED}:{name}:{key}"), news[number % len(news)])
        outcome.tried += 1
        clean = base.chain.clean(f"edited-{key}", text)
        if clean is None:
            continue
        verdict = base.chain.verdict(clean)
        if verdict is not None and verdict["kind"] != "none":
            outcome.copies += verdict["of"] == key
            outcome.others += verdict["of"] != key
        elif verdict is not None and verdict["closest"] is not None:
            outcome.named += verdict["closest"]["article_id"] == key
        for peer, index in peers.items():
            outcome.by_peer[peer] += key in index.find(clean["text"])
    return outcome


def replayed(articles: Sequence[Original], news: Sequence[str]) -> tuple[Outcome, int]:
    """Return what becomes of a stream in which everything is remembered, and the false claims in it.

    Every article is followed, some hours later, by a copy that is edited in one of all the ways, under
    another id, title prefix and source, every other one without any date; articles come an hour apart.
    """
    edits = [edit for group, some in VARIANTS.items() if group != "several at once" for edit in some.values()]
    chain, outcome, claims = Chain(), Outcome(), 0
    originals: set[str] = set()
    rng = random.Random(SEED)
    waiting: list[Original] = []
    for number, article in enumerate(articles):
        at = START + timedelta(minutes=number)
        clean = chain.clean(article.key, article.text, at, crawled_at=to_text(at), source="Báo Gốc")
        record = None if clean is None else chain.feed(clean)
        if record is not None:
            claims += record["duplicate"]["kind"] != "none"
            if record["duplicate"]["kind"] == "none":
                originals.add(article.key)
                waiting.append(article)
        if len(waiting) > 200 or number == len(articles) - 1:
            rng.shuffle(waiting)
            for original in waiting:
                text = rng.choice(edits)(original.text, rng, rng.choice(news))
                fields = {} if rng.random() < 0.5 else {"published_at": to_text(at), "source": "Báo Chép"}
                clean = chain.clean(f"copy-{original.key}", text, at, **fields)
                record = None if clean is None else chain.feed(clean)
                outcome.tried += 1
                if record is not None and record["duplicate"]["kind"] != "none":
                    outcome.copies += record["duplicate"]["of"] == original.key
                    outcome.others += record["duplicate"]["of"] not in originals
            waiting = []
    return outcome, claims


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair of the computed near-copies, the earlier one first."""

    earlier: str
    later: str
    jaccard: float
    containment: float
    new: float
    """Share of the later text's shingles that the earlier one lacks."""
    verdict: str
    """copy; copy of another (a nearer one, or an earlier one that this pair's first is no copy of); next
    issue; update (mostly new, with evidence named); or missed."""


def pairs(base: Base, path: Path) -> Iterator[Pair]:
    """Yield the computed pairs that are similar enough, with what is said of them."""
    order = {key: number for number, key in enumerate(base.verdicts)}
    roots = {key: verdict["of"] or key for key, verdict in base.verdicts.items()}
    with path.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows, delimiter="\t"):
            jaccard, containment = float(row["jaccard5"]), float(row["containment5"])
            if jaccard < SAME_JACCARD and containment < SAME_CONTAINMENT:
                continue
            earlier, later = sorted((row["id_a"], row["id_b"]), key=lambda key: order[key])
            verdict = base.verdicts[later]
            before = set(shingles(base.clean[earlier]["text"]))
            after = set(shingles(base.clean[later]["text"]))
            new = len(after - before) / max(1, len(after))
            if roots[earlier] == roots[later]:
                said = "copy"
            elif verdict["kind"] != "none":
                said = "copy of another"
            elif verdict["series"] is not None:
                said = "next issue"
            elif new > MOSTLY_NEW and verdict["closest"] is not None:
                said = "update"
            else:
                said = "missed"
            yield Pair(earlier, later, jaccard, containment, new, said)


@dataclass(slots=True)
class Issues:
    """What is said of bulletins."""

    issues: int = 0
    called_copies: list[str] = field(default_factory=list)
    without_series: int = 0
    """Later issues without a series id."""
    series: dict[str, set[str]] = field(default_factory=dict)
    """The ids given to the issues of each series."""
    reposts: int = 0
    reposts_found: int = 0
    """Reposts of an issue, with a site's lines around, called copies of that very issue."""


def _issue_key(issue: Bulletin) -> str:
    return f"{issue.series}-{issue.day}"


def measure_bulletins(chain: Chain, days: int = 12) -> Issues:
    """Feed every issue of every series of our own, each followed by a repost of it elsewhere."""
    result = Issues()
    repost = VARIANTS["boilerplate around"]["a line before and after"]
    for issue in bulletins(days):
        at = START + timedelta(days=issue.day / 2)
        key = _issue_key(issue)
        clean = chain.clean(key, issue.text, at)
        record = None if clean is None else chain.feed(clean)
        assert record is not None
        result.issues += 1
        if record["duplicate"]["kind"] != "none":
            result.called_copies.append(key)
        series = record["duplicate"]["series"]
        if series is not None:
            result.series.setdefault(issue.series, set()).add(series)
        elif issue.day > 1:
            result.without_series += 1
        text = repost(issue.text, random.Random(key), "")
        clean = chain.clean(f"repost-{key}", text, at + timedelta(hours=1))
        record = None if clean is None else chain.feed(clean)
        result.reposts += 1
        result.reposts_found += record is not None and record["duplicate"]["of"] == key
    return result
