"""How right the stories are: ours and those of peers, on any labelled stream."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from rich.progress import Progress

from services.cli.quality.gold import GoldSet
from services.cli.quality.grouping import Grouping, stories_of_labels
from services.cli.quality.june2017 import June
from services.cli.quality.protocol import Arrival, Dataset, Scores, linked_share, score
from services.cli.quality.rehearsal import Rehearsal
from services.cli.quality.story_peers import Peer
from services.runtime.records import Record


class Stream(NamedTuple):
    """Raw messages in order of arrival, and what is known of them."""

    messages: Sequence[Record]
    label_of: Mapping[str, str]
    """The event of an article."""
    noise: set[str] | None
    """Articles of no event; None where nobody knows which are."""
    pairs: Mapping[tuple[str, str], str]
    """What is said of pairs of events: `related` or `topical`."""


class Result(NamedTuple):
    """What a run is judged by. Shares are 0..1."""

    scores: Scores
    related: float
    """Share of related pairs of events that are linked."""
    topical: float
    """Share of topical pairs, which must not be, that are."""
    false_links: float
    """Links between stories of events that nobody called related."""
    churn: float
    """Share of articles that end in another story than the one they were first put into."""


def judged(
    grouping: Grouping,
    label_of: Mapping[str, str],
    noise: set[str] | None,
    pairs: Mapping[tuple[str, str], str],
) -> Result:
    """Judge a run by labels: see `Stream`."""
    story_of = grouping.story_of()
    related, topical = linked_shares(grouping, label_of, pairs)
    return Result(
        score(label_of, noise, story_of),
        related,
        topical,
        len(_false_links(grouping, label_of, pairs)),
        len(grouping.moved()) / max(len(grouping.first_of), 1),
    )


def linked_shares(
    grouping: Grouping, label_of: Mapping[str, str], pairs: Mapping[tuple[str, str], str]
) -> tuple[float, float]:
    """Return the shares (0..1) of related and of topical pairs of labels that are linked."""
    stories = stories_of_labels(label_of, grouping.story_of())
    links = grouping.links()

    def linked(a: str, b: str) -> bool:
        return frozenset((a, b)) in links

    related, topical = (linked_share(pairs, what, stories, linked) for what in ("related", "topical"))
    return related, topical


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


def grouped(peer: Peer, messages: Sequence[Record], progress: Progress, what: str) -> Grouping:
    """Let a peer group raw messages. Raises ImportError where its library is not installed."""
    task = progress.add_task(what, total=len(messages))
    texts = [(message["article_id"], message["title"], message["text"]) for message in messages]
    found = peer(texts, lambda articles: progress.advance(task, articles))
    members: dict[str, list[str]] = defaultdict(list)
    for article, story in found.items():
        members[story].append(article)
    stories: dict[str, Record] = {
        story: {"state": "open", "merged_into": None, "article_ids": ids, "related": []}
        for story, ids in members.items()
    }
    return Grouping(stories, dict(found))


def gold_result(rehearsal: Rehearsal, gold: GoldSet, progress: Progress | None = None) -> Result:
    """Run our own gold set and judge it."""
    return judged(followed(rehearsal, gold.messages, progress, "Mạch Tin"), *gold_stream(gold)[1:])


def gold_stream(gold: GoldSet) -> Stream:
    """Return our own gold set."""
    return Stream(gold.messages, gold.event_of, gold.singles, gold.pairs)


def june_stream(june: June) -> Stream:
    """Return June 2017: nobody has said which of its articles are noise."""
    return Stream(june.messages, june.event_of, None, june.pairs)


def simulated(arrivals: Sequence[Arrival], dataset: Dataset) -> Stream:
    """Return a stream of the protocol, with the pairs of which both events are in it."""
    label_of = {a.item.article_id: a.item.cluster for a in arrivals if a.item.cluster}
    noise = {a.item.article_id for a in arrivals if a.item.cluster is None}
    present = set(label_of.values())
    pairs = {pair: what for pair, what in dataset.pairs.items() if present.issuperset(pair)}
    return Stream([a.raw() for a in arrivals], label_of, noise, pairs)


def mean(results: Sequence[Result]) -> Result:
    """Return the mean of results on streams of one kind."""
    scores = [r.scores for r in results]
    noise = [s.noise for s in scores if s.noise is not None]
    return Result(
        Scores(
            fmean(s.precision for s in scores),
            fmean(s.recall for s in scores),
            fmean(s.f1 for s in scores),
            fmean(noise) if noise else None,
            fmean(s.stories for s in scores),
        ),
        fmean(r.related for r in results),
        fmean(r.topical for r in results),
        fmean(r.false_links for r in results),
        fmean(r.churn for r in results),
    )
