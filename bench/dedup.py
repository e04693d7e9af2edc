"""Speed and memory of the deduplicator beside datasketch and rensa, in one run on one core.

    python -m bench.dedup [--windows 10000,100000,1000000] [--peers 100000] [--articles 2000]

All methods get the same articles in turns of 50, so that whatever else the machine does slows them alike:
read the ratios, not the microseconds (in brackets: the median). An article goes from text to verdict and into
the index. The window is filled beforehand with made-up articles; the peers' with random signatures, which
cost them the same and take no hours to make. A quarter of the measured articles are copies, edited as in
`services.cli.quality.edits`. The peers are measured at their usual setting and at ones that find nearly as
much as ours does.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import platform
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numba
import numpy as np
from numpy.typing import NDArray

from services.cli.quality.edits import COPIES, Text, edited
from services.cli.quality.peers import shingles
from services.deduplicator.deduplicate import Deduplicator, warm_up
from services.deduplicator.signature import to_text
from services.deduplicator.sketch import sketch
from services.runtime.records import CleanArticle, DeduplicatedArticle
from services.runtime.text import comparable

START = 1_770_000_000
WINDOW_S = 7 * 86_400
TURN = 200
"""Articles in a turn. The first one finds its caches taken by the method before, which no service meets; so
turns are long, and short enough (a fifth of a second of the peers) to share what the machine does."""
EDITS = (
    "same text",
    "cut to 60 %",
    "cut to a third",
    "5 % of words edited",
    "boilerplate around",
    "new lead",
)

# Made-up Vietnamese: calibrated on 5,742 articles of a real stream, of whose shingles 20 % occur in at least
# one other article, 5 % in at least four, 2 % in at least eight. docs/deduplication.md has the comparison.
PHRASES = 400_000
PHRASE_WORDS = 9
PHRASE_RATE = 0.16
MEAN_WORDS = 480
MAX_UNITS = 60_000

_ONSETS = "b.c.ch.d.đ.g.gi.h.k.kh.l.m.n.ng.nh.ph.qu.r.s.t.th.tr.v.x"
_RIMES = (
    "a.ai.an.ang.anh.ao.át.ạch.ăm.ăn.ằng.ắt.ân.ất.ậy.e.en.ếch.ê.ền.ệnh.i.ia.iên.iếu.ình.ích.o.oa.oài.oan.óc.oi"
    ".ông.ộc.ôi.ồn.ốt.ơ.ới.ơn.u.ua.ui.ưng.uốn.ương.ượt.ứa.ưu.y.yên.ỳ"
)


@dataclass(frozen=True, slots=True)
class Language:
    """Syllables as UTF-16 units, one after another, and phrases that articles have in common."""

    units: NDArray[np.uint16]
    starts: NDArray[np.int64]
    phrases: NDArray[np.int32]
    weights: NDArray[np.float64]


def make_language(seed: int) -> Language:
    """Return a made-up language, the same for the same seed."""
    rng = np.random.default_rng(seed)
    syllables = [f"{onset}{rime} " for onset in _ONSETS.split(".") for rime in _RIMES.split(".")]
    starts = np.cumsum([0] + [len(s) for s in syllables])
    units = np.frombuffer("".join(syllables).encode("utf-16-le"), np.uint16)
    phrases = _zipf(rng, len(syllables), PHRASES * PHRASE_WORDS, 0.7).reshape(PHRASES, PHRASE_WORDS)
    weights = np.cumsum(1.0 / np.arange(1, PHRASES + 1) ** 0.54)
    return Language(units, starts, phrases.astype(np.int32), weights / weights[-1])


def _zipf(rng: np.random.Generator, kinds: int, amount: int, power: float) -> NDArray[np.int64]:
    weights = np.cumsum(1.0 / np.arange(1, kinds + 1) ** power)
    return np.searchsorted(weights / weights[-1], rng.random(amount))


@numba.njit(cache=True)  # type: ignore[untyped-decorator]
def _write(units, starts, phrases, weights, words, seed, out):  # type: ignore[no-untyped-def]
    """Write an article of about `words` words to `out`; return its length in UTF-16 units."""
    np.random.seed(seed)
    size = 0
    done = 0
    while done < words and size < out.size - 400:
        phrase = np.random.random() < PHRASE_RATE
        row = np.searchsorted(weights, np.random.random()) if phrase else 0
        for i in range(PHRASE_WORDS if phrase else 1):
            word = phrases[row, i] if phrase else np.int64((starts.size - 1) * np.random.random() ** 1.5)
            for unit in units[starts[word] : starts[word + 1]]:
                out[size] = unit
                size += 1
            done += 1
        if np.random.random() < 0.06:
            out[size - 1] = 46
            out[size] = 32
            size += 1
    return size


class Articles:
    """An endless supply of made-up articles."""

    def __init__(self, seed: int) -> None:
        self._language = make_language(seed)
        self._out = np.empty(MAX_UNITS, np.uint16)
        self._lengths = np.random.default_rng(seed)
        self._seed = seed * 1_000_003

    def text(self) -> str:
        """Return the text of the next article."""
        language = self._language
        self._seed += 1
        words = int(min(self._lengths.lognormal(np.log(MEAN_WORDS), 0.6), 6000)) + 20
        size = _write(
            language.units, language.starts, language.phrases, language.weights, words, self._seed, self._out
        )
        return self._out[:size].tobytes().decode("utf-16-le").strip()

    def texts(self) -> Iterator[str]:
        """Yield texts without end."""
        while True:
            yield self.text()


def clean(article_id: str, text: Text, second: int) -> CleanArticle:
    """Return the record that the normalizer would publish."""
    received = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + second))
    record = {
        "article_id": article_id,
        "edition": "vi",
        "url": f"https://bao{second % 97}.example/tin/{article_id}",
        "canonical_url": f"https://bao{second % 97}.example/tin/{article_id}",
        "source": "Báo Thử",
        "title": text.title,
        "lead": "",
        "text": text.body,
        "language": "vi",
        "published_at": received,
        "published_precision": "second",
        "modified_at": None,
        "received_at": received,
        "status": "usable",
        "derived": [],
        "content_hash": sha256(comparable(text.body).encode()).hexdigest(),
        "authors": [],
        "categories": [],
        "tags": [],
        "image_url": None,
        "extra": {},
    }
    return cast(CleanArticle, record)


def filler(supply: Articles, number: int, window: int) -> DeduplicatedArticle:
    """Return a published record of a made-up article, without its text: the index asks only for this."""
    text = supply.text()
    second = number * WINDOW_S // (window + 1)
    record: dict[str, Any] = {
        **clean(f"filler-{number:08}", Text("", ""), second),
        "content_hash": sha256(text.encode()).hexdigest(),
        "version": 1,
        "duplicate": {
            "kind": "none", "of": None, "similarity": None, "differs": [], "closest": None, "series": None
        },
        "signature": to_text(sketch(text[:60], text[60:]).packed),
    }  # fmt: skip
    return cast(DeduplicatedArticle, record)


@dataclass(slots=True)
class Measured:
    """An article to measure, and the number of the one it is a copy of."""

    article: CleanArticle
    of: str | None


def real_texts(data: Path) -> Iterator[str]:
    """Yield the texts of a directory's stream2017.jsonl.gz."""
    with gzip.open(data / "stream2017.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["body"]


def measured(texts: Iterator[str], amount: int) -> list[Measured]:
    """Return `amount` articles at the end of the window, a quarter of them copies of earlier ones."""
    rng = random.Random(7)
    items: list[Measured] = []
    for number in range(amount):
        originals = [i for i in items if i.of is None]
        second = WINDOW_S + number // 10
        if len(originals) > 50 and rng.random() < 0.25:
            original = rng.choice(originals).article
            name = EDITS[number % len(EDITS)]
            assert name in COPIES
            text = edited(name, Text(original["title"], original["text"]), str(number), original["text"])
            items.append(Measured(clean(f"copy-{number}", text, second), original["article_id"]))
        else:
            body = next(texts)
            items.append(Measured(clean(f"new-{number}", Text(body[:60], body), second), None))
    return items


# The peers: Python shingling that folds like ours, so that all can find the same copies.


class Datasketch:
    """datasketch.MinHashLSH with 128 permutations."""

    def __init__(self, threshold: float, window: int) -> None:
        import datasketch

        self._minhash = datasketch.MinHash
        self._lsh = datasketch.MinHashLSH(threshold=threshold, num_perm=128)
        scheme = self._minhash(num_perm=128).scheme
        rng = np.random.default_rng(1)
        for number in range(window):
            values = rng.integers(0, 1 << 32, 128, dtype=np.uint64)
            self._lsh.insert(
                number, self._minhash(num_perm=128, hashvalues=values, scheme=scheme), check_duplication=False
            )

    def __call__(self, article: CleanArticle) -> set[Any]:
        """Return the keys of the articles that this one is said to resemble."""
        minhash = self._minhash(num_perm=128)
        found = {s.encode() for s in shingles(article["text"])}
        if found:
            minhash.update_batch(found)
        similar = set(self._lsh.query(minhash))
        self._lsh.insert(article["article_id"], minhash)
        return similar


class Rensa:
    """rensa.RMinHashLSH with 128 permutations; keys are numbers."""

    def __init__(self, threshold: float, bands: int, window: int) -> None:
        import rensa

        self._minhash = rensa.RMinHash
        self._lsh = rensa.RMinHashLSH(threshold=threshold, num_perm=128, num_bands=bands)
        self._names: dict[int, str] = {}
        for number in range(window):
            minhash = rensa.RMinHash(num_perm=128, seed=42)
            minhash.update([f"{number}"])
            self._lsh.insert(number, minhash)
        self._next = window

    def __call__(self, article: CleanArticle) -> set[Any]:
        """Return the keys of the articles that this one is said to resemble."""
        minhash = self._minhash(num_perm=128, seed=42)
        minhash.update(shingles(article["text"]))
        similar = {self._names.get(key) for key in self._lsh.query(minhash)}
        self._lsh.insert(self._next, minhash)
        self._names[self._next] = article["article_id"]
        self._next += 1
        return similar


class Ours:
    """The deduplicator: decide and apply."""

    def __init__(self, window: int) -> None:
        self._deduplicator = Deduplicator(WINDOW_S)
        self.slowest_fill_ms = 0.0
        supply = Articles(99)
        for number in range(window):
            record = filler(supply, number, window)
            started = time.process_time()
            self._deduplicator.apply(record)
            self.slowest_fill_ms = max(self.slowest_fill_ms, 1000 * (time.process_time() - started))
        self.bytes_per_article = self._deduplicator.memory_bytes / max(1, self._deduplicator.entries)

    def __call__(self, article: CleanArticle) -> set[Any]:
        """Return the keys of the articles that this one is said to resemble."""
        found = set()
        for record in self._deduplicator.decide(article):
            self._deduplicator.apply(record)
            found.add(record["duplicate"]["of"])
        return found


@dataclass(slots=True)
class Result:
    """Cost of one method at one window."""

    microseconds: float
    median: float
    """Of all turns, in microseconds an article, disturbed ones included."""
    recall: float


def run(methods: dict[str, Callable[[CleanArticle], set[Any]]], items: list[Measured]) -> dict[str, Result]:
    """Run every method over the same articles in turns; return the cost of a turn and the recall.

    The cost is that of the fastest tenth of the turns: what other work on the machine adds to the others
    (cold caches above all) is not the method's, and weighs more on the faster one.
    """
    costs: dict[str, list[float]] = {name: [] for name in methods}
    found = dict.fromkeys(methods, 0)
    for number, turn in enumerate(_turns(items)):
        names = list(methods)
        for name in (
            names[number % len(names) :] + names[: number % len(names)]
        ):  # the first finds cold caches
            method = methods[name]
            gc.disable()
            started = time.process_time()
            answers = [method(item.article) for item in turn]
            costs[name].append((time.process_time() - started) / len(turn))
            gc.enable()
            found[name] += sum(
                item.of in answer for item, answer in zip(turn, answers, strict=True) if item.of is not None
            )
    copies = sum(item.of is not None for item in items)
    return {
        name: Result(
            statistics.quantiles(costs[name], n=10)[0] * 1e6,
            statistics.median(costs[name]) * 1e6,
            found[name] / copies,
        )
        for name in methods
    }


def _turns(items: list[Measured]) -> Iterator[list[Measured]]:
    for start in range(0, len(items), TURN):
        yield items[start : start + TURN]


def machine() -> str:
    """Return what the figures were measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = re.findall(r"model name\s*: (.*)", cpuinfo.read_text())
        model = names[0] if names else model
    return f"{model}, CPython {platform.python_version()}, numba {numba.__version__}, numpy {np.__version__}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Speed and memory of the deduplicator beside its peers.")
    parser.add_argument("--windows", default="10000,100000,1000000", help="sizes of our index")
    parser.add_argument("--peers", type=int, default=100_000, help="window at which the peers are measured")
    parser.add_argument("--articles", type=int, default=2000, help="articles measured")
    parser.add_argument("--data", type=Path, help="directory with stream2017.jsonl.gz: measure real articles")
    options = parser.parse_args()
    windows = sorted({int(w) for w in options.windows.split(",")} | {options.peers})
    warm_up()
    texts = real_texts(options.data) if options.data else Articles(5).texts()
    items = measured(texts, options.articles)
    mean = statistics.fmean(len(item.article["text"]) for item in items)
    print(f"Machine: {machine()}, one core")
    print(f"{len(items)} articles of {mean:.0f} characters in the mean, a quarter of them copies\n")

    ours = {window: Ours(window) for window in windows}
    methods: dict[str, Callable[[CleanArticle], set[Any]]] = {
        f"ours at {window:,}": method for window, method in ours.items()
    }
    print(
        "| window | µs an article | against the smallest | bytes an article | slowest apply while filling |"
    )
    print("|---:|---:|---:|---:|---:|")
    results = run(methods, items)
    smallest = results[f"ours at {windows[0]:,}"].microseconds
    for window, method in ours.items():
        cost = results[f"ours at {window:,}"].microseconds
        print(
            f"| {window:,} | {cost:.0f} | {cost / smallest:.2f} | {method.bytes_per_article:.0f}"
            f" | {method.slowest_fill_ms:.0f} ms |"
        )
    del ours, methods

    peers: dict[str, Callable[[CleanArticle], set[Any]]] = {
        "ours": Ours(options.peers),
        f"datasketch {version('datasketch')} MinHashLSH, threshold 0.5": Datasketch(0.5, options.peers),
        "datasketch, threshold 0.3": Datasketch(0.3, options.peers),
        "datasketch, threshold 0.2": Datasketch(0.2, options.peers),
        f"rensa {version('rensa')} RMinHashLSH, 32 bands of 4": Rensa(0.5, 32, options.peers),
        "rensa, 64 bands of 2": Rensa(0.2, 64, options.peers),
    }
    print(f"\nWindow of {options.peers:,} articles, text to verdict and into the index:\n")
    print("| method | µs an article | our throughput is | by the median | copies found |")
    print("|---|---:|---:|---:|---:|")
    results = run(peers, items)
    for name, result in results.items():
        ratio = result.microseconds / results["ours"].microseconds
        median = result.median / results["ours"].median
        cost = f"{result.microseconds:.0f} ({result.median:.0f})"
        print(f"| {name} | {cost} | {ratio:.1f} times | {median:.1f} times | {result.recall:.3f} |")


if __name__ == "__main__":
    main()
