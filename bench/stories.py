"""Speed, memory and rebuild of the clusterer beside its peers, in one run on one core.

    python -m bench.stories [--stories 10000,20000,100000] [--articles 1000] [--data DIR]

The clusterer is filled with made-up stories of one article (`bench.press`); then it decides on more articles
of the same press, in turns of fifty that every size and every peer takes one after the other, so that what
else the machine does slows them alike: read the ratios, not the microseconds. An article goes from the
enriched record to the published bytes of all that follows from it. Then a few more articles are decided on
under a watch, to see what the steps of a decision and the kinds of decisions cost. Memory and rebuild speed
are measured in a process of their own that reads the records back. With --data the development stream of
real articles is run through an empty clusterer as well (enriching it first takes minutes).
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, wraps
from itertools import islice
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np

from bench.background import counted
from bench.dedup import TURN, machine
from bench.development import feed, prepare, usable
from bench.press import Press
from services.cli.quality.protocol import load_dataset, stream
from services.cli.quality.story_peers import Floor, TextClust, agglomerate, grams_of
from services.clusterer import story as revisions
from services.clusterer.clock import advance
from services.clusterer.cluster import Clusterer, Edition, warm_up
from services.clusterer.consequences import Consequences
from services.clusterer.index import NO_NUMBERS
from services.clusterer.memory import Memory
from services.clusterer.parameters import load_parameters
from services.clusterer.state import StoryState
from services.clusterer.vectors import Vectorizer
from services.runtime.codec import RECORD_LIMIT_BYTES, decode, encode
from services.runtime.records import EnrichedArticle, StoryRecord

EDITION = "vi"
WATCHED = 500
"""Articles decided on under the watch."""
TEXTCLUST_STORIES = 1000
TEXTCLUST_ARTICLES = 5
BATCH = 2000
BACKGROUND = 4000
"""Articles that rarities are counted on."""


class MadeUp(Clusterer):
    """A clusterer that knows how common the words of the made-up language are, as it does of Vietnamese."""

    def __init__(self) -> None:
        super().__init__()
        self._editions[EDITION] = Edition(load_parameters(), vectorizer())


@cache
def vectorizer() -> Vectorizer:
    """Return the background weights of the made-up language, counted as `bench.background` does."""
    articles = islice(Press(9, 1000).articles(), BACKGROUND)
    weights, _, _ = counted((article["title"], article["text"]) for article in articles)
    return Vectorizer(weights.astype(np.float32))


class Ours:
    """The clusterer, as the service runs it: decide, apply, and the bytes to publish."""

    def __init__(self, stories: int) -> None:
        self.stories = stories
        self.clusterer = MadeUp()
        self.bytes = self.records = 0

    def __call__(self, article: EnrichedArticle) -> list[StoryRecord]:
        """Do what the service does with an article, and return its records."""
        records = self.clusterer.decide(article)
        for record in records:
            self.clusterer.apply(record)
            self.bytes += len(encode(cast(dict[str, object], record)))
            self.records += 1
        return records


def filled(sizes: list[int], press: Press, log: Path) -> list[Ours]:
    """Return clusterers in which the last articles of the press opened as many stories as `sizes` say.

    So all of them know the newest events, and can be measured with the same articles. The records of the
    second size are written to `log`, a line each.
    """
    most = max(sizes)
    made = [Ours(size) for size in sizes]
    maker = MadeUp().edition(EDITION)
    with log.open("wb") as lines:
        for number, article in enumerate(press.founders(most)):
            arrival = maker.arrival(article)
            record = maker.found(
                replace(arrival, clock=advance(None, article["received_at"])), {}, NO_NUMBERS
            )
            for ours in made:
                if number >= most - ours.stories:
                    ours.clusterer.apply(record)
            if number >= most - made[len(made) > 1].stories:
                lines.write(encode(cast(dict[str, object], record)) + b"\n")
            if number % 10_000 == 0:
                print(f"{number:,} of {most:,} stories", file=sys.stderr, flush=True)
    return made


Method = Callable[[EnrichedArticle], object]


def timed(method: Method, articles: list[EnrichedArticle]) -> float:
    """Return the CPU seconds an article that a method takes."""
    gc.collect()
    gc.freeze()  # what has been filled in is not looked through again: a service does the same
    started = time.process_time()
    for article in articles:
        method(article)
    return (time.process_time() - started) / len(articles)


class Cost(NamedTuple):
    """Microseconds an article: the median over the turns, and the turn that the machine disturbed least."""

    median: float
    least: float


def measure(methods: dict[str, Method], articles: Iterator[EnrichedArticle], amount: int) -> dict[str, Cost]:
    """Return what every method costs over turns that all of them take."""
    costs: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(max(1, amount // TURN)):
        turn = list(islice(articles, TURN))
        for name, method in methods.items():
            costs[name].append(timed(method, turn))
    return {name: Cost(1e6 * statistics.median(each), 1e6 * min(each)) for name, each in costs.items()}


STEPS = (
    ("read the article: vector, names, numbers, dates", Edition, "arrival"),
    ("find what is near", Memory, "near"),
    ("compare with candidates", Edition, "weighed"),
    ("evidence of a join", Edition, "_shared"),
    ("the record: counts, title, keywords, times", revisions, "_with_article"),
    ("merge or split?", Edition, "oneness"),
    ("related stories", Edition, "_links"),
    ("what follows: far ends of links, closings", Consequences, "of"),
    ("memory and index", Clusterer, "apply"),
    ("JSON to publish", sys.modules[__name__], "encode"),
)
"""Steps of a decision: what they are and the functions that do them, without the steps inside."""
OTHER = "all else"


class Watch:
    """Takes the CPU time of functions, each without that of other watched ones called in it."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        """Nanoseconds by step."""
        self._inside = [OTHER]
        self._since = time.process_time_ns()

    def over(self, step: str, owner: object, name: str) -> None:
        """Watch the function `name` of a class or a module from now on."""
        function = getattr(owner, name)

        @wraps(function)
        def watched(*values: object) -> object:
            self.turn(step)
            try:
                return function(*values)
            finally:
                self.turn(None)

        setattr(owner, name, watched)

    def turn(self, step: str | None) -> None:
        """Enter a step, or leave one (None)."""
        now = time.process_time_ns()
        self.spent[self._inside[-1]] += now - self._since
        self._since = now
        if step is None:
            self._inside.pop()
        else:
            self._inside.append(step)


def watched(ours: Ours, articles: list[EnrichedArticle]) -> None:
    """Print what the steps and the kinds of decisions cost. The functions stay watched: do it last."""
    watch = Watch()
    for step, owner, name in STEPS:
        watch.over(step, owner, name)
    kinds: dict[str, list[float]] = defaultdict(list)
    watch.turn(OTHER)
    watch.spent.clear()
    for article in articles:
        started = time.process_time_ns()
        records = ours(article)
        kind = records[0]["change"]["type"] if records else "nothing"
        copied = ", a copy" if article["duplicate"]["kind"] != "none" else ""
        more = " and other stories changed" if len(records) > 1 else ""
        kinds[f"{kind}{copied}{more}"].append((time.process_time_ns() - started) / 1000)
    watch.turn(None)
    whole = sum(watch.spent.values())
    print(f"\n| step, with {ours.stories:,} open | share |\n|---|---:|")
    for step in (*(step for step, _, _ in STEPS), OTHER):
        print(f"| {step} | {watch.spent[step] / whole:.1%} |")
    print("\n| decision (under the watch) | articles | µs, median |\n|---|---:|---:|")
    for kind, each in sorted(kinds.items()):
        print(f"| {kind} | {len(each)} | {statistics.median(each):,.0f} |")
    print(flush=True)


def resident_bytes() -> int:
    """Return the memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def rebuild(log: Path, closed: bool) -> None:
    """Print how fast records are read back and what a story takes in memory; `closed`: as closed ones."""
    warm_up()
    clusterer = MadeUp()
    records: dict[str, StoryState] = {}
    before = resident_bytes()
    spent = 0.0
    count = 0
    with log.open("rb") as lines:
        for line in lines:
            if closed:
                record = cast(StoryState, decode(line, RECORD_LIMIT_BYTES))
                records[record["story_id"]] = record
                continue
            started = time.process_time()
            clusterer.apply(cast(StoryRecord, decode(line, RECORD_LIMIT_BYTES)))
            spent += time.process_time() - started
            count += 1
    if closed:
        before = resident_bytes()
        started = time.process_time()
        for record in records.values():
            what = revisions.change("closed", None, {})
            clusterer.apply(revisions.revised(record, record["clock"], what, state="closed"))
        print(f"Remembering a closed story: {1e6 * (time.process_time() - started) / len(records):.0f} µs")
    size = (resident_bytes() - before) / clusterer.known_stories
    per_story = clusterer.known_articles / clusterer.known_stories
    if not closed:
        print(f"Rebuild: {count / spent:,.0f} records a CPU second ({count:,} records)")
    print(
        f"Memory: {size:,.0f} bytes {'a closed' if closed else 'an open'} story of {per_story:.1f} articles"
    )


def peers_of(stories: int, articles: Iterator[EnrichedArticle]) -> dict[str, Method]:
    """Return the floor with `stories` open, which knows how rare words are as ours does."""
    counted_first = list(islice(Press(9, 1000).articles(), BACKGROUND))
    floor = Floor([grams_of(article["title"], article["text"]) for article in counted_first])
    for article in islice(articles, stories):
        floor.open(floor.vector(grams_of(article["title"], article["text"])))
    return {
        "TF-IDF single pass, compiled": lambda article: floor.place(
            floor.vector(grams_of(article["title"], article["text"]))
        )
    }


def slow_peers(articles: list[EnrichedArticle]) -> Iterator[tuple[str, int, float]]:
    """Yield name, open stories and microseconds an article of the peers that cannot be filled further."""
    textclust = TextClust()
    for article in articles[:TEXTCLUST_STORIES]:
        textclust.open(article["title"], article["text"])
    cost = timed(lambda a: textclust.place(a["title"], a["text"]), articles[-TEXTCLUST_ARTICLES:])
    yield "river TextClust", TEXTCLUST_STORIES, 1e6 * cost
    texts = [(article["article_id"], article["title"], article["text"]) for article in articles]
    started = time.process_time()
    agglomerate(texts, lambda _: None)
    yield "scikit-learn, one batch", len(texts), 1e6 * (time.process_time() - started) / len(texts)


def real(data: Path) -> None:
    """Print what the development stream costs: two months of news in which every story closes."""
    dataset = load_dataset(data)
    prepared = prepare(dataset.items)
    ours = Ours(0)
    ours.clusterer = Clusterer()
    articles = [article for _, article in feed(stream(usable(dataset, prepared), 1), prepared)]
    cost = timed(ours, cast(list[EnrichedArticle], articles))
    print(
        f"\nDevelopment stream of {len(articles):,} articles: {1e6 * cost:.0f} µs an article,"
        f" {ours.records / len(articles):.2f} records of {ours.bytes / ours.records:,.0f} bytes"
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Speed and memory of the clusterer beside its peers.")
    parser.add_argument("--stories", default="10000,20000,100000", help="open stories, peers at the second")
    parser.add_argument("--articles", type=int, default=1000, help="articles measured at each size")
    parser.add_argument("--data", type=Path, help="development data: run its stream as well")
    parser.add_argument("--rebuild", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--closed", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rebuild:
        rebuild(options.rebuild, options.closed)
        return
    sizes = [int(size) for size in options.stories.split(",")]
    warm_up()
    print(f"Machine: {machine()}, one core\n")
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "records.jsonl"
        press = Press(1, max(sizes) // 3)  # all within the week in which stories close
        ours = filled(sizes, press, log)
        compared = ours[len(ours) > 1]
        methods: dict[str, Method] = {f"ours at {each.stories:,}": each for each in ours}
        costs = measure(
            methods | peers_of(compared.stories, Press(2, 1000).articles()),
            press.articles(),
            options.articles,
        )
        smallest, reference = (costs[f"ours at {each.stories:,}"] for each in (ours[0], compared))
        print("| open stories | µs an article | least | articles/s, at best | cost ratio | bytes a record |")
        print("|---:|---:|---:|---:|---:|---:|")
        for each in ours:
            cost = costs[f"ours at {each.stories:,}"]
            size = each.bytes // max(1, each.records)
            speed = f"{1e6 / cost.median:,.0f}, {1e6 / cost.least:,.0f}"
            ratio = cost.median / smallest.median
            times = f"{cost.median:.0f} | {cost.least:.0f}"
            print(f"| {each.stories:,} | {times} | {speed} | {ratio:.2f} | {size:,} |")
        print(f"\nAgainst ours with {compared.stories:,} open:\n")
        print("| method | open stories | µs an article | our throughput is |\n|---|---:|---:|---:|")
        rows = [(n, compared.stories, c.median) for n, c in costs.items() if not n.startswith("ours")]
        for name, stories, cost in [*rows, *slow_peers(list(islice(Press(3, 1000).articles(), BATCH)))]:
            print(f"| {name} | {stories:,} | {cost:,.0f} | {cost / reference.median:,.1f} times |")
        watched(compared, list(islice(press.articles(), WATCHED)))
        for closed in ([], ["--closed"]):
            command = [sys.executable, "-m", "bench.stories", "--rebuild", str(log), *closed]
            subprocess.run(command, check=True)
    if options.data:
        real(options.data)


if __name__ == "__main__":
    main()
