"""Group words that are used alike: services/enricher/data/ner.clusters.tsv, which the tagger looks at.

    python -m bench.build_clusters --data DIR

DIR holds the development data; no text of it is kept, only words with the numbers of their groups. Vectors
are positive pointwise mutual information with the words one and two places before and after (context counts
smoothed by the power 0.75 after Levy, Goldberg & Dagan 2015), reduced to 80 dimensions, and grouped by
k-means into 64 and into 320. The articles of the test fifth are left out. Seeds are fixed; run it with
OMP_NUM_THREADS=1 for the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.cluster import MiniBatchKMeans
from sklearn.utils.extmath import randomized_svd

from bench.train_ner import is_test, read_labels
from services.enricher.enrich import _plain
from services.enricher.lexicon import key_of
from services.enricher.tagger_features import CLUSTERS, form_of
from services.enricher.tokenizer import Tokenizer, sentences

LEAST, CONTEXTS, DIMENSIONS = 6, 4000, 80
OFFSETS = (-2, -1, 1, 2)
GROUPS = (64, 320)


def read(directory: Path) -> list[list[str]]:
    """Return the sentences of the development data as word forms, the test fifth left out."""
    left_out = {doc for doc in read_labels() if is_test(doc)}
    tokenizer = Tokenizer()
    found = []
    for name in ("stream2017", "vims"):
        with gzip.open(directory / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                if row["id"] in left_out:
                    continue
                text = _plain(row["body"])
                for start, end in sentences(text):
                    tokens = tokenizer.tokens(text, start, end)
                    found.append([form_of(t.text, key_of(t.text)) for t in tokens])
    return found


def main() -> None:
    """Read, count, reduce, group, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=CLUSTERS)
    options = parser.parse_args()
    texts = read(options.data)
    counts = Counter(word for sentence in texts for word in sentence)
    vocabulary = sorted((w for w, c in counts.items() if c >= LEAST), key=lambda w: (-counts[w], w))
    rows = {word: i for i, word in enumerate(vocabulary)}
    contexts = {word: i for i, word in enumerate(vocabulary[:CONTEXTS])}
    width = CONTEXTS + 2  # the others, and beyond the sentence
    pairs: Counter[tuple[int, int]] = Counter()
    for sentence in texts:
        near = [contexts.get(word, CONTEXTS) for word in sentence]
        for i, word in enumerate(sentence):
            if word in rows:
                for n, offset in enumerate(OFFSETS):
                    j = i + offset
                    other = near[j] if 0 <= j < len(near) else CONTEXTS + 1
                    pairs[rows[word], n * width + other] += 1
    places = np.array(list(pairs))
    values = np.array(list(pairs.values()), np.float64)
    shape = (len(vocabulary), len(OFFSETS) * width)
    table = csr_matrix((values, (places[:, 0], places[:, 1])), shape=shape)
    total = table.sum()
    of_words = np.asarray(table.sum(1)).ravel()
    of_contexts = np.asarray(table.sum(0)).ravel() ** 0.75
    of_contexts *= total / of_contexts.sum()
    cells = table.tocoo()
    information = np.log(cells.data * total / (of_words[cells.row] * of_contexts[cells.col]))
    kept = information > 0
    positive = csr_matrix((information[kept], (cells.row[kept], cells.col[kept])), shape=shape)
    left, singular, _ = randomized_svd(positive, DIMENSIONS, n_iter=3, random_state=0)
    vectors = left * np.sqrt(singular)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    groups = [
        MiniBatchKMeans(k, random_state=0, batch_size=4096, n_init=3, max_iter=100).fit(vectors).labels_
        for k in GROUPS
    ]
    with options.out.open("w", encoding="utf-8", newline="\n") as lines:
        for word, i in sorted(rows.items()):
            lines.write(f"{word}\t{groups[0][i]}\t{groups[1][i]}\n")


if __name__ == "__main__":
    main()
