"""What is remembered of one edition's articles: compact rows in chunks, and two tables that find them.

A chunk holds up to 512 articles, one after another, and is dropped as a whole once its span of time has
expired: fixed-size rows, and the sampled shingles, figures and ids that the rows point to. `postings` finds
rows by shingle, `names` by key (`services.deduplicator.table`). A row is never moved, and its number is its
reference: of the chunk, counted from the oldest one held, and of the row in it.

Compiled code must reach all chunks in one call, so it gets a table of their addresses. Only `Index`, `Table`
and the functions of `rows` handle addresses: whoever lists the address of an array keeps the array alive,
and replaces the address whenever it replaces the array.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.deduplicator.native import U32
from services.deduplicator.rows import (
    CHUNK_BITS,
    CHUNK_ROWS,
    ROW,
    ROW_WORDS,
    SIZES,
    append,
    find_row,
    move_names,
    move_postings,
)
from services.deduplicator.signature import INDEXED, Signature
from services.deduplicator.table import ARRAY_BYTES, ROW_BITS, ROW_MASK, Table

MAX_CHUNKS = (1 << ROW_BITS - CHUNK_BITS) - 64
"""Some two million rows; of more the oldest are dropped. So numbers come round only when what had them
before has been swept out of the tables."""

_POSTING_PARTS = 512
_NAME_PARTS = 128


@dataclass(slots=True)
class Chunk:
    """Up to CHUNK_ROWS articles applied in one span of time."""

    span: int
    rows: U32
    words: U32
    count: int = 0
    words_used: int = 0


class Stored(NamedTuple):
    """What decisions ask for of a row. Keys are 64-bit hashes, 0 for none; titles as in a signature."""

    reference: int
    article_id: str
    of: str
    """Id of the original, empty if the article is no copy."""
    id_key: int
    content: int
    state: int
    root: int
    """Id key of the original, 0 if the article is no copy."""
    series: int
    title_bits: int
    title: int
    flags: int
    version: int
    order: int
    """Rank by first decision; a new version keeps it."""
    serial: int
    """Rank by last decision."""


_ROW = struct.Struct("<7Q32s6I")
_READ = struct.Struct("<Q8xQQ8xQQQI20x6I")
"""What `Stored` has of a row; without the keys of URL and delivery, and START to SIZE."""


class Index:
    """The rows of one edition, found by key or by shingle."""

    def __init__(self, span: int) -> None:
        """Start with one empty chunk for time span number `span`."""
        self.postings = Table(_POSTING_PARTS)
        self.names = Table(_NAME_PARTS)
        self.chunks: list[Chunk] = []
        self.base = 0
        """Number of the first row held, modulo 2^21."""
        self.end = 0
        """Reference after that of the last row."""
        self._number = 0
        """How many chunks there were before the oldest one held."""
        self._span_number = 0
        """The same for the chunk with which the newest span began."""
        self._swept = self._sweeping = self._next_part = 0
        """Nothing is listed of the chunks before number `_swept`, nor of those before `_sweeping` in the
        parts before `_next_part`."""
        self._addresses: NDArray[np.intp] = np.zeros((16, 2), np.intp)
        self._low = 0
        self._full: NDArray[np.int64] = np.zeros(INDEXED, np.int64)
        self.places = (self.names.directory, self._addresses, 0)
        """What compiled code asks for to read rows: names, chunks, base."""
        self._open(span, 0)

    @property
    def entries(self) -> int:
        """Rows held, those of earlier versions and withdrawn articles included."""
        return sum(chunk.count for chunk in self.chunks)

    @property
    def memory_bytes(self) -> int:
        """Bytes allocated."""
        held = sum(chunk.rows.nbytes + chunk.words.nbytes + 2 * ARRAY_BYTES for chunk in self.chunks)
        return held + self._addresses.nbytes + self.postings.memory_bytes + self.names.memory_bytes

    @property
    def longest_probe(self) -> int:
        """Slots of a table that one look-up of a shingle reads at most."""
        return self.postings.farthest

    def open_span(self, span: int) -> None:
        """Let later rows go to chunks of a new span."""
        self._open(span, 0)
        self._span_number = self._number + len(self.chunks) - 1

    def _open(self, span: int, words: int) -> None:
        """Begin a chunk with room for a row with so many words in any case."""
        if self.chunks:
            last = self.chunks[-1]
            last.rows.resize(last.count * ROW, refcheck=False)  # no view of them outlives a call
            last.words.resize(last.words_used, refcheck=False)
            self._list(len(self.chunks) - 1)
        if len(self.chunks) == MAX_CHUNKS:
            self.drop(1)
        while self._number + len(self.chunks) - (1 << ROW_BITS - CHUNK_BITS) >= self._swept:
            self._sweep()
        rows = np.empty(CHUNK_ROWS * ROW, np.uint32)
        self.chunks.append(Chunk(span, rows, np.empty(max(CHUNK_ROWS * ROW_WORDS, words), np.uint32)))
        if self._low + len(self.chunks) > len(self._addresses):
            held = self._addresses[self._low :]
            self._addresses = np.zeros((2 * len(self.chunks), 2), np.intp)
            self._addresses[: len(held)] = held
            self._low = 0
        self._list(len(self.chunks) - 1)
        self.end = (len(self.chunks) - 1) << CHUNK_BITS

    def _list(self, number: int) -> None:
        chunk = self.chunks[number]
        self._addresses[self._low + number] = chunk.rows.ctypes.data, chunk.words.ctypes.data
        self._set_places()

    def _set_places(self) -> None:
        held = self._addresses[self._low : self._low + len(self.chunks)]
        self.places = (self.names.directory, held, self.base)

    def drop(self, number: int) -> None:
        """Forget the `number` oldest chunks, all but the last at most."""
        number = max(0, min(number, len(self.chunks) - 1))
        del self.chunks[:number]
        self._low += number
        self._number += number
        self.base = self._number << CHUNK_BITS & ROW_MASK
        self.end -= number << CHUNK_BITS
        self._set_places()

    def _sweep(self) -> None:
        """Sweep one part of a table, if anything has been dropped."""
        if self._next_part == 0:
            if self._swept == self._number:
                return
            self._sweeping = self._number
        part = self._next_part - len(self.postings)
        table = self.postings if part < 0 else self.names
        table.sweep(self._next_part if part < 0 else part, self.base, self.end)
        self._next_part += 1
        if self._next_part == len(self.postings) + len(self.names):
            self._next_part = 0
            self._swept = self._sweeping

    def find(self, field: int, key: int, first: int = 0) -> int:
        """Return the reference of the row with this key, not looking before `first`; -1 if there is none."""
        return int(find_row(*self.places, first, self.end, field, np.uint64(key)))

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
        own_name = article_id.encode("utf-8", "surrogatepass")
        of_name = of.encode("utf-8", "surrogatepass") if of else b""
        ids = own_name + of_name
        words = signature.for_words + ids + b"\0" * (-len(ids) % 4)
        chunk = self._with_room(len(words) // 4)
        sizes = signature.samples | signature.figures << 8 | flags << 16
        lengths = len(own_name) | len(of_name) << 16
        row = _ROW.pack(*keys, signature.for_row, chunk.words_used, sizes, version, order, serial, lengths)
        names, chunks, base = self.places
        span_start = max(0, self._span_number - self._number) << CHUNK_BITS
        full, full_names = append(
            self.postings.directory,
            names,
            chunks,
            base,
            span_start,
            self.end,
            chunk.words_used,
            row,
            words,
            self._full,
        )
        chunk.count += 1
        chunk.words_used += len(words) // 4
        self.end += 1
        for part in self._full[:full].tolist() if full else ():
            self._make_room(self.postings, part, move_postings)
        if full_names >= 0:
            self._make_room(self.names, full_names, move_names)
        self._sweep()

    def _make_room(self, table: Table, part: int, move: Callable[..., int]) -> None:
        _, chunks, base = self.places
        table.make_room(
            part, base, self.end, lambda number, larger: move(table.directory, number, larger, chunks, base)
        )

    def _with_room(self, words: int) -> Chunk:
        """Return the chunk for one more row with so many words."""
        chunk = self.chunks[-1]
        if chunk.count == CHUNK_ROWS or chunk.words_used + words > chunk.words.size:
            self._open(chunk.span, words)
        return self.chunks[-1]

    def flag(self, reference: int, flag: int) -> None:
        """Set a flag of a row."""
        chunk = self.chunks[reference >> CHUNK_BITS]
        chunk.rows[(reference & (CHUNK_ROWS - 1)) * ROW + SIZES] |= np.uint32(flag << 16)

    def stored(self, reference: int) -> Stored:
        """Return the row at a reference, as `find` gives it."""
        chunk = self.chunks[reference >> CHUNK_BITS]
        fields: tuple[int, ...] = _READ.unpack_from(chunk.rows.data, 4 * ROW * (reference & (CHUNK_ROWS - 1)))
        offset, sizes, version, order, serial, names = fields[7:]
        start = offset + (sizes & 0xFF) + (sizes >> 8 & 0xFF)
        own, both = names & 0xFFFF, (names & 0xFFFF) + (names >> 16)
        ids = chunk.words[start : start + (both + 3 >> 2)].tobytes()
        article_id = ids[:own].decode("utf-8", "surrogatepass")
        of = ids[own:both].decode("utf-8", "surrogatepass")
        return Stored._make((reference, article_id, of, *fields[:7], sizes >> 16, version, order, serial))


class Rows(dict[int, Stored]):
    """Rows of an index by reference, each read once: for one decision."""

    def __init__(self, index: Index) -> None:
        """Start without any."""
        super().__init__()
        self._index = index

    def __missing__(self, reference: int) -> Stored:
        """Read a row."""
        stored = self[reference] = self._index.stored(reference)
        return stored
