"""`machtin quality stories`: ours beside peers on every labelled stream there is, as tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from rich.progress import Progress

from services.cli.console import err
from services.cli.quality.gold import load_gold
from services.cli.quality.grouping import Grouping
from services.cli.quality.june2017 import load_june
from services.cli.quality.protocol import Arrival, Dataset, Item, load_dataset, stream
from services.cli.quality.rehearsal import Rehearsal
from services.cli.quality.stories import (
    Result,
    Stream,
    followed,
    gold_stream,
    grouped,
    judged,
    june_stream,
    linked_shares,
    mean,
    simulated,
)
from services.cli.quality.story_peers import Peer, agglomerate, floor, textclust

OURS = "Mạch Tin"
PEERS: dict[str, Peer] = {"TF-IDF floor": floor, "average linkage, batch": agglomerate}
SLOW_PEERS: dict[str, Peer] = {"river TextClust": textclust}
"""What weighs every open story anew for every article: hours on a whole stream."""
SMALL_CLUSTERS, SMALL_NOISE = 60, 600
"""The stream on which they are compared: a fifth of the clusters, an eighth of the noise."""
WORST = 20
BINS = ((0.47, 0.5), (0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.95), (0.95, 0.99), (0.99, 1.01))


def run(data: Path | None, seeds: int, cache: Path | None = None) -> None:
    """Print the quality of stories. `cache`: see `Rehearsal`. Raises OSError where a file is missing."""
    gold = load_gold()
    dataset, june = (load_dataset(data), load_june(data)) if data else (None, None)
    with Progress(console=err) as progress:
        field = Field(Rehearsal(cache), progress)
        events = len(set(gold.event_of.values()))
        show(f"Our own gold set: {len(gold.messages)} articles, {events} events, {len(gold.sagas)} sagas")
        field.compare([gold_stream(gold)], PEERS | SLOW_PEERS)
        if dataset is None or june is None:
            return
        events = len(set(june.event_of.values()))
        show(f"June 2017, with its own times: {len(june.messages)} articles, {events} labelled events")
        real = june_stream(june)
        ours = field.compare([real], PEERS)
        named = {article: article for pair in june.story_pairs for article in pair}
        related, topical = linked_shares(ours[0], named, june.story_pairs)
        show(
            f"Of {len(june.story_pairs)} pairs of its stories, judged one by one,"
            f" {related:.3f} of the related and {topical:.3f} of the topical ones are linked."
        )
        show("Probability of joins against truth")
        show(calibration([real], ours))
        arrivals = [stream(dataset.items, seed) for seed in range(1, seeds + 1)]
        clusters = len({item.cluster for item in dataset.items if item.cluster})
        noise = sum(a.item.cluster is None for a in arrivals[0])
        show(f"Stream protocol: {clusters} clusters, {noise} noise articles")
        streams = [simulated(each, dataset) for each in arrivals]
        ours = field.compare(streams, PEERS)
        show(f"Probability of joins against truth, {seeds} seeds")
        show(calibration(streams, ours))
        small = [_small(each) for each in arrivals]
        show(f"Smaller streams of some {len(small[0])} articles, for what is slow")
        field.compare([simulated(each, dataset) for each in small], PEERS | SLOW_PEERS)
        show(f"The {WORST} worst clusters, seed 1")
        show(worst(arrivals[0], ours[0], dataset))


class Field:
    """Everybody who runs."""

    def __init__(self, rehearsal: Rehearsal, progress: Progress) -> None:
        self._rehearsal = rehearsal
        self._progress = progress

    def compare(self, streams: Sequence[Stream], peers: Mapping[str, Peer]) -> list[Grouping]:
        """Print what we and the peers make of streams of one kind; return ours."""
        ours = [followed(self._rehearsal, s.messages, self._progress, OURS) for s in streams]
        self._rehearsal.save()
        rows = _rows(OURS, [judged(g, *s[1:]) for g, s in zip(ours, streams, strict=True)])
        for name, peer in peers.items():
            try:
                results = [judged(grouped(peer, s.messages, self._progress, name), *s[1:]) for s in streams]
            except ImportError as error:
                err.print(f"{name} is left out: {error}. It is in the extra “bench”.", markup=False)
                continue
            rows += _rows(name, results)
        show(table(rows))
        return ours


def _rows(name: str, results: Sequence[Result]) -> list[tuple[str, Result]]:
    if len(results) == 1:
        return [(name, results[0])]
    seeds = [(f"{name}, seed {seed}", result) for seed, result in enumerate(results, start=1)]
    return [*seeds, (f"**{name}, mean**", mean(results))]


def show(text: str) -> None:
    """Print a paragraph of the result."""
    print(text, end="\n\n", flush=True)  # noqa: T201


def _small(arrivals: Sequence[Arrival]) -> list[Arrival]:
    clusters = set(sorted({a.item.cluster for a in arrivals if a.item.cluster})[:SMALL_CLUSTERS])
    unlabelled = [a.item.article_id for a in arrivals if a.item.cluster is None]
    noise = set(unlabelled[:: max(len(unlabelled) // SMALL_NOISE, 1)])
    return [a for a in arrivals if a.item.cluster in clusters or a.item.article_id in noise]


def table(rows: Sequence[tuple[str, Result]]) -> str:
    """Return results as Markdown."""
    lines = [
        "| system | B-Cubed P | R | F1 | noise | stories | related | topical | false links | churn |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, r in rows:
        s = r.scores
        noise = "–" if s.noise is None else f"{s.noise:.1f}".removesuffix(".0")
        lines.append(
            f"| {name} | {s.precision:.4f} | {s.recall:.4f} | {s.f1:.4f} | {noise} | {s.stories:.0f} "
            f"| {r.related:.3f} | {r.topical:.3f} | {r.false_links:.0f} | {r.churn:.2%} |"
        )
    return "\n".join(lines)


def calibration(streams: Sequence[Stream], groupings: Sequence[Grouping]) -> str:
    """Return how often joins of labelled articles at some probability were right, as Markdown.

    Right: at least half of the labelled articles put into the story are of their event.
    """
    joins = [
        join for s, grouping in zip(streams, groupings, strict=True) for join in _joins(s.label_of, grouping)
    ]
    lines = ["| probability | joins | mean probability | right |", "|---|---|---|---|"]
    for low, high in BINS:
        inside = [(probability, right) for probability, right in joins if low <= probability < high]
        if inside:
            mean_probability, share = (fmean(column) for column in zip(*inside, strict=True))
            bounds = f"{low:.2f}–{min(high, 1):.2f}"
            lines.append(f"| {bounds} | {len(inside)} | {mean_probability:.3f} | {share:.3f} |")
    return "\n".join(lines)


def _joins(label_of: Mapping[str, str], grouping: Grouping) -> Iterator[tuple[float, bool]]:
    """Yield the probability of each join of a labelled article, and whether it was right."""
    members: dict[str, Counter[str]] = defaultdict(Counter)
    for article, story in grouping.first_of.items():
        if article in label_of:
            members[story][label_of[article]] += 1
    for article, probability in grouping.joins.items():
        if article in label_of:
            beside = members[grouping.first_of[article]]
            yield probability, 2 * beside[label_of[article]] >= beside.total()


def worst(arrivals: Sequence[Arrival], grouping: Grouping, dataset: Dataset) -> str:
    """Return the clusters of lowest B-Cubed F1 with what became of each, as Markdown."""
    item_of: dict[str, Item] = {a.item.article_id: a.item for a in arrivals}
    story_of = grouping.story_of()
    inside: dict[str, list[str]] = defaultdict(list)
    for article, story in story_of.items():
        inside[story].append(article)
    clusters: dict[str, list[str]] = defaultdict(list)
    for article, item in item_of.items():
        if item.cluster:
            clusters[item.cluster].append(article)
    rows = []
    for cluster, articles in clusters.items():
        parts: dict[str, list[str]] = defaultdict(list)
        for article in articles:
            parts[story_of.get(article, article)].append(article)
        recall = sum(len(p) ** 2 for p in parts.values()) / len(articles) ** 2
        mixed = {story: Counter(item_of[a].cluster for a in inside[story]) for story in parts}
        labelled = {s: sum(n for c, n in counts.items() if c) for s, counts in mixed.items()}
        precision = sum(len(p) * len(p) / max(labelled[s], 1) for s, p in parts.items()) / len(articles)
        value = 2 * precision * recall / (precision + recall)
        others = sorted({c for counts in mixed.values() for c in counts if c and c != cluster})
        notes = []
        if len(parts) > 1:
            sizes = sorted((len(p) for p in parts.values()), reverse=True)
            notes.append("in " + " + ".join(map(str, sizes)))
        for other in others:
            relation = (
                dataset.pairs.get((cluster, other)) or dataset.pairs.get((other, cluster)) or "unjudged"
            )
            notes.append(f"with {other} ({relation})")
        strays = sum(counts[None] for counts in mixed.values())
        if strays:
            notes.append(f"{strays} noise")
        rows.append((value, cluster, len(articles), "; ".join(notes), item_of[articles[0]].title))
    lines = ["| F1 | cluster | articles | what became of it | first title |", "|---|---|---|---|---|"]
    for value, cluster, size, note, title in sorted(rows)[:WORST]:
        lines.append(f"| {value:.2f} | {cluster} | {size} | {note} | {title[:70]} |")
    return "\n".join(lines)
