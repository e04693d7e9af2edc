"""Sparse vectors of Vietnamese text: folded syllables and their pairs, hashed, weighted by rarity.

A term is a syllable without diacritics (as in `services.runtime.text.syllables`) or a pair of
neighbours, hashed into 2**20 buckets. Its weight is (1 + ln tf) times the background weight of the
bucket. A vector has unit length, keeps its heaviest terms only, and travels in a record as one unsigned
32-bit number per term: 20 bits of term and 12 bits of weight. What is compared is always what was
published: a vector is packed and unpacked before anything is computed with it.
"""

from __future__ import annotations

import base64
import binascii
import math
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import accumulate
from pathlib import Path

import numba
import numpy as np
import numpy.typing as npt

from services.clusterer.sparse import inner
from services.runtime.text import fold

TERM_BITS = 20
WEIGHT_BITS = 12
BUCKETS = 1 << TERM_BITS
_TOP_WEIGHT = (1 << WEIGHT_BITS) - 1

TITLE_REPEATS = 3
"""A title counts like three mentions in the text."""

MOST_CHARACTERS = 16_000
"""What a text says after this many characters no longer moves its vector: bounds the time per article."""

REMEMBERED_NAMES = 50_000
"""Names and numbers whose rarity is kept at hand: the same ones come again and again."""

REMEMBERED_VECTORS = 4096
"""Vectors kept at hand after they were written to a record or read from one: a story that grows is read again
and again."""

Points = npt.NDArray[np.uint32]
Terms = npt.NDArray[np.uint32]
Weights = npt.NDArray[np.float32]

FEW = 128
"""So few terms are sorted faster by comparing than by counting."""

_SKIP = 0xFFFFFFFF

_GROWN = np.array([0.0, *(1.0 + math.log(often) for often in range(1, TITLE_REPEATS * MOST_CHARACTERS))])
"""1 + ln tf, by how often a term stands in an article: a logarithm takes longer than to look it up."""


class Vector:
    """A unit vector: `terms` ascending and distinct, `weights` of the same length."""

    __slots__ = ("packed", "terms", "weights")

    def __init__(self, packed: npt.NDArray[np.uint32]) -> None:
        self.packed = packed
        self.terms: Terms = packed >> np.uint32(WEIGHT_BITS)
        self.weights: Weights = unit((packed & np.uint32(_TOP_WEIGHT)).astype(np.float32))

    def __len__(self) -> int:
        return len(self.terms)


def unit(weights: Weights) -> Weights:
    """Return `weights` scaled to unit length; a zero vector stays as it is."""
    length = math.sqrt(np.dot(weights, weights))
    return weights / np.float32(length) if length else weights


def pack(terms: Terms, weights: Weights) -> Vector:
    """Return the vector of ascending `terms` and `weights` within 0..1, rounded as it is published.

    Terms whose weight rounds to nothing are dropped.
    """
    return Vector(_packed(terms, weights))


@numba.njit(cache=True)
def _packed(terms, weights):  # type: ignore[no-untyped-def]
    packed = np.empty(len(terms), dtype=np.uint32)
    kept = 0
    for i in range(len(terms)):
        level = min(np.rint(weights[i] * np.float32(_TOP_WEIGHT)), np.float32(_TOP_WEIGHT))
        packed[kept] = (terms[i] << np.uint32(WEIGHT_BITS)) | np.uint32(level)
        kept += level > 0
    return packed[:kept].copy()


_at_hand: OrderedDict[str, Vector] = OrderedDict()
"""Vectors that were written to a record or read from one lately, by their text."""


def _kept_at_hand(text: str, vector: Vector) -> Vector:
    _at_hand[text] = vector
    if len(_at_hand) > REMEMBERED_VECTORS:
        _at_hand.popitem(last=False)
    return vector


def to_text(vector: Vector) -> str:
    """Return base64 of the little-endian packed numbers, as records carry it."""
    text = base64.b64encode(vector.packed.astype("<u4").tobytes()).decode("ascii")
    _kept_at_hand(text, vector)
    return text


def from_text(text: str) -> Vector:
    """Return the vector of a record. Raises ValueError if `text` is not one."""
    if text in _at_hand:
        return _at_hand[text]
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not a packed vector") from error
    if len(data) % 4:
        raise ValueError("not a packed vector")
    return _kept_at_hand(text, Vector(np.frombuffer(data, dtype="<u4").astype(np.uint32)))


@cache
def fold_table() -> npt.NDArray[np.uint32]:
    """Return, for every code point of the basic plane, the letter or digit it folds to.

    0 stands for a separator, `_SKIP` for a combining mark. A code point that folds to several letters
    (a ligature) becomes the first of them: the vectorizer compares, it does not print.
    """
    table = np.zeros(0x10000, dtype=np.uint32)
    for point in range(0x10000):
        character = chr(point)
        if unicodedata.combining(character):
            table[point] = _SKIP
        elif character.isalnum():
            folded = fold(character)
            table[point] = ord(folded[0]) if folded else _SKIP
    return table


@numba.njit(cache=True)
def _hash_terms(points, table, repeats, terms, short, starts, ends):  # type: ignore[no-untyped-def]
    """Write the hashed syllables and pairs of `points`; return how many were written.

    `short` tells function words where no background is known: 1 for a syllable of up to three letters,
    4 for a pair of two such, less or 2..3 otherwise. `starts`, `ends`: where in `points` a term stands.
    """
    count = 0
    value = np.uint64(0)
    letters = 0
    start = 0
    previous = np.uint64(0)
    previous_short = 0
    previous_start = 0
    for i in range(len(points) + 1):
        code = np.uint32(0)
        if i < len(points):
            point = points[i]
            code = table[point] if point < 0x10000 else np.uint32(0)
        if code == np.uint32(0xFFFFFFFF):
            continue
        if code != 0:
            if letters == 0:
                value = np.uint64(0xCBF29CE484222325)
                start = i
            value = (value ^ np.uint64(code)) * np.uint64(0x100000001B3)
            letters += 1
            continue
        if letters == 0:
            continue
        is_short = 1 if letters <= 3 else 0
        mixed = value ^ (value >> np.uint64(29))
        mixed *= np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(32)
        for _ in range(repeats):
            terms[count] = np.uint32(mixed & np.uint64(0xFFFFF))
            short[count] = is_short
            starts[count] = start
            ends[count] = i
            count += 1
        if previous != 0:
            pair = (previous * np.uint64(0x9E3779B97F4A7C15)) ^ value
            pair ^= pair >> np.uint64(29)
            pair *= np.uint64(0x94D049BB133111EB)
            pair ^= pair >> np.uint64(32)
            for _ in range(repeats):
                terms[count] = np.uint32(pair & np.uint64(0xFFFFF))
                short[count] = 2 + is_short + previous_short
                starts[count] = previous_start
                ends[count] = i
                count += 1
        previous = value
        previous_short = is_short
        previous_start = start
        letters = 0
    return count


@numba.njit(cache=True)
def _rarity(term, short, background):  # type: ignore[no-untyped-def]
    if len(background):
        return background[term]
    return np.float32(0.25) if short == 1 else np.float32(0.5) if short == 4 else np.float32(1.0)


@numba.njit(cache=True)
def _rarest(points, table, background):  # type: ignore[no-untyped-def]
    """Return the largest weight of the syllables and pairs of `points`."""
    space = len(points) + 2
    terms = np.empty(space, dtype=np.uint32)
    short = np.empty(space, dtype=np.uint8)
    places = np.empty(space, dtype=np.int32)
    most = np.float32(0.0)
    for i in range(_hash_terms(points, table, 1, terms, short, places, places)):
        most = max(most, _rarity(terms[i], short[i], background))
    return most


@numba.njit(cache=True)
def _weighing(terms, background, least):  # type: ignore[no-untyped-def]
    """Return which terms weigh at least so much; none that is no bucket of the background."""
    found = np.zeros(len(terms), dtype=np.bool_)
    for i in range(len(terms)):
        found[i] = terms[i] < len(background) and background[terms[i]] >= least
    return found


@numba.njit(cache=True)
def _standing(points, table, terms):  # type: ignore[no-untyped-def]
    """Return term, start and end wherever one of `terms` (ascending) stands in `points`; pairs first."""
    room = 2 * (len(points) + 1)
    found = np.empty(room, dtype=np.uint32)
    short = np.empty(room, dtype=np.uint8)
    starts = np.empty(room, dtype=np.int32)
    ends = np.empty(room, dtype=np.int32)
    hits = np.empty((room, 3), dtype=np.int64)
    count = 0
    n = _hash_terms(points, table, 1, found, short, starts, ends)
    for pair in (True, False):
        for i in range(n):
            if (short[i] >= 2) != pair:
                continue
            at = np.searchsorted(terms, found[i])
            if at < len(terms) and terms[at] == found[i]:
                hits[count, 0] = found[i]
                hits[count, 1] = starts[i]
                hits[count, 2] = ends[i]
                count += 1
    return hits[:count]


@numba.njit(cache=True)
def _order(terms):  # type: ignore[no-untyped-def]
    """Return the positions of `terms` in ascending order, equal ones as they stand: two counting passes."""
    n = len(terms)
    if n < FEW:
        return np.argsort(terms, kind="mergesort").astype(np.int32)
    order = np.empty(n, dtype=np.int32)
    half = np.empty(n, dtype=np.int32)
    low = np.zeros(1025, dtype=np.int32)
    high = np.zeros(1025, dtype=np.int32)
    for term in terms:
        low[(term & 1023) + 1] += 1
        high[(term >> 10) + 1] += 1
    for digit in range(1024):
        low[digit + 1] += low[digit]
        high[digit + 1] += high[digit]
    for i in range(n):
        digit = terms[i] & 1023
        half[low[digit]] = i
        low[digit] += 1
    for at in half:
        digit = terms[at] >> 10
        order[high[digit]] = at
        high[digit] += 1
    return order


@numba.njit(cache=True)
def _weigh(terms, short, background, limit, counted):  # type: ignore[no-untyped-def]
    """Return the `limit` heaviest distinct terms and their weights, see `heaviest`.

    `counted`: a term's frequency matters, otherwise only its rarity does. What is kept is written at the
    end of what was kept before, and overwritten if it is not: a branch would be guessed wrong too often.
    """
    order = _order(terms)
    ascending = terms[order]
    starts = np.empty(len(terms) + 1, dtype=np.int32)
    n = 0
    for i in range(len(terms)):
        starts[n] = i
        n += i == 0 or ascending[i] != ascending[i - 1]
    starts[n] = len(terms)
    distinct = np.empty(n, dtype=np.uint32)
    weights = np.empty(n, dtype=np.float32)
    known = 0
    for i in range(n):
        term = ascending[starts[i]]
        rarity = _rarity(term, short[order[starts[i]]], background)
        distinct[known] = term
        weights[known] = np.float32(_GROWN[starts[i + 1] - starts[i]] * rarity) if counted else rarity
        known += rarity > 0
    return heaviest(distinct[:known], weights[:known], limit)


@numba.njit(cache=True)
def heaviest(ids, weights, limit):  # type: ignore[no-untyped-def]
    """Return the `limit` heaviest ids in the given order and their weights; of equal weights the first.

    Both arrays are overwritten; what is returned lies in them.
    """
    if len(ids) <= limit:
        return ids, weights
    least = np.partition(weights, len(ids) - limit)[len(ids) - limit]
    equal = limit - np.sum(weights > least)
    kept = 0
    for i in range(len(ids)):
        level = weights[i] == least
        keep = weights[i] > least or (level and equal > 0)
        ids[kept] = ids[i]
        weights[kept] = weights[i]
        kept += keep
        equal -= level
    return ids[:kept], weights[:kept]


@numba.njit(cache=True)
def _terms_of(head, repeats, body, table, background, limit, counted):  # type: ignore[no-untyped-def]
    """Return the heaviest terms of a title, counted `repeats` times, and a text, see `_weigh`."""
    room = 2 * (repeats * (len(head) + 1) + len(body) + 1)
    terms = np.empty(room, dtype=np.uint32)
    short = np.empty(room, dtype=np.uint8)
    places = np.empty(room, dtype=np.int32)
    n = _hash_terms(head, table, repeats, terms, short, places, places)
    n += _hash_terms(body, table, 1, terms[n:], short[n:], places, places)
    return _weigh(terms[:n], short[:n], background, limit, counted)


def cosines(vectors: Sequence[Vector]) -> list[list[float]]:
    """Return the cosine of every vector with every other one, 0..1, and 0 with itself."""
    bounds = np.array([*accumulate(map(len, vectors), initial=0)], dtype=np.int64)
    terms = np.concatenate([vector.terms for vector in vectors])
    weights = np.concatenate([vector.weights for vector in vectors])
    rows: list[list[float]] = _cosines(terms, weights, bounds).tolist()
    return rows


@numba.njit(cache=True)
def _cosines(terms, weights, bounds):  # type: ignore[no-untyped-def]
    count = len(bounds) - 1
    found = np.zeros((count, count))
    for a in range(count):
        for b in range(a):
            cosine = inner(terms, weights, bounds[a], bounds[a + 1], terms, weights, bounds[b], bounds[b + 1])
            found[a, b] = cosine
            found[b, a] = cosine
    return found


class Vectorizer:
    """Turns titles and texts into vectors with one edition's background weights.

    `background` holds the weight of every bucket, or is empty: then short syllables weigh less and
    nothing else is known (editions for which no background has been counted).
    """

    def __init__(self, background: npt.NDArray[np.float32]) -> None:
        if len(background) not in (0, BUCKETS):
            raise ValueError(f"background weights: expected {BUCKETS} numbers, found {len(background)}")
        self._background = background
        self._rarest = float(background.max()) if len(background) else 0.0
        self.rarity = lru_cache(maxsize=REMEMBERED_NAMES)(self._rarity)

    def vector(self, title: str, text: str, limit: int) -> Vector:
        """Return the vector of an article, at most `limit` terms."""
        head, body = points_of(title), points_of(text)
        distinct, weights = _terms_of(head, TITLE_REPEATS, body, fold_table(), self._background, limit, True)
        return pack(distinct, unit(weights))

    def title(self, title: str) -> tuple[Terms, Weights]:
        """Return the distinct terms of a title, ascending, and their background weights."""
        points = points_of(title)
        distinct, weights = _terms_of(
            points, 1, points[:0], fold_table(), self._background, len(points) + 2, False
        )
        return distinct, weights

    def rare(self, terms: Terms) -> npt.NDArray[np.bool_]:
        """Return which ids are terms as rare as terms never seen; none where no background is known."""
        found: npt.NDArray[np.bool_] = _weighing(terms, self._background, self._rarest)
        return found

    def _rarity(self, name: str) -> float:
        """Return the largest background weight among the terms of `name`, 0 where it has none."""
        return float(_rarest(points_of(name), fold_table(), self._background))

    def phrases(self, title: str, text: str, terms: Terms, most: int) -> list[str]:
        """Return, as they stand in `title` or `text`, up to `most` of `terms` (ascending), first come first.

        A syllable that is part of a phrase already returned is left out, so pairs win over their halves.
        """
        if not len(terms):
            return []
        whole = f"{title}\n{text}"
        normal = unicodedata.normalize("NFC", whole[:MOST_CHARACTERS])
        phrases: list[str] = []
        seen: set[int] = set()
        covered: set[str] = set()
        for term, start, end in _standing(points_of(whole), fold_table(), terms).tolist():
            phrase = " ".join(normal[start:end].split())
            if term in seen or phrase.casefold() in covered:
                continue
            seen.add(term)
            covered.update(word.casefold() for word in phrase.split())
            phrases.append(phrase)
            if len(phrases) == most:
                break
        return phrases


def points_of(text: str) -> Points:
    """Return the code points of a text's beginning, see MOST_CHARACTERS, in normal form C."""
    clean = unicodedata.normalize("NFC", text[:MOST_CHARACTERS])
    return np.frombuffer(clean.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def load_background(edition: str) -> npt.NDArray[np.float32]:
    """Return the background weights counted for `edition`, empty where none are shipped."""
    path = Path(__file__).parent / "data" / f"background_{edition}.npz"
    if not path.is_file():
        return np.zeros(0, dtype=np.float32)
    with np.load(path, allow_pickle=False) as stored:
        weights: npt.NDArray[np.float32] = stored["levels"].astype(np.float32) * np.float32(stored["step"])
    return weights
