"""Two versions of the clusterer in turns, in one run: what has a change brought, whatever the machine does?

    python -m bench.turns OTHER_CHECKOUT [--stories 20000] [--turns 20]

Each checkout's code decides in a process of its own on the same made-up articles (`bench.stories`), one
process after the other, `bench.dedup.TURN` articles at a time. Whether the records are the same is told, too.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

from bench.dedup import TURN
from bench.press import Press
from bench.stories import filled, timed
from services.clusterer.cluster import warm_up
from services.runtime.codec import encode
from services.runtime.records import EnrichedArticle


def serve(stories: int) -> None:
    """Decide on a turn of articles for each line of the input; print the CPU microseconds an article.

    Beside them stands a hash of all records so far.
    """
    warm_up()
    press = Press(1, stories // 3)
    with tempfile.TemporaryDirectory() as directory:
        (ours,) = filled([stories], press, Path(directory) / "records.jsonl")
    articles = press.articles()
    records = hashlib.sha256()

    def decide(article: EnrichedArticle) -> None:
        for record in ours.clusterer.decide(article):
            ours.clusterer.apply(record)
            records.update(encode({**record}))

    print("ready", flush=True)
    for _ in sys.stdin:
        cost = timed(decide, list(islice(articles, TURN)))
        print(f"{1e6 * cost} {records.hexdigest()}", flush=True)


def started(checkout: Path, stories: int) -> subprocess.Popen[str]:
    """Return a process that serves with the code of a checkout."""
    command = [sys.executable, __file__, "--serve", "--stories", str(stories)]
    return subprocess.Popen(
        command,
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout.resolve())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def answer(process: subprocess.Popen[str]) -> str:
    """Return the next line of a process. Raises RuntimeError if it has ended."""
    assert process.stdout
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"the process of {process.args!r} has ended")
    return line.strip()


def main() -> None:
    """Print the costs of both and their ratio."""
    parser = argparse.ArgumentParser(description="Two versions of the clusterer in turns.")
    parser.add_argument("other", type=Path, nargs="?", help="checkout of the version to compare with")
    parser.add_argument("--stories", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.stories)
        return
    if options.other is None:
        parser.error("name the checkout to compare with")
    here = Path(__file__).parents[1]
    processes = [started(checkout, options.stories) for checkout in (options.other, here)]
    for process in processes:
        answer(process)
    turns: list[list[float]] = []
    hashes: list[str] = []
    for _ in range(options.turns):
        costs, hashes = [], []
        for process in processes:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
            cost, records = answer(process).split()
            costs.append(float(cost))
            hashes.append(records)
        turns.append(costs)
    for name, each in zip((options.other, "this"), zip(*turns, strict=True), strict=True):
        print(f"{name}: {statistics.median(each):.0f} µs an article, {min(each):.0f} at best")
    ratio = statistics.median(mine / other for other, mine in turns)
    print(f"this / {options.other}: {ratio:.2f}, the median of {len(turns)} turns")
    print("the records are the same" if len(set(hashes)) == 1 else "the records differ")
    for process in processes:
        process.communicate()


if __name__ == "__main__":
    main()
