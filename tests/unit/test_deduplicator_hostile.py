"""Input that no newsroom sends. How long it takes is measured by `machtin quality hostile`, not here."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.cli.quality.hostile import KINDS, Hostile, as_article, endure, hostile
from services.deduplicator.deduplicate import Deduplicator
from services.deduplicator.figures import FIGURES
from services.deduplicator.signature import SAMPLES, from_text, to_text
from services.deduplicator.sketch import sketch
from services.runtime.records import CleanArticle

TEXT = st.text(st.characters(codec=None), max_size=400)
"""Lone surrogates, marks, controls: everything that a Python string can hold."""


def test_hostile_input_does_no_harm() -> None:
    result = endure(2_500)
    assert sum(result.inputs.values()) == 2_500
    assert result.errors == []
    assert result.merges == []


def test_every_kind_of_input_is_made_and_made_again_the_same() -> None:
    kinds = {one.kind for one in hostile(2_500)}
    assert kinds >= set(KINDS) - {"5 MB"}
    assert list(hostile(50)) == list(hostile(50))


def article(number: int, title: str, text: str) -> CleanArticle:
    """Return a record with any text, as if the normalizer had passed it on unchanged."""
    return as_article(number, Hostile("", "", title, text))


@pytest.mark.parametrize("unit", ["a", "a ", "lũ quét ở bản Pá Hu. ", "7 ", "1/2 ", "\u202e", "\ud800"])
def test_megabytes_are_remembered_in_as_many_bytes_as_any_article(unit: str) -> None:
    deduplicator = Deduplicator()
    text = (unit * (5_000_000 // len(unit) + 1))[:5_000_000]
    (record,) = deduplicator.decide(article(1, "Dài", text))
    deduplicator.apply(record)
    assert len(record["signature"]) < 450
    assert deduplicator.memory_bytes < 600_000


@settings(max_examples=300, deadline=None)
@given(TEXT, TEXT)
def test_any_text_has_a_bounded_signature_that_reads_back(title: str, text: str) -> None:
    signature = sketch(title, text)
    assert signature.samples <= SAMPLES
    assert signature.figures <= FIGURES
    assert from_text(to_text(signature.packed)).packed == signature.packed


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6))
def test_any_texts_are_decided_alike_by_a_rebuilt_index(texts: list[tuple[str, str]]) -> None:
    whole, published = Deduplicator(), []
    for number, (title, text) in enumerate(texts):
        one = article(number, title, text)
        rebuilt = Deduplicator()
        for record in published:
            rebuilt.apply(record)
        records = whole.decide(one)
        assert json.dumps(rebuilt.decide(one)) == json.dumps(records)
        for record in records:
            whole.apply(record)
            published.append(record)


def test_a_line_that_thousands_share_fills_no_bucket() -> None:
    deduplicator = Deduplicator()
    common = " ".join(f"dòng{number} chung của mọi trang tin" for number in range(8))
    for number in range(3_000):
        own = " ".join(f"riêng{number}x{i}" for i in range(12))
        for record in deduplicator.decide(article(number, "", f"{own} {common}")):
            deduplicator.apply(record)
    assert deduplicator.longest_probe < 512
