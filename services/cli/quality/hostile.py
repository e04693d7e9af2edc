"""Input that no newsroom sends: what the deduplicator must survive without an error, a stall or a merge.

Seeded, so that a finding can be repeated from its number. Each input belongs to a family: inputs of one
family may be called copies of each other, those of two families have nothing in common.
"""

from __future__ import annotations

import random
import string
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from time import thread_time
from typing import cast

from services.deduplicator.deduplicate import Deduplicator, warm_up
from services.runtime.records import CleanArticle
from services.runtime.text import comparable

SLOW_MS = 50.0
"""What one article may cost, in milliseconds of processor time."""

HUGE = 5_000_000
"""Characters of the longest inputs."""

_MARKS = "\u200e\u200f\u202a\u202b\u202e\u2066\u2067\u2069\u200b\u200d\ufeff\u00ad"
_COMBINING = [chr(code) for code in range(0x300, 0x370)]
_RANGES = ((0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x52F), (0x590, 0x6FF), (0xE00, 0xE7F), (0x1E00, 0x1EFF))
_WIDE = (
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0x1F300, 0x1F9FF),
    (0xD800, 0xDFFF),
    (0x0, 0x1F),
    (0xE000, 0xF8FF),
)


@dataclass(frozen=True, slots=True)
class Hostile:
    """One input."""

    kind: str
    family: str
    title: str
    text: str


def _word(rng: random.Random) -> str:
    return "".join(rng.choices(string.ascii_lowercase, k=rng.randint(1, 9)))


def _length(rng: random.Random, most: int) -> int:
    """Return a length: short ones often, long ones seldom."""
    return min(most, int(rng.paretovariate(0.7)) + 1)


def _characters(rng: random.Random, ranges: tuple[tuple[int, int], ...], most: int) -> str:
    first, last = rng.choice(ranges)
    return "".join(chr(rng.randint(first, last)) for _ in range(_length(rng, most)))


def _nothing(rng: random.Random) -> tuple[str | None, str]:
    return None, "".join(rng.choices(" \n\t.,;!?…-–_\u200b\u00a0" + _MARKS, k=_length(rng, 500)))


def _one_character(rng: random.Random) -> tuple[str | None, str]:
    character = chr(
        rng.choice((rng.randint(0x21, 0x2FF), rng.randint(0x1E00, 0x1EFF), rng.randint(0x300, 0x36F)))
    )
    return f"one {comparable(character)}", character * _length(rng, 100_000)


def _one_unit(rng: random.Random) -> tuple[str | None, str]:
    unit = " ".join(_word(rng) for _ in range(rng.randint(1, 12))) + rng.choice((" ", ". ", "\n"))
    return f"unit {comparable(unit)}", unit * _length(rng, 20_000)


def _huge(rng: random.Random) -> tuple[str | None, str]:
    """Megabytes: one word, or one short text over and over."""
    unit = rng.choice(
        (_word(rng), " ".join(_word(rng) for _ in range(40)) + ". ", f"{rng.randrange(10**9)} ")
    )
    return f"unit {comparable(unit)}", (unit * (HUGE // len(unit) + 1))[:HUGE]


def _digits(rng: random.Random) -> tuple[str | None, str]:
    separator = rng.choice(("", " ", "/", "-", ".", ", "))
    return None, separator.join(
        str(rng.randrange(10 ** rng.randint(1, 12))) for _ in range(_length(rng, 5_000))
    )


def _dates(rng: random.Random) -> tuple[str | None, str]:
    some = (f"{rng.randint(0, 40)}/{rng.randint(0, 15)}" for _ in range(_length(rng, 3_000)))
    return None, " ".join(some)


def _unicode(rng: random.Random) -> tuple[str | None, str]:
    return None, " ".join(_characters(rng, _RANGES + _WIDE, 200) for _ in range(_length(rng, 200)))


def _surrogates(rng: random.Random) -> tuple[str | None, str]:
    words = (_word(rng) + chr(rng.randint(0xD800, 0xDFFF)) for _ in range(_length(rng, 500)))
    return None, rng.choice(("", " ")).join(words)


def _marks(rng: random.Random) -> tuple[str | None, str]:
    """Words with marks of direction and invisible signs between the letters."""
    words = (rng.choice(_MARKS).join(_word(rng)) for _ in range(_length(rng, 1_000)))
    return None, (" " + rng.choice(_MARKS)).join(words)


def _piled(rng: random.Random) -> tuple[str | None, str]:
    """Letters under piles of combining marks."""
    piles = ("".join(rng.choices(_COMBINING, k=rng.randint(1, 60))) for _ in range(_length(rng, 2_000)))
    return None, rng.choice(("", " ")).join(rng.choice(string.ascii_letters) + pile for pile in piles)


def _bytes(rng: random.Random) -> tuple[str | None, str]:
    data = rng.randbytes(_length(rng, 20_000))
    return None, data.decode(rng.choice(("latin-1", "cp437", "utf-8")), "replace")


def _words(rng: random.Random) -> tuple[str | None, str]:
    """Ordinary text of made-up words: what the others must not be merged with."""
    return None, " ".join(_word(rng) for _ in range(_length(rng, 2_000)))


def _common(rng: random.Random) -> tuple[str | None, str]:
    """A few words of its own among shingles that thousands of others have."""
    line = " ".join(f"dòng{number} chung của mọi trang tin" for number in range(8))
    return None, f"{' '.join(_word(rng) for _ in range(rng.randint(8, 40)))} {line}"


KINDS: dict[str, tuple[Callable[[random.Random], tuple[str | None, str]], float]] = {
    "empty after cleaning": (_nothing, 1),
    "one character repeated": (_one_character, 1),
    "a few words repeated": (_one_unit, 1),
    "5 MB": (_huge, 0.003),
    "only digits": (_digits, 1),
    "only dates": (_dates, 1),
    "any Unicode": (_unicode, 1),
    "surrogates": (_surrogates, 1),
    "marks of direction": (_marks, 1),
    "piles of combining marks": (_piled, 1),
    "random bytes": (_bytes, 1),
    "made-up words": (_words, 1),
    "mostly common lines": (_common, 1),
}
"""How an input is made (its family, None for one of its own, and its text), and its share of all."""


def hostile(amount: int, seed: int = 2017) -> Iterator[Hostile]:
    """Yield `amount` inputs; the same for the same seed."""
    chooser = random.Random(seed)
    names, weights = list(KINDS), [weight for _, weight in KINDS.values()]
    for number in range(amount):
        kind = chooser.choices(names, weights)[0]
        rng = random.Random(f"{seed}:{number}")
        family, text = KINDS[kind][0](rng)
        title = rng.choice(("", "Tin", _word(rng), text[:80], "".join(rng.choices(_MARKS, k=5))))
        yield Hostile(kind, family or f"{number}", title, text)


def as_article(number: int, one: Hostile) -> CleanArticle:
    """Return the record of an input as if the normalizer had passed it on unchanged."""
    minute, second = divmod(number // 10, 60)
    hour, minute = divmod(minute, 60)
    record = {
        "article_id": f"hostile-{number}",
        "edition": "vi",
        "canonical_url": None,
        "title": one.title,
        "lead": "",
        "text": one.text,
        "status": "usable",
        "content_hash": sha256(comparable(one.text).encode("utf-8", "surrogatepass")).hexdigest(),
        "received_at": f"2026-04-{1 + hour // 24:02}T{hour % 24:02}:{minute:02}:{second:02}Z",
    }
    return cast(CleanArticle, record)


@dataclass(slots=True)
class Endured:
    """What became of hostile input."""

    inputs: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    merges: list[tuple[str, str]] = field(default_factory=list)
    """Inputs called copies of one of another family: both ids."""
    slowest_ms: dict[str, float] = field(default_factory=dict)
    """By kind, in processor time from record to index."""
    slow: int = 0
    """Inputs that took more than SLOW_MS."""
    longest_probe: int = 0
    """Slots that one look-up of a shingle reads at most."""
    bytes_per_article: float = 0.0


def endure(amount: int, seed: int = 2017) -> Endured:
    """Decide and remember hostile input, one after another, and return what happened."""
    warm_up()
    deduplicator = Deduplicator()
    result = Endured()
    families: dict[str, str] = {}
    texts: dict[str, str] = {}
    for number, one in enumerate(hostile(amount, seed)):
        article = as_article(number, one)
        key = article["article_id"]
        families[key], texts[key] = one.family, article["content_hash"]
        result.inputs[one.kind] += 1
        started = thread_time()
        try:
            records = deduplicator.decide(article)
            for record in records:
                deduplicator.apply(record)
        except Exception as error:  # noqa: BLE001 - counting them is the purpose
            result.errors.append(f"{one.kind}, number {number}: {error!r}")
            continue
        took = 1000 * (thread_time() - started)
        result.slowest_ms[one.kind] = max(result.slowest_ms.get(one.kind, 0.0), took)
        result.slow += took > SLOW_MS
        of = records[0]["duplicate"]["of"]
        if of is not None and families[of] != one.family and texts[of] != article["content_hash"]:
            result.merges.append((key, of))
    result.longest_probe = deduplicator.longest_probe
    result.bytes_per_article = deduplicator.memory_bytes / max(1, deduplicator.entries)
    return result


def run(amount: int) -> bool:
    """Print what became of so much hostile input; return whether it did no harm."""
    result = endure(amount)
    print("| input | number | slowest, ms of processor time |\n|---|---:|---:|")  # noqa: T201
    for kind, number in result.inputs.items():
        print(f"| {kind} | {number} | {result.slowest_ms.get(kind, 0.0):.1f} |")  # noqa: T201
    print(  # noqa: T201
        f"\n{sum(result.inputs.values())} inputs: {len(result.errors)} errors, {len(result.merges)} merges of"
        f" unrelated ones, {result.slow} took more than {SLOW_MS:.0f} ms. A look-up reads at most"
        f" {result.longest_probe} neighbours in a table; {result.bytes_per_article:.0f} bytes an article."
    )
    for line in (*result.errors[:20], *(f"{one} merged with {other}" for one, other in result.merges[:20])):
        print(f"- {line}")  # noqa: T201
    return not result.errors and not result.merges and not result.slow
