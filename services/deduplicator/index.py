"""What is remembered of one edition's articles: compact rows, in segments that expire whole.

A segment holds articles of a quarter of the window, one after another until it is full. It has four arrays:
fixed-size rows, the sampled shingles and ids that the rows point to, and two hash tables of 32-bit entries
(18 bits of row number and 14 bits of the key, which the row then confirms): `postings` finds rows by shingle,
`names` by key. Nothing is ever deleted from a table or moved; an old segment is dropped as a whole. So no
article waits while others are tidied up.

Compiled code must reach all segments in one call, so it gets a table of their addresses. Only `Index` and
the functions here handle addresses: `Index` keeps every array alive as long as its address is listed, and
replaces the address whenever it replaces the array.
"""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numba
import numpy as np
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from services.deduplicator.sketch import INDEXED, U32, Signature, compiled, mix

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

MIN_ROWS, MAX_ROWS = 512, 1 << 17
"""Rows in a segment; 18 bits hold the largest number plus one."""

ROW_WORDS = 68
"""Words for the samples, figures and ids of a usual row. With longer ones a segment is full earlier."""

NEWEST = 64
"""Rows listed for one shingle in a segment; older ones make room. Bounds the cost of boilerplate."""

ROW_BITS = 18
ROW_MASK = (1 << ROW_BITS) - 1
_LOAD = 0.7
"""Share of a table in use at which its segment is full."""

_NAMES = 4
"""Keys under which a row is listed at most: id, delivery, URL, content."""

# Columns of the table of segments.
_ROWS_AT, _WORDS_AT, _POSTINGS_AT, _NAMES_AT, _COUNT, _POSTINGS_SIZE, _NAMES_SIZE, _WORDS_SIZE = range(8)


if TYPE_CHECKING:

    def _pointer(address: Any) -> Any: ...
    def _array(pointer: Any, shape: tuple[Any], dtype: Any) -> U32: ...
else:
    _array = numba.carray

    @intrinsic
    def _pointer(typing_context, address):
        """Make a pointer of an address."""

        def generate(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], cgutils.voidptr_t)

        return numba.types.voidptr(numba.types.intp), generate


@compiled
def rows_of(table, segment):
    """Return the rows of a segment as a flat array."""
    return _array(_pointer(table[segment, _ROWS_AT]), (table[segment, _COUNT] * ROW,), np.uint32)


@compiled
def words_of(table, segment):
    """Return the samples, figures and ids that a segment's rows point to."""
    return _array(_pointer(table[segment, _WORDS_AT]), (table[segment, _WORDS_SIZE],), np.uint32)


@compiled
def postings_of(table, segment):
    """Return a segment's table of rows by shingle."""
    return _array(_pointer(table[segment, _POSTINGS_AT]), (table[segment, _POSTINGS_SIZE],), np.uint32)


@compiled
def _names_of(table, segment):
    return _array(_pointer(table[segment, _NAMES_AT]), (table[segment, _NAMES_SIZE],), np.uint32)


@compiled
def key_at(rows, at):
    """Return the 64-bit key at an offset of the flat rows."""
    return np.uint64(rows[at]) | np.uint64(rows[at + 1]) << np.uint64(32)


@compiled
def flags_at(rows, row):
    """Return the flags of a row."""
    return rows[row * ROW + SIZES] >> np.uint32(16)


@compiled
def content_key(content, length, title):
    """Return the CONTENT key of a text: 0 for an empty one, together with its title for a short one."""
    if length == 0:
        return np.uint64(0)
    if length >= SHORT:
        return content
    return mix(content + np.uint64(title) * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)


@compiled
def place(hashed, size):
    """Return where a hash belongs in a table of any size (Lemire's multiply-shift)."""
    return np.int64((hashed >> np.uint64(32)) * np.uint64(size) >> np.uint64(32))


@compiled
def tag(hashed):
    """Return the part of a hash that a table entry repeats, already in its place."""
    return np.uint32(hashed & np.uint64(0x3FFF)) << np.uint32(ROW_BITS)


@compiled
def _post(postings, value, row):
    """List `row` under a shingle. Returns 1 if the table grew, 0 if the oldest of NEWEST made room."""
    hashed = mix(np.uint64(value))
    at = place(hashed, postings.size)
    mark = tag(hashed)
    entry = mark | np.uint32(row + 1)
    same = 0
    oldest = at
    while postings[at] != 0:
        if postings[at] & np.uint32(~ROW_MASK & 0xFFFFFFFF) == mark:
            if same == 0 or postings[at] < postings[oldest]:
                oldest = at
            same += 1
        at += 1
        if at == postings.size:
            at = 0
    if same >= NEWEST:
        postings[oldest] = entry
        return 0
    postings[at] = entry
    return 1


@compiled
def _name(rows, names, field, row):
    """List `row` under its key in `field`. Returns 1 if the table grew.

    A later row replaces an earlier one, except that equal content stays with the first that still counts.
    """
    key = key_at(rows, row * ROW + field)
    if key == np.uint64(0):
        return 0
    hashed = mix(key + np.uint64(field))
    at = place(hashed, names.size)
    mark = tag(hashed)
    while names[at] != 0:
        if names[at] & np.uint32(~ROW_MASK & 0xFFFFFFFF) == mark:
            other = np.int64(names[at] & np.uint32(ROW_MASK)) - 1
            if key_at(rows, other * ROW + field) == key:
                if field != CONTENT or flags_at(rows, other) & np.uint32(GONE):
                    names[at] = mark | np.uint32(row + 1)
                return 0
        at += 1
        if at == names.size:
            at = 0
    names[at] = mark | np.uint32(row + 1)
    return 1


@compiled
def _post_row(rows, words, postings, row):
    """List a row under those of its samples that are indexed. Returns how many entries that took."""
    at = row * ROW
    size = np.int64(rows[at + SIZES] & np.uint32(0xFF))
    start = np.int64(rows[at + OFFSET])
    grown = 0
    for i in range(start, start + size):
        if words[i] <= rows[at + INDEX_TOP]:
            grown += _post(postings, words[i], row)
    return grown


@compiled
def _name_row(rows, names, row):
    """List a row under its keys. Returns how many entries that took."""
    grown = _name(rows, names, ID, row) + _name(rows, names, DELIVERY, row) + _name(rows, names, URL, row)
    if not flags_at(rows, row) & np.uint32(GONE):
        grown += _name(rows, names, CONTENT, row)
    return grown


@compiled
def find_row(table, first, last, field, key):
    """Return `segment << 18 | row` of the newest row with this key in segments first..last-1, or -1.

    For CONTENT the oldest that is not gone; for URL none if the newest has been replaced: the article moved.
    """
    hashed = mix(key + np.uint64(field))
    mark = tag(hashed)
    for step in range(first, last):
        segment = step if field == CONTENT else last - 1 - (step - first)
        names = _names_of(table, segment)
        rows = rows_of(table, segment)
        at = place(hashed, names.size)
        while names[at] != 0:
            if names[at] & np.uint32(~ROW_MASK & 0xFFFFFFFF) == mark:
                row = np.int64(names[at] & np.uint32(ROW_MASK)) - 1
                if key_at(rows, row * ROW + field) == key:
                    flags = flags_at(rows, row)
                    if field == CONTENT and flags & np.uint32(GONE):
                        break
                    if field == URL and flags & np.uint32(REPLACED):
                        return -1
                    return segment << ROW_BITS | row
            at += 1
            if at == names.size:
                at = 0
    return -1


@compiled
def find_article(table, first, last, id_key, url_key):
    """Return the newest row of an article by its id or else by its address, or -1; see `find_row`."""
    found = find_row(table, first, last, ID, id_key)
    if found < 0 and url_key != np.uint64(0):
        found = find_row(table, first, last, URL, url_key)
    return found


@compiled
def _append(rows, words, postings, names, count, used, row, row_words):
    """Store a row and what it points to, and list it. Returns the entries taken in both tables."""
    rows[count * ROW : (count + 1) * ROW] = row
    words[used : used + row_words.size] = row_words
    return _post_row(rows, words, postings, count), _name_row(rows, names, count)


@dataclass(slots=True)
class _Segment:
    """The articles applied in one span of time."""

    span: int
    rows: U32
    words: U32
    postings: U32
    names: U32
    count: int = 0
    words_used: int = 0
    postings_used: int = 0
    names_used: int = 0

    @property
    def nbytes(self) -> int:
        return self.rows.nbytes + self.words.nbytes + self.postings.nbytes + self.names.nbytes


def _new_segment(span: int, rows: int, words: int) -> _Segment:
    """Return a segment for so many rows of the usual size, with room for `words` in any case."""
    return _Segment(
        span=span,
        rows=np.empty(rows * ROW, np.uint32),
        words=np.empty(max(rows * ROW_WORDS, words), np.uint32),
        postings=np.zeros(int(rows * INDEXED / _LOAD) + 1, np.uint32),
        names=np.zeros(int(rows * _NAMES / _LOAD) + 1, np.uint32),
    )


class Stored(NamedTuple):
    """A row, read back. Keys are 64-bit hashes, 0 for none; the other fields are those of a signature."""

    reference: int
    article_id: str
    of: str
    """Id of the original, empty if the article is no copy."""
    id_key: int
    url_key: int
    content: int
    state: int
    delivery: int
    root: int
    """Id key of the original, 0 if the article is no copy."""
    series: int
    title_bits: int
    title: int
    start: int
    last: int
    top: int
    index_top: int
    size: int
    flags: int
    version: int
    order: int
    """Rank by first decision; a new version keeps it."""
    serial: int
    """Rank by last decision."""


_KEYS = struct.Struct("<7Q")
_READ = struct.Struct("<8Q12I")
_TAIL = struct.Struct("<6I")
_OF_ROW = 4 * ROW


class Index:
    """The rows of one edition, found by key or by shingle."""

    def __init__(self, span: int) -> None:
        """Start with one empty segment for time span number `span`."""
        self.segments = [_new_segment(span, MIN_ROWS, 0)]
        self.table: NDArray[np.intp] = np.zeros((1, 8), np.intp)
        self._relist()

    @property
    def entries(self) -> int:
        """Rows held, those of earlier versions and withdrawn articles included."""
        return sum(segment.count for segment in self.segments)

    @property
    def memory_bytes(self) -> int:
        """Bytes allocated."""
        return self.table.nbytes + sum(segment.nbytes for segment in self.segments)

    @property
    def longest_probe(self) -> int:
        """Slots of a shingle table that one look-up reads at most: neighbours in use."""
        gaps = (np.diff(np.flatnonzero(one.postings == 0), prepend=-1) for one in self.segments)
        return max(int(gap.max(initial=1)) - 1 for gap in gaps)

    def _relist(self) -> None:
        """Write down where every segment's arrays are."""
        if len(self.table) != len(self.segments):
            self.table = np.zeros((len(self.segments), 8), np.intp)
        for row, segment in zip(self.table, self.segments, strict=True):
            arrays = (segment.rows, segment.words, segment.postings, segment.names)
            row[:4] = [array.ctypes.data for array in arrays]
            row[4:] = (segment.count, segment.postings.size, segment.names.size, segment.words.size)

    def open_span(self, span: int) -> None:
        """Let later rows go to a new segment, as large as the span before turned out."""
        last = self.segments[-1]
        expected = sum(segment.count for segment in self.segments if segment.span == last.span)
        self._open(span, expected + expected // 32, 0)

    def _open(self, span: int, rows: int, words: int) -> None:
        rows = min(MAX_ROWS, max(MIN_ROWS, rows))
        last = self.segments[-1]
        last.rows.resize(last.count * ROW, refcheck=False)  # no view of them outlives a call
        last.words.resize(last.words_used, refcheck=False)
        self.segments.append(_new_segment(span, rows, words))
        self._relist()

    def drop(self, number: int) -> None:
        """Forget the `number` oldest segments, all but the last at most."""
        if number > 0:
            del self.segments[: min(number, len(self.segments) - 1)]
            self._relist()

    def find_article(self, id_key: int, url_key: int, first: int = 0) -> int:
        """Return the reference of an article's current row by its id or else its address; -1 if none."""
        return int(find_article(self.table, first, len(self.segments), np.uint64(id_key), np.uint64(url_key)))

    def find(self, field: int, key: int, first: int = 0) -> int:
        """Return the reference of the row with this key, not looking before segment `first`; -1 if none."""
        return int(find_row(self.table, first, len(self.segments), field, np.uint64(key)))

    def add(
        self,
        article_id: str,
        of: str,
        keys: tuple[int, int, int, int, int, int, int],
        signature: Signature,
        flags: int,
        version: int,
        order: int,
        serial: int,
    ) -> None:
        """Store the newest row; `keys` are those of id, URL, content, state, delivery, root and series."""
        own_name, of_name = article_id.encode("utf-8", "surrogatepass"), of.encode("utf-8", "surrogatepass")
        names = own_name + of_name
        words = np.frombuffer(signature.for_words + names + b"\0" * (-len(names) % 4), np.uint32)
        segment = self._with_room(words.size)
        sizes = signature.samples | signature.figures << 8 | flags << 16
        lengths = len(own_name) | len(of_name) << 16
        tail = _TAIL.pack(segment.words_used, sizes, version, order, serial, lengths)
        row = np.frombuffer(_KEYS.pack(*keys) + signature.for_row + tail, np.uint32)
        posted, named = _append(
            segment.rows,
            segment.words,
            segment.postings,
            segment.names,
            segment.count,
            segment.words_used,
            row,
            words,
        )
        segment.count += 1
        segment.words_used += words.size
        segment.postings_used += posted
        segment.names_used += named
        self.table[-1, _COUNT] = segment.count

    def _with_room(self, words: int) -> _Segment:
        """Return the segment for one more row with so many words.

        A full segment is never enlarged, which would take time that grows with it: the rest of its span goes
        to further ones, each a third of what the span has so far.
        """
        segment = self.segments[-1]
        if (
            (segment.count + 1) * ROW > segment.rows.size
            or segment.words_used + words > segment.words.size
            or segment.postings_used + INDEXED > _LOAD * segment.postings.size
            or segment.names_used + _NAMES > _LOAD * segment.names.size
        ):
            held = sum(one.count for one in self.segments if one.span == segment.span)
            self._open(segment.span, held // 3, words)
        return self.segments[-1]

    def flag(self, reference: int, flag: int) -> None:
        """Set a flag of a row."""
        segment = self.segments[reference >> ROW_BITS]
        segment.rows[(reference & ROW_MASK) * ROW + SIZES] |= np.uint32(flag << 16)

    def stored(self, reference: int) -> Stored:
        """Return the row at a reference, as `find` gives it."""
        segment = self.segments[reference >> ROW_BITS]
        fields: tuple[int, ...] = _READ.unpack_from(segment.rows.data, (reference & ROW_MASK) * _OF_ROW)
        offset, sizes, version, order, serial, names = fields[14:]
        start = 4 * (offset + (sizes & 0xFF) + (sizes >> 8 & 0xFF))
        own, of = names & 0xFFFF, names >> 16
        text = bytes(segment.words.data.cast("B")[start : start + own + of])
        ids = (text[:own].decode("utf-8", "surrogatepass"), text[own:].decode("utf-8", "surrogatepass"))
        return Stored._make((reference, *ids, *fields[:14], sizes >> 16, version, order, serial))
