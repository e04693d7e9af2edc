"""Of what type a run of capital words is: votes of each occurrence, decided over the article."""

from __future__ import annotations

from collections.abc import Iterable

from services.enricher.context import LONGEST_PERSON, Context
from services.enricher.names import Run, Span
from services.runtime.records import EntityType

_MIN_VOTES = 1.0
_STANDING = frozenset(["tại", "ở", "rời", "quanh", "gần", "trú", "quê", "ngụ"])
"""Prepositions that stand before places only (`từ` and `tới` stand before people and clubs too)."""
_OPEN, _CLOSE = frozenset("\"“‘'«"), frozenset("\"”’'»")

# Votes of one occurrence. Only their order matters much: a title or a head outweighs any guess.
_TITLED = 3.0
_HEADED = 3.0
_FAMILY = 2.0
_GIVEN = 2.0
_VERB = 1.5
_APPOSITION = 1.5
_FOREIGN = 1.0
_PREPOSITION = 0.8
_TAGGER = 0.6


def vote(context: Context, runs: list[Run], first: int, last: int, *, titled: bool) -> None:
    """Add tokens[first:last] to the runs with the evidence for its type, unless it cannot be a name."""
    s, lexicon = context.sentence, context.lexicon
    keys = tuple(s.keys[first:last])
    shapes = s.shapes[first:last]
    count = last - first
    votes: dict[EntityType, float] = {}
    looks: dict[EntityType, float] = {}

    def add(kind: EntityType, value: float, to: dict[EntityType, float] = votes) -> None:
        to[kind] = to.get(kind, 0.0) + value

    before = s.keys[first - 1] if first else ""
    located = before in _STANDING and not titled
    follows = context.verb_after(last) and not located
    if count == 1 and shapes[0].upper:
        # An abbreviation that speaks is a body; nothing else is known of unlisted abbreviations.
        if follows and len(keys[0]) > 2 and keys[0] not in lexicon.not_names:
            votes = {"ORG": _VERB}
        runs.append(Run(s.number, first, last, keys, False, None, votes if follows else {}, {}, not follows))
        return
    if count == 1 and (len(keys[0].rstrip(".")) < 2 or keys[0] in lexicon.openers):
        return
    vietnamese = all(shape.vietnamese for shape in shapes)
    headed = context.phrase_before(first, lexicon.place_heads) or (
        first > 1
        and count > 1
        and s.keys[first - 1][0].isdigit()
        and s.keys[first - 2] in (",", "-", "–", "số", "tại", "ở", "(", ":", "chỉ", "nhà", ";")
    )
    if headed and not titled:
        # A lone word after `phố` may be the first of the next sentence: it counts here, not elsewhere.
        add("LOC", _HEADED, votes if count > 1 else {})
    elif titled:
        add("PER", _TITLED)
    if not vietnamese and not titled:
        if count > 1 and (keys[-1] in lexicon.organisation_endings or _ends_in_country(context, last)):
            add("ORG", _HEADED, looks)
        elif keys[-1] in lexicon.place_endings and count > 1:
            add("LOC", _HEADED, looks)
        elif keys[0] not in lexicon.given_names and (
            any(k in lexicon.english_words for k in keys) or any(shape.upper for shape in shapes)
        ):
            return
    housed = not titled and not headed and context.phrase_before(first, lexicon.lower_heads, small=True)
    if housed:
        add("ORG", _HEADED, votes if count > 1 or not vietnamese else {})
    if follows:
        add("PER", _VERB)
    if context.apposition_after(last):
        add("PER", _APPOSITION)
    if count > 1 and not headed:
        if vietnamese and context.is_full_name(keys):
            add("PER", _FAMILY, looks)
        elif not vietnamese and keys[0] in lexicon.given_names:
            add("PER", _GIVEN, looks)
        elif not vietnamese and count <= LONGEST_PERSON and not _is_label(context, first, last):
            add("PER", _FOREIGN, looks)
    if located:
        add("LOC", _PREPOSITION, looks)
    label = s.labels[first][2:]
    if label in ("PER", "LOC", "ORG"):
        add(label, _TAGGER, looks)  # type: ignore[arg-type]
    certain: EntityType | None = "PER" if titled else "LOC" if headed else "ORG" if housed else None
    weak = count == 1 and certain is None
    runs.append(Run(s.number, first, last, keys, titled, certain, votes, looks, weak))


def _ends_in_country(context: Context, last: int) -> bool:
    """Return whether the last word is a country: a company of foreign name in Vietnam."""
    match = context.matches.get(last - 1)
    return match is not None and match.last == last and match.entry.id.startswith("country:")


def _is_label(context: Context, first: int, last: int) -> bool:
    """Return whether a foreign run stands in quotation marks of its own, or holds an abbreviation."""
    s = context.sentence
    quoted = first > 0 and last < len(s.keys) and s.keys[first - 1] in _OPEN and s.keys[last] in _CLOSE
    return quoted or any(shape.upper for shape in s.shapes[first:last])


def _heaviest(votes: dict[EntityType, float]) -> EntityType:
    return min(votes, key=lambda k: (-votes[k], k)) if votes else "MISC"


def decide(runs: Iterable[Run]) -> tuple[list[Span], list[Run]]:
    """Type the runs by the votes of all their occurrences; return the typed and the undecided."""
    totals: dict[tuple[str, ...], dict[EntityType, float]] = {}
    looks: dict[tuple[str, ...], dict[EntityType, float]] = {}
    strongest: dict[tuple[str, ...], bool] = {}
    for run in runs:
        total = totals.setdefault(run.keys, {})
        look = looks.setdefault(run.keys, {})
        for side, value in run.votes.items():
            total[side] = total.get(side, 0.0) + value
        for side, value in run.looks.items():
            look[side] = max(look.get(side, 0.0), value)
        strongest[run.keys] = strongest.get(run.keys, False) or not run.weak
    spans: list[Span] = []
    left: list[Run] = []
    for keys, look in looks.items():
        for side, value in look.items():
            totals[keys][side] = totals[keys].get(side, 0.0) + value
    for run in runs:
        total = totals[run.keys]
        kind = run.certain or _heaviest(total)
        if run.certain is None and (total.get(kind, 0.0) < _MIN_VOTES or not strongest[run.keys]):
            left.append(run)
        else:
            spans.append(Span(run.sentence, run.first, run.last, kind, None, run.titled))
    return spans, left
