"""How right the names are: strict span and type against labels, and the identities of the two seeds.

The labels are stand-off (document, offsets, type); the texts they point into are not ours to ship, so they
are read from a directory of the development data. Without it there is nothing to measure.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from services.enricher.enrich import Enricher
from services.enricher.tagger import Tagger, spans_of
from services.runtime.records import DeduplicatedArticle

LABELS = Path(__file__).parents[3] / "bench" / "ner"
FIFTHS, TEST = 5, 0
TYPES = ("PER", "LOC", "ORG", "MISC")
NAMES = ("PER", "LOC", "ORG")

Name = tuple[int, int, str]
"""Start and end in the text, and the type."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A labelled sentence of a document."""

    number: str
    doc: str
    start: int
    end: int
    names: frozenset[Name]


@dataclass(slots=True)
class Tally:
    """Names found, wanted, and both, by type."""

    hits: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    wanted: Counter[str] = field(default_factory=Counter)

    def add(self, found: Iterable[Name], wanted: Iterable[Name]) -> None:
        """Count one stretch."""
        ours, theirs = set(found), set(wanted)
        self.hits.update(name[2] for name in ours & theirs)
        self.found.update(name[2] for name in ours)
        self.wanted.update(name[2] for name in theirs)

    def scores(self, types: Iterable[str]) -> tuple[float, float, float]:
        """Return precision, recall and F1 over these types together (0 where nothing was found)."""
        chosen = tuple(types)
        hits, found, wanted = (sum(c[t] for t in chosen) for c in (self.hits, self.found, self.wanted))
        return hits / max(found, 1), hits / max(wanted, 1), 2 * hits / max(found + wanted, 1)


def fifth(doc: str) -> int:
    """Return which fifth of the documents this one belongs to; fifth 0 is the test, never trained on."""
    return int.from_bytes(hashlib.sha256(doc.encode()).digest()[:4], "big") % FIFTHS


def read_stretches(path: Path) -> list[Stretch]:
    """Return the labelled sentences of a stand-off file."""
    return [
        Stretch(
            row["sentence"],
            row["doc"],
            row["start"],
            row["end"],
            frozenset((start, end, kind) for start, end, kind in row["entities"]),
        )
        for row in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    ]


def read_texts(directory: Path, wanted: Iterable[str]) -> dict[str, str]:
    """Return the texts of documents by id, as the labels count their characters."""
    ids = frozenset(wanted)
    texts: dict[str, str] = {}
    for name in ("stream2017", "vims"):
        with gzip.open(directory / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                if row["id"] in ids:
                    texts[row["id"]] = row["body"]
    return texts


def agreement() -> Tally:
    """Compare the second pass with the first."""
    tally = Tally()
    first = {s.number: s for s in read_stretches(LABELS / "labels.jsonl")}
    for stretch in read_stretches(LABELS / "second_pass.jsonl"):
        tally.add(stretch.names, first[stretch.number].names)
    return tally


def article(key: str, text: str, title: str = "") -> DeduplicatedArticle:
    """Return what the enricher needs of an article."""
    return cast(DeduplicatedArticle, {"article_id": key, "title": title, "text": text, "language": "vi"})


def measure(
    names_of: Callable[[str, str], set[Name]], test: list[Stretch], texts: Mapping[str, str]
) -> Tally:
    """Return the tally of a system that names a document's text."""
    tally = Tally()
    by_doc: dict[str, list[Stretch]] = {}
    for stretch in test:
        by_doc.setdefault(stretch.doc, []).append(stretch)
    for doc, stretches in by_doc.items():
        names = names_of(doc, texts[doc])
        for stretch in stretches:
            inside = {n for n in names if stretch.start <= n[0] and n[1] <= stretch.end}
            tally.add(inside, stretch.names)
    return tally


def as_shipped(text: str) -> set[Name]:
    """Return the names of one sentence as `underthesea.ner` gives them, found again in the text."""
    import underthesea

    names: set[Name] = set()
    at = 0
    open_name: list[Any] | None = None
    for word, _, _, label in underthesea.ner(text):
        start = text.find(word.split(" ")[0], at)
        if start < 0:  # it rewrites some spellings
            open_name = None
            continue
        end = start
        for syllable in word.split(" "):
            found = text.find(syllable, end)
            end = found + len(syllable) if found >= 0 else end
        at = end
        kind = label[2:]
        if open_name is not None and label.startswith("I-") and kind == open_name[2]:
            open_name[1] = end
        else:
            if open_name is not None:
                names.add((open_name[0], open_name[1], open_name[2]))
            open_name = [start, end, kind] if label != "O" else None
    if open_name is not None:
        names.add((open_name[0], open_name[1], open_name[2]))
    return names


def naive(test: list[Stretch], texts: Mapping[str, str]) -> Tally:
    """Return the tally of underthesea, called sentence by sentence as its documentation shows."""
    tally = Tally()
    for stretch in test:
        found = as_shipped(texts[stretch.doc][stretch.start : stretch.end])
        tally.add({(a + stretch.start, b + stretch.start, k) for a, b, k in found}, stretch.names)
    return tally


def published(enricher: Enricher, doc: str, text: str) -> set[Name]:
    """Return the names that the enricher publishes."""
    return {
        (m["start"], m["end"], e["type"])
        for e in enricher.enrich(article(doc, text))["entities"]
        for m in e["mentions"]
    }


def tagged(enricher: Enricher, tagger: Tagger, doc: str, text: str) -> set[Name]:
    """Return the names as the tagger's labels have them, before identities are resolved."""
    sentences, observed = enricher.observe(doc, text)
    return {
        (sentence.tokens[name.first].start, sentence.tokens[name.last - 1].end, name.type)
        for sentence, labels in zip(sentences, tagger.tag(observed), strict=True)
        for name in spans_of(labels)
    }


def table(rows: list[tuple[str, Tally]]) -> str:
    """Return F1 by type, and precision, recall and F1 over names, as Markdown."""
    lines = [
        "| system | PER | LOC | ORG | MISC | PER+LOC+ORG (P / R / F1) | with MISC |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, tally in rows:
        single = " | ".join(f"{tally.scores([kind])[2]:.3f}" for kind in TYPES)
        p, r, f = tally.scores(NAMES)
        lines.append(f"| {name} | {single} | {p:.3f} / {r:.3f} / {f:.3f} | {tally.scores(TYPES)[2]:.3f} |")
    return "\n".join(lines)


def seeds_table(enricher: Enricher, directory: Path) -> str:
    """Return persons, countries and organisations of both seeds with the ids they share, as Markdown."""
    found: list[dict[str, tuple[str, str, tuple[str, ...]]]] = []
    for path in sorted(directory.glob("*.txt")):
        text = unicodedata.normalize("NFC", path.read_text(encoding="utf-8")).replace("_", " ")
        entities = enricher.enrich(article(path.stem, text))["entities"]
        found.append(
            {
                e["id"]: (e["type"], e["name"], tuple(sorted({m["text"] for m in e["mentions"]})))
                for e in entities
            }
        )
    lines = ["| id | type | forms in the first | forms in the second |", "|---|---|---|---|"]
    for key in sorted({k for one in found for k in one}, key=lambda k: (-sum(k in one for one in found), k)):
        kinds = sorted({one[key][0] for one in found if key in one})
        forms = ["; ".join(one[key][2]) if key in one else "" for one in found]
        lines.append(f"| {key} | {'/'.join(kinds)} | {' | '.join(forms)} |")
    return "\n".join(lines)


def run(data: Path | None) -> None:
    """Print the quality of names on the test fifth of the labels and on the seeds.

    `data` holds stream2017.jsonl.gz and vims.jsonl.gz; the seeds are looked for beside it. Raises OSError
    where a file is missing.
    """
    print("Agreement of two annotators on the sentences that both labelled (strict span and type):\n")  # noqa: T201
    print(table([("second pass against the first", agreement())]))  # noqa: T201
    if data is None:
        print("\nThe labels point into texts that are not ours to ship: name their directory with --data.")  # noqa: T201
        return
    test = [s for s in read_stretches(LABELS / "labels.jsonl") if fifth(s.doc) == TEST]
    texts = read_texts(data, {s.doc for s in test})
    enricher, rules, tagger = Enricher(), Enricher(model=None), Tagger()
    rows = [
        ("underthesea as shipped", naive(test, texts)),
        (
            "rules without the tagger",
            measure(lambda doc, text: published(rules, doc, text), test, texts),
        ),
        ("tagger alone", measure(lambda doc, text: tagged(enricher, tagger, doc, text), test, texts)),
        ("whole system", measure(lambda doc, text: published(enricher, doc, text), test, texts)),
    ]
    print(f"\nTest fifth: {len(test)} sentences of {len(texts)} articles, F1 strict.\n")  # noqa: T201
    print(table(rows))  # noqa: T201
    seeds = data.resolve().parent / "seeds"
    if seeds.is_dir():
        print("\nThe seeds: one identity in both.\n")  # noqa: T201
        print(seeds_table(enricher, seeds))  # noqa: T201
