"""Our own tagger of names: a linear-chain CRF over the columns of tagger_features, decoded in one pass.

The model is trained by bench/train_ner.py with underthesea_core's CRFTrainer. Its file is text: the labels,
the transition weights, then one line a feature (template, values, weights in thousandths). It is taken
apart once into integer keys, so that decoding is table look-ups and additions, compiled by numba; all
weights are whole numbers, so no sum depends on the order of its additions.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from itertools import chain, pairwise, repeat
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from services.enricher.hash_table import Ints, hash_table, row_of
from services.enricher.lexicon import DATA
from services.enricher.tagger_features import BEYOND, COLUMNS, FIXED, TEMPLATES, Fixed, Observed

Weights = NDArray[np.int32]

MODEL = DATA / "ner.tsv.gz"
OUTSIDE = "O"
SCALE = 1000
"""Weights are stored in thousandths."""
_FORBIDDEN = -(10**9)
MAX_CACHED_TOKENS = 250_000
"""Tokens whose codes are kept, more than an article has; a full cache is emptied."""
_UNKNOWN, _BEYOND = 0, 1
_ID_BITS = 18
_PARTS = 3


class Tagged(NamedTuple):
    """A name at tokens[first:last] of a sentence."""

    first: int
    last: int
    type: str


class _Tables(NamedTuple):
    """The model as the decoder reads it; L labels."""

    singles: Ints  # [template, (column, offset, first row in single_weights)]
    single_weights: Weights  # [row + id, L], zero where the model says nothing
    joints: Ints  # [template, part, (number, column, offset)], column -1 = no such part
    keys: Ints  # open addressing, -1 = free
    rows: Ints
    weights: Weights  # [row, L], row 0 = not in the model
    transitions: Ints  # [previous label, label]
    start: Ints  # [label]


class Tagger:
    """The model, ready to decode. Raises OSError or ValueError if the file cannot be read as one."""

    def __init__(self, path: Path = MODEL) -> None:
        with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
            self.labels: list[str] = next(lines).rstrip("\n").split("\t")
            count = len(self.labels)
            transitions = np.array(
                [[int(x) for x in next(lines).split("\t")] for _ in range(count)], np.int64
            )
            self._vocabularies: list[dict[str, int]] = [{BEYOND: _BEYOND} for _ in range(COLUMNS)]
            single: list[tuple[int, int, list[int]]] = []
            joint: dict[int, list[int]] = {}
            for line in lines:
                number, *values, packed = line.rstrip("\n").split("\t")
                row = [0] * count
                for item in packed.split(" "):
                    label, _, weight = item.partition(":")
                    row[int(label)] = int(weight)
                template = TEMPLATES[int(number)]
                key = int(number)
                for (column, _), value in zip(template, values, strict=True):
                    ids = self._vocabularies[column]
                    key = key << _ID_BITS | ids.setdefault(value, len(ids) + 1)
                if len(template) == 1:
                    single.append((int(number), key & ((1 << _ID_BITS) - 1), row))
                else:
                    joint[key << _ID_BITS * (_PARTS - len(values))] = row
        self._numbers: dict[Fixed, int] = {}
        self._codes = np.zeros((MAX_CACHED_TOKENS, FIXED), np.int64)
        self._tables = self._compile(transitions, single, joint)

    def _compile(
        self, transitions: Ints, single: list[tuple[int, int, list[int]]], joint: dict[int, list[int]]
    ) -> _Tables:
        count = len(self.labels)
        for i, before in enumerate(self.labels):
            for j, after in enumerate(self.labels):
                if after[0] == "I" and before[1:] != after[1:]:
                    transitions[i, j] = _FORBIDDEN
        start = np.array([_FORBIDDEN if x[0] == "I" else 0 for x in self.labels], np.int64)
        first_row: dict[int, int] = {}
        singles, joints, size = [], [], 0
        for number, template in enumerate(TEMPLATES):
            if len(template) == 1:
                column, offset = template[0]
                first_row[number] = size
                singles.append((column, offset, size))
                size += len(self._vocabularies[column]) + 1
            else:
                parts = [(number, c, d) for c, d in template]
                joints.append(parts + [(number, -1, 0)] * (_PARTS - len(parts)))
        single_weights = np.zeros((size, count), np.int32)
        for number, value, row in single:
            single_weights[first_row[number] + value] = row
        keys = sorted(joint)
        slots, rows = hash_table(keys)
        return _Tables(
            np.array(singles, np.int64),
            single_weights,
            np.array(joints, np.int64),
            slots,
            rows,
            np.array([[0] * count, *(joint[k] for k in keys)], np.int32),
            transitions,
            start,
        )

    def tag(self, observed: Sequence[Observed]) -> list[list[str]]:
        """Return the label of every token, in BIO, given what is seen of each sentence."""
        heard = [sentence for sentence in observed if not sentence.silent]
        starts = np.cumsum([0, *(len(s.fixed) for s in heard)], dtype=np.int64)
        total = int(starts[-1])
        codes = np.empty((total, COLUMNS), np.int64)
        if total:
            codes[:, :FIXED] = self._fixed_codes([token for s in heard for token in s.fixed])
        for column in range(FIXED, COLUMNS):
            values = chain.from_iterable(s.moving[column - FIXED] for s in heard)
            known = map(self._vocabularies[column].get, values, repeat(_UNKNOWN))
            codes[:, column] = np.fromiter(known, np.int64, total)
        names = [self.labels[i] for i in _decode(codes, starts, self._tables).tolist()]
        tagged = iter([names[a:b] for a, b in pairwise(starts.tolist())])
        return [[OUTSIDE] * s.size if s.silent else next(tagged) for s in observed]

    def _fixed_codes(self, tokens: list[Fixed]) -> Ints:
        new = [token for token in tokens if token not in self._numbers]
        if new:
            if len(self._numbers) + len(tokens) > MAX_CACHED_TOKENS:
                self._numbers.clear()
                new = tokens
            for token in new:
                self._number(token)
        found: Ints = self._codes[np.array([self._numbers[token] for token in tokens], np.int64)]
        return found

    def _number(self, token: Fixed) -> None:
        if token in self._numbers:
            return
        number = self._numbers[token] = len(self._numbers)
        known = zip(self._vocabularies, token, strict=False)
        self._codes[number] = [ids.get(value, _UNKNOWN) for ids, value in known]


def spans_of(labels: Sequence[str]) -> list[Tagged]:
    """Return the names that a sentence's labels spell out."""
    spans: list[Tagged] = []
    first = -1
    for at, label in enumerate([*labels, OUTSIDE]):
        if first >= 0 and label[0] != "I":
            spans.append(Tagged(first, at, labels[first][2:]))
            first = -1
        if label[0] == "B":
            first = at
    return spans


@njit(cache=True)
def _decode(codes: Ints, starts: Ints, t: _Tables) -> Ints:
    labels = t.transitions.shape[0]
    result = np.zeros(codes.shape[0], np.int64)
    longest = 0
    for s in range(starts.shape[0] - 1):
        longest = max(longest, starts[s + 1] - starts[s])
    score = np.zeros((longest, labels), np.int64)
    back = np.zeros((longest, labels), np.int64)
    for s in range(starts.shape[0] - 1):
        begin = starts[s]
        n = starts[s + 1] - begin
        for i in range(n):
            for y in range(labels):
                score[i, y] = t.start[y] if i == 0 else 0
            for k in range(t.singles.shape[0]):
                j = i + t.singles[k, 1]
                row = t.singles[k, 2] + (codes[begin + j, t.singles[k, 0]] if 0 <= j < n else _BEYOND)
                for y in range(labels):
                    score[i, y] += t.single_weights[row, y]
            for k in range(t.joints.shape[0]):
                key = t.joints[k, 0, 0]
                for p in range(_PARTS):
                    value = 0
                    if t.joints[k, p, 1] >= 0:
                        j = i + t.joints[k, p, 2]
                        value = codes[begin + j, t.joints[k, p, 1]] if 0 <= j < n else _BEYOND
                        if value == _UNKNOWN:
                            key = -1
                            break
                    key = key << _ID_BITS | value
                if key >= 0:
                    row = row_of(key, t.keys, t.rows)
                    if row > 0:
                        for y in range(labels):
                            score[i, y] += t.weights[row, y]
            if i > 0:
                for y in range(labels):
                    best = score[i - 1, 0] + t.transitions[0, y]
                    best_previous = 0
                    for previous in range(1, labels):
                        value = score[i - 1, previous] + t.transitions[previous, y]
                        if value > best:
                            best = value
                            best_previous = previous
                    score[i, y] += best
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
