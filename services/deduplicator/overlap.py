"""Compares a new text with one remembered text: what they share, where they differ, and how much it is."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from services.deduplicator.figures import compare_figures, figures_between, have_other_dates
from services.deduplicator.native import ALL, compiled, power_of_two
from services.deduplicator.rows import LAST, SIZE, SIZES, START, TOP, samples_at
from services.deduplicator.sketch import SHINGLE

# Columns of the evidence on a row: the fields of `matching.Match` of the same names, from the second on.
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
    _DATES_APART,
    _PROBED,
) = range(16)
_ADDED = _PROBED + 4
COLUMNS = _ADDED + 7

NAMED = 0.3
"""Containment from which a remembered text is worth naming as evidence."""

FEW = 6
"""Shared shingles below which nothing is said: ten words that two texts may well have in common."""


@compiled
def _find(slots, words, start, value):
    """Return the place of a shingle in the open hash table of a row's samples: its own or an empty one."""
    slot = np.int64(value) & (slots.size - 1)
    while slots[slot] >= 0 and words[start + slots[slot]] != value:
        slot = (slot + 1) & (slots.size - 1)
    return slot


@compiled
def _list_samples(rows, words, at, slots):
    """Fill the hash table with the samples of the row that begins at `at`; return from where to where."""
    start, end = samples_at(rows, at)
    slots[:] = -1
    for i in range(end - start):
        slots[_find(slots, words, start, words[start + i])] = i
    return start, end


@compiled
def sample_of(shingles, top):
    """Return the places of the distinct shingles up to `top`, each where it occurs first, in order."""
    places = np.empty(shingles.size + 1, np.int32)
    size = 0
    for i in range(shingles.size):  # without a branch: which ones are small cannot be predicted
        places[size] = i
        size += int(shingles[i] <= top)
    slots = np.full(power_of_two(3 * size), -1, np.int32)
    distinct = 0
    for place in places[:size]:
        value = shingles[place]
        slot = np.int64(value) & (slots.size - 1)  # they are hashes already
        while slots[slot] >= 0 and shingles[slots[slot]] != value:
            slot = (slot + 1) & (slots.size - 1)
        if slots[slot] < 0:
            slots[slot] = place
            places[distinct] = place
            distinct += 1
    return places[:distinct]


@compiled
def _has(shingles, wanted):
    """Say whether a shingle is among those of a text; without a way out, so that it is vectorized."""
    found = False
    for shingle in shingles:
        found |= shingle == wanted
    return found


@compiled
def _compare(rows, words, at, shingles, places, slots, out):
    """Fill in what the shingles say of one row; return between which words of the new text it is found."""
    start, end = _list_samples(rows, words, at, slots)
    size = end - start
    top = rows[at + TOP]
    found = np.zeros(size, np.bool_)
    before = True
    run = 0
    first_shared = 0
    last_shared = -1
    out[_KEEPS_START] = int(_has(shingles, rows[at + START]))
    out[_KEEPS_LAST] = int(_has(shingles, rows[at + LAST]))
    for i in places:
        if shingles[i] > top:
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
def compare_common(rows, words, at, samples, common, slots, evidence):
    """Fill in `probed` and the three fields after it."""
    start, _ = _list_samples(rows, words, at, slots)
    for i in range(samples.size):
        if common[i] < 0 or samples[i] > rows[at + TOP]:
            continue
        evidence[_PROBED] += 1
        evidence[_PROBED + 1] += common[i]
        if slots[_find(slots, words, start, samples[i])] >= 0:
            evidence[_PROBED + 2] += 1
            evidence[_PROBED + 3] += common[i]


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
def weigh(rows, words, at, shingles, places, figures, size, slots, evidence):
    """Write the evidence on the row that begins at `at`, from `shared` to the last column but for `probed`.

    `places` are those of `sample_of` up to the row's TOP or further. Returns whether it is worth naming.
    """
    out = np.zeros(_PROBED, np.int64)
    begin, end = _compare(rows, words, at, shingles, places, slots, out)
    held = rows[at + SIZE]
    overlap = estimate_overlap(out[_SHARED], out[_HELD], out[_NEW], held, size)
    # What stands in a new lead or a site's lines at the end says nothing about the text between.
    kept = words[samples_at(rows, at)[1] :][: np.int64(rows[at + SIZES] >> np.uint32(8) & np.uint32(0xFF))]
    between = figures_between(figures, begin, end)
    out[_FIGURES], out[_FIGURES_CHANGED] = compare_figures(kept, between)
    out[_OTHER_DATES] = int(have_other_dates(kept, between))
    out[_DATES_APART] = int(have_other_dates(kept, figures_between(figures, 0, ALL)))
    evidence[:_PROBED] = out
    evidence[_ADDED] = size - overlap
    evidence[_ADDED + 1] = held
    evidence[_ADDED + 2] = size
    if size > 0 and held > 0:
        evidence[_ADDED + 3] = overlap / size
        evidence[_ADDED + 4] = overlap / held
        evidence[_ADDED + 5] = overlap / (size + held - overlap)
        evidence[_ADDED + 6] = overlap / min(size, held)
    return out[_SHARED] >= FEW and overlap >= NAMED * min(held, size)
