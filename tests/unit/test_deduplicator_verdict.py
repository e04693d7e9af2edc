"""What the overlap of two texts means, on evidence as it was measured on pairs of real articles."""

from __future__ import annotations

from services.deduplicator.index import Stored
from services.deduplicator.matching import Match
from services.deduplicator.signature import Signature
from services.deduplicator.sketch import sketch
from services.deduplicator.verdict import Relation, relation

REORDERED = Match(
    reference=0,
    shared=43,
    held=48,
    new=45,
    breaks=4,
    lost_tail=2,
    lost_head=0,
    added_head=0,
    added_tail=0,
    longest_added=1,
    keeps_start=0,
    keeps_last=0,
    figures=14,
    figures_changed=0,
    other_dates=0,
    dates_apart=0,
    probed=20,
    probed_common=0,
    probed_shared=20,
    probed_shared_common=0,
    added=20,
    size_held=418,
    size_new=398,
    of_new=0.95,
    of_held=0.91,
    jaccard=0.86,
    containment=0.95,
)
"""Nearly the same text."""

NEW_LEAD = REORDERED._replace(
    shared=40,
    new=62,
    breaks=7,
    lost_tail=0,
    added_head=12,
    longest_added=12,
    keeps_start=1,
    keeps_last=1,
    figures=12,
    figures_changed=1,
    probed_shared=11,
    added=72,
    size_held=172,
    size_new=214,
    of_new=0.66,
    of_held=0.82,
    jaccard=0.58,
    containment=0.82,
)
"""The whole text behind a paragraph that is new."""


def said_of(match: Match, earlier: str, later: str) -> Relation:
    """Return what is said of two texts with these titles."""
    old: Signature = sketch(earlier, "")
    fields = dict.fromkeys(Stored._fields, 0) | {"title_bits": old.title_bits, "title": old.title}
    return relation(match, Stored(**fields), sketch(later, ""))  # type: ignore[arg-type]


def test_the_same_figures_under_a_title_in_another_order_are_a_copy() -> None:
    titles = ("Năm 2026, bỏ phí gửi xe ở chợ Bến Tràm", "Bỏ phí gửi xe ở chợ Bến Tràm năm 2026")
    assert said_of(REORDERED, *titles) is Relation.COPY


def test_other_figures_under_the_same_words_are_the_next_issue() -> None:
    titles = ("Giá vàng miếng sáng 5/4", "Giá vàng miếng sáng 6/4")
    assert said_of(REORDERED._replace(figures_changed=1), *titles) is Relation.ISSUE
    assert said_of(REORDERED._replace(figures=3), *titles) is Relation.ISSUE


def test_a_new_paragraph_under_the_title_with_a_word_more_is_a_copy() -> None:
    title = "Động đất mạnh làm rung chuyển đảo Hòn Tre"
    assert said_of(NEW_LEAD, title, f"{title} (Kiên Giang)") is Relation.COPY
    assert said_of(NEW_LEAD, f"{title} (Kiên Giang)", title) is Relation.COPY
    assert said_of(NEW_LEAD, title, "Đảo Hòn Tre sau cơn rung lắc lúc rạng sáng") is Relation.EVIDENCE
    assert said_of(NEW_LEAD._replace(of_new=0.58), title, f"{title} (Kiên Giang)") is Relation.EVIDENCE


def test_an_issue_has_another_date_or_four_other_figures() -> None:
    titles = ("Nhà máy điện ngừng một tổ máy vì bão", "Bão vào, nhà máy điện ngừng một tổ máy")
    three = NEW_LEAD._replace(figures=6, figures_changed=3)
    assert said_of(three, *titles) is Relation.NEWER
    assert said_of(three._replace(dates_apart=1), *titles) is Relation.ISSUE
    assert said_of(NEW_LEAD._replace(figures=6, figures_changed=4), *titles) is Relation.ISSUE
