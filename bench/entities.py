"""Speed of the enricher beside underthesea as its documentation calls it, and the identity of both.

    python -m bench.entities [--data DIR] [--articles 600] [--sentences 2000]

DIR holds the development data (stream2017.jsonl.gz); without it, the articles of our own gold corpus are
used, over and over. Times are CPU seconds of one process; on a shared machine only their ratios mean
anything. Prints Markdown.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import resource
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import underthesea

from services.enricher.analyzer import Analyzer
from services.enricher.enrich import Enricher
from services.enricher.tokenizer import sentences

CORPUS = Path(__file__).parents[1] / "services" / "cli" / "gold_corpus"
WARM_UP = 150
TYPICAL = 550
"""Syllables of the article that the goals speak of."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="directory of the development data")
    parser.add_argument("--articles", type=int, default=600, help="articles for our own figures")
    parser.add_argument("--naive", type=int, default=12, help="articles for underthesea's figures")
    parser.add_argument("--sentences", type=int, default=2000, help="sentences compared token for token")
    options = parser.parse_args()
    articles = load(options.data, WARM_UP + options.articles)
    warm, measured = articles[:WARM_UP], articles[WARM_UP:]
    syllables = sum(len(a["text"].split()) for a in measured) / len(measured)

    started = time.process_time()
    analyzer = Analyzer()
    loaded = time.process_time() - started
    for article in warm:
        analyzer.analyze(article["text"], list(sentences(article["text"])))
    ours = cpu(measured, lambda a: analyzer.analyze(a["text"], list(sentences(a["text"]))))

    few = measured[: options.naive]
    few_ours = cpu(few, lambda a: analyzer.analyze(a["text"], list(sentences(a["text"]))))
    whole = cpu(few, lambda a: underthesea.ner(a["text"]))
    single = cpu(few, lambda a: [underthesea.ner(a["text"][s:e]) for s, e in sentences(a["text"])])
    segmented = cpu(
        few, lambda a: [underthesea.word_tokenize(a["text"][s:e]) for s, e in sentences(a["text"])]
    )

    started = time.process_time()
    enricher = Enricher()
    enricher_loaded = time.process_time() - started
    for article in warm:
        enricher.enrich(article)
    enriched = cpu(measured, enricher.enrich)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    print(f"\n{len(measured)} articles of {syllables:.0f} syllables on average, CPU time of one process.\n")
    print("| what | ms / article | times faster than ner(sentence) |")
    print("|---|---|---|")
    for name, seconds in (
        ("underthesea.ner(article)", whole),
        ("underthesea.ner(sentence)", single),
        ("underthesea.word_tokenize(sentence)", segmented),
        ("ours: the same words, tags and labels (same articles)", few_ours),
    ):
        print(f"| {name} | {1000 * seconds:.2f} | {single / seconds:.1f} |")
    print(f"| ours, {len(measured)} articles: words, tags and labels | {1000 * ours:.2f} | |")
    print(f"| ours, {len(measured)} articles: entities, quotes, keywords too | {1000 * enriched:.2f} | |")
    print(f"\nEnricher: {syllables / TYPICAL / enriched:.0f} articles of {TYPICAL} syllables a CPU second;")
    print(
        f"loading {loaded:.1f} s (analyzer), {enricher_loaded:.1f} s (enricher); peak memory {memory:.0f} MB"
    )
    print(f"(of this process, which also holds underthesea's own models and {len(articles)} articles).")
    for count in (1, 2):
        print(
            f"{count} process(es): {throughput(options.data, options.articles, count):.0f} articles a second"
        )
    compared, differing = identity(analyzer, measured, options.sentences)
    print(f"{compared} sentences compared token for token with underthesea: {differing} differ")
    if differing:
        sys.exit(1)


def load(directory: Path | None, count: int) -> list[Any]:
    """Return `count` articles as the enricher gets them."""
    articles = []
    for row in islice(rows(directory), count):
        text = unicodedata.normalize("NFC", row["body"]).replace("_", " ")
        articles.append({"article_id": row["id"], "title": row["title"], "text": text, "language": "vi"})
    return articles


def rows(directory: Path | None) -> Iterator[dict[str, str]]:
    """Yield articles with id, title and body: of the development data, or of our corpus for ever."""
    if directory is not None:
        with gzip.open(directory / "stream2017.jsonl.gz", "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)
        return
    corpus = [
        json.loads(line)
        for path in sorted(CORPUS.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    while True:
        for row in corpus:
            yield {"id": row["article_id"], "title": row.get("title", ""), "body": row["text"]}


def cpu(articles: list[Any], call: Callable[[Any], object]) -> float:
    """Return the CPU seconds of one call on average."""
    started = time.process_time()
    for article in articles:
        call(article)
    return (time.process_time() - started) / len(articles)


def worker(directory: Path | None, count: int, ready: Any, go: Any, done: Any) -> None:
    """Load, warm up, wait for the others, then enrich `count` articles."""
    enricher = Enricher()
    articles = load(directory, WARM_UP + count)
    for article in articles[:WARM_UP]:
        enricher.enrich(article)
    ready.release()
    go.wait()
    for article in articles[WARM_UP:]:
        enricher.enrich(article)
    done.release()


def throughput(directory: Path | None, count: int, processes: int) -> float:
    """Return articles a second (wall clock) of several processes at once."""
    context = multiprocessing.get_context("spawn")
    ready, done, go = context.Semaphore(0), context.Semaphore(0), context.Event()
    workers = [
        context.Process(target=worker, args=(directory, count, ready, go, done)) for _ in range(processes)
    ]
    for process in workers:
        process.start()
    for _ in workers:
        ready.acquire()
    started = time.perf_counter()
    go.set()
    for _ in workers:
        done.acquire()
    seconds = time.perf_counter() - started
    for process in workers:
        process.join()
    return processes * count / seconds


def identity(analyzer: Analyzer, articles: list[Any], limit: int) -> tuple[int, int]:
    """Compare sentences token for token with underthesea; return (compared, differing)."""
    compared = differing = 0
    for article in articles:
        places = list(sentences(article["text"]))
        for (start, end), words in zip(places, analyzer.analyze(article["text"], places), strict=True):
            if compared == limit:
                return compared, differing
            theirs = [(w, t, n) for w, t, _, n in underthesea.ner(article["text"][start:end])]
            compared += 1
            differing += theirs != [(w.text, w.tag, w.label) for w in words]
    return compared, differing


if __name__ == "__main__":
    main()
