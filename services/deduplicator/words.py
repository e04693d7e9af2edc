"""Splits a text into folded words and numbers: the hash of each, and where the numbers stand."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np

from services.deduplicator.folding import IGNORED, SEPARATOR
from services.deduplicator.native import compiled, mix

DATE_SIGN = 1 << 16
"""Marks a number that is tied to the one before it, as the month of 5/4 is."""


@compiled
def _letter(point, table):
    """Return the folded letter of a UTF-16 code unit, SEPARATOR or IGNORED."""
    return np.uint64(table[point])


@compiled
def _add_letter(word, letter):
    """Return the hash of a word with one more letter; short to compute, to be mixed at the word's end."""
    return (word << np.uint64(9) | word >> np.uint64(55)) + letter * np.uint64(0x9E3779B97F4A7C15)


@compiled
def _find_words(points, table, words, ends):
    """Write the unmixed hash and the end of every run of letters and digits; return their number.

    Without branches, because the lengths of words cannot be predicted: more than twice as fast.
    """
    empty = np.uint64(0)
    separator = np.uint64(SEPARATOR)
    ignored = np.uint64(IGNORED)
    count = 0
    word = empty
    for i in range(points.size):
        letter = _letter(points[i], table)
        longer = _add_letter(word, letter)
        words[count] = word
        ends[count] = i
        count += int((letter == separator) & (word != empty))
        word = empty if letter == separator else (word if letter == ignored else longer)
    words[count] = word
    ends[count] = points.size
    return count + int(word != empty)


@compiled
def _read_number(points, table, start):
    """Return the unmixed hash of the number at `start` without leading zeros, and its value.

    The value is -1 if it has more than four digits, or letters.
    """
    word = np.uint64(0)
    value = 0
    for i in range(start, points.size):
        letter = _letter(points[i], table)
        if letter == np.uint64(SEPARATOR):
            break
        if letter == np.uint64(IGNORED):
            continue
        digit = np.uint64(48) <= letter <= np.uint64(57)
        if letter != np.uint64(48) or word != np.uint64(0):
            word = _add_letter(word, letter)
        value = value * 10 + int(letter) - 48 if digit and 0 <= value < 1000 else -1
    return word, value


@compiled
def split_words(points, table, words, ends, numbers, values):
    """Write the hash of each folded word of `points` to `words`; return how many there are, and numbers.

    A word is a run of letters and digits. One that starts with a digit is a number: it hashes by its value,
    and to an odd hash, other words to an even one. `numbers` lists the places of the numbers in `words`, and
    `values` what they are if they have at most four digits and nothing else, plus DATE_SIGN if one slash or
    hyphen ties them to a word before; else -1. Numbers that do not fit in there are not listed.
    """
    count = _find_words(points, table, words, ends)
    for i in range(count):
        words[i] = mix(words[i]) & ~np.uint64(1)
    found = 0
    start = 0
    for i in range(count):
        first = _letter(points[start], table)
        while first <= np.uint64(IGNORED):
            start += 1
            first = _letter(points[start], table)
        if np.uint64(48) <= first <= np.uint64(57):
            word, value = _read_number(points, table, start)
            words[i] = mix(word) | np.uint64(1)
            if found < numbers.size:
                if value >= 0 and start >= 2 and _letter(points[start - 2], table) != np.uint64(SEPARATOR):
                    sign = points[start - 1]
                    value += DATE_SIGN if sign == 0x2F or sign == 0x2D else 0
                numbers[found] = i
                values[found] = value
                found += 1
        start = ends[i]
    return count, found


@compiled
def phrase(words, count):
    """Return the hash of a sequence of words; 0 for none."""
    total = np.uint64(0)
    for i in range(count):
        total = mix(total * np.uint64(31) + words[i])
    return total


@compiled
def month_word():
    """Return the hash of `thang`, the word between day and month of a date in words."""
    word = np.uint64(0)
    for letter in (116, 104, 97, 110, 103):
        word = _add_letter(word, np.uint64(letter))
    return mix(word) & ~np.uint64(1)
