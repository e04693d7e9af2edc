"""The tables of the index beside plain lists: nothing is lost or out of order, whatever grows or expires."""

from __future__ import annotations

import random
from collections import defaultdict

import numpy as np
import pytest

from services.deduplicator.candidates import list_rows
from services.deduplicator.index import MAX_CHUNKS, Index
from services.deduplicator.rows import CHUNK_BITS, CONTENT, ID, NEWEST, WITHDRAWN
from services.deduplicator.signature import HEAD, Signature
from services.deduplicator.table import MOST, ROW_MASK, Table

Keys = tuple[int, int, int, int, int, int, int]


def signature(samples: list[int]) -> Signature:
    """Return a signature with these samples, all of them indexed."""
    words = np.zeros(HEAD + len(samples), np.uint32)
    words[0] = 1 | len(samples) << 8
    words[7] = 0xFFFFFFFF
    words[HEAD:] = samples
    return Signature(words.tobytes())


def keys(number: int, content: int = 0) -> Keys:
    return (number + 1, 0, content, 1, 0, 0, 0)


def add(index: Index, number: int, samples: list[int], content: int = 0) -> None:
    index.add(f"article-{number}", "", keys(number, content), signature(samples), 0, 1, number, number)


def rows_with(index: Index, sample: int, first: int = 0) -> list[int]:
    """Return the references of the rows listed under a shingle."""
    listed, starts = np.empty(1 << 13, np.int64), np.empty(2, np.int64)
    list_rows(
        index.postings.directory,
        index.base,
        first,
        index.end,
        np.array([sample], np.uint32),
        listed,
        starts,
    )
    return [int(reference) for reference in listed[: starts[1]]]


def names_of(index: Index, references: list[int]) -> list[str]:
    return [index.stored(reference).article_id for reference in references]


def random_samples(rng: random.Random, common: float) -> list[int]:
    """Return twenty shingles, of which a share are some that many texts have."""
    return [rng.randrange(40) if rng.random() < common else rng.getrandbits(31) for _ in range(20)]


@pytest.mark.parametrize(("common", "allowed"), [(0.0, 0), (0.1, 3)])
def test_every_row_is_listed_under_each_of_its_shingles_while_the_tables_grow(
    common: float, allowed: int
) -> None:
    rng, index = random.Random(3), Index(0)
    expected: defaultdict[int, list[str]] = defaultdict(list)
    for number in range(3_000):
        samples = random_samples(rng, common)
        add(index, number, samples)
        for sample in dict.fromkeys(samples):
            expected[sample].append(f"article-{number}")
    missing = 0
    for sample, articles in expected.items():
        # Rows of another shingle may be among them: a home and four bits are all that an entry says.
        found = names_of(index, rows_with(index, sample))
        if len(articles) <= NEWEST // 4:
            missing += len(set(articles) - set(found))
    # One with the home and tag of a very common shingle may have to make room for that.
    assert missing <= allowed
    assert index.longest_probe <= MOST + 2


def test_of_a_shingle_that_very_many_rows_have_the_newest_are_listed_in_order() -> None:
    rng, index = random.Random(4), Index(0)
    for number in range(5 * NEWEST):
        add(index, number, [77] + [rng.getrandbits(31) for _ in range(9)])
    found = names_of(index, rows_with(index, 77))
    assert found[-NEWEST // 2 :] == [
        f"article-{number}" for number in range(5 * NEWEST - NEWEST // 2, 5 * NEWEST)
    ]
    assert len(found) <= NEWEST + 8


def test_what_has_expired_is_found_no_more_and_its_places_are_used_again() -> None:
    rng, index = random.Random(5), Index(0)
    used = []
    for number in range(12_000):
        if number % 1_000 == 0 and number:
            index.open_span(number // 1_000)
            index.drop(len(index.chunks) - 7)  # three spans of two chunks, and the new one
        add(index, number, [5, *(rng.getrandbits(31) for _ in range(19))], content=9)
        if number % 1_000 == 999:
            used.append(index.postings.memory_bytes)
            oldest = int(index.stored(0).article_id.removeprefix("article-"))
            assert index.find(ID, oldest + 1) == 0
            assert index.find(ID, oldest) < 0
            assert index.find(CONTENT, 9) == 0
            assert min(rows_with(index, 5)) >= 0
    assert used[-1] < 1.1 * used[4]


def test_row_numbers_that_come_round_meet_nothing_that_was_there_before() -> None:
    index = Index(0)
    count = (ROW_MASK >> CHUNK_BITS) + 300
    for number in range(count):
        index.open_span(number + 1)
        index.drop(len(index.chunks) - 4)
        add(index, number, [1, 2, number + 10], content=number + 1)
        if number > 4:
            assert index.find(ID, number - 3) < 0
            assert index.find(CONTENT, number - 3) < 0
            assert index.stored(index.find(ID, number - 1)).article_id == f"article-{number - 2}"
            assert names_of(index, rows_with(index, 1))[-3:] == [
                f"article-{n}" for n in (number - 2, number - 1, number)
            ]
    assert rows_with(index, 15) == []


def test_more_chunks_than_there_are_numbers_for_push_out_the_oldest() -> None:
    index = Index(0)
    for number in range(MAX_CHUNKS + 20):
        index.open_span(number + 1)
        add(index, number, [number + 10])
    assert len(index.chunks) == MAX_CHUNKS
    assert index.find(ID, 5) < 0
    assert index.stored(index.find(ID, MAX_CHUNKS)).article_id == f"article-{MAX_CHUNKS - 1}"


def test_equal_content_is_the_oldest_that_counts_and_the_next_span_keeps_its_own() -> None:
    index = Index(0)
    for number in range(3):
        add(index, number, [number], content=8)
    assert index.find(CONTENT, 8) == 0
    index.flag(0, WITHDRAWN)
    assert index.find(CONTENT, 8) < 0
    add(index, 3, [3], content=8)
    assert index.find(CONTENT, 8) == 3
    index.open_span(1)
    add(index, 4, [4], content=8)
    assert index.stored(index.find(CONTENT, 8)).article_id == "article-3"
    index.drop(1)
    assert index.stored(index.find(CONTENT, 8)).article_id == "article-4"


def test_rows_and_words_are_never_moved_while_they_can_be_asked_for() -> None:
    index = Index(0)
    places = {}
    for number in range(1_500):
        add(index, number, [number, number + 1])
        chunk = index.chunks[-1]
        places.setdefault(id(chunk), (chunk, chunk.rows.ctypes.data, index.places[1][-1].copy()))
    for number, (chunk, rows, _) in enumerate(places.values()):
        assert index.places[1][number].tolist() == [chunk.rows.ctypes.data, chunk.words.ctypes.data]
        assert chunk.count == 512 or chunk is index.chunks[-1]
        assert rows == chunk.rows.ctypes.data
    for number in range(1_500):
        assert index.stored(index.find(ID, number + 1)).article_id == f"article-{number}"


@pytest.mark.parametrize("parts", [1, 3, 128])
def test_an_empty_table_takes_little_room(parts: int) -> None:
    table = Table(parts)
    assert len(table) == parts
    assert table.memory_bytes < parts * 250
    assert table.farthest == 2
