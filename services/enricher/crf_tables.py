"""The tables of a CRF over feature templates: a model's attributes, taken apart once.

Every attribute `T[-1,0].lower=a b` becomes a weight row that is found by the integer ids of its words.
Templates understood, with d an offset from the current token and `f` one of the four functions
lower, istitle, isdigit, is_in_dict:

- `T[d]`, `T[d].f` for d in -2..2; `T[d,d+1]`, `T[d,d+1].f`; `T[d,d+2]`, `T[d,d+2].f` on the words;
- `T[d][c]`, `T[d,d+1][c]` on the tags of a further column `c`, for d in -2..2;
- `T[d][c]`, `T[d,d+1][c]` with all offsets negative, on the column of previous labels: underthesea fills
  it with the constant `X` when it predicts, so it only says how far the sentence's start is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from services.enricher.crf import (
    BEGIN,
    DIGIT,
    END,
    ID_BITS,
    IN_DICT,
    SHAPE_BEGIN,
    SHAPE_END,
    SHAPES,
    TITLE,
    Compiled,
    Floats,
    Tables,
)
from services.enricher.crfsuite import CrfModel
from services.enricher.hash_table import Ints, hash_table

_FIRST_ID = 3
"""The first id of a word: below are `crf.UNKNOWN`, `BEGIN` and `END`."""

_UNIGRAM_OFFSETS = (-2, -1, 0, 1, 2)
_BIGRAM_OFFSETS = (-2, -1, 0, 1)
_TRIGRAM_OFFSETS = (-2, -1, 0)
_HISTORY_DEPTH = 4

_TEMPLATE = re.compile(r"T\[(-?\d+)(?:,(-?\d+))?\](?:\[(\d+)\])?(?:\.(\w+))?")


def compile_model(
    model: CrfModel,
    templates: Sequence[str],
    shape_of: Callable[[str], int],
    *,
    dictionary: Iterable[str] = (),
    history_column: int | None = None,
    tag_column: int | None = None,
    tags: Sequence[str] = (),
) -> Compiled:
    """Take a model apart into the tables of the decoder.

    `templates` are those the model was trained with, `shape_of` returns a token's TITLE, DIGIT and IN_DICT
    bits as the featurizer of that model sees them, `dictionary` holds the lower-case entries that
    `is_in_dict` asks for (only those of two and three words matter here: `shape_of` answers for one).
    Raises ValueError on a template that the decoder does not know.
    """
    builder = _Builder(model, templates, history_column, tag_column)
    entries = [e for e in (tuple(entry.split(" ")) for entry in sorted(dictionary)) if 2 <= len(e) <= 3]
    exact_ids = builder.vocabulary("", [])
    lower_ids = builder.vocabulary("lower", entries)
    pairs = builder.grams("", exact_ids, 2, None)
    lower_pairs = builder.grams("lower", lower_ids, 2, [e for e in entries if len(e) == 2])
    triples = builder.grams("", exact_ids, 3, None)
    lower_triples = builder.grams("lower", lower_ids, 3, [e for e in entries if len(e) == 3])
    tables = Tables(
        builder.unigrams("", exact_ids),
        builder.unigrams("lower", lower_ids),
        builder.shapes(),
        *pairs,
        *lower_pairs,
        builder.titles(2),
        builder.edges(2),
        *triples,
        *lower_triples,
        builder.titles(3),
        builder.edges(3),
        *builder.tag_tables(tags),
        builder.history(),
        np.ascontiguousarray(model.transitions),
    )
    tag_ids = {t: i for i, t in enumerate(tags)}
    return Compiled(model.labels, tables, exact_ids, lower_ids, shape_of, tag_ids)


class _Template(NamedTuple):
    syntax: str
    first: int
    last: int
    column: int
    function: str


class _Builder:
    """The attributes of a model by template, and the tables made from them."""

    def __init__(
        self, model: CrfModel, templates: Sequence[str], history: int | None, tag: int | None
    ) -> None:
        self._model = model
        self._labels = len(model.labels)
        self._history, self._tag = history, tag
        self._templates = [self._parse(t) for t in templates]
        self._values: dict[str, list[str]] = {t.syntax: [] for t in self._templates}
        for attribute in model.attributes:
            syntax, _, value = attribute.partition("=")
            if syntax in self._values:
                self._values[syntax].append(value)

    def _parse(self, syntax: str) -> _Template:
        match = _TEMPLATE.fullmatch(syntax)
        if match is None:
            raise ValueError(f"unknown template {syntax}")
        first = int(match[1])
        template = _Template(syntax, first, int(match[2] or first), int(match[3] or 0), match[4] or "")
        width = template.last - first + 1
        known = (
            template.column in (0, self._tag)
            and first >= -2
            and template.last <= 2
            and 1 <= width <= 3
            and template.function in ("", "lower", "istitle", "isdigit", "is_in_dict")
        ) or (template.column == self._history and -_HISTORY_DEPTH < first <= template.last < 0)
        if not known:
            raise ValueError(f"unknown template {syntax}")
        return template

    def _weights(self, syntax: str, value: str) -> Floats | float:
        row = self._model.attributes.get(f"{syntax}={value}")
        return 0.0 if row is None else self._model.states[row]

    def _of_words(self, width: int, function: str | None = None) -> list[_Template]:
        return [
            t
            for t in self._templates
            if t.column == 0
            and t.last - t.first + 1 == width
            and (function is None or t.function == function)
        ]

    def vocabulary(self, function: str, entries: list[tuple[str, ...]]) -> dict[str, int]:
        """Return ids for every word that a template of this function, or an entry, can ask for."""
        words = {word for entry in entries for word in entry}
        for template in self._templates:
            if template.column == 0 and template.function == function:
                width = template.last - template.first + 1
                for value in self._values[template.syntax]:
                    words.update(word for split in _splits(value, width) for word in split)
        return {word: i for i, word in enumerate(sorted(words), _FIRST_ID)}

    def unigrams(self, function: str, ids: dict[str, int]) -> Floats:
        table = np.zeros((len(ids) + _FIRST_ID, len(_UNIGRAM_OFFSETS), self._labels))
        for template in self._of_words(1, function):
            at = _UNIGRAM_OFFSETS.index(template.first)
            for value in self._values[template.syntax]:
                table[ids[value], at] += self._weights(template.syntax, value)
            table[BEGIN, at] += self._weights(template.syntax, "BOS")
            table[END, at] += self._weights(template.syntax, "EOS")
        return table

    def shapes(self) -> Floats:
        table = np.zeros((SHAPE_END + 1, len(_UNIGRAM_OFFSETS), self._labels))
        for function, bit in (("istitle", TITLE), ("isdigit", DIGIT), ("is_in_dict", IN_DICT)):
            for template in self._of_words(1, function):
                at = _UNIGRAM_OFFSETS.index(template.first)
                for shape in range(SHAPES):
                    table[shape, at] += self._weights(template.syntax, str(bool(shape & bit)))
                table[SHAPE_BEGIN, at] += self._weights(template.syntax, "BOS")
                table[SHAPE_END, at] += self._weights(template.syntax, "EOS")
        return table

    def grams(
        self, function: str, ids: dict[str, int], width: int, entries: list[tuple[str, ...]] | None
    ) -> tuple[Ints, Ints, Floats]:
        """Return (keys, rows, weights) of the n-grams; with `entries`, is_in_dict is added to them."""
        offsets = _BIGRAM_OFFSETS if width == 2 else _TRIGRAM_OFFSETS
        rows: dict[int, Floats] = {}
        empty = np.zeros((len(offsets), self._labels))
        asks = [] if entries is None else self._of_words(width, "is_in_dict")
        for template in asks:
            empty[offsets.index(template.first)] += self._weights(template.syntax, "False")
        for entry in entries or []:
            row = rows.setdefault(_key(ids, entry), np.zeros_like(empty))
            for template in asks:
                row[offsets.index(template.first)] = self._weights(template.syntax, "True")
        for template in self._of_words(width, function):
            at = offsets.index(template.first)
            for value in self._values[template.syntax]:
                for split in _splits(value, width):
                    row = rows.setdefault(_key(ids, split), empty.copy())
                    row[at] += self._weights(template.syntax, value)
        keys, values = hash_table(sorted(rows))
        return keys, values, np.stack([empty, *(rows[key] for key in sorted(rows))])

    def titles(self, width: int) -> Floats:
        offsets = _BIGRAM_OFFSETS if width == 2 else _TRIGRAM_OFFSETS
        table = np.zeros((2, len(offsets), self._labels))
        for template in self._of_words(width, "istitle"):
            for answer in (False, True):
                table[int(answer), offsets.index(template.first)] += self._weights(
                    template.syntax, str(answer)
                )
        return table

    def edges(self, width: int) -> Floats:
        offsets = _BIGRAM_OFFSETS if width == 2 else _TRIGRAM_OFFSETS
        table = np.zeros((2, len(offsets), self._labels))
        for template in self._of_words(width):
            at = offsets.index(template.first)
            table[0, at] += self._weights(template.syntax, "BOS")
            table[1, at] += self._weights(template.syntax, "EOS")
        return table

    def tag_tables(self, tags: Sequence[str]) -> tuple[Floats, Floats, Floats]:
        count = len(tags)
        single = np.zeros((count + 2 if count else 0, len(_UNIGRAM_OFFSETS), self._labels))
        double = np.zeros((count, count, len(_BIGRAM_OFFSETS), self._labels))
        edges = np.zeros((2, len(_BIGRAM_OFFSETS), self._labels))
        for template in self._templates:
            if not count or template.column != self._tag:
                continue
            if template.first == template.last:
                at = _UNIGRAM_OFFSETS.index(template.first)
                for i, value in enumerate([*tags, "BOS", "EOS"]):
                    single[i, at] += self._weights(template.syntax, value)
            else:
                at = _BIGRAM_OFFSETS.index(template.first)
                for i, before in enumerate(tags):
                    for j, after in enumerate(tags):
                        double[i, j, at] += self._weights(template.syntax, f"{before} {after}")
                edges[0, at] += self._weights(template.syntax, "BOS")
                edges[1, at] += self._weights(template.syntax, "EOS")
        return single, double, edges

    def history(self) -> Floats:
        table = np.zeros((_HISTORY_DEPTH, self._labels))
        for template in self._templates:
            if template.column == 0 or template.column != self._history:
                continue
            for position in range(_HISTORY_DEPTH):
                constant = " ".join("X" for _ in range(template.first, template.last + 1))
                value = "BOS" if position + template.first < 0 else constant
                table[position] += self._weights(template.syntax, value)
        return table


def _splits(value: str, width: int) -> list[tuple[str, ...]]:
    """Return every way to read `value` as `width` words joined by spaces (words may hold spaces)."""
    if width == 1:
        return [(value,)]
    parts = value.split(" ")
    return [
        (" ".join(parts[:cut]), *rest)
        for cut in range(1, len(parts) - width + 2)
        for rest in _splits(" ".join(parts[cut:]), width - 1)
    ]


def _key(ids: dict[str, int], words: tuple[str, ...]) -> int:
    key = 0
    for word in words:
        key = key << ID_BITS | ids[word]
    return key
