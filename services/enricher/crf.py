"""A linear-chain CRF that is decoded in one pass of table look-ups and additions, compiled by numba.

underthesea builds some thirty feature strings for every token and looks each of them up in the model. Here
they are weight rows, found by the integer ids of the words (`crf_tables.py` makes them from the model). The
labels are the same token for token (the sums are the same but for their order).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from services.enricher.hash_table import Ints, row_of

Floats = NDArray[np.float64]

UNKNOWN, BEGIN, END = 0, 1, 2
"""Ids common to all vocabularies: a word the model never saw, and the two sides beyond the sentence."""

TITLE, DIGIT, IN_DICT = 1, 2, 4
"""Bits of a token's shape."""
SHAPES = 8
SHAPE_BEGIN, SHAPE_END = 8, 9

ID_BITS = 21
"""An id takes 21 bits, so that three of them fit into one key."""
_LOWER_SHIFT, _SHAPE_SHIFT = 21, 42
_MASK = (1 << ID_BITS) - 1


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
                pair[i] = row_of(exact[i] << ID_BITS | exact[i + 1], t.pair_keys, t.pair_rows)
            if lower[i] != UNKNOWN and lower[i + 1] != UNKNOWN:
                key = lower[i] << ID_BITS | lower[i + 1]
                lower_pair[i] = row_of(key, t.lower_pair_keys, t.lower_pair_rows)
        if has_triples:
            for i in range(n - 2):
                triple[i] = 0
                lower_triple[i] = 0
                # A known triple's first two words need not be a known pair: its key is looked up itself.
                if exact[i] != UNKNOWN and exact[i + 1] != UNKNOWN and exact[i + 2] != UNKNOWN:
                    key = (exact[i] << ID_BITS | exact[i + 1]) << ID_BITS | exact[i + 2]
                    triple[i] = row_of(key, t.triple_keys, t.triple_rows)
                if lower[i] != UNKNOWN and lower[i + 1] != UNKNOWN and lower[i + 2] != UNKNOWN:
                    key = (lower[i] << ID_BITS | lower[i + 1]) << ID_BITS | lower[i + 2]
                    lower_triple[i] = row_of(key, t.lower_triple_keys, t.lower_triple_rows)

        for i in range(n):
            emission = score[i]
            for y in range(labels):
                emission[y] = t.history[min(i, 3), y]
            for k in range(5):
                j = i + k - 2
                if j < 0:
                    e, w, c = BEGIN, BEGIN, SHAPE_BEGIN
                elif j >= n:
                    e, w, c = END, END, SHAPE_END
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
