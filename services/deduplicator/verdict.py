"""What the overlap of two texts means: a copy, the next issue of a series, newer news, or nothing.

The thresholds were set on real near-copies and on edited articles; docs/deduplication.md has the figures.
"""

from __future__ import annotations

from enum import Enum

from services.deduplicator.index import Stored
from services.deduplicator.matching import Match
from services.deduplicator.signature import Signature
from services.runtime.records import Difference

HEADLINE = 3
"""Different words that make a title say something about its article."""


SURE = 4
"""Figures that do not all agree, or all differ, by chance: three do in two reports of one event, where one
newsroom has the hour and the other rounds a sum."""


class Relation(Enum):
    """How a new text relates to a remembered one."""

    COPY = "copy"
    ISSUE = "issue"
    """The same template with other figures or another date: weather, gold price, lottery."""
    NEWER = "newer"
    """The same text with other figures, but no bulletin: the toll has risen."""
    EVIDENCE = "evidence"
    """Shares text worth naming without being a copy: a live update, a rewritten release."""


def title_overlap(first: int, second: int) -> float:
    """Return the share of the smaller title's words that the larger one has, from their bit sets."""
    smaller = min(first.bit_count(), second.bit_count())
    return (first & second).bit_count() / smaller if smaller else 0.0


def relation(match: Match, stored: Stored, new: Signature) -> Relation:
    """Return what the evidence on one remembered text means."""
    low = min(match.of_new, match.of_held)
    if _other_figures(match, low) or (low >= 0.5 and _other_number_in_title(match, stored, new)):
        if _same_template(match, stored, new, low):
            return Relation.ISSUE
        return Relation.NEWER if low >= 0.4 else Relation.EVIDENCE
    if _mostly_common(match):
        return Relation.EVIDENCE
    return Relation.COPY if _is_copy(match, stored, new, low) else Relation.EVIDENCE


def _other_figures(match: Match, low: float) -> bool:
    """Say whether the figures differ as they do between two issues of a bulletin.

    Log-likelihood ratio of the two: of a copy's figures 2 % differ, of the next issue's 40 %. Where there
    are only a few, they count if next to no word differs. Other dates alone are enough.
    """
    changed = match.figures_changed
    if match.other_dates:
        return True
    if changed >= 2 and 3.0 * changed - 0.5 * (match.figures - changed) >= 3.0:
        return True
    return 2 * changed >= match.figures > 0 and low >= 0.85


def _other_number_in_title(match: Match, stored: Stored, new: Signature) -> bool:
    """Say whether the titles have the same words and other numbers: `Giá vàng 5/4`, `Giá vàng 6/4`.

    Where all figures agree, of which that number would be one, only the order of the words differs.
    """
    same_words = new.title_bits == stored.title_bits and new.title_bits.bit_count() >= HEADLINE
    return same_words and new.title != stored.title and not has_same_figures(match)


def _same_template(match: Match, stored: Stored, new: Signature, low: float) -> bool:
    """Say whether a text with other figures is an issue of a series, not news with newer figures.

    An issue has another date, in its text or as the number in its title; or else SURE other figures.
    """
    changed, share = match.figures_changed, match.figures_changed / max(1, match.figures)
    if low < 0.5:
        return False
    dated = match.other_dates or match.dates_apart or _other_number_in_title(match, stored, new)
    if changed < SURE and not dated:
        return False
    if new.title_bits == stored.title_bits != 0:
        return True
    alike = title_overlap(new.title_bits, stored.title_bits)
    if changed >= 3 and alike >= (0.3 if share >= 0.5 else 0.5 if share >= 0.3 else 2.0):
        return True
    return match.figures >= 3 and share >= 0.75 and low >= 0.7


def has_same_figures(match: Match) -> bool:
    """Say whether two texts agree in as many figures as no two issues of a series do."""
    return match.figures >= SURE and match.figures_changed == 0 and not match.other_dates


def _mostly_common(match: Match) -> bool:
    """Say whether the shared text is what many unrelated texts share: boilerplate, not this article."""
    own = match.probed - match.probed_common
    if match.probed_common < 0.3 * match.probed:
        return False
    return own < 3 or match.probed_shared - match.probed_shared_common < 0.4 * own


def _is_copy(match: Match, stored: Stored, new: Signature, low: float) -> bool:
    of_new, of_held = match.of_new, match.of_held
    added = match.added
    if not _similar_headlines(stored, new) and _may_be_standing_text(match, low):
        return False
    if _adds_news(match):
        return False
    if of_held >= 0.92 and added <= 45:  # an agency's line, a sentence in front, a photographer's name
        return True
    if of_new >= (0.72 if of_held >= 0.5 else 0.76 if of_held >= 0.2 else 0.9) and of_held >= 0.1:
        return True  # next to nothing is new: the whole, or a part of it
    if of_held >= 0.72 and of_new >= 0.68:
        return True
    if of_held >= 0.9 and of_new >= 0.55 and added <= 90:  # a site's invitations around the whole
        return True
    same_title = new.title == stored.title and new.title_bits.bit_count() >= HEADLINE
    if same_title and (low >= 0.5 or (of_held >= 0.9 and added <= 130)):
        return True
    if low >= 0.6 and _title_says_more(stored, new):
        return True
    return low >= 0.45 and _is_reworded(match, low)


def _similar_headlines(stored: Stored, new: Signature) -> bool:
    """Say whether the titles share half of the shorter one and enough to be headlines: not `Tin`, `Video`."""
    common = (new.title_bits & stored.title_bits).bit_count()
    return common >= HEADLINE and title_overlap(new.title_bits, stored.title_bits) >= 0.5


def _title_says_more(stored: Stored, new: Signature) -> bool:
    """Say whether one title has all words of the other, and those are enough for a headline."""
    common = (new.title_bits & stored.title_bits).bit_count()
    return common >= 2 * HEADLINE and title_overlap(new.title_bits, stored.title_bits) == 1.0


def _adds_news(match: Match) -> bool:
    """Say whether one new passage is more than what a site puts around a text: a live update.

    With less than three tenths of the text the Jaccard similarity would still be above 0.7.
    It counts only what the passage has more than the one that it may stand in for.
    """
    if match.longest_added == match.added_head:
        replaced = match.lost_head / match.held * match.size_held
    elif match.longest_added == match.added_tail:
        replaced = match.lost_tail / match.held * match.size_held
    else:
        replaced = 0.0
    unknown = match.new - match.shared
    words = match.longest_added / unknown * match.added - replaced if unknown else 0.0
    return words >= max(100, 0.3 * match.size_new)


def _may_be_standing_text(match: Match, low: float) -> bool:
    """Say whether what two short items under different titles share may be their site's standing text.

    It is known as common only after some more of them. Until then, a line or two, or all but the first or
    last sentences of a short item, is not taken for a copy.
    """
    if match.size_new < 20:
        return True
    if match.size_new < 40 and low < 0.85 and match.of_held < 0.92:
        return True
    if match.size_new >= 160:
        return False
    return (match.added_head > 0 and match.lost_head > 0) or (match.added_tail > 0 and match.lost_tail > 0)


def _is_reworded(match: Match, low: float) -> bool:
    """Say whether what differs is another head of the same length, or single words all over the text."""
    if low >= 0.6:
        head_new, head_held = match.added_head, match.lost_head
        rest = max(match.new - head_new, match.held - head_held)
        if match.shared >= 0.97 * rest and 2 * min(head_new, head_held) >= max(head_new, head_held):
            return True
    share = match.shared / match.new
    expected = 2 * share * (1 - share) * match.new
    scattered = match.breaks / expected if expected > 1 else 0.0
    if match.longest_added > 0.15 * match.new:
        return False
    same_size = abs(match.size_new - match.size_held) <= 0.03 * match.size_held
    return (low >= 0.6 and scattered >= 0.4) or (same_size and scattered >= 0.72)


def differences(match: Match, stored: Stored, new: Signature) -> list[Difference]:
    """Return what a copy changed, sorted, from: added_text, figures, lead, tail, title."""
    differs: list[Difference] = []
    longest = match.longest_added
    words = longest / match.new * match.size_new if match.new else 0.0
    head_replaced = longest == match.added_head and 2 * match.lost_head >= longest
    tail_replaced = longest == match.added_tail and 2 * match.lost_tail >= longest
    is_block = longest >= 4 and words >= 20 and not head_replaced and not tail_replaced
    if is_block or (match.of_held >= 0.97 and match.added >= 5):
        differs.append("added_text")
    if match.figures_changed:
        differs.append("figures")
    verbatim = match.of_new >= 0.95  # single words edited at either end are neither lead nor tail
    if match.lost_head >= 2 or (not match.keeps_start and (match.lost_head or match.added_head or verbatim)):
        differs.append("lead")
    if match.lost_tail >= 2 or (not match.keeps_last and (match.lost_tail or verbatim)):
        differs.append("tail")
    if stored.title != new.title:
        differs.append("title")
    return differs
