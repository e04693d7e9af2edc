"""What `machtin quality dedup` measures, on a few articles of our own, and that the measure can fail."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from services.cli.quality.dedup import (
    OWN,
    Base,
    Chain,
    Original,
    measure,
    measure_bulletins,
    own_articles,
    pairs,
    replayed,
    take_in,
)
from services.cli.quality.distinct import DISTINCT_VARIANTS
from services.cli.quality.edits import Text
from services.cli.quality.peers import ExactHash, MinHashLsh, Peer, SimHash
from services.cli.quality.variants import VARIANTS

WORDS = 200
"""Shorter items under a new title and with a new lead may be a site's standing text."""


@pytest.fixture(scope="module")
def articles() -> list[Original]:
    return [a for a in own_articles(OWN[1:]) if len(a.text.body.split()) >= WORDS]


@pytest.fixture(scope="module")
def base(articles: list[Original]) -> Base:
    return take_in(articles[:60])


def news(articles: list[Original]) -> list[str]:
    return [article.text.body for article in articles[60:]]


@pytest.mark.parametrize(
    ("group", "variant"),
    [(group, name) for group, some in VARIANTS.items() if group != "several at once" for name in some],
)
def test_every_variant_of_a_transformation_is_found(
    base: Base, articles: list[Original], group: str, variant: str
) -> None:
    outcome = measure(base, VARIANTS[group][variant], variant, base.originals[:20], news(articles), {})
    assert (outcome.tried, outcome.copies) == (20, 20)


@pytest.mark.parametrize(
    ("group", "variant"), [(group, name) for group, some in DISTINCT_VARIANTS.items() for name in some]
)
def test_what_shares_text_and_is_news_is_kept(
    base: Base, articles: list[Original], group: str, variant: str
) -> None:
    edit = DISTINCT_VARIANTS[group][variant]
    outcome = measure(base, edit, variant, base.originals[:20], news(articles), {})
    assert outcome.called == 0
    if group == "live update":
        assert outcome.named == outcome.tried


def test_no_untouched_article_of_ours_is_called_a_copy(base: Base) -> None:
    assert len(base.verdicts) == 60
    assert base.claims == []


def test_no_bulletin_is_a_copy_each_series_has_one_id_and_reposts_find_their_issue() -> None:
    result = measure_bulletins(Chain(), days=10)
    assert result.issues >= 60
    assert result.called_copies == []
    assert result.without_series == 0
    assert {len(ids) for ids in result.series.values()} == {1}
    assert len({key for ids in result.series.values() for key in ids}) == len(result.series)
    assert result.reposts_found == result.reposts


def test_in_one_stream_copies_are_found_under_originals_alone(articles: list[Original]) -> None:
    outcome, claims = replayed(articles[:60], news(articles))
    assert outcome.tried == 60
    assert outcome.copies >= 58
    assert (outcome.others, claims) == (0, 0)


def test_computed_pairs_are_sorted_into_copies_updates_and_misses(
    articles: list[Original], tmp_path: Path
) -> None:
    first, second, third, fourth = articles[:4]
    update = Original("update", Text(second.text.title, f"{third.text.body} {second.text.body}"))
    copy = Original("copy", Text("Tựa khác", first.text.body))
    base = take_in([first, second, copy, update, fourth])
    table = tmp_path / "pairs.tsv"
    rows = [
        (1.0, 1.0, copy, first),
        (0.4, 1.0, second, update),
        (0.9, 0.9, first, fourth),
        (0.1, 0.1, first, second),
    ]
    lines = [f"{j}\t{c}\t{a.key}\t{b.key}" for j, c, a, b in rows]
    table.write_text("\n".join(["jaccard5\tcontainment5\tid_a\tid_b", *lines]) + "\n", encoding="utf-8")
    assert [(p.earlier, p.later, p.verdict) for p in pairs(base, table)] == [
        (first.key, "copy", "copy"),
        (second.key, "update", "update"),
        (first.key, fourth.key, "missed"),
    ]


@pytest.mark.parametrize("make", [ExactHash, SimHash, MinHashLsh])
def test_the_peers_find_equal_texts_and_no_others(make: type[Peer], articles: list[Original]) -> None:
    if make is MinHashLsh:
        pytest.importorskip("datasketch")
    peer = make()
    for article in articles[:20]:
        peer.add(article.key, article.text.body)
    for article in articles[:20]:
        assert peer.find(article.text.body.upper()) == {article.key}
    assert peer.find(articles[30].text.body) == set()


def test_edits_are_the_same_for_the_same_seed(articles: list[Original]) -> None:
    text, other = articles[0].text, articles[1].text.body
    for some in (*VARIANTS.values(), *DISTINCT_VARIANTS.values()):
        for edit in some.values():
            assert edit(text, random.Random(1), other) == edit(text, random.Random(1), other)
