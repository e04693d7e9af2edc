"""Compares a new text with the remembered ones that share shingles with it."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from services.deduplicator.folding import folding_table
from services.deduplicator.index import (
    CONTENT,
    GONE,
    ID,
    LAST,
    OFFSET,
    ROOT,
    ROW,
    ROW_BITS,
    ROW_MASK,
    SERIES,
    SIZE,
    SIZES,
    START,
    TOP,
    Index,
    content_key,
    find_article,
    find_row,
    flags_at,
    key_at,
    place,
    postings_of,
    rows_of,
    tag,
    words_of,
)
from services.deduplicator.sketch import (
    DATES,
    FIGURES,
    IN_TITLE,
    SHINGLE,
    SIGNATURE_HEAD,
    Signature,
    code_units,
    compiled,
    first_occurrences,
    make_sketch,
    mix,
    order_of_context,
)

STRONGEST = 8
"""Rows compared because they share the most shingles, the oldest first among equals."""
LATEST = 4
"""Rows compared because they are the newest that share nearly as many: the last issue of a bulletin."""

RARE = 8
"""A sample that fewer rows have counts double."""

ENOUGH = 4
"""Two rare samples, or four of any kind, make a row worth comparing."""

COMMON_FAMILIES = 6
"""A shingle that this many unrelated texts share says nothing: agency lines, site boilerplate, templates."""

_MAX_LISTED = 1 << 13
"""Rows looked at for one text: bounds the cost of boilerplate."""

_CHECKED = 16
"""Of the rows that share a shingle, so many of the newest are asked for their family."""

# Columns of the evidence on a row: the fields of `Match` of the same names.
(
    _SHARED,
    _HELD,
    _NEW,
    _BREAKS,
    _LOST_TAIL,
    _LOST_HEAD,
    _ADDED_HEAD,
    _ADDED_TAIL,
    _LONGEST_ADDED,
    _KEEPS_START,
    _KEEPS_LAST,
    _FIGURES,
    _FIGURES_CHANGED,
    _OTHER_DATES,
    _PROBED,
) = range(15)
_COLUMNS = 26
"""Those, the row's reference before them, and after them the other fields of `Match`."""

NAMED = 0.3
"""Containment from which a remembered text is worth naming as evidence."""

FEW = 6
"""Shared shingles below which nothing is said: ten words that two texts may well have in common."""


@compiled
def _list_rows(table, start, end, samples, listed, starts):
    """List the rows that share sample i at `listed[starts[i] : starts[i + 1]]`.

    All the places to look at are read once before anything depends on one: then the processor waits for
    main memory once, not some hundred times.
    """
    segments = end - start
    hashes = np.empty(samples.size, np.uint64)
    touched = np.uint32(0)
    for i in range(samples.size):
        hashes[i] = mix(np.uint64(samples[i]))
    for segment in range(start, end):
        postings = postings_of(table, segment)
        for i in range(samples.size):
            touched |= postings[place(hashes[i], postings.size)]
    size = 0
    for i in range(samples.size):
        starts[i] = size
        mark = tag(hashes[i])
        for step in range(segments if touched != np.uint32(0) else 0):
            postings = postings_of(table, end - 1 - step)
            at = place(hashes[i], postings.size)
            while postings[at] != 0:
                if postings[at] & np.uint32(~ROW_MASK & 0xFFFFFFFF) == mark and size < listed.size:
                    row = np.int64(postings[at] & np.uint32(ROW_MASK)) - 1
                    listed[size] = (end - 1 - step) << ROW_BITS | row
                    size += 1
                at += 1
                if at == postings.size:
                    at = 0
    starts[samples.size] = size


@compiled
def _choose(table, listed, starts, own):
    """Return the rows worth comparing: the STRONGEST by shared samples, then the LATEST of the rest.

    Samples count double that only a few rows have. Rows that share less than ENOUGH, or are gone, or are of
    the article itself or of its copies, are left out.
    """
    weighted = np.empty(starts[starts.size - 1], np.int64)
    for i in range(starts.size - 1):
        rare = 1 if starts[i + 1] - starts[i] < RARE else 0
        for j in range(starts[i], starts[i + 1]):
            weighted[j] = listed[j] << 1 | rare
    weighted.sort()
    references = np.empty(weighted.size, np.int64)
    weights = np.empty(weighted.size, np.int64)
    size = 0
    i = 0
    most = 0
    while i < weighted.size:
        reference = weighted[i] >> 1
        weight = 0
        while i < weighted.size and weighted[i] >> 1 == reference:
            weight += 1 + (weighted[i] & 1)
            i += 1
        if weight >= ENOUGH:
            rows = rows_of(table, reference >> ROW_BITS)
            row = reference & ROW_MASK
            is_own = own != 0 and (
                key_at(rows, row * ROW + ID) == own or key_at(rows, row * ROW + ROOT) == own
            )
            if not is_own and not flags_at(rows, row) & np.uint32(GONE):
                references[size] = reference
                weights[size] = weight
                size += 1
                most = max(most, weight)
    wanted = min(size, STRONGEST + LATEST)
    chosen = np.empty(wanted, np.int64)
    count = 0
    latest = size - 1
    while count < wanted:
        best = -1
        if count < STRONGEST:  # the oldest among equals: rows come in the order of their decisions
            for i in range(size):
                if weights[i] > 0 and (best < 0 or weights[i] > weights[best]):
                    best = i
        else:
            while latest >= 0 and 5 * weights[latest] < 3 * most:
                latest -= 1
            best = latest
        if best < 0:
            break
        chosen[count] = references[best]
        count += 1
        weights[best] = 0
    return chosen[:count]


@compiled
def _is_common(table, listed):
    """Say whether rows of COMMON_FAMILIES unrelated families are listed; copies and series are families."""
    if listed.size < COMMON_FAMILIES:
        return False
    newest = np.sort(listed)[max(0, listed.size - _CHECKED) :]
    families = np.empty(COMMON_FAMILIES, np.uint64)
    size = 0
    for reference in newest:
        rows = rows_of(table, reference >> ROW_BITS)
        at = (reference & ROW_MASK) * ROW
        family = key_at(rows, at + SERIES)
        if family == np.uint64(0):
            family = key_at(rows, at + ROOT)
        if family == np.uint64(0):
            family = key_at(rows, at + ID)
        known = False
        for i in range(size):
            known = known or families[i] == family
        if not known:
            families[size] = family
            size += 1
            if size == COMMON_FAMILIES:
                return True
    return False


@compiled
def _in_order(first, second):
    """Return the length of the longest common subsequence of two short lists of figures' values."""
    lengths = np.zeros(second.size + 1, np.int64)
    for figure in first:
        diagonal = 0
        for j in range(second.size):
            above = lengths[j + 1]
            if (figure ^ second[j]) & np.uint32(0x3FFF) == 0:
                lengths[j + 1] = diagonal + 1
            elif lengths[j] > above:
                lengths[j + 1] = lengths[j]
            diagonal = above
    return lengths[second.size]


@compiled
def _figures_between(figures, start, end):
    """Return the figures of a new text that stand in its title or in the shingles start..end-1."""
    some = np.empty(figures.size, np.uint32)
    size = 0
    for figure in figures:
        at = np.int64(figure & np.uint64(0xFFFFFFFF))
        some[size] = np.uint32(figure >> np.uint64(32))
        size += int(start <= at < end or at == IN_TITLE)
    return some[:size]


@compiled
def _dates(figures):
    """Return how many of the figures are dates; they come first."""
    size = 0
    while size < figures.size and figures[size] >> np.uint32(19) == 0:
        size += 1
    return size


@compiled
def _cut_context(kept, dates):
    """Return the context of which some figures may not have been kept, 0 if all are there."""
    last = np.uint32(0)
    if kept.size == FIGURES:
        for figure in kept[dates:]:
            if order_of_context(figure >> np.uint32(19)) >= order_of_context(last):
                last = figure >> np.uint32(19)
    return last


@compiled
def _compare_figures(rows, words, row, figures, out):
    """Count a row's figures whose context the new text has too, and those of them with another value.

    The values in one context are aligned, so that one that is left out or put in changes no other.
    """
    sizes = rows[row * ROW + SIZES]
    begin = np.int64(rows[row * ROW + OFFSET]) + np.int64(sizes & np.uint32(0xFF))
    kept = words[begin : begin + np.int64(sizes >> np.uint32(8) & np.uint32(0xFF))]
    i = _dates(kept)
    dates = _dates(figures)
    if 0 < i < DATES and 0 < dates < DATES:  # else there may be more of them
        same = False
        for date in kept[:i]:
            for other in figures[:dates]:
                same = same or (date ^ other) & np.uint32(0x3FFF) == 0
        out[_OTHER_DATES] = 0 if same else 1
    cut = _cut_context(kept, i)
    while i < kept.size:
        context = kept[i] >> np.uint32(19)
        j = i
        while j < kept.size and kept[j] >> np.uint32(19) == context:
            j += 1
        start = np.searchsorted(figures, context << np.uint32(19))
        end = start
        while end < min(figures.size, start + 64) and figures[end] >> np.uint32(19) == context:
            end += 1
        if end > start and context != cut:
            both = min(j - i, end - start)
            out[_FIGURES] += both
            out[_FIGURES_CHANGED] += both - _in_order(kept[i:j], figures[start:end])
        i = j


@compiled
def _find(slots, words, start, value):
    """Return the place of a shingle in the open hash table of a row's samples: its own or an empty one."""
    slot = np.int64(value) & (slots.size - 1)
    while slots[slot] >= 0 and words[start + slots[slot]] != value:
        slot = (slot + 1) & (slots.size - 1)
    return slot


@compiled
def _list_samples(rows, words, row, slots):
    """Fill the hash table with a row's samples; return where they start and how many there are."""
    start = np.int64(rows[row * ROW + OFFSET])
    size = np.int64(rows[row * ROW + SIZES] & np.uint32(0xFF))
    slots[:] = -1
    for i in range(size):
        slots[_find(slots, words, start, words[start + i])] = i
    return start, size


@compiled
def _compare(rows, words, row, shingles, first, slots, out):
    """Fill in what the shingles say of one row; return between which words of the new text it is found."""
    start, size = _list_samples(rows, words, row, slots)
    at = row * ROW
    top = rows[at + TOP]
    found = np.zeros(size, np.bool_)
    before = True
    run = 0
    first_shared = 0
    last_shared = -1
    for i in range(shingles.size):
        if shingles[i] == rows[at + START]:
            out[_KEEPS_START] = 1
        if shingles[i] == rows[at + LAST]:
            out[_KEEPS_LAST] = 1
        if shingles[i] > top or not first[i]:
            continue
        sample = slots[_find(slots, words, start, shingles[i])]
        held = sample >= 0
        if held:
            found[sample] = True
            if out[_SHARED] == 0:
                first_shared = i
            last_shared = i
            out[_SHARED] += 1
            run = 0
        else:
            run += 1
            if out[_SHARED] == 0:
                out[_ADDED_HEAD] += 1
            out[_LONGEST_ADDED] = max(out[_LONGEST_ADDED], run)
        if out[_NEW] > 0 and held != before:
            out[_BREAKS] += 1
        before = held
        out[_NEW] += 1
    out[_ADDED_TAIL] = run
    out[_HELD] = size
    while out[_LOST_HEAD] < size and not found[out[_LOST_HEAD]]:
        out[_LOST_HEAD] += 1
    while out[_LOST_TAIL] < size and not found[size - 1 - out[_LOST_TAIL]]:
        out[_LOST_TAIL] += 1
    return first_shared, last_shared + SHINGLE


@compiled
def _compare_common(rows, words, row, samples, common, slots, out):
    """Fill in `probed` and the three fields after it."""
    start, _ = _list_samples(rows, words, row, slots)
    for i in range(samples.size):
        if common[i] < 0 or samples[i] > rows[row * ROW + TOP]:
            continue
        out[0] += 1
        out[1] += common[i]
        if slots[_find(slots, words, start, samples[i])] >= 0:
            out[2] += 1
            out[3] += common[i]


@compiled
def estimate_overlap(shared, held, new, size_held, size_new):
    """Return the number of shingles that two texts of known sizes have in common, by maximum likelihood.

    In a sample of both texts `held` shingles are of the one, `new` of the other and `shared` of both. Each
    shingle of the union is as likely to be sampled as any other; the derivative of the log-likelihood
    falls, and its zero is found by bisection. Knowing the sizes makes the estimate exact where one text
    contains the other, and better in between.
    """
    low = 0.0
    high = np.float64(min(size_held, size_new))
    if shared == 0 or high == 0.0:
        return 0.0
    for _ in range(24):
        x = (low + high) / 2
        slope = shared / x + (held + new - shared) / (size_held + size_new - x)
        if held > shared:
            slope -= (held - shared) / max(size_held - x, 1e-9)
        if new > shared:
            slope -= (new - shared) / max(size_new - x, 1e-9)
        if slope > 0:
            low = x
        else:
            high = x
    return (low + high) / 2


@compiled
def _mark_common(table, samples, index_top, listed, starts):
    """Return for each sample 1 if many unrelated texts have it, 0 if not, -1 if that is not known."""
    common = np.full(samples.size, -1)
    for i in range(samples.size):
        if samples[i] <= index_top:
            if _is_common(table, listed[starts[i] : starts[i + 1]]):
                common[i] = 1
            elif starts[i + 1] < listed.size:  # else there was no room to list all
                common[i] = 0
    return common


@compiled
def _weigh(table, reference, shingles, first, figures, size, slots, out, evidence):
    """Write the evidence on one row but for `probed`. Returns whether it is worth naming."""
    rows = rows_of(table, reference >> ROW_BITS)
    words = words_of(table, reference >> ROW_BITS)
    row = reference & ROW_MASK
    out[:] = 0
    begin, end = _compare(rows, words, row, shingles, first, slots, out)
    held = rows[row * ROW + SIZE]
    overlap = estimate_overlap(out[_SHARED], out[_HELD], out[_NEW], held, size)
    # What stands in a new lead or a site's lines at the end says nothing about the text between.
    _compare_figures(rows, words, row, _figures_between(figures, begin, end), out)
    evidence[0] = reference
    evidence[1 : 1 + _PROBED] = out
    evidence[_COLUMNS - 7] = size - overlap
    evidence[_COLUMNS - 6] = held
    evidence[_COLUMNS - 5] = size
    if size > 0 and held > 0:
        evidence[_COLUMNS - 4] = overlap / size
        evidence[_COLUMNS - 3] = overlap / held
        evidence[_COLUMNS - 2] = overlap / (size + held - overlap)
        evidence[_COLUMNS - 1] = overlap / min(size, held)
    return out[_SHARED] >= FEW and overlap >= NAMED * min(held, size)


@compiled
def _root_of(table, start, end, reference):
    """Return the row of the original that a row is a copy of, or -1."""
    if reference < 0:
        return -1
    rows = rows_of(table, reference >> ROW_BITS)
    root = key_at(rows, (reference & ROW_MASK) * ROW + ROOT)
    return find_row(table, start, end, ID, root) if root != np.uint64(0) else -1


@compiled
def _has(evidence, reference):
    """Say whether a row is among the evidence already."""
    return (evidence[:, 0] == reference).any()


@compiled
def examine(points, title_end, folding, table, start, end, id_key, url_key, content):
    """Compare an article with everything in segments start..end-1.

    `points`, `title_end` and `folding` are as for `make_sketch`, the rest are keys of the article. Returns
    the row of its current version, the row of an equal text (each -1 if there is none), its signature, and
    one row of evidence for each remembered text worth naming, in the order of `Match`. The originals of
    what was found are among them.
    """
    signature, shingles, figures = make_sketch(points, title_end, folding)
    samples = signature[SIGNATURE_HEAD : SIGNATURE_HEAD + np.int64(signature[0] >> np.uint32(8) & 0xFF)]
    size = signature[8]
    known = find_article(table, start, end, id_key, url_key)
    own = np.uint64(0)
    if known >= 0:
        own = key_at(rows_of(table, known >> ROW_BITS), (known & ROW_MASK) * ROW + ID)
    same = -1
    content = content_key(content, signature[9], signature[3])
    if content != np.uint64(0):
        same = find_row(table, start, end, CONTENT, content)

    listed = np.empty(_MAX_LISTED, np.int64)
    starts = np.empty(samples.size + 1, np.int64)
    _list_rows(table, start, end, samples, listed, starts)
    chosen = _choose(table, listed, starts, own)
    if chosen.size == 0 and same < 0:
        return known, same, signature, np.empty((0, _COLUMNS), np.float64)
    first = first_occurrences(shingles)
    evidence = np.zeros((2 * chosen.size + 2, _COLUMNS), np.float64)
    slots = np.empty(128, np.int64)
    out = np.empty(_PROBED, np.int64)
    count = 0
    for reference in chosen:
        count += _weigh(table, reference, shingles, first, figures, size, slots, out, evidence[count])
    originals = np.empty(count + 2, np.int64)
    originals[0] = same
    originals[1] = _root_of(table, start, end, same)
    for i in range(count):
        originals[2 + i] = _root_of(table, start, end, np.int64(evidence[i, 0]))
    for reference in originals:
        if reference >= 0 and not _has(evidence[:count], reference):
            _weigh(table, reference, shingles, first, figures, size, slots, out, evidence[count])
            count += 1
    if count > 0:
        common = _mark_common(table, samples, signature[7], listed, starts)
        for i in range(count):
            reference = np.int64(evidence[i, 0])
            rows = rows_of(table, reference >> ROW_BITS)
            words = words_of(table, reference >> ROW_BITS)
            probed = evidence[i, 1 + _PROBED : 1 + _PROBED + 4]
            _compare_common(rows, words, reference & ROW_MASK, samples, common, slots, probed)
    return known, same, signature, evidence[:count]


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
    """Compare an article with what is remembered in the segments from `first` on; see `examine`."""
    known, same, words, evidence = examine(
        *code_units(title, text),
        folding_table(),
        index.table,
        first,
        len(index.segments),
        np.uint64(id_key),
        np.uint64(url_key),
        np.uint64(content),
    )
    matches = [Match(int(row[0]), *row[1:]) for row in evidence.tolist()] if len(evidence) else []
    return Examination(known, same, Signature(words.tobytes()), matches)
