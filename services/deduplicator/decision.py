"""Decides what a usable article is, from everything that is remembered. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from services.deduplicator.index import Rows, Stored
from services.deduplicator.matching import Examination, Match
from services.deduplicator.rows import GONE, WITHDRAWN
from services.deduplicator.verdict import Relation, differences, has_same_figures, relation
from services.runtime.records import Closest, Duplicate, Similarity

_OTHER_FIGURES = (Relation.ISSUE, Relation.NEWER)

_NEARLY_AS_GOOD = 0.08
"""An earlier original is preferred to one that explains this much more of the new text."""

_NEARER = 0.03
"""So much more of the new text must another article have to be named as the one that was copied."""

UNCLEAR = 0.45
"""Containment below which an earlier text can be no more than evidence."""

_STILL_ALIKE = 0.5
"""Containment that a copy of a copy must still have with the original, or it is no copy of that."""


class Original(NamedTuple):
    """Whom a matched article stands for: itself, or the one that it is a copy of."""

    key: int
    article_id: str
    stored: Stored | None
    """None if it has expired."""


class _Candidate(NamedTuple):
    """An original, and the remembered article that led to it."""

    order: int
    """Of the original, by first decision; what has expired came before everything else."""
    explained: float
    """Share of the new text that the matched article has."""
    original: Original
    through: Stored


def none(closest: Closest | None = None, series: str | None = None) -> Duplicate:
    """Return the verdict on an article that is no copy."""
    return {
        "kind": "none",
        "of": None,
        "similarity": None,
        "differs": [],
        "closest": closest,
        "series": series,
    }


def _similarity(match: Match | None) -> Similarity:
    if match is None:
        return {"jaccard": 1.0, "containment": 1.0}
    return {"jaccard": round(match.jaccard, 3), "containment": round(match.containment, 3)}


def series_name(key: int) -> str | None:
    """Return the published id of a series, or None for key 0."""
    return f"series-{key:016x}" if key else None


class Decision:
    """One article against what was found; `verdict` is the answer."""

    def __init__(
        self,
        rows: Rows,
        found: Examination,
        content: int,
        known: Stored | None,
        original: Callable[[Stored], Original],
        series_key: Callable[[str], int],
    ) -> None:
        """`content` is the article's content key, `known` its current version, None for a new article.

        `original` resolves whom a row stands for; `series_key` makes the key of a new series from the id of
        its first known issue.
        """
        self._rows = rows
        self._found = found
        self._content = content
        self._known = known
        self._own = 0 if known is None else known.id_key
        self._original = original
        self._series_key = series_key
        self._matches = {match.reference: match for match in found.matches}
        self._originals: dict[int, Original] = {}
        self._related: list[tuple[Match, Stored, Relation]] = []

    def verdict(self) -> Duplicate:
        """Return what the article is: a copy of the earliest original, or none, with the evidence."""
        for match in self._found.matches:
            if match.containment >= UNCLEAR:
                stored = self._rows[match.reference]
                if self._counts(stored):
                    meaning = relation(match, stored, self._found.signature)
                    self._related.append((match, stored, meaning))
        if not self._stays_original():
            candidates = self._candidates()
            if candidates:
                return self._copy(candidates)
        return self._no_copy()

    def _counts(self, stored: Stored) -> bool:
        """Say whether a row is neither gone nor the article's own: originals of what was found may be."""
        return not stored.flags & GONE and not (self._own and self._own in (stored.id_key, stored.root))

    def _stays_original(self) -> bool:
        """Say whether this is a new version of an original: others are copies of it, so it remains one."""
        known = self._known
        return known is not None and known.root == 0 and not known.flags & WITHDRAWN

    def _candidates(self) -> list[_Candidate]:
        # A text whose nearest relative has other figures is the next issue, whatever it shares with others;
        # unless it is a repost of the last one, wrapped in the same lines as the repost of the one before.
        nearest = 0.0
        for match, _, meaning in self._related:
            if meaning in _OTHER_FIGURES and match.jaccard > nearest:
                nearest = match.jaccard
        candidates: list[_Candidate] = []
        if self._found.same >= 0:  # equal text, found by its hash
            stored = self._rows[self._found.same]
            candidates += self._candidate(stored, 1.0, self._original_of(stored))
        for match, stored, meaning in self._related:
            if meaning is Relation.COPY:
                enough = (0.6 if has_same_figures(match) else 0.95) * nearest
                original = self._original_of(stored)
                if match.jaccard >= enough and self._still_alike(original, stored):
                    candidates += self._candidate(stored, match.of_new, original)
        return candidates

    def _candidate(self, through: Stored, explained: float, original: Original) -> tuple[_Candidate, ...]:
        """Return what a row makes a candidate; nothing if it stands for the article itself."""
        if original.key == self._own:
            return ()
        order = -1 if original.stored is None else original.stored.order
        return (_Candidate(order, explained, original, through),)

    def _original_of(self, stored: Stored) -> Original:
        """Return whom a row stands for, looking up each original once."""
        known = self._originals.get(stored.root)
        if known is not None:
            return known
        original = self._original(stored)
        if original.key == stored.root:
            self._originals[stored.root] = original
        return original

    def _still_alike(self, original: Original, through: Stored) -> bool:
        """Say whether the original still resembles the new text: copies of copies may drift away from it.

        One that has expired, or was edited after the copy was made, cannot be compared.
        """
        stored = original.stored
        if stored is None or stored.serial >= through.serial:
            return True
        match = self._matches.get(stored.reference)
        return match is not None and match.containment >= _STILL_ALIKE

    def _copy(self, candidates: list[_Candidate]) -> Duplicate:
        enough = max([candidate.explained for candidate in candidates]) - _NEARLY_AS_GOOD
        chosen = min([c for c in candidates if c.explained >= enough], key=_order)
        original = chosen.original
        target = original.stored
        if target is None or target.reference not in self._matches:
            target = chosen.through
        match = self._matches[target.reference]
        same = target.content == self._content
        return {
            "kind": "exact" if same and original.stored is not None else "near",
            "of": original.article_id,
            "similarity": _similarity(None if same else match),
            "differs": differences(match, target, self._found.signature),
            "closest": None if same else self._nearer(original.article_id, match),
            "series": series_name(target.series),
        }

    def _nearer(self, of: str, match: Match) -> Closest | None:
        """Return the remembered article that has more of the new text than the original: it was copied."""
        nearer: tuple[Match, Stored] | None = None
        best = (match.of_new + _NEARER, match.jaccard)
        for other, stored, _ in self._related:
            rank = (other.of_new, other.jaccard)
            if stored.article_id != of and rank > best:
                nearer, best = (other, stored), rank
        if nearer is None:
            return None
        return Closest(article_id=nearer[1].article_id, similarity=_similarity(nearer[0]))

    def _no_copy(self) -> Duplicate:
        issues = [(m, s) for m, s, r in self._related if r is Relation.ISSUE]
        if issues:
            match, stored = max(issues, key=lambda pair: pair[1].serial)  # the last issue
            key = next((s.series for _, s in issues if s.series), 0) or self._series_key(stored.article_id)
            return none(
                Closest(article_id=stored.article_id, similarity=_similarity(match)), series_name(key)
            )
        for match in sorted(self._found.matches, key=_rank):
            stored = self._rows[match.reference]
            if self._counts(stored):
                return none(Closest(article_id=stored.article_id, similarity=_similarity(match)))
        return none()


def _order(candidate: _Candidate) -> int:
    """The earliest original first."""
    return candidate.order


def _rank(match: Match) -> tuple[float, float, int]:
    """Order of evidence: what shares most, then what is most alike, then the older row."""
    return -round(match.containment, 2), -match.jaccard, match.reference
