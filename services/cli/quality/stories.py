"""How right the stories are: on our own gold set, and on the development data by the stream protocol."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from services.cli.console import err
from services.cli.quality.gold import GoldSet, load_gold
from services.cli.quality.grouping import Grouping, stories_of_labels
from services.cli.quality.protocol import (
    Arrival,
    Dataset,
    Item,
    Scores,
    linked_share,
    load_dataset,
    score,
    stream,
)
from services.cli.quality.rehearsal import Rehearsal
from services.cli.quality.story_peers import Texts, agglomerate, floor, textclust
from services.runtime.records import Record

WORST = 20
BINS = ((0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.95), (0.95, 0.99), (0.99, 1.01))
SMALL_CLUSTERS, SMALL_NOISE = 60, 600
"""The stream on which river's TextClust, which is slow, is compared."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a run is judged by. Shares are 0..1."""

    scores: Scores
    related: float
    """Share of related pairs of events that are linked."""
    topical: float
    """Share of topical pairs, which must not be, that are."""
    false_links: int
    """Links between stories of events that nobody called related."""
    churn: float
    """Share of articles that end in another story than the one they were first put into."""


def judged(
    grouping: Grouping,
    label_of: Mapping[str, str],
    noise: set[str],
    pairs: Mapping[tuple[str, str], str],
) -> Result:
    """Judge a run by labels: events by article, articles of no event, and relations of pairs of events."""
    story_of = grouping.story_of()
    stories = stories_of_labels(label_of, story_of)
    links = grouping.links()

    def linked(a: str, b: str) -> bool:
        return frozenset((a, b)) in links

    return Result(
        score(label_of, noise, story_of),
        linked_share(pairs, "related", stories, linked),
        linked_share(pairs, "topical", stories, linked),
        len(_false_links(grouping, label_of, pairs)),
        len(grouping.moved()) / max(len(grouping.first_of), 1),
    )


def _false_links(
    grouping: Grouping, label_of: Mapping[str, str], pairs: Mapping[tuple[str, str], str]
) -> list[frozenset[str]]:
    """Return the links between two stories of labelled events that are neither related nor the same."""
    events: dict[str, set[str]] = defaultdict(set)
    for article, story in grouping.story_of().items():
        if article in label_of:
            events[story].add(label_of[article])
    fine = {pair for pair, relation in pairs.items() if relation != "topical"}
    false = []
    for link in grouping.links():
        a, b = (events.get(story, set()) for story in link)
        if a and b and not a & b and not any((x, y) in fine or (y, x) in fine for x in a for y in b):
            false.append(link)
    return false


def followed(
    rehearsal: Rehearsal, messages: Sequence[Record], progress: Progress | None = None, what: str = ""
) -> Grouping:
    """Run raw messages through the pipeline and return where the articles ended."""
    grouping = Grouping()
    task = progress.add_task(what, total=len(messages)) if progress else None

    def told() -> object:
        for message in messages:
            yield message
            if progress and task is not None:
                progress.advance(task)

    for record in rehearsal.stories(told()):  # type: ignore[arg-type]
        grouping.take(record)
    return grouping


def gold_result(rehearsal: Rehearsal, gold: GoldSet, progress: Progress | None = None) -> Result:
    """Run our own gold set and judge it."""
    grouping = followed(rehearsal, gold.messages, progress, "Gold set")
    return judged(grouping, gold.event_of, gold.singles, gold.pairs)


def run(data: Path | None, seeds: int, cache: Path | None = None) -> None:
    """Print the quality of stories. `cache`: see `Rehearsal`. Raises OSError where a file is missing."""
    rehearsal = Rehearsal(cache)
    with Progress(console=err) as progress:
        gold = load_gold()
        result = gold_result(rehearsal, gold, progress)
        events = len(set(gold.event_of.values()))
        show(f"Our own gold set: {len(gold.messages)} articles, {events} events, {len(gold.sagas)} sagas")
        show(table([("Mạch Tin", result)]))
        if data is None:
            rehearsal.save()
            return
        dataset = load_dataset(data)
        rows: list[tuple[str, Result]] = []
        last: tuple[list[Arrival], Grouping] | None = None
        for seed in range(1, seeds + 1):
            arrivals = stream(dataset.items, seed)
            grouping = followed(rehearsal, [a.raw() for a in arrivals], progress, f"Stream {seed}")
            rehearsal.save()
            rows.append((f"Mạch Tin, seed {seed}", _judged_stream(arrivals, grouping, dataset)))
            last = last or (arrivals, grouping)
        rows.append((f"Mạch Tin, mean of {seeds}", _mean([result for _, result in rows])))
        if last is None:
            return
        arrivals, grouping = last
        rows += _peers(arrivals, dataset, progress, (("TF-IDF floor", floor), ("agglomerative", agglomerate)))
        clusters = len({item.cluster for item in dataset.items if item.cluster})
        noise = sum(a.item.cluster is None for a in arrivals)
        show(f"Stream protocol: {clusters} clusters, {noise} noise articles; peers on seed 1")
        show(table(rows))
        small = _small(arrivals)
        ours = followed(rehearsal, [a.raw() for a in small], progress, "Small stream")
        rows = [("Mạch Tin", _judged_stream(small, ours, dataset))]
        rows += _peers(small, dataset, progress, (("river TextClust", textclust),))
        show(f"A smaller stream of {len(small)} articles, for TextClust")
        show(table(rows))
        show("Probability of joins against truth, seed 1")
        show(calibration(arrivals, grouping))
        show(f"The {WORST} worst clusters, seed 1")
        show(worst(arrivals, grouping, dataset))


def show(text: str) -> None:
    """Print a paragraph of the result."""
    print(text, end="\n\n", flush=True)  # noqa: T201


def _judged_stream(arrivals: Sequence[Arrival], grouping: Grouping, dataset: Dataset) -> Result:
    label_of = {a.item.article_id: a.item.cluster for a in arrivals if a.item.cluster}
    noise = {a.item.article_id for a in arrivals if a.item.cluster is None}
    present = set(label_of.values())
    pairs = {pair: what for pair, what in dataset.pairs.items() if present.issuperset(pair)}
    return judged(grouping, label_of, noise, pairs)


def _mean(results: Sequence[Result]) -> Result:
    n = len(results)
    scores = [r.scores for r in results]
    return Result(
        Scores(
            sum(s.precision for s in scores) / n,
            sum(s.recall for s in scores) / n,
            sum(s.f1 for s in scores) / n,
            round(sum(s.noise for s in scores) / n),
            round(sum(s.stories for s in scores) / n),
        ),
        sum(r.related for r in results) / n,
        sum(r.topical for r in results) / n,
        round(sum(r.false_links for r in results) / n),
        sum(r.churn for r in results) / n,
    )


def _peers(
    arrivals: Sequence[Arrival],
    dataset: Dataset,
    progress: Progress,
    peers: Sequence[tuple[str, Callable[[Texts], dict[str, str]]]],
) -> list[tuple[str, Result]]:
    texts = [(a.item.article_id, a.item.title, a.item.text) for a in arrivals]
    rows = []
    for name, peer in peers:
        task = progress.add_task(name, total=None)
        try:
            found = peer(texts)
        except ImportError as error:
            err.print(f"{name} is left out: {error}. It is in the extra “bench”.", markup=False)
            continue
        grouping = Grouping(first_of=dict(found))
        members: dict[str, list[str]] = defaultdict(list)
        for article, story in found.items():
            members[story].append(article)
        grouping.stories = {
            story: {"state": "open", "merged_into": None, "article_ids": ids, "related": []}
            for story, ids in members.items()
        }
        rows.append((name, _judged_stream(arrivals, grouping, dataset)))
        progress.update(task, total=1, completed=1)
    return rows


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
        lines.append(
            f"| {name} | {s.precision:.4f} | {s.recall:.4f} | {s.f1:.4f} | {s.noise} | {s.stories} "
            f"| {r.related:.3f} | {r.topical:.3f} | {r.false_links} | {r.churn:.2%} |"
        )
    return "\n".join(lines)


def calibration(arrivals: Sequence[Arrival], grouping: Grouping) -> str:
    """Return how often joins of labelled articles at some probability were right, as Markdown.

    Right: most labelled articles of the story they joined are of their cluster.
    """
    label_of = {a.item.article_id: a.item.cluster for a in arrivals if a.item.cluster}
    members: dict[str, list[str]] = defaultdict(list)
    for article, story in grouping.first_of.items():
        if article in label_of:
            members[story].append(str(label_of[article]))
    lines = ["| probability | joins | mean probability | right |", "|---|---|---|---|"]
    for low, high in BINS:
        inside = [a for a, p in grouping.joins.items() if low <= p < high and a in label_of]
        if not inside:
            continue
        right = sum(
            2 * Counter(members[grouping.first_of[a]])[str(label_of[a])] >= len(members[grouping.first_of[a]])
            for a in inside
        )
        mean = sum(grouping.joins[a] for a in inside) / len(inside)
        share = right / len(inside)
        lines.append(f"| {low:.2f}–{min(high, 1):.2f} | {len(inside)} | {mean:.3f} | {share:.3f} |")
    return "\n".join(lines)


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
