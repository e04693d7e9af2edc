"""Compares a new text with the remembered ones that share shingles with it."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from services.deduplicator.candidates import LATEST, MAX_LISTED, STRONGEST, choose, list_rows, mark_common
from services.deduplicator.folding import folding_table
from services.deduplicator.index import Index
from services.deduplicator.native import compiled
from services.deduplicator.overlap import COLUMNS, compare_common, sample_of, weigh
from services.deduplicator.rows import (
    CONTENT,
    ID,
    ROOT,
    TOP,
    content_key,
    find_article,
    find_row,
    key_at,
    row_at,
    rows_of,
    words_of,
)
from services.deduplicator.signature import HEAD, LONGEST, Signature
from services.deduplicator.sketch import code_units, make_sketch

_KEYS = struct.Struct("<3Q")
"""Keys of an article: of its id, URL and content. Packed, because numba is slow to take single ones."""

_EVIDENCE = 2 * (STRONGEST + LATEST + 1)
"""Rows of evidence at most: what is compared, the row with the same text, and the originals of all these."""


@compiled
def _root_of(names, chunks, base, first, end, reference):
    """Return the row of the original that a row is a copy of, or -1."""
    if reference < 0:
        return -1
    root = key_at(rows_of(chunks, reference), row_at(reference) + ROOT)
    return find_row(names, chunks, base, first, end, ID, root) if root != np.uint64(0) else -1


@compiled
def _originals(names, chunks, base, first, end, same, evidence):
    """Return the row with the same text and the originals of that and of all evidence, without what is there.

    -1 for `same` stands for none.
    """
    wanted = np.empty(2 + evidence.shape[0], np.int64)
    wanted[0] = same
    wanted[1] = _root_of(names, chunks, base, first, end, same)
    for i in range(evidence.shape[0]):
        wanted[2 + i] = _root_of(names, chunks, base, first, end, np.int64(evidence[i, 0]))
    size = 0
    for reference in wanted:  # in place: `size` never overtakes
        known = (evidence[:, 0] == reference).any() or (wanted[:size] == reference).any()
        if reference >= 0 and not known:
            wanted[size] = reference
            size += 1
    return wanted[:size]


@compiled
def _highest(chunks, references):
    """Return the largest shingle up to which any of the rows has been sampled."""
    highest = np.uint32(0)
    for reference in references:
        highest = max(highest, rows_of(chunks, reference)[row_at(reference) + TOP])
    return highest


@compiled
def examine(
    title,
    text,
    folding,
    postings,
    names,
    chunks,
    base,
    first,
    end,
    packed_keys,
    listed,
    packed,
    evidence,
):
    """Compare an article with everything in the rows first..end-1.

    `title` and `text` are `code_units`, `folding` is the folding table, `postings` to `base` as
    for the functions of `rows`, then _KEYS of the article; `listed` is room for MAX_LISTED rows. Returns the
    row of its current version, the row of an equal text (each -1 if there is none), how many words of
    `packed` are its signature, and how many rows of `evidence` are filled: one for each remembered text worth
    naming, in the order of `Match`. Originals of what was found are among them. (To return arrays takes
    several times as long as to fill them.)
    """
    id_key, url_key, content = np.frombuffer(packed_keys, np.uint64)
    length, shingles, figures = make_sketch(title, text, folding, packed)
    samples = packed[HEAD : HEAD + np.int64(packed[0] >> np.uint32(8) & 0xFF)]
    size = packed[8]
    known = find_article(names, chunks, base, first, end, id_key, url_key)
    own = np.uint64(0)
    if known >= 0:
        own = key_at(rows_of(chunks, known), row_at(known) + ID)
    same = -1
    content = content_key(content, packed[9], packed[3])
    if content != np.uint64(0):
        same = find_row(names, chunks, base, first, end, CONTENT, content)

    starts = np.empty(samples.size + 1, np.int64)
    list_rows(postings, base, first, end, samples, listed, starts)
    chosen = choose(chunks, listed, starts, own)
    if chosen.size == 0 and same < 0:
        return known, same, length, 0
    slots = np.empty(128, np.int64)
    count = 0
    places = sample_of(shingles, _highest(chunks, chosen))
    for reference in chosen:
        count += _weigh(chunks, reference, shingles, places, figures, size, slots, evidence[count])
    originals = _originals(names, chunks, base, first, end, same, evidence[:count])
    if originals.size > 0:
        places = sample_of(shingles, _highest(chunks, originals))
        for reference in originals:
            _weigh(chunks, reference, shingles, places, figures, size, slots, evidence[count])
            count += 1
    if count > 0:
        common = mark_common(chunks, samples, packed[7], listed, starts)
        for i in range(count):
            reference = np.int64(evidence[i, 0])
            rows, words = rows_of(chunks, reference), words_of(chunks, reference)
            compare_common(rows, words, row_at(reference), samples, common, slots, evidence[i, 1:])
    return known, same, length, count


@compiled
def _weigh(chunks, reference, shingles, places, figures, size, slots, evidence):
    rows, words = rows_of(chunks, reference), words_of(chunks, reference)
    evidence[0] = reference
    evidence[1:] = 0
    return weigh(rows, words, row_at(reference), shingles, places, figures, size, slots, evidence[1:])


class Match(NamedTuple):
    """What a new text and a remembered one have in common. Counts of sampled shingles unless said otherwise.

    Counts are floats because all evidence comes out of the compiled code in one array.

    Both texts are seen through the same sample: the shingles up to the largest one kept of the remembered
    text. Of a text with fewer than SAMPLES shingles that is all of them.
    """

    reference: int
    """The row of the remembered text."""
    shared: float
    held: float
    """Of the remembered text; `new` likewise of the new one."""
    new: float
    breaks: float
    """Changes between shared and not shared along the new text."""
    lost_tail: float
    """At the end of the remembered text, missing in the new one; `lost_head` at its start."""
    lost_head: float
    added_head: float
    """At the start of the new text, unknown to the remembered one; `added_tail` at its end."""
    added_tail: float
    longest_added: float
    """The longest run of the new text that is unknown to the remembered one."""
    keeps_start: float
    """1 if the remembered text's first shingle is in the new one; `keeps_last` likewise."""
    keeps_last: float
    figures: float
    """Numbers whose context both texts have."""
    figures_changed: float
    """Of these, numbers with another value."""
    other_dates: float
    """1 if both texts name dates, and no date in common; of the new one, between where the two meet."""
    dates_apart: float
    """1 if that is so of the whole texts."""
    probed: float
    """Indexed samples of the new text; the next three are parts of it."""
    probed_common: float
    """Those that many unrelated texts have."""
    probed_shared: float
    probed_shared_common: float
    added: float
    """Estimated number of distinct shingles of the whole new text that the remembered one lacks."""
    size_held: float
    """Distinct shingles of the whole remembered text; `size_new` of the new one."""
    size_new: float
    of_new: float
    """Estimated share of the whole new text that the remembered one has."""
    of_held: float
    """Estimated share of the whole remembered text that the new one has."""
    jaccard: float
    """Estimated Jaccard similarity of the two whole texts."""
    containment: float
    """Estimated share of the smaller whole text that the larger one has."""


class Examination(NamedTuple):
    """What the index says about a new article."""

    known: int
    """The row of its current version, -1 if there is none."""
    same: int
    """The first row with the same text, -1 if there is none."""
    signature: Signature
    matches: list[Match]
    """The remembered texts that share enough of it, strongest first, and the originals of which those and
    the equal text are copies. Earlier versions and copies of the article itself are left out."""


class Matcher:
    """Compares new articles with what an index remembers, one after another."""

    def __init__(self) -> None:
        """Provide the arrays that compiled code fills."""
        self._folding = folding_table()
        self._listed = np.empty(MAX_LISTED, np.int64)
        self._packed = np.empty(LONGEST, np.uint32)
        self._evidence = np.empty((_EVIDENCE, 1 + COLUMNS), np.float64)

    def look(
        self, index: Index, first: int, title: str, text: str, id_key: int, url_key: int, content: int
    ) -> Examination:
        """Compare an article with what is remembered in the rows from `first` on; see `examine`."""
        known, same, size, count = examine(
            code_units(title),
            code_units(text),
            self._folding,
            index.postings.directory,
            *index.places,
            first,
            index.end,
            _KEYS.pack(id_key, url_key, content),
            self._listed,
            self._packed,
            self._evidence,
        )
        matches = [Match(int(row[0]), *row[1:]) for row in self._evidence[:count].tolist()] if count else []
        return Examination(known, same, Signature(self._packed[:size].tobytes()), matches)
