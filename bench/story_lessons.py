"""What the clusterer's rules are learned from: everything it compares on streams of labelled news.

A stream is run through the real clusterer. For every article it weighs stories for, and every pair of
stories it thinks of linking or merging, the features are written down with what the labels say. Some
streams are led by a teacher, who puts every labelled article where it belongs; in the others the clusterer
follows the rule that it has learned so far, mistakes included, so that the rule is learned on what it will
meet (Ross et al. 2011, "DAgger").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from services.clusterer.cluster import Arrival, Candidate, Edition
from services.clusterer.index import Numbers
from services.clusterer.memory import Story
from services.clusterer.parameters import Parameters
from services.clusterer.state import StoryState
from services.clusterer.vectors import Vectorizer, load_background
from services.runtime.records import Record

Features = npt.NDArray[np.float64]

HOME_SHARE = 0.5
"""A story is an article's home if at least this share of its labelled articles belong to the same event."""


@dataclass
class Rows:
    """Rows of features, each with the labels of what was compared; an empty label is noise."""

    features: list[Features] = field(default_factory=list)
    labels: list[tuple[str, str]] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    """1 if both are one event."""
    articles: list[str] = field(default_factory=list)

    def add(self, features: Features, labels: tuple[str, str], answer: float, article: str) -> None:
        """Add a row."""
        self.features.append(features)
        self.labels.append(labels)
        self.answers.append(answer)
        self.articles.append(article)


@dataclass
class Lessons:
    """Everything that was compared on one stream."""

    source: str
    joins: Rows = field(default_factory=Rows)
    links: Rows = field(default_factory=Rows)
    merges: list[tuple[float, tuple[str, str]]] = field(default_factory=list)
    """Log-odds that two stories are one, and their labels."""


class TaughtEdition(Edition):
    """An edition that writes down what it compares and, led by a teacher, does what the labels say."""

    def __init__(
        self,
        parameters: Parameters,
        vectorizer: Vectorizer,
        label_of: Mapping[str, str],
        named: frozenset[str],
        silent: frozenset[str],
        lessons: Lessons,
        teacher: bool,
    ) -> None:
        super().__init__(parameters, vectorizer)
        self._label_of = label_of
        self._named = named
        self._silent = silent
        self._lessons = lessons
        self._teacher = teacher

    def weighed(self, arrival: Arrival, stories: list[Story]) -> list[Candidate]:
        """Weigh, write down, and let the teacher decide."""
        article_id = arrival.article["article_id"]
        label = self._label_of.get(article_id, "")
        taught = []
        for candidate in super().weighed(arrival, stories):
            labels = self._labels(candidate.story.article_ids)
            home = self._home(labels)
            share = labels[label] / sum(labels.values()) if label and labels else 0.0
            answer = float(share >= HOME_SHARE)
            if (label or home) and (share == 0 or answer) and article_id not in self._silent:
                self._lessons.joins.add(candidate.values, (label, home), answer, article_id)
            if self._teacher and (label or home):
                candidate = candidate._replace(probability=answer)
            taught.append(candidate)
        return sorted(taught, key=lambda c: (-c.probability, c.story.story_id))

    def compared(self, new: StoryState, others: Numbers) -> Features:
        """Compare and write down."""
        rows = super().compared(new, others)
        mine = self._name(new["article_ids"])
        for other, features in zip(self.memory.numbered(others), rows, strict=True):
            theirs = self._name(other.article_ids)
            if mine or theirs:
                same = float(mine == theirs)
                self._lessons.links.add(features, (mine, theirs), same, new["story_id"])
        return rows

    def _name(self, article_ids: Sequence[str]) -> str:
        """Return what pairs of stories call a story: its event, or one of its articles."""
        named = (i for i in article_ids if i in self._named)
        return self._home(self._labels(article_ids)) or next(named, "")

    def oneness(self, new: StoryState, other: Story) -> float:
        """Compare and write down."""
        odds = super().oneness(new, other)
        labels = self._labels(new["article_ids"]), self._labels(other.article_ids)
        if any(labels):
            self._lessons.merges.append((odds, (self._home(labels[0]), self._home(labels[1]))))
        return odds

    def _labels(self, article_ids: Iterable[str]) -> Counter[str]:
        return Counter(label for i in article_ids if (label := self._label_of.get(i)))

    @staticmethod
    def _home(labels: Counter[str]) -> str:
        return max(labels, key=lambda name: (labels[name], name)) if labels else ""


def attend(
    source: str,
    articles: Iterable[Record],
    parameters: Parameters,
    label_of: Mapping[str, str],
    named: frozenset[str],
    silent: frozenset[str],
    teacher: bool,
) -> Lessons:
    """Run a stream of enriched articles and return what was compared.

    `named`: articles that stand for their story where pairs of stories are judged; `silent`: articles that
    teach nothing, neither right nor wrong anywhere.
    """
    lessons = Lessons(source)
    editions: dict[str, TaughtEdition] = {}
    for article in articles:
        name = article["edition"]
        if name not in editions:
            vectorizer = Vectorizer(load_background(name))
            editions[name] = TaughtEdition(parameters, vectorizer, label_of, named, silent, lessons, teacher)
        edition = editions[name]
        for record in edition.decide(article):  # type: ignore[arg-type]
            edition.memory.apply(record)  # type: ignore[arg-type]
    return lessons
