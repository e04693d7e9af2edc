"""How an article is laid out in the index, and how compiled code lists and finds it there.

Rows lie in chunks, whose addresses `chunks` has; a reference is the number of a row, counted from the first
row of the first chunk. Tables hold row numbers modulo 2^21, and `base` is that of the first row.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from services.deduplicator.native import compiled, mix, words_at
from services.deduplicator.table import (
    MOST,
    ROW_MASK,
    add_entry,
    add_moved,
    entries_of,
    equals_before,
    first_slot,
    has_home,
    home_of,
    is_marked,
    may_follow,
)

ROW = 28
"""32-bit words of a row; the constants below are offsets in it. Keys take two words, low one first."""
ID, URL, CONTENT, STATE, DELIVERY, ROOT, SERIES = range(0, 14, 2)
START, LAST, TOP, INDEX_TOP, SIZE, OFFSET, SIZES, VERSION, ORDER, SERIAL, NAMES = range(17, 28)
"""Between them the title's bits and hash. From those to SIZE a row repeats the signature. SIZES packs the
number of samples, of figures, and the flags; NAMES the bytes of the two ids."""

REPLACED, WITHDRAWN = 1, 2
"""Flags. A row replaced by a later version, or withdrawn, still answers for replays but matches nothing."""
GONE = REPLACED | WITHDRAWN

SHORT = 25
"""Words below which equal texts need equal titles to be copies: "Watch the video" stands under many."""

_BATCH = 32
"""Entries whose rows are read ahead."""

CHUNK_BITS = 9
CHUNK_ROWS = 1 << CHUNK_BITS
ROW_WORDS = 72
"""Words for the samples, figures and ids of a usual row. With longer ones a chunk is full earlier."""

NEWEST = 64
"""Rows listed for one shingle; older ones make room. Bounds the cost of boilerplate."""


@compiled
def rows_of(chunks, reference):
    """Return the rows of the chunk to which a reference belongs, as a flat array."""
    return words_at(chunks[reference >> CHUNK_BITS, 0], CHUNK_ROWS * ROW)


@compiled
def words_of(chunks, reference):
    """Return the samples, figures and ids that the rows of a reference's chunk point to."""
    return words_at(chunks[reference >> CHUNK_BITS, 1], 1 << 31)


@compiled
def row_at(reference):
    """Return where a row begins in the rows of its chunk."""
    return (reference & (CHUNK_ROWS - 1)) * ROW


@compiled
def key_at(rows, at):
    """Return the 64-bit key at an offset of the flat rows."""
    return np.uint64(rows[at]) | np.uint64(rows[at + 1]) << np.uint64(32)


@compiled
def flags_at(rows, at):
    """Return the flags of the row that begins there."""
    return rows[at + SIZES] >> np.uint32(16)


@compiled
def samples_at(rows, at):
    """Return where the samples of the row that begins there are in the words of its chunk: from, to."""
    start = np.int64(rows[at + OFFSET])
    return start, start + np.int64(rows[at + SIZES] & np.uint32(0xFF))


@compiled
def content_key(content, length, title):
    """Return the CONTENT key of a text: 0 for an empty one, together with its title for a short one."""
    if length == 0:
        return np.uint64(0)
    if length >= SHORT:
        return content
    return mix(content + np.uint64(title) * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)


@compiled
def hash_of_shingle(value):
    """Return the hash under which `postings` lists a shingle: itself a hash, spread over 64 bits."""
    return np.uint64(value) * np.uint64(0x9E3779B97F4A7C15)


@compiled
def _hash_of_key(key, field):
    return mix(key + np.uint64(field))


@compiled
def _add_postings(postings, rows, words, at, row, full):
    """List a row under those of its samples that are indexed.

    Write the parts that are too full now to `full`, and return how many they are.
    """
    number = 0
    start, end = samples_at(rows, at)
    for i in range(start, end):
        if words[i] <= rows[at + INDEX_TOP] and number < full.size:
            full[number] = add_entry(postings, hash_of_shingle(words[i]), row, NEWEST)
            number += int(full[number] >= 0)
    return number


@compiled
def _row_with_key(chunks, entry, base, first, end, field, key):
    """Return the row of an entry if it is one of the rows first..end-1 and has this key, else -1."""
    reference = (np.int64(entry) - base) & ROW_MASK
    if first <= reference < end and key_at(rows_of(chunks, reference), row_at(reference) + field) == key:
        return reference
    return -1


@compiled
def _add_name(names, chunks, base, span_start, end, field):
    """List the row before `end` under its key in `field`; return a part that is too full now, or -1.

    A later row replaces an earlier one, except that equal content stays with the first one of the span that
    still counts: the oldest is wanted, and those of another span expire at another time.
    """
    reference = end - 1
    key = key_at(rows_of(chunks, reference), row_at(reference) + field)
    if key == np.uint64(0):
        return -1
    hashed = _hash_of_key(key, field)
    entries, at, tag = home_of(names, hashed)
    distance = 0
    row = (base + reference) & ROW_MASK
    first = span_start if field == CONTENT else 0
    while may_follow(entries[at], distance):
        if is_marked(entries[at], distance, tag):
            other = _row_with_key(chunks, entries[at], base, first, reference, field, key)
            if other >= 0:
                if field != CONTENT or flags_at(rows_of(chunks, other), row_at(other)) & np.uint32(GONE):
                    entries[at] = entries[at] & np.uint32(~ROW_MASK & 0xFFFFFFFF) | np.uint32(row)
                return -1
        distance += 1
        at = at + 1 if at + 1 < entries.size else 0
    return add_entry(names, hashed, row, MOST)


@compiled
def find_row(names, chunks, base, first, end, field, key):
    """Return the newest row with this key of the rows first..end-1, or -1.

    For CONTENT the oldest that is not gone; for URL none if the newest has been replaced: the article moved.
    """
    entries, at, tag = home_of(names, _hash_of_key(key, field))
    distance = 0
    while may_follow(entries[at], distance):
        if is_marked(entries[at], distance, tag):
            reference = _row_with_key(chunks, entries[at], base, first, end, field, key)
            if reference >= 0:
                flags = flags_at(rows_of(chunks, reference), row_at(reference))
                if field == URL and flags & np.uint32(REPLACED):
                    return -1
                if field != CONTENT or not flags & np.uint32(GONE):
                    return reference
        distance += 1
        at = at + 1 if at + 1 < entries.size else 0
    return -1


@compiled
def find_article(names, chunks, base, first, end, id_key, url_key):
    """Return the newest row of an article by its id or else by its address, or -1; see `find_row`."""
    found = find_row(names, chunks, base, first, end, ID, id_key)
    if found < 0 and url_key != np.uint64(0):
        found = find_row(names, chunks, base, first, end, URL, url_key)
    return found


@compiled
def append(postings, names, chunks, base, span_start, end, used, packed_row, packed_words, full):
    """Store a row as number `end`, with what it points to behind `used` words, and list it.

    Writes the parts of `postings` that are too full now to `full`, and returns how many they are, and one
    part of `names` or -1: that has room for more.
    """
    row = np.frombuffer(packed_row, np.uint32)
    row_words = np.frombuffer(packed_words, np.uint32)
    rows = rows_of(chunks, end)
    words = words_of(chunks, end)
    at = row_at(end)
    for i in range(ROW):
        rows[at + i] = row[i]
    for i in range(row_words.size):
        words[used + i] = row_words[i]
    number = _add_postings(postings, rows, words, at, (base + end) & ROW_MASK, full)
    part = _add_name(names, chunks, base, span_start, end + 1, ID)
    part = max(part, _add_name(names, chunks, base, span_start, end + 1, DELIVERY))
    part = max(part, _add_name(names, chunks, base, span_start, end + 1, URL))
    if not flags_at(rows, at) & np.uint32(GONE):
        part = max(part, _add_name(names, chunks, base, span_start, end + 1, CONTENT))
    return number, part


@compiled
def _read_ahead(entries, at, chunks, base):
    """Read once what `move_postings` asks for about the next _BATCH entries; return something of all of it.

    The rows lie anywhere. Nothing depends on what is read, so that the processor waits for all at once.
    """
    starts = np.zeros(_BATCH, np.int64)
    ends = np.zeros(_BATCH, np.int64)
    references = np.zeros(_BATCH, np.int64)
    for i in range(_BATCH):
        if entries[at] != 0:
            references[i] = (np.int64(entries[at]) - base) & ROW_MASK
            rows = rows_of(chunks, references[i])
            starts[i], ends[i] = samples_at(rows, row_at(references[i]))
        at = at + 1 if at + 1 < entries.size else 0
    touched = np.uint32(0)
    for i in range(_BATCH):
        touched |= rows_of(chunks, references[i])[row_at(references[i]) + INDEX_TOP]
        words = words_of(chunks, references[i])
        for j in range(starts[i], ends[i], 16):  # one of each cache line
            touched |= words[j]
    return touched


@compiled
def move_postings(postings, part, larger, chunks, base):
    """List all rows of a part in a larger array; return how many entries that are.

    A row says under which of its shingles it was listed here.
    """
    entries = entries_of(postings, part)
    used = 0
    at = first_slot(entries)
    touched = np.uint32(1)
    for step in range(entries.size):
        if step % _BATCH == 0:
            touched |= _read_ahead(entries, at, chunks, base)
        if entries[at] != 0 and touched != 0:
            row = np.int64(entries[at]) & ROW_MASK
            reference = (row - base) & ROW_MASK
            rows = rows_of(chunks, reference)
            words = words_of(chunks, reference)
            start, end = samples_at(rows, row_at(reference))
            before = equals_before(entries, at)
            for i in range(start, end):
                hashed = hash_of_shingle(words[i])
                if has_home(postings, part, at, hashed) and words[i] <= rows[row_at(reference) + INDEX_TOP]:
                    if before == 0:
                        used = add_moved(postings, larger, used, hashed, row)
                        break
                    before -= 1
        at = at + 1 if at + 1 < entries.size else 0
    return used


@compiled
def move_names(names, part, larger, chunks, base):
    """List all rows of a part in a larger array; return how many entries that are."""
    entries = entries_of(names, part)
    used = 0
    at = first_slot(entries)
    for _ in range(entries.size):
        if entries[at] != 0:
            row = np.int64(entries[at]) & ROW_MASK
            reference = (row - base) & ROW_MASK
            rows = rows_of(chunks, reference)
            before = equals_before(entries, at)
            for field in (ID, DELIVERY, URL, CONTENT):
                key = key_at(rows, row_at(reference) + field)
                hashed = _hash_of_key(key, field)
                if key != np.uint64(0) and has_home(names, part, at, hashed):
                    if before == 0:
                        used = add_moved(names, larger, used, hashed, row)
                        break
                    before -= 1
        at = at + 1 if at + 1 < entries.size else 0
    return used
