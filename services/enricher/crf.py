"""A linear-chain CRF over feature templates, compiled to tables and decoded in one pass.

underthesea builds some thirty feature strings for every token and looks each of them up in the model.
Here the model is taken apart once: every attribute `T[-1,0].lower=a b` becomes a weight row that is found
by the integer ids of its words, so that decoding is table look-ups and additions, compiled by numba. The
labels are the same token for token (the sums are the same but for their order).

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
from numba import njit
from numpy.typing import NDArray

from services.enricher.crfsuite import CrfModel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNKNOWN, BEGIN, END = 0, 1, 2
"""Ids common to all vocabularies: a word the model never saw, and the two sides beyond the sentence."""
_FIRST_ID = 3

_UNIGRAM_OFFSETS = (-2, -1, 0, 1, 2)
_BIGRAM_OFFSETS = (-2, -1, 0, 1)
_TRIGRAM_OFFSETS = (-2, -1, 0)
_HISTORY_DEPTH = 4

TITLE, DIGIT, IN_DICT = 1, 2, 4
"""Bits of a token's shape."""
_SHAPES = 8
_SHAPE_BEGIN, _SHAPE_END = 8, 9

# An id takes 21 bits, so that three of them fit into one key.
_ID_BITS = 21
_LOWER_SHIFT, _SHAPE_SHIFT = 21, 42
_MASK = (1 << _ID_BITS) - 1

_TEMPLATE = re.compile(r"T\[(-?\d+)(?:,(-?\d+))?\](?:\[(\d+)\])?(?:\.(\w+))?")


class Tables(NamedTuple):
    """What the decoder reads; L labels, the second axis is the template's offset."""

    exact: Floats  # [exact id, 5, L]
    lower: Floats  # [lower id, 5, L]
    shape: Floats  # [shape, 5, L]
    pair_keys: Ints  # open addressing, -1 = free
    pair_rows: Ints
    pair_weights: Floats  # [row, 4, L], row 0 = not in the model
    lower_pair_keys: Ints
    lower_pair_rows: Ints
    lower_pair_weights: Floats  # row 0 also holds is_in_dict=False
    pair_title: Floats  # [0 | 1, 4, L]
    pair_edges: Floats  # [begin | end, 4, L]
    triple_keys: Ints
    triple_rows: Ints
    triple_weights: Floats  # [row, 3, L]
    lower_triple_keys: Ints
    lower_triple_rows: Ints
    lower_triple_weights: Floats
    triple_title: Floats
    triple_edges: Floats
    tag: Floats  # [tag id, 5, L], the last two rows are begin and end; empty without a tag column
    tag_pair: Floats  # [tag id, tag id, 4, L]
    tag_pair_edges: Floats
    history: Floats  # [min(position, 3), L]
    transitions: Floats  # [previous label, label]


class Compiled(NamedTuple):
    """A model ready to decode: encode each token with `encode`, then call `decode`."""

    labels: tuple[str, ...]
    tables: Tables
    exact_ids: dict[str, int]
    lower_ids: dict[str, int]
    shape_of: Callable[[str], int]
    tag_ids: dict[str, int]

    def encode(self, token: str) -> int:
        """Return the token's exact id, lower-case id and shape packed into one integer."""
        return (
            self.exact_ids.get(token, UNKNOWN)
            | self.lower_ids.get(token.lower(), UNKNOWN) << _LOWER_SHIFT
            | self.shape_of(token) << _SHAPE_SHIFT
        )

    def decode(self, codes: Ints, starts: Ints, tags: Ints | None = None) -> Ints:
        """Return the label index of every token.

        `codes` are the encoded tokens of all sentences one after another, `starts` the index of each
        sentence's first token followed by the number of tokens, `tags` the tag ids of the tokens.
        """
        labels: Ints = _decode(codes, starts, _NO_TAGS if tags is None else tags, self.tables)
        return labels


_NO_TAGS = np.zeros(0, np.int64)


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
        table = np.zeros((_SHAPE_END + 1, len(_UNIGRAM_OFFSETS), self._labels))
        for function, bit in (("istitle", TITLE), ("isdigit", DIGIT), ("is_in_dict", IN_DICT)):
            for template in self._of_words(1, function):
                at = _UNIGRAM_OFFSETS.index(template.first)
                for shape in range(_SHAPES):
                    table[shape, at] += self._weights(template.syntax, str(bool(shape & bit)))
                table[_SHAPE_BEGIN, at] += self._weights(template.syntax, "BOS")
                table[_SHAPE_END, at] += self._weights(template.syntax, "EOS")
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
        keys, values = _hash_table(sorted(rows))
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
        key = key << _ID_BITS | ids[word]
    return key


def _hash_table(keys: list[int]) -> tuple[Ints, Ints]:
    """Return an open-addressing table: key k of `keys` maps to its position + 1; size a power of two."""
    size = 8
    while size < 2 * len(keys):
        size *= 2
    slots = np.full(size, -1, np.int64)
    rows = np.zeros(size, np.int64)
    if keys:
        _fill(slots, rows, np.array(keys, np.int64))
    return slots, rows


@njit(cache=True, inline="always")
def _slot(key: int, size: int) -> np.int64:
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)  # Knuth's multiplicative hash, 64 bits
    return np.int64((mixed >> np.uint64(32)) & np.uint64(size - 1))


@njit(cache=True)
def _fill(slots: Ints, rows: Ints, keys: Ints) -> None:
    for i in range(keys.shape[0]):
        at = _slot(keys[i], slots.shape[0])
        while slots[at] != -1:
            at = (at + 1) & (slots.shape[0] - 1)
        slots[at] = keys[i]
        rows[at] = i + 1


@njit(cache=True)
def _row(key: int, slots: Ints, rows: Ints) -> int:
    at = _slot(key, slots.shape[0])
    while slots[at] != -1:
        if slots[at] == key:
            row: int = rows[at]
            return row
        at = (at + 1) & (slots.shape[0] - 1)
    return 0


@njit(cache=True)
def _decode(codes: Ints, starts: Ints, tags: Ints, t: Tables) -> Ints:
    total = codes.shape[0]
    labels = t.transitions.shape[0]
    result = np.zeros(total, np.int64)
    longest = 0
    for s in range(starts.shape[0] - 1):
        longest = max(longest, starts[s + 1] - starts[s])
    score = np.zeros((longest, labels))
    back = np.zeros((longest, labels), np.int64)
    exact = np.zeros(longest, np.int64)
    lower = np.zeros(longest, np.int64)
    shape = np.zeros(longest, np.int64)
    pair = np.zeros(longest, np.int64)
    lower_pair = np.zeros(longest, np.int64)
    triple = np.zeros(longest, np.int64)
    lower_triple = np.zeros(longest, np.int64)
    tagged = t.tag.shape[0] > 0
    has_triples = t.triple_weights.shape[0] > 1 or t.lower_triple_weights.shape[0] > 1

    for s in range(starts.shape[0] - 1):
        begin = starts[s]
        n = starts[s + 1] - begin
        for i in range(n):
            code = codes[begin + i]
            exact[i] = code & _MASK
            lower[i] = (code >> _LOWER_SHIFT) & _MASK
            shape[i] = code >> _SHAPE_SHIFT
        for i in range(n - 1):
            pair[i] = 0
            lower_pair[i] = 0
            if exact[i] != UNKNOWN and exact[i + 1] != UNKNOWN:
                pair[i] = _row(exact[i] << _ID_BITS | exact[i + 1], t.pair_keys, t.pair_rows)
            if lower[i] != UNKNOWN and lower[i + 1] != UNKNOWN:
                key = lower[i] << _ID_BITS | lower[i + 1]
                lower_pair[i] = _row(key, t.lower_pair_keys, t.lower_pair_rows)
        if has_triples:
            for i in range(n - 2):
                triple[i] = 0
                lower_triple[i] = 0
                # A known triple's first two words need not be a known pair: its key is looked up itself.
                if exact[i] != UNKNOWN and exact[i + 1] != UNKNOWN and exact[i + 2] != UNKNOWN:
                    key = (exact[i] << _ID_BITS | exact[i + 1]) << _ID_BITS | exact[i + 2]
                    triple[i] = _row(key, t.triple_keys, t.triple_rows)
                if lower[i] != UNKNOWN and lower[i + 1] != UNKNOWN and lower[i + 2] != UNKNOWN:
                    key = (lower[i] << _ID_BITS | lower[i + 1]) << _ID_BITS | lower[i + 2]
                    lower_triple[i] = _row(key, t.lower_triple_keys, t.lower_triple_rows)

        for i in range(n):
            emission = score[i]
            for y in range(labels):
                emission[y] = t.history[min(i, 3), y]
            for k in range(5):
                j = i + k - 2
                if j < 0:
                    e, w, c = BEGIN, BEGIN, _SHAPE_BEGIN
                elif j >= n:
                    e, w, c = END, END, _SHAPE_END
                else:
                    e, w, c = exact[j], lower[j], shape[j]
                for y in range(labels):
                    emission[y] += t.exact[e, k, y] + t.lower[w, k, y] + t.shape[c, k, y]
                if tagged:
                    tag = tags[begin + j] if 0 <= j < n else t.tag.shape[0] - (2 if j < 0 else 1)
                    for y in range(labels):
                        emission[y] += t.tag[tag, k, y]
            for k in range(4):
                j = i + k - 2
                if j < 0 or j + 1 >= n:
                    edge = 0 if j < 0 else 1
                    for y in range(labels):
                        emission[y] += t.pair_edges[edge, k, y] + t.tag_pair_edges[edge, k, y]
                else:
                    title = shape[j] & shape[j + 1] & TITLE
                    for y in range(labels):
                        emission[y] += (
                            t.pair_weights[pair[j], k, y]
                            + t.lower_pair_weights[lower_pair[j], k, y]
                            + t.pair_title[title, k, y]
                        )
                    if tagged:
                        for y in range(labels):
                            emission[y] += t.tag_pair[tags[begin + j], tags[begin + j + 1], k, y]
            if has_triples:
                for k in range(3):
                    j = i + k - 2
                    if j < 0 or j + 2 >= n:
                        edge = 0 if j < 0 else 1
                        for y in range(labels):
                            emission[y] += t.triple_edges[edge, k, y]
                    else:
                        title = shape[j] & shape[j + 1] & shape[j + 2] & TITLE
                        for y in range(labels):
                            emission[y] += (
                                t.triple_weights[triple[j], k, y]
                                + t.lower_triple_weights[lower_triple[j], k, y]
                                + t.triple_title[title, k, y]
                            )
            if i > 0:
                for y in range(labels):
                    best = -np.inf
                    best_previous = 0
                    for previous in range(labels):
                        value = score[i - 1, previous] + t.transitions[previous, y]
                        if value > best:
                            best = value
                            best_previous = previous
                    emission[y] += best
                    back[i, y] = best_previous

        if n > 0:
            label = 0
            for y in range(1, labels):
                if score[n - 1, y] > score[n - 1, label]:
                    label = y
            for i in range(n - 1, -1, -1):
                result[begin + i] = label
                label = back[i, label]
    return result
