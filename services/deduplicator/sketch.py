"""What is remembered of a text in order to recognize it: a bounded sample of its shingles and figures.

The text is folded, split into syllables, and every number is replaced by one sign, so that the text of a
bulletin series is the same in each issue. Of all runs of five syllables the 48 with the smallest hash are
kept (bottom-k sampling, Broder 1997): whatever their length, two texts keep the same runs of what they
share, so the share of common runs estimates containment and Jaccard similarity in both directions. The
figures are kept apart, each with the two words before it.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

from codecs import utf_16_le_encode

import numpy as np

from services.deduplicator.figures import DATES, collect_dates, collect_figures, sample_figures
from services.deduplicator.folding import folding_table
from services.deduplicator.native import ALL, compiled, mix, power_of_two
from services.deduplicator.signature import FORMAT, HEAD, INDEXED, LONGEST, SAMPLES, Signature
from services.deduplicator.words import phrase, split_words

SHINGLE = 5
"""Syllables in a shingle: shorter ones meet by chance in Vietnamese, longer ones break at every edit."""

MAX_CHARACTERS = 200_000
"""What follows is not looked at (some 45,000 syllables): bounds the time for hostile input."""

MAX_FIGURES = 2048
"""Figures of a new text that are compared with the kept ones of an earlier one."""


@compiled
def _sort_evenly(keys, highest):
    """Return 64-bit keys in ascending order, quickly if their upper halves spread evenly over 0..highest."""
    counts = np.zeros(keys.size + 1, np.int64)
    scale = np.uint64((keys.size << 32) // (highest + 1))
    for key in keys:
        counts[np.int64((key >> np.uint64(32)) * scale >> np.uint64(32))] += 1
    total = 0
    for i in range(counts.size):
        counts[i], total = total, total + counts[i]
    placed = np.empty(keys.size, np.uint64)
    for key in keys:
        bucket = np.int64((key >> np.uint64(32)) * scale >> np.uint64(32))
        placed[counts[bucket]] = key
        counts[bucket] += 1
    if keys.size > 4096:  # repeated text spreads unevenly
        placed.sort()
        return placed
    for i in range(1, placed.size):
        key = placed[i]
        j = i
        while j > 0 and placed[j - 1] > key:
            placed[j] = placed[j - 1]
            j -= 1
        placed[j] = key
    return placed


@compiled
def _find_small(shingles, limit):
    """Return the shingles up to a limit in the order of the text: each above its number among them."""
    small = np.empty(shingles.size + 1, np.uint64)
    size = 0
    for shingle in shingles:  # without a branch: which ones are small cannot be predicted
        small[size] = np.uint64(shingle) << np.uint64(32) | np.uint64(size)
        size += int(shingle <= limit)
    return small[:size]


@compiled
def _smallest(shingles, wanted):
    """Return the `wanted` smallest distinct shingles in the order of the text, and in ascending order.

    Where a shingle occurs again does not matter. Of a long text only a part is looked at.
    """
    count = shingles.size
    limit = np.uint32(ALL)
    if count > 2 * wanted:
        limit = np.uint32(np.float64(ALL) * (1.5 * wanted) / count)
    while True:
        small = _find_small(shingles, limit)
        ascending = np.empty(min(wanted, small.size), np.uint32)
        kept = np.zeros(small.size, np.bool_)
        distinct = 0
        for key in _sort_evenly(small, np.int64(limit)):
            value = np.uint32(key >> np.uint64(32))
            if distinct == 0 or value != ascending[distinct - 1]:
                ascending[distinct] = value
                kept[np.int64(key & np.uint64(ALL))] = True
                distinct += 1
                if distinct == wanted:
                    break
        if distinct == wanted or limit == np.uint32(ALL):
            samples = np.empty(distinct + 1, np.uint32)
            size = 0
            for i in range(small.size):
                samples[size] = np.uint32(small[i] >> np.uint64(32))
                size += int(kept[i])
            return samples[:distinct], ascending[:distinct]
        limit = np.uint32(ALL) if limit > np.uint32(ALL >> 3) else np.uint32(limit << np.uint32(3))


@compiled
def _count_distinct(shingles):
    """Return how many different shingles there are, by linear counting (Whang et al. 1990).

    In a bitmap of 64 to 128 bits a shingle the standard error is below 1 %; without a branch it takes a
    third of the time of exact counting.
    """
    size = power_of_two(64 * shingles.size)
    bits = np.zeros(size >> 6, np.uint64)
    taken = 0
    for i in range(shingles.size):
        at = np.int64(shingles[i]) & (size - 1)
        mask = np.uint64(1) << np.uint64(at & 63)
        taken += int(bits[at >> 6] & mask == np.uint64(0))
        bits[at >> 6] |= mask
    return taken + (taken * taken + size) // (2 * size)  # -size * log(1 - taken / size), near enough


@compiled
def _make_shingles(words, count):
    """Return the hashes of all runs of SHINGLE words, in which a run of numbers is one sign."""
    number = np.uint64(0x5BF0363505A5F3C1)
    size = 0
    for i in range(count):  # in place: `size` never overtakes `i`
        if words[i] & np.uint64(1) == np.uint64(0):
            words[size] = words[i]
            size += 1
        elif size == 0 or words[size - 1] != number:
            words[size] = number
            size += 1
    shingles = np.empty(max(0, size - SHINGLE + 1), np.uint32)
    base = np.uint64(0x9E3779B97F4A7C15)
    one, two, three, four = words[1:], words[2:], words[3:], words[4:]
    for i in range(shingles.size):  # vectorized, so faster than a rolling hash
        total = ((words[i] * base + one[i]) * base + two[i]) * base + three[i]
        shingles[i] = np.uint32(mix(total * base + four[i]) >> np.uint64(32))
    return shingles


@compiled
def make_sketch(title, text, table, packed):
    """Write the signature of an article; return its size, all shingles of the text in order, and all figures.

    `title` and `text` are `code_units`, `table` folds them, `packed` is room for LONGEST words. The figures
    are ascending: 13 bits of the context, 5 of its occurrence, 14 of the value, 32 of its place.
    """
    title, text = np.frombuffer(title, np.uint16), np.frombuffer(text, np.uint16)
    longest = max(title.size, text.size) // 2 + 2
    words = np.empty(longest, np.uint64)
    ends = np.empty(longest, np.int32)
    numbers = np.empty(min(longest, MAX_FIGURES), np.int32)
    values = np.empty(numbers.size, np.int32)
    head = packed[:HEAD]
    head[:] = 0

    count, amount = split_words(title, table, words, ends, numbers, values)
    figures = np.empty(2 * numbers.size + DATES, np.uint64)
    for i in range(count):
        if words[i] & np.uint64(1) == np.uint64(0):
            bit = words[i] >> np.uint64(58)
            head[1 + np.int64(bit >> np.uint64(5))] |= np.uint32(1) << np.uint32(bit & np.uint64(31))
    head[3] = np.uint32(phrase(words, count) & np.uint64(ALL))
    found = collect_figures(words, numbers[:amount], 1, figures, DATES)

    count, amount = split_words(text, table, words, ends, numbers, values)
    found = collect_figures(words, numbers[:amount], 2, figures, found)
    dates = collect_dates(words, count, numbers[:amount], values, figures)
    for i in range(DATES, found):
        figures[dates + i - DATES] = figures[i]
    figures = np.sort(figures[: found + dates - DATES])

    shingles = _make_shingles(words, count)
    samples, ascending = _smallest(shingles, SAMPLES)
    size = samples.size
    head[6] = ascending[SAMPLES - 1] if size == SAMPLES else np.uint32(ALL)
    head[7] = ascending[INDEXED - 1] if size >= INDEXED else np.uint32(ALL)
    head[8] = np.uint32(size if size < SAMPLES else _count_distinct(shingles))
    head[9] = np.uint32(count)
    if shingles.size > 0:
        head[4] = shingles[0]
        head[5] = shingles[shingles.size - 1]

    kept = sample_figures(figures)
    head[0] = np.uint32(FORMAT | size << 8 | kept.size << 16)
    packed[HEAD : HEAD + size] = samples
    packed[HEAD + size : HEAD + size + kept.size] = kept
    return HEAD + size + kept.size, shingles, figures


def code_units(text: str) -> bytes:
    """Return the UTF-16 units of a text, cut to MAX_CHARACTERS; little-endian, without a mark at the start.

    What UTF-16 writes with two units is no letter to the folding table, so that one unit is enough.
    """
    return utf_16_le_encode(text[:MAX_CHARACTERS], "surrogatepass")[0]


def sketch(title: str, text: str) -> Signature:
    """Return the signature of an article, whatever its Unicode form."""
    packed = np.empty(LONGEST, np.uint32)
    size, *_ = make_sketch(code_units(title), code_units(text), folding_table(), packed)
    return Signature(packed[:size].tobytes())
