"""What one would build instead: the floor of forty lines, river's TextClust, a batch clusterer.

Each takes (article id, title, text) in the order of arrival and returns a story number by article.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from services.runtime.text import syllables

Texts = Sequence[tuple[str, str, str]]

TITLE_REPEATS, TERMS = 3, 200
FLOOR_THRESHOLD = 0.12
BATCH_DISTANCE = 0.85
TEXTCLUST_RADIUS = 0.8
TEXTCLUST_SYLLABLES = 120
"""river weighs every cluster anew for every article: with whole texts it would take hours."""


def floor(texts: Texts, threshold: float = FLOOR_THRESHOLD) -> dict[str, str]:
    """Single pass: TF-IDF of syllables and their pairs, cosine to the centroid of a story, a threshold."""
    counts = [Counter(_grams(title) * TITLE_REPEATS + _grams(text)) for _, title, text in texts]
    frequency = Counter(gram for count in counts for gram in count)
    centres: list[dict[str, float]] = []
    holders: dict[str, list[int]] = defaultdict(list)
    story_of = {}
    for (article, _, _), count in zip(texts, counts, strict=True):
        weighed = {
            gram: (1 + math.log(n)) * math.log((len(texts) + 1) / (frequency[gram] + 0.5))
            for gram, n in count.items()
            if 1 < frequency[gram] <= len(texts) / 4
        }
        top = dict(sorted(weighed.items(), key=lambda item: (-item[1], item[0]))[:TERMS])
        length = math.sqrt(sum(w * w for w in top.values())) or 1.0
        scores: dict[int, float] = defaultdict(float)
        for gram, weight in top.items():
            for story in holders[gram]:
                scores[story] += weight / length * centres[story][gram]
        lengths = {s: math.sqrt(sum(w * w for w in centres[s].values())) for s in scores}
        best = max(scores, key=lambda s: (scores[s] / lengths[s], -s), default=-1)
        if best < 0 or scores[best] / lengths[best] < threshold:
            best = len(centres)
            centres.append({})
        for gram, weight in top.items():
            if gram not in centres[best]:
                holders[gram].append(best)
            centres[best][gram] = centres[best].get(gram, 0.0) + weight / length
        story_of[article] = str(best)
    return story_of


def _grams(text: str) -> list[str]:
    words = syllables(text)
    return [*words, *map(" ".join, pairwise(words))]


def textclust(texts: Texts) -> dict[str, str]:
    """`river.cluster.TextClust` on bags of the first syllables, fading off. Raises ImportError without it."""
    from river import cluster

    rivers: Any = cluster
    model = rivers.TextClust(
        radius=TEXTCLUST_RADIUS, real_time_fading=False, fading_factor=0.0, auto_merge=False
    )
    story_of = {}
    for article, title, text in texts:
        bag = Counter(syllables(f"{title} {title} {text}")[:TEXTCLUST_SYLLABLES])
        before = {key: cluster.n for key, cluster in model.micro_clusters.items()}
        model.learn_one(dict(bag))
        grown = [key for key, cluster in model.micro_clusters.items() if cluster.n != before.get(key)]
        story_of[article] = str(grown[-1]) if grown else f"none of {article}"
    return story_of


def agglomerate(texts: Texts, distance: float = BATCH_DISTANCE) -> dict[str, str]:
    """scikit-learn: TF-IDF and average linkage over the whole batch. Raises ImportError without it."""
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(
        strip_accents="unicode", ngram_range=(1, 2), sublinear_tf=True, max_df=0.25, token_pattern=r"[^\W_]+"
    )
    matrix = vectors.fit_transform([f"{title} {title} {title} {text}" for _, title, text in texts])
    distances = 1 - (matrix @ matrix.T).toarray()
    found = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=distance
    ).fit(distances)
    return {text[0]: str(label) for text, label in zip(texts, found.labels_, strict=True)}
