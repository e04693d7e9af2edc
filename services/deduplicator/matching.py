"""Compares a new text with the remembered ones that share shingles with it."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from services.deduplicator.candidates import LATEST, MAX_LISTED, STRONGEST, choose, list_rows, mark_common
from services.deduplicator.figures import FIGURES
from services.deduplicator.folding import folding_table
from services.deduplicator.index import Index
from services.deduplicator.native import compiled
from services.deduplicator.overlap import COLUMNS, compare_common, weigh
from services.deduplicator.rows import (
    CONTENT,
    ID,
    ROOT,
    content_key,
    find_article,
    find_row,
    key_at,
    row_at,
    rows_of,
    words_of,
)
from services.deduplicator.signature import HEAD, SAMPLES, Signature
from services.deduplicator.sketch import code_units, first_occurrences, make_sketch

_PACKED = HEAD + SAMPLES + FIGURES
"""32-bit words of the longest signature."""

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
def _has(evidence, reference):
    """Say whether a row is among the evidence already."""
    return (evidence[:, 0] == reference).any()


@compiled
def examine(
    units,
    title_end,
    folding,
    postings,
    names,
    chunks,
    base,
    first,
    end,
    id_key,
    url_key,
    content,
    packed,
    evidence,
):
    """Compare an article with everything in the rows first..end-1.

    `units` and `title_end` are those of `code_units`, `folding` is the folding table, `postings` to `base` as
    for the functions of `rows`, then keys of the article. Returns the row of its current version, the row of
    an equal text (each -1 if there is none), how many words of `packed` are its signature, and how many rows
    of `evidence` are filled: one for each remembered text worth naming, in the order of `Match`. Originals of
    what was found are among them. (To return arrays takes several times as long as to fill them.)
    """
    signature, shingles, figures = make_sketch(np.frombuffer(units, np.uint16), title_end, folding)
    samples = signature[HEAD : HEAD + np.int64(signature[0] >> np.uint32(8) & 0xFF)]
    packed[: signature.size] = signature
    size = signature[8]
    known = find_article(names, chunks, base, first, end, id_key, url_key)
    own = np.uint64(0)
    if known >= 0:
        own = key_at(rows_of(chunks, known), row_at(known) + ID)
    same = -1
    content = content_key(content, signature[9], signature[3])
    if content != np.uint64(0):
        same = find_row(names, chunks, base, first, end, CONTENT, content)

    listed = np.empty(MAX_LISTED, np.int64)
    starts = np.empty(samples.size + 1, np.int64)
    list_rows(postings, base, first, end, samples, listed, starts)
    chosen = choose(chunks, listed, starts, own)
    if chosen.size == 0 and same < 0:
        return known, same, signature.size, 0
    occurs_first = first_occurrences(shingles)
    slots = np.empty(128, np.int64)
    count = 0
    for reference in chosen:
        count += _weigh(chunks, reference, shingles, occurs_first, figures, size, slots, evidence[count])
    originals = np.empty(count + 2, np.int64)
    originals[0] = same
    originals[1] = _root_of(names, chunks, base, first, end, same)
    for i in range(count):
        originals[2 + i] = _root_of(names, chunks, base, first, end, np.int64(evidence[i, 0]))
    for reference in originals:
        if reference >= 0 and not _has(evidence[:count], reference):
            _weigh(chunks, reference, shingles, occurs_first, figures, size, slots, evidence[count])
            count += 1
    if count > 0:
        common = mark_common(chunks, samples, signature[7], listed, starts)
        for i in range(count):
            reference = np.int64(evidence[i, 0])
            rows, words = rows_of(chunks, reference), words_of(chunks, reference)
            compare_common(rows, words, row_at(reference), samples, common, slots, evidence[i, 1:])
    return known, same, signature.size, count


@compiled
def _weigh(chunks, reference, shingles, first, figures, size, slots, evidence):
    rows, words = rows_of(chunks, reference), words_of(chunks, reference)
    evidence[0] = reference
    evidence[1:] = 0
    return weigh(rows, words, row_at(reference), shingles, first, figures, size, slots, evidence[1:])


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
    """1 if both texts name dates, and no date in common."""
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


def look(
    index: Index, first: int, title: str, text: str, id_key: int, url_key: int, content: int
) -> Examination:
    """Compare an article with what is remembered in the rows from `first` on; see `examine`."""
    packed = np.empty(_PACKED, np.uint32)
    evidence = np.empty((_EVIDENCE, 1 + COLUMNS), np.float64)
    known, same, size, count = examine(
        *code_units(title, text),
        folding_table(),
        index.postings.directory,
        *index.places,
        first,
        index.end,
        np.uint64(id_key),
        np.uint64(url_key),
        np.uint64(content),
        packed,
        evidence,
    )
    matches = [Match(int(row[0]), *row[1:]) for row in evidence[:count].tolist()] if count else []
    return Examination(known, same, Signature(packed[:size].tobytes()), matches)
