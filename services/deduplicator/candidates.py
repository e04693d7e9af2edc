"""Finds the remembered texts that are worth comparing with a new one, by the shingles that they share."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from services.deduplicator.native import compiled
from services.deduplicator.rows import (
    GONE,
    ID,
    ROOT,
    SERIES,
    flags_at,
    hash_of_shingle,
    key_at,
    row_at,
    rows_of,
)
from services.deduplicator.table import ROW_MASK, entries_of, is_marked, may_follow, part_of, tag_of

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

MAX_LISTED = 1 << 13
"""Rows looked at for one text: bounds the cost of boilerplate."""

_CHECKED = 16
"""Of the rows that share a shingle, so many of the newest are asked for their family."""


@compiled
def list_rows(postings, base, first, end, samples, listed, starts):
    """List the rows that share sample i at `listed[starts[i] : starts[i + 1]]`.

    All the places to look at are read once before anything depends on one: then the processor waits for
    main memory once, not some fifty times.
    """
    homes = np.empty(samples.size, np.int64)
    parts = np.empty(samples.size, np.int64)
    touched = np.uint32(0)
    for i in range(samples.size):
        parts[i], rest = part_of(postings, hash_of_shingle(samples[i]))
        entries = entries_of(postings, parts[i])
        homes[i] = rest * entries.size >> 32
        touched |= entries[homes[i]]
    size = 0
    for i in range(samples.size if touched != np.uint32(0) else 0):
        starts[i] = size
        entries = entries_of(postings, parts[i])
        tag = tag_of(hash_of_shingle(samples[i]))
        at = homes[i]
        distance = 0
        while may_follow(entries[at], distance):
            if is_marked(entries[at], distance, tag) and size < listed.size:
                reference = (np.int64(entries[at]) - base) & ROW_MASK
                listed[size] = reference
                size += int(first <= reference < end)
            distance += 1
            at = at + 1 if at + 1 < entries.size else 0
    if touched == np.uint32(0):
        starts[:] = 0
    starts[samples.size] = size


@compiled
def choose(chunks, listed, starts, own):
    """Return the rows worth comparing: the STRONGEST by shared samples, then the LATEST of the rest.

    Samples count double that only a few rows have. Rows that share less than ENOUGH, or are gone, or are of
    the article itself or of its copies, are left out.
    """
    if starts[starts.size - 1] < ENOUGH // 2:
        return listed[:0]
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
            rows = rows_of(chunks, reference)
            at = row_at(reference)
            is_own = own != 0 and (key_at(rows, at + ID) == own or key_at(rows, at + ROOT) == own)
            if not is_own and not flags_at(rows, at) & np.uint32(GONE):
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
def _is_common(chunks, listed):
    """Say whether rows of COMMON_FAMILIES unrelated families are listed; copies and series are families."""
    if listed.size < COMMON_FAMILIES:
        return False
    newest = np.sort(listed)[max(0, listed.size - _CHECKED) :]
    families = np.empty(COMMON_FAMILIES, np.uint64)
    size = 0
    for reference in newest:
        rows = rows_of(chunks, reference)
        at = row_at(reference)
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
def mark_common(chunks, samples, index_top, listed, starts):
    """Return for each sample 1 if many unrelated texts have it, 0 if not, -1 if that is not known."""
    common = np.full(samples.size, -1)
    for i in range(samples.size):
        if samples[i] <= index_top:
            if _is_common(chunks, listed[starts[i] : starts[i + 1]]):
                common[i] = 1
            elif starts[i + 1] < listed.size:  # else there was no room to list all
                common[i] = 0
    return common
