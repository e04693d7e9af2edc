"""What one would build instead: the floor of forty lines, river's TextClust, a batch clusterer.

Each groups (article id, title, text) in the order of arrival and returns a story by article; `tick` is told
how many articles have been done since it was last called.
"""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from services.runtime.text import syllables

Texts = Sequence[tuple[str, str, str]]
Tick = Callable[[int], object]
Peer = Callable[[Texts, Tick], dict[str, str]]

TITLE_REPEATS, TERMS = 3, 200
MOST_COMMON = 0.25
"""Terms of a larger share of the articles, and those of a single one, are left out."""
FLOOR_THRESHOLD = 0.12
BATCH_DISTANCE = 0.85
BATCH_ROWS = 500
"""So many rows of the matrix of distances are computed at a time."""
TEXTCLUST_RADIUS = 0.6
TEXTCLUST_SYLLABLES = 120
"""river weighs every cluster anew for every article: with whole texts it would take hours."""


class Terms(NamedTuple):
    """A unit vector: distinct ids and their weights."""

    ids: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64]


class Floor:
    """The floor: TF-IDF of folded syllables and their pairs, cosine to the centroid of a story, a threshold.

    A single pass, compiled: an article costs what the stories that share a term with it cost.
    """

    def __init__(self, grams: Sequence[Counter[str]], threshold: float = FLOOR_THRESHOLD) -> None:
        """Hold no stories, and know from `grams` (of articles, see `grams_of`) how rare a term is."""
        frequency = Counter(gram for each in grams for gram in each)
        known = sorted(gram for gram, n in frequency.items() if 1 < n <= MOST_COMMON * len(grams))
        self._ids = {gram: i for i, gram in enumerate(known)}
        self._rarity = np.array([math.log((len(grams) + 1) / (frequency[gram] + 0.5)) for gram in known])
        self._threshold = threshold
        self._first = np.full(len(known), -1, dtype=np.int64)
        """Where the newest posting of a term is; postings lead to the one before."""
        self._postings = np.zeros(1 << 16, dtype=[("before", "i8"), ("story", "i8"), ("weight", "f8")])
        self._used = 0
        self._squares = np.zeros(1 << 10)
        """Squared length of every centroid."""
        self._scores = np.zeros(1 << 10)
        self._stories = 0

    def vector(self, grams: Counter[str]) -> Terms:
        """Return the heaviest terms of an article; of equal weights the first in the alphabet."""
        found = [(self._ids[gram], n) for gram, n in grams.items() if gram in self._ids]
        ids = np.array([i for i, _ in found], dtype=np.int32)
        weights = np.array([1 + math.log(n) for _, n in found]) * self._rarity[ids]
        heaviest = np.lexsort((ids, -weights))[:TERMS]
        ids, weights = ids[heaviest], weights[heaviest]
        return Terms(ids, weights / (np.linalg.norm(weights) or 1.0))

    def open(self, terms: Terms) -> int:
        """Open a story with an article and return its number."""
        self._stories += 1
        if self._stories > len(self._squares):
            self._squares = np.concatenate([self._squares, np.zeros_like(self._squares)])
            self._scores = np.zeros_like(self._squares)
        self._put(terms, self._stories - 1)
        return self._stories - 1

    def place(self, terms: Terms) -> int:
        """Put an article into the closest story, or open one where none is close, and return its number."""
        best: int = _closest(
            *terms, self._first, self._postings, self._squares, self._scores[: self._stories]
        )
        if best < 0 or self._scores[best] < self._threshold:
            return self.open(terms)
        self._put(terms, best)
        return best

    def _put(self, terms: Terms, story: int) -> None:
        if self._used + len(terms.ids) > len(self._postings):
            self._postings = np.concatenate([self._postings, np.zeros_like(self._postings)])
        self._used = _put(*terms, story, self._first, self._postings, self._used, self._squares)


@numba.njit(cache=True)
def _closest(ids, weights, first, postings, squares, scores):  # type: ignore[no-untyped-def]
    """Fill `scores` with the cosines to all stories; return the closest one, the oldest of equals, or -1."""
    scores[:] = 0.0
    for k in range(len(ids)):
        at = first[ids[k]]
        while at >= 0:
            posting = postings[at]
            scores[posting.story] += weights[k] * posting.weight
            at = posting.before
    best = -1
    for story in range(len(scores)):
        if scores[story] > 0:
            scores[story] /= math.sqrt(squares[story])
            if best < 0 or scores[story] > scores[best]:
                best = story
    return best


@numba.njit(cache=True)
def _put(ids, weights, story, first, postings, used, squares):  # type: ignore[no-untyped-def]
    """Add an article to a centroid; return how many postings there are."""
    for k in range(len(ids)):
        at = first[ids[k]]
        while at >= 0 and postings[at].story != story:
            at = postings[at].before
        if at < 0:
            at = used
            used += 1
            postings[at].before = first[ids[k]]
            postings[at].story = story
            postings[at].weight = 0.0
            first[ids[k]] = at
        old = postings[at].weight
        postings[at].weight = old + weights[k]
        squares[story] += weights[k] * (2 * old + weights[k])
    return used


def grams_of(title: str, text: str) -> Counter[str]:
    """Return how often an article names each folded syllable and pair of neighbours, its title thrice."""
    return Counter(_grams(title) * TITLE_REPEATS + _grams(text))


def _grams(text: str) -> list[str]:
    words = syllables(text)
    return [*words, *map(" ".join, pairwise(words))]


def floor(texts: Texts, tick: Tick) -> dict[str, str]:
    """Group with `Floor`, which has seen all the texts before: rarities that no stream can know."""
    grams = []
    for _, title, text in texts:
        grams.append(grams_of(title, text))
        tick(1)
    method = Floor(grams)
    return {text[0]: str(method.place(method.vector(each))) for text, each in zip(texts, grams, strict=True)}


class TextClust:
    """`river.cluster.TextClust` on bags of folded syllables, fading off."""

    def __init__(self) -> None:
        """Hold no stories. Raises ImportError without river."""
        from river import cluster

        rivers: Any = cluster
        # Without a fading factor its cleaning up removes every story of one article: so it never cleans up.
        self._river = rivers.TextClust(
            radius=TEXTCLUST_RADIUS, real_time_fading=False, fading_factor=0.0, term_fading=False,
            tgap=sys.maxsize, auto_merge=False,
        )  # fmt: skip

    def open(self, title: str, text: str) -> None:
        """Open a story with an article, without looking for one."""
        river = self._river
        terms = {term: {"tf": count} for term, count in _bag(title, text).items()}
        river.micro_clusters[river._cluster_id] = river.MicroCluster(
            terms, river.n, 1, None, river._cluster_id
        )
        river._cluster_id += 1

    def place(self, title: str, text: str) -> int | None:
        """Put an article into a story or open one, and return its number; None if it has no words."""
        clusters = self._river.micro_clusters
        before = {key: cluster.n for key, cluster in clusters.items()}
        self._river.learn_one(dict(_bag(title, text)))
        grown = [key for key, cluster in clusters.items() if cluster.n != before.get(key)]
        return grown[-1] if grown else None


def _bag(title: str, text: str) -> Counter[str]:
    return Counter(syllables(f"{title} {title} {text}")[:TEXTCLUST_SYLLABLES])


def textclust(texts: Texts, tick: Tick) -> dict[str, str]:
    """Group with river's TextClust. Raises ImportError without it."""
    method = TextClust()
    story_of = {}
    for article, title, text in texts:
        story = method.place(title, text)
        story_of[article] = f"none of {article}" if story is None else str(story)
        tick(1)
    return story_of


def agglomerate(texts: Texts, tick: Tick) -> dict[str, str]:
    """scikit-learn: TF-IDF and average linkage over the whole batch. Raises ImportError without it."""
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(
        strip_accents="unicode", ngram_range=(1, 2), sublinear_tf=True, max_df=MOST_COMMON,
        token_pattern=r"[^\W_]+", dtype=np.float32,
    )  # fmt: skip
    matrix = vectors.fit_transform(f"{title} {title} {title} {text}" for _, title, text in texts)
    distances = np.empty((len(texts), len(texts)), dtype=np.float32)
    for start in range(0, len(texts), BATCH_ROWS):
        rows = matrix[start : start + BATCH_ROWS]
        distances[start : start + BATCH_ROWS] = 1 - (rows @ matrix.T).toarray()
        tick(rows.shape[0])
    found = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=BATCH_DISTANCE
    ).fit(distances)
    return {text[0]: str(label) for text, label in zip(texts, found.labels_, strict=True)}
