"""Articles for the chaos test: many, all different, with copies, edits, replays and garbage among them."""

import json
import random
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.runtime.times import to_text

CORPORA = Path(__file__).parents[2] / "services" / "cli"
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)

_ENGLISH = (
    "The council met on Monday to discuss the new bridge over the river. Officials said the work would begin "
    "in the autumn and last two years. Residents asked for more trees along the road. The mayor promised an "
    "answer before the end of the month. A second hearing has been announced for next week. The budget is "
    "still under review by the finance committee. Several shops fear that they will lose customers. The "
    "region has seen heavy rain since the weekend. Farmers reported damage to their rice fields. Schools "
    "stay closed until Thursday according to the ministry."
)


def sentences() -> list[str]:
    """Return the sentences of our own corpora."""
    found: set[str] = set()
    for path in sorted(CORPORA.glob("*_corpus/*.jsonl")):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                text = json.loads(line)["text"]
            except (ValueError, TypeError, KeyError):
                continue  # the corpora hold broken messages on purpose
            found.update(s for s in re.split(r"(?<=[.!?])\s+", str(text)) if 8 <= len(s.split()) <= 60)
    return sorted(found)


def raw_messages(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield (key, value) of `count` raw messages, the same ones for the same seed.

    2 % are garbage, 3 % replays byte for byte, 3 % edits, 1 % withdrawals, 11 % copies by another source.
    """
    rng = random.Random(seed)
    pool = {"vi": sentences(), "en": re.split(r"(?<=\.)\s+", _ENGLISH)}
    sent: list[dict[str, str]] = []
    for number in range(count):
        kind = rng.random()
        crawled_at = to_text(BEGIN + timedelta(seconds=10 * number))
        if kind < 0.02:
            yield f"garbage-{number}", b'{"article_id": "garbage-%d", "text": ' % number
            continue
        if kind < 0.05 and sent:  # a replay, byte for byte
            article = rng.choice(sent)
        elif kind < 0.08 and sent:  # an edited version
            before = rng.choice(sent)
            words = before["text"].split(" ")
            article = {**before, "text": " ".join(words[: len(words) * 4 // 5]), "crawled_at": crawled_at}
        elif kind < 0.09 and sent:
            article = {**rng.choice(sent), "status": "withdrawn", "crawled_at": crawled_at}
        elif kind < 0.2 and sent:  # a copy by another source
            article = {**rng.choice(sent), "article_id": f"c-{number}", "crawled_at": crawled_at}
            article["source"] = f"Báo {number % 7}"
        else:
            edition = "en" if rng.random() < 0.25 else "vi"
            chosen = rng.sample(pool[edition], 7)
            article = {
                "article_id": f"a-{number}",
                "source": f"Báo {number % 7}",
                "title": " ".join(chosen[0].split()[:12]),
                "text": " ".join(chosen),
                "language": edition,
                "crawled_at": crawled_at,
                "published_at": crawled_at,
            }
            sent.append(article)
        yield article["article_id"], json.dumps(article, ensure_ascii=False).encode()
