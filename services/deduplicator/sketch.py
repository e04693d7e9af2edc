"""What is remembered of a text in order to recognize it: a bounded sample of its shingles and figures.

The text is folded, split into syllables, and every number is replaced by one sign, so that the text of a
bulletin series is the same in each issue. Of all runs of five syllables the 48 with the smallest hash are
kept (bottom-k sampling, Broder 1997): whatever their length, two texts keep the same runs of what they
share, so the share of common runs estimates containment and Jaccard similarity in both directions. The
figures are kept apart, each with the two words before it.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numpy.typing import NDArray

from services.deduplicator.folding import IGNORED, SEPARATOR, folding_table

if TYPE_CHECKING:
    from collections.abc import Callable

U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]

SHINGLE = 5
"""Syllables in a shingle: shorter ones meet by chance in Vietnamese, longer ones break at every edit."""

SAMPLES = 48
"""Shingles kept: a containment of 0.8 is estimated with a standard error of 0.06."""

INDEXED = 20
"""Of these the smallest, by which the text is found. A third of a text still shares about seven."""

FIGURES = 16
"""Figures kept, those with the smallest hash of the context."""

MAX_CHARACTERS = 200_000
"""What follows is not looked at (some 45,000 syllables): bounds the time for hostile input."""

MAX_FIGURES = 2048
"""Figures of a new text that are compared with the kept ones of an earlier one."""

DATES = 4
"""Different dates kept of a text, as part of the figures."""

IN_TITLE = 0xFFFFFFFF
"""Place of a figure that stands in the title."""

DATE_SIGN = 1 << 16
"""Marks a number that is tied to the one before it, as the month of 5/4 is."""

_ALL = 0xFFFFFFFF

SIGNATURE_HEAD = 10
"""32-bit words of a signature before the samples."""

_FORMAT = 1
"""First byte of a signature: how to read it."""

if TYPE_CHECKING:

    def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function` compiled on its first call; the result is kept on disk."""
else:
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


@compiled
def mix(x):
    """Return a well-distributed 64-bit hash of a 64-bit word (splitmix64, Steele et al. 2014)."""
    x = np.uint64(x)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


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
        else:
            words[i] = mix(words[i]) & ~np.uint64(1)
        start = ends[i]
    return count, found


@compiled
def _phrase(words, count):
    """Return the hash of a sequence of words; 0 for none."""
    total = np.uint64(0)
    for i in range(count):
        total = mix(total * np.uint64(31) + words[i])
    return total


@compiled
def _month_word():
    """Return the hash of `thang`, the word between day and month of a date in words."""
    word = np.uint64(0)
    for letter in (116, 104, 97, 110, 103):
        word = _add_letter(word, np.uint64(letter))
    return mix(word) & ~np.uint64(1)


@compiled
def _collect_dates(words, count, numbers, values, figures):
    """Write the different dates of a text, such as 5/4 and "5 tháng 4", to `figures`; return their number.

    A date is a figure with context 0, its occurrence the order of first mention, at most DATES of them.
    """
    found = 0
    merged = 0
    month_word = _month_word()
    for k in range(numbers.size - 1):
        i = numbers[k]
        merged += int(k > 0 and numbers[k - 1] == i - 1)
        day = values[k] % DATE_SIGN
        month = -1
        if values[k] < 0 or not 1 <= day <= 31 or found == DATES:
            continue
        if numbers[k + 1] == i + 1 and values[k + 1] >= DATE_SIGN:
            month = values[k + 1] - DATE_SIGN
        elif numbers[k + 1] == i + 2 and words[i + 1] == month_word:
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
def _collect_figures(words, numbers, salt, figures, found):
    """Append every number to `figures` and return how many there are now.

    A figure is 32 bits: 13 of its context, which is the two words before it and its place in a run of
    numbers; 5 of how often that context occurred before; 14 of its value. So the third temperature of a
    forecast can be compared with the third of the next one. The lower half says where it stands: the number
    of the shingle that begins with it, IN_TITLE for all of the title.
    """
    seen = np.zeros(_power_of_two(2 * numbers.size), np.uint64)
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
def order_of_context(context):
    """Return the rank by which contexts are kept: those with the smallest hash, dates first."""
    return mix(np.uint64(context)) >> np.uint64(32) if context > 0 else np.uint64(0)


@compiled
def _sample_figures(figures):
    """Return FIGURES of them, ascending: the dates, then all those of the contexts that come first."""
    kept = np.empty(min(figures.size, FIGURES), np.uint32)
    if figures.size <= FIGURES:
        for i in range(figures.size):
            kept[i] = np.uint32(figures[i] >> np.uint64(32))
        return kept
    order = np.empty(figures.size, np.uint64)
    for i in range(figures.size):
        figure = figures[i] >> np.uint64(32)
        order[i] = order_of_context(figure >> np.uint64(19)) << np.uint64(32) | figure
    order.sort()
    for i in range(kept.size):
        kept[i] = np.uint32(order[i] & np.uint64(_ALL))
    return np.sort(kept)


@compiled
def _sort_evenly(keys, highest):
    """Return 64-bit keys in ascending order, quickly if their upper halves spread evenly over 0..highest."""
    counts = np.zeros(keys.size + 1, np.int64)
    for key in keys:
        counts[np.int64(key >> np.uint64(32)) * keys.size // (highest + 1)] += 1
    total = 0
    for i in range(counts.size):
        counts[i], total = total, total + counts[i]
    placed = np.empty(keys.size, np.uint64)
    for key in keys:
        bucket = np.int64(key >> np.uint64(32)) * keys.size // (highest + 1)
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
def _smallest(shingles, wanted):
    """Return `value << 32 | position` of the `wanted` smallest distinct shingles, smallest first.

    Position is that of the first occurrence. Of a long text only a part is looked at.
    """
    count = shingles.size
    limit = np.uint64(_ALL)
    if count > 2 * wanted:
        limit = np.uint64(np.float64(_ALL) * (1.5 * wanted) / count)
    while True:
        some = np.empty(count + 1, np.uint64)
        size = 0
        for i in range(count):  # without a branch: which ones are small cannot be predicted
            some[size] = np.uint64(shingles[i]) << np.uint64(32) | np.uint64(i)
            size += int(np.uint64(shingles[i]) <= limit)
        some = _sort_evenly(some[:size], np.int64(limit))
        distinct = 0
        for i in range(size):
            if distinct == 0 or some[i] >> np.uint64(32) != some[distinct - 1] >> np.uint64(32):
                some[distinct] = some[i]
                distinct += 1
                if distinct == wanted:
                    break
        if distinct == wanted or limit == np.uint64(_ALL):
            return some[:distinct]
        limit = min(limit * np.uint64(8), np.uint64(_ALL))


@compiled
def _count_distinct(shingles):
    """Return how many different shingles there are, by linear counting (Whang et al. 1990).

    In a bitmap of 64 to 128 bits a shingle the standard error is below 1 %; without a branch it takes a
    third of the time of exact counting.
    """
    size = _power_of_two(64 * shingles.size)
    bits = np.zeros(size >> 6, np.uint64)
    taken = 0
    for i in range(shingles.size):
        at = np.int64(shingles[i]) & (size - 1)
        mask = np.uint64(1) << np.uint64(at & 63)
        taken += int(bits[at >> 6] & mask == np.uint64(0))
        bits[at >> 6] |= mask
    return taken + (taken * taken + size) // (2 * size)  # -size * log(1 - taken / size), near enough


@compiled
def first_occurrences(shingles):
    """Mark the shingles that did not occur before in the text."""
    size = _power_of_two(3 * shingles.size)
    slots = np.zeros(size, np.int32)
    first = np.zeros(shingles.size, np.bool_)
    for i in range(shingles.size):
        at = np.int64(shingles[i]) & (size - 1)  # they are hashes already
        while slots[at] != 0 and shingles[slots[at] - 1] != shingles[i]:
            at = (at + 1) & (size - 1)
        if slots[at] == 0:
            slots[at] = i + 1
            first[i] = True
    return first


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
    power = np.uint64(1)
    total = np.uint64(0)
    for i in range(min(size, SHINGLE - 1)):
        total = total * base + words[i]
        power *= base
    for i in range(shingles.size):
        total = total * base + words[i + SHINGLE - 1]
        shingles[i] = np.uint32(mix(total) >> np.uint64(32))
        total -= words[i] * power
    return shingles


@compiled
def make_sketch(points, title_end, table):
    """Return the signature of an article, all shingles of its text in order, and all figures.

    `points` are the UTF-16 units of the title, up to `title_end`, and of the text; `table` folds them. The
    figures are ascending: 13 bits of the context, 5 of its occurrence, 14 of the value, 32 of its place.
    """
    title, text = points[:title_end], points[title_end:]
    longest = max(title.size, text.size) // 2 + 2
    words = np.empty(longest, np.uint64)
    ends = np.empty(longest, np.int32)
    numbers = np.empty(min(longest, MAX_FIGURES), np.int32)
    values = np.empty(numbers.size, np.int32)
    head = np.zeros(SIGNATURE_HEAD, np.uint32)

    count, amount = split_words(title, table, words, ends, numbers, values)
    figures = np.empty(2 * numbers.size + DATES, np.uint64)
    for i in range(count):
        if words[i] & np.uint64(1) == np.uint64(0):
            bit = words[i] >> np.uint64(58)
            head[1 + np.int64(bit >> np.uint64(5))] |= np.uint32(1) << np.uint32(bit & np.uint64(31))
    head[3] = np.uint32(_phrase(words, count) & np.uint64(_ALL))
    found = _collect_figures(words, numbers[:amount], 1, figures, DATES)

    count, amount = split_words(text, table, words, ends, numbers, values)
    found = _collect_figures(words, numbers[:amount], 2, figures, found)
    dates = _collect_dates(words, count, numbers[:amount], values, figures)
    for i in range(DATES, found):
        figures[dates + i - DATES] = figures[i]
    figures = np.sort(figures[: found + dates - DATES])

    shingles = _make_shingles(words, count)
    smallest = _smallest(shingles, SAMPLES)
    head[6] = np.uint32(_ALL)
    head[7] = np.uint32(_ALL)
    if smallest.size == SAMPLES:
        head[6] = np.uint32(smallest[SAMPLES - 1] >> np.uint64(32))
    if smallest.size >= INDEXED:
        head[7] = np.uint32(smallest[INDEXED - 1] >> np.uint64(32))
    head[8] = np.uint32(smallest.size if smallest.size < SAMPLES else _count_distinct(shingles))
    head[9] = np.uint32(count)
    if shingles.size > 0:
        head[4] = shingles[0]
        head[5] = shingles[shingles.size - 1]

    for i in range(smallest.size):  # to the order of the text
        smallest[i] = smallest[i] << np.uint64(32) | smallest[i] >> np.uint64(32)
    smallest = _sort_evenly(smallest, shingles.size)
    kept = _sample_figures(figures)
    signature = np.empty(SIGNATURE_HEAD + smallest.size + kept.size, np.uint32)
    head[0] = np.uint32(_FORMAT | smallest.size << 8 | kept.size << 16)
    signature[:SIGNATURE_HEAD] = head
    for i in range(smallest.size):
        signature[SIGNATURE_HEAD + i] = np.uint32(smallest[i] & np.uint64(_ALL))
    signature[SIGNATURE_HEAD + smallest.size :] = kept
    return signature, shingles, figures


@compiled
def _power_of_two(least):
    """Return the smallest power of two from 64 on that is not below `least`."""
    size = 64
    while size < least:
        size *= 2
    return size


class Signature:
    """What a record carries of its text, and all that the index keeps of it.

    Little-endian 32-bit words: format and counts, title_bits (two), title, start, last, top, index_top, size,
    length, the samples in the order of the text, and the figures, ascending.
    """

    __slots__ = ("packed",)

    def __init__(self, packed: bytes) -> None:
        """Wrap packed words; `from_text` checks them first."""
        self.packed = packed

    @property
    def samples(self) -> int:
        """How many of the smallest distinct shingles are kept."""
        return self.packed[1]

    @property
    def figures(self) -> int:
        """How many figures are kept."""
        return self.packed[2]

    @property
    def title_bits(self) -> int:
        """64-bit set: one bit for each word of the title that is no number."""
        return int.from_bytes(self.packed[4:12], "little")

    @property
    def title(self) -> int:
        """Hash of the folded title, 0 if it has no word."""
        return int.from_bytes(self.packed[12:16], "little")

    @property
    def size(self) -> int:
        """Distinct shingles of the text."""
        return int.from_bytes(self.packed[32:36], "little")

    @property
    def length(self) -> int:
        """Words of the text."""
        return int.from_bytes(self.packed[36:40], "little")

    @property
    def for_row(self) -> bytes:
        """The part from `title_bits` to `size`."""
        return self.packed[4:36]

    @property
    def for_words(self) -> bytes:
        """The samples and figures."""
        return self.packed[4 * SIGNATURE_HEAD :]


EMPTY = Signature(b"\0" * (4 * SIGNATURE_HEAD))
"""The signature of a withdrawn article."""


def to_text(packed: bytes) -> str:
    """Return a packed signature as it is published: Base64."""
    return binascii.b2a_base64(packed, newline=False).decode()


def code_units(title: str, text: str) -> tuple[NDArray[np.uint16], int]:
    """Return the UTF-16 code units of a title and a text, cut to MAX_CHARACTERS, and where the text begins.

    What UTF-16 writes with two units is no letter to the folding table, so that one unit is enough.
    """
    first = title[:MAX_CHARACTERS].encode("utf-16-le", "surrogatepass")
    second = text[:MAX_CHARACTERS].encode("utf-16-le", "surrogatepass")
    return np.frombuffer(first + second, np.uint16), len(first) // 2


def sketch(title: str, text: str) -> Signature:
    """Return the signature of an article, whatever its Unicode form."""
    words, *_ = make_sketch(*code_units(title, text), folding_table())
    return Signature(words.tobytes())


def from_text(text: str) -> Signature:
    """Return the signature that a record carries; empty text is that of a withdrawn article.

    Raises ValueError for anything that `to_text` does not write.
    """
    if not text:
        return EMPTY
    packed = binascii.a2b_base64(text, strict_mode=True)
    if len(packed) < 4 * SIGNATURE_HEAD or packed[0] != _FORMAT or packed[3]:
        raise ValueError("not a signature of this version")
    signature = Signature(packed)
    if signature.samples > SAMPLES or signature.figures > FIGURES:
        raise ValueError("a signature with too many samples")
    if len(packed) != 4 * (SIGNATURE_HEAD + signature.samples + signature.figures):
        raise ValueError("a signature of the wrong length")
    return signature
