"""The numbers of a text: each with the two words before it, so that they can be compared with another's."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from services.deduplicator.native import ALL, compiled, mix, power_of_two
from services.deduplicator.words import DATE_SIGN, month_word

FIGURES = 16
"""Figures kept, those with the smallest hash of the context."""

DATES = 4
"""Different dates kept of a text, as part of the figures."""

IN_TITLE = 0xFFFFFFFF
"""Place of a figure that stands in the title."""


@compiled
def collect_dates(words, count, numbers, values, figures):
    """Write the different dates of a text, such as 5/4 and "5 tháng 4", to `figures`; return their number.

    A date is a figure with context 0, its occurrence the order of first mention, at most DATES of them.
    """
    found = 0
    merged = 0
    thang = month_word()
    for k in range(numbers.size - 1):
        i = numbers[k]
        merged += int(k > 0 and numbers[k - 1] == i - 1)
        day = values[k] % DATE_SIGN
        month = -1
        if values[k] < 0 or not 1 <= day <= 31 or found == DATES:
            continue
        if numbers[k + 1] == i + 1 and values[k + 1] >= DATE_SIGN:
            month = values[k + 1] - DATE_SIGN
        elif numbers[k + 1] == i + 2 and words[i + 1] == thang:
            month = values[k + 1]
        if not 1 <= month <= 12:
            continue
        value = np.uint64(month * 32 + day)
        known = False
        for j in range(found):
            known = known or figures[j] >> np.uint64(32) & np.uint64(0x3FFF) == value
        if not known:
            figure = np.uint64(found) << np.uint64(14) | value
            figures[found] = figure << np.uint64(32) | np.uint64(i - merged)
            found += 1
    return found


@compiled
def collect_figures(words, numbers, salt, figures, found):
    """Append every number to `figures` and return how many there are now.

    A figure is 32 bits: 13 of its context, which is the two words before it and its place in a run of
    numbers; 5 of how often that context occurred before; 14 of its value. So the third temperature of a
    forecast can be compared with the third of the next one. The lower half says where it stands: the number
    of the shingle that begins with it, IN_TITLE for all of the title.
    """
    if numbers.size == 0:
        return found
    seen = np.zeros(power_of_two(2 * numbers.size), np.uint64)
    times = np.zeros(seen.size, np.int32)
    merged = 0
    run = np.uint64(0)
    around = np.uint64(salt)
    for k in range(numbers.size):
        i = numbers[k]
        if k > 0 and numbers[k - 1] == i - 1:
            run += np.uint64(1)
            merged += 1
        else:
            run = np.uint64(0)
            around = np.uint64(salt)
            wanted = 2
            j = i - 1
            while j >= 0 and wanted > 0:  # the two words before, over numbers between them
                if words[j] & np.uint64(1) == np.uint64(0):
                    around = mix(around + words[j])
                    wanted -= 1
                j = j - 1 if i - j < 8 else -1
        context = mix(around + run * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)
        slot = np.int64(context >> np.uint64(24)) & (seen.size - 1)
        while seen[slot] != np.uint64(0) and seen[slot] != context:
            slot = (slot + 1) & (seen.size - 1)
        seen[slot] = context
        occurrence = np.uint64(min(times[slot], 31))
        times[slot] += 1
        figure = (
            max(context >> np.uint64(51), np.uint64(1)) << np.uint64(19)
            | occurrence << np.uint64(14)
            | words[i] >> np.uint64(50)
        )
        figures[found] = figure << np.uint64(32) | np.uint64(IN_TITLE if salt == 1 else i - merged)
        found += 1
    return found


@compiled
def _order_of_context(context):
    """Return the rank by which contexts are kept: those with the smallest hash, dates first."""
    return mix(np.uint64(context)) >> np.uint64(32) if context > 0 else np.uint64(0)


@compiled
def sample_figures(figures):
    """Return FIGURES of them, ascending: the dates, then all those of the contexts that come first."""
    kept = np.empty(min(figures.size, FIGURES), np.uint32)
    if figures.size <= FIGURES:
        for i in range(figures.size):
            kept[i] = np.uint32(figures[i] >> np.uint64(32))
        return kept
    order = np.empty(figures.size, np.uint64)
    for i in range(figures.size):
        figure = figures[i] >> np.uint64(32)
        order[i] = _order_of_context(figure >> np.uint64(19)) << np.uint64(32) | figure
    order.sort()
    for i in range(kept.size):
        kept[i] = np.uint32(order[i] & np.uint64(ALL))
    return np.sort(kept)


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
def figures_between(figures, start, end):
    """Return the figures of a new text that stand in its title or in the shingles start..end-1."""
    some = np.empty(figures.size, np.uint32)
    size = 0
    for figure in figures:
        at = np.int64(figure & np.uint64(ALL))
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
            if _order_of_context(figure >> np.uint32(19)) >= _order_of_context(last):
                last = figure >> np.uint32(19)
    return last


@compiled
def have_other_dates(kept, figures):
    """Say whether two texts name dates, and no date in common; False where there may be more dates."""
    first, second = _dates(kept), _dates(figures)
    if not (0 < first < DATES and 0 < second < DATES):
        return False
    for date in kept[:first]:
        for other in figures[:second]:
            if (date ^ other) & np.uint32(0x3FFF) == 0:
                return False
    return True


@compiled
def compare_figures(kept, figures):
    """Return how many of the kept figures of a text have a context that the new text has too, and how many of
    them have another value there.

    The values in one context are aligned, so that one that is left out or put in changes no other.
    """
    both = 0
    changed = 0
    i = _dates(kept)
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
            common = min(j - i, end - start)
            both += common
            changed += common - _in_order(kept[i:j], figures[start:end])
        i = j
    return both, changed
