"""What one would build instead: the floor in numpy, river's TextClust, a batch clusterer of scikit-learn.

Each takes texts only. `remember` makes a story of an article without looking for one: so that a peer can be
measured with many stories open without waiting for it to find them.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from services.runtime.text import syllables

TERMS = 200
BUCKETS = 1 << 20


class SinglePass:
    """The floor: TF-IDF of hashed syllable uni- and bigrams, cosine to the running centroid, a threshold."""

    def __init__(self, room: int, threshold: float = 0.12) -> None:
        self._threshold = threshold
        self._frequency = np.zeros(BUCKETS)
        self._documents = 0
        self._terms = np.zeros((room, TERMS), dtype=np.int64)
        self._weights = np.zeros((room, TERMS))
        self._stories = 0

    def remember(self, text: str) -> None:
        """Open a story with an article."""
        terms, weights = self._vector(text)
        self._keep(self._stories, terms, weights)
        self._stories += 1

    def __call__(self, text: str) -> None:
        """Put an article into the closest story or open one."""
        terms, weights = self._vector(text)
        query = np.zeros(BUCKETS)
        query[terms] = weights
        scores = (query[self._terms[: self._stories]] * self._weights[: self._stories]).sum(axis=1)
        best = int(scores.argmax()) if len(scores) else -1
        if best < 0 or scores[best] < self._threshold:
            self._keep(self._stories, terms, weights)
            self._stories += 1
            return
        query[self._terms[best]] += self._weights[best]
        both = np.union1d(terms, self._terms[best])
        self._keep(best, both, query[both])

    def _keep(self, story: int, terms: np.ndarray, weights: np.ndarray) -> None:
        heaviest = np.argsort(-weights)[:TERMS]
        self._terms[story] = 0
        self._weights[story] = 0
        self._terms[story, : len(heaviest)] = terms[heaviest]
        self._weights[story, : len(heaviest)] = weights[heaviest] / np.linalg.norm(weights[heaviest])

    def _vector(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        words = syllables(text)
        counts = Counter([*words, *map(" ".join, pairwise(words))])
        terms = np.array([zlib.crc32(term.encode()) % BUCKETS for term in counts])
        self._documents += 1
        self._frequency[terms] += 1
        idf = np.log((self._documents + 1) / (self._frequency[terms] + 0.5))
        weights = (1 + np.log(list(counts.values()))) * np.maximum(idf, 0)
        return terms, weights


class TextClust:
    """river.cluster.TextClust on bags of folded syllables, with the defaults that need no clock."""

    def __init__(self) -> None:
        from river.cluster import TextClust as River

        self._river = River(real_time_fading=False, auto_merge=False)

    def remember(self, text: str) -> None:
        """Open a micro-cluster with an article."""
        river = self._river
        terms = {term: {"tf": count} for term, count in self._bag(text).items()}
        river.micro_clusters[river._cluster_id] = river.MicroCluster(
            terms, river.n, 1, None, river._cluster_id
        )
        river._cluster_id += 1

    def __call__(self, text: str) -> None:
        """Learn an article."""
        self._river.learn_one(self._bag(text))

    @staticmethod
    def _bag(text: str) -> Counter[str]:
        return Counter(syllables(text))


def agglomerate(texts: Sequence[str], distance: float = 0.8) -> int:
    """Cluster a whole batch: scikit-learn's TF-IDF and average linkage; return the number of clusters."""
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(
        strip_accents="unicode", ngram_range=(1, 2), sublinear_tf=True, max_df=0.25, token_pattern=r"[^\W_]+"
    )
    matrix = vectors.fit_transform(texts)
    distances = 1 - (matrix @ matrix.T).toarray()
    found = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=distance
    ).fit(distances)
    return int(found.n_clusters_)
