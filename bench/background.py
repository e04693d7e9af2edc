"""Count how common each hashed term is in Vietnamese news and store its weight, numbers only.

    python -m bench.background --data DIR

DIR holds the development data (JSON lines with `title` and `body`, gzipped). Written:
services/clusterer/data/background_vi.npz with one level (0..255) per bucket and the step between levels.
The weight is ln((N + 1) / (df + 1/2)). A term in fewer than RARE documents weighs as much as one never
seen: so the weights carry no trace of single events, and new names are as rare as rare old ones. A term in
more than a quarter of the documents weighs nothing.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.clusterer.vectors import BUCKETS, Vectorizer

RARE = 12
COMMON_SHARE = 0.25
LEVELS = 255


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the articles of a file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def counted(articles: Iterable[tuple[str, str]]) -> tuple[npt.NDArray[np.float64], int, int]:
    """Return the weight of every bucket, the number of articles, and how many buckets are above the floor.

    `articles`: titles and texts.
    """
    vectorizer = Vectorizer(np.ones(BUCKETS, dtype=np.float32))
    frequency = np.zeros(BUCKETS, dtype=np.int64)
    documents = 0
    for title, text in articles:
        frequency[vectorizer.vector(title, text, BUCKETS).terms] += 1
        documents += 1
    weights = np.log((documents + 1) / (np.maximum(frequency, RARE) + 0.5))
    weights[frequency > COMMON_SHARE * documents] = 0
    return weights, documents, int((frequency > RARE).sum())


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path("services/clusterer/data/background_vi.npz"))
    options = parser.parse_args()
    articles = (article for path in sorted(options.data.glob("*.jsonl.gz")) for article in read(path))
    weights, documents, known = counted((article["title"] or "", article["body"]) for article in articles)
    step = float(weights.max()) / LEVELS
    levels = np.rint(weights / step).astype(np.uint8)
    np.savez_compressed(options.output, levels=levels, step=np.float32(step))
    print(f"{documents} documents, {known} buckets of {BUCKETS} above the floor")
    print(f"{options.output}: {options.output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
