"""Make services/enricher/data/words.tsv: how rare words are, and how often syllables are capital letters.

    python -m bench.build_words --data DIR

reads stream2017.jsonl.gz there (a background of some thousand mixed news articles) and keeps numbers only.
Columns: word in lower case; its inverse document frequency ln((N+1)/(df+1/2)) times 10; for single syllables
the percentage of capital initials inside sentences, else empty. Words of fewer than MIN_DOCUMENTS articles
are left out: they count as equally rare.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import unicodedata
from collections import Counter
from pathlib import Path

from services.enricher.analyzer import Analyzer
from services.enricher.tokenizer import sentences

MIN_DOCUMENTS = 6
MIN_NAME_DOCUMENTS = 12
MIN_OCCURRENCES = 20
TARGET = Path(__file__).parents[1] / "services" / "enricher" / "data" / "words.tsv"


def main(directory: Path) -> None:
    """Count and write the table."""
    analyzer = Analyzer()
    documents = 0
    frequency: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    total: Counter[str] = Counter()
    names: Counter[str] = Counter()
    seen: set[str] = set()
    with gzip.open(directory / "stream2017.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            text = unicodedata.normalize("NFC", f"{row['title']}\n{row['body']}").replace("_", " ")
            if text in seen:
                continue
            seen.add(text)
            documents += 1
            present = set()
            for words in analyzer.analyze(text, list(sentences(text))):
                for i, word in enumerate(words):
                    if not any(c.isalpha() for c in word.text):
                        continue
                    lower = word.text.lower()
                    present.add(lower)
                    names[lower] += word.tag == "Np"
                    inside = i > 0 and words[i - 1].text[-1].isalnum()
                    for syllable in lower.split(" ") if inside and not word.text.isupper() else ():
                        total[syllable] += 1
                    for syllable in word.text.split(" ") if inside and not word.text.isupper() else ():
                        capital[syllable.lower()] += syllable[0].isupper()
            frequency.update(present)
    kept = {
        w
        for w, df in frequency.items()
        if df >= (MIN_NAME_DOCUMENTS if names[w] * 2 > df else MIN_DOCUMENTS) and len(w) < 40
    } | {s for s, n in total.items() if n >= MIN_OCCURRENCES and len(s) < 20}
    with TARGET.open("w", encoding="utf-8") as out:
        out.write(f"# {documents} articles; see bench/build_words.py\n")
        for word in sorted(kept):
            idf = round(10 * math.log((documents + 1) / (frequency[word] + 0.5)))
            share = round(100 * capital[word] / total[word]) if total[word] >= MIN_OCCURRENCES else ""
            out.write(f"{word}\t{idf}\t{share}\n")
    print(f"{documents} articles, {len(kept)} words, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    main(parser.parse_args().data)
