"""Whose names they are: spans of one article to entities with ids and mentions.

People are joined within the article: a single name (`ông Hùng`, `Zelensky`) belongs to the nearest full name
that ends with it (Vietnamese) or holds it (foreign); one that several people could bear, or a Vietnamese
given name without any full name, gets an id that is good in this article only. Everything depends on the
article and the shipped tables alone, so that the same article gives the same bytes.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from typing import NamedTuple

from services.enricher.gazetteer import Entry, Gazetteer
from services.enricher.identity import local_id, name_tokens, person_id, slug
from services.enricher.lexicon import Lexicon, WordStatistics
from services.enricher.names import Run, Span
from services.enricher.sentence import Sentence
from services.enricher.syllable import is_vietnamese_folded
from services.runtime.records import EntityType
from services.runtime.text import syllables

MAX_BEARERS = 50
_SINGLE_PERSON = 1.5
_SINGLE_PLACE = 1.4
_NAME_LIKE, _OPENING_NAME_LIKE = 0.3, 0.5
"""Least share of capital initials of a syllable that is taken for a given name without a title."""
_ABBREVIATION = range(2, 12)
_AT_HOME = ("country:VN", "vn-province:")
_DOMINANT = 3
_SPELLED_OUT = {
    "đh": "đại học", "ca": "công an", "bv": "bệnh viện", "bvđk": "bệnh viện đa khoa", "cty": "công ty",
    "clb": "câu lạc bộ", "tct": "tổng công ty", "nxb": "nhà xuất bản", "đsq": "đại sứ quán", "uỷ": "ủy",
    "toà": "tòa", "tand": "tòa án nhân dân", "vks": "viện kiểm sát", "vksnd": "viện kiểm sát nhân dân",
    "q.": "quận", "p.": "phường", "csgt": "cảnh sát giao thông", "btc": "ban tổ chức", "bql": "ban quản lý",
}  # fmt: skip
_DROPPED = frozenset(["tỉnh", "huyện", "quận"])
_DROPPED_HEADS = frozenset(
    ["tỉnh", "huyện", "quận", "xã", "phường", "thôn", "đường", "phố", "đảo", "tp", "tp."]
)
_CITY = re.compile(r"-(?:thanh-pho|tp)(?=-(?:ha-noi|ho-chi-minh|hai-phong|da-nang|can-tho|hue)$)")


class Named(NamedTuple):
    """One mention with its identity."""

    start: int
    end: int
    id: str
    name: str
    """The form that speaks for the identity if this mention is chosen to name it."""
    type: EntityType


class _Person(NamedTuple):
    place: tuple[int, int]
    id: str
    name: str
    tokens: tuple[str, ...]
    vietnamese: bool


class Resolver:
    """Turns the spans and weak runs of one article into named mentions. Holds tables only."""

    def __init__(self, lexicon: Lexicon, statistics: WordStatistics, gazetteer: Gazetteer) -> None:
        self._lexicon = lexicon
        self._statistics = statistics
        self._people: dict[tuple[str, ...], Entry] = {}
        self._short: dict[str, Entry] = {}
        for entry, form in gazetteer.people():
            tokens = tuple(sorted(set(name_tokens(form))))
            if len(tokens) > 1:
                self._people[tokens] = entry
            elif tokens:
                self._short[tokens[0]] = entry

    def resolve(
        self, article_id: str, text: str, sentences: list[Sentence], spans: list[Span], runs: list[Run]
    ) -> list[Named]:
        """Return the mentions in order of their places, none overlapping another."""
        people = _People(self._full_names(article_id, text, sentences, spans))
        spans = [*spans, *self._linked_runs(sentences, runs, people)]
        spans.sort(key=lambda s: (s.sentence, s.first, s.last))
        home = any(s.variant == "VN" or (s.entry and s.entry.id.startswith(_AT_HOME)) for s in spans)
        foreign = None if home else _dominant_country(spans)
        # (TP.HCM) after a company says where it is, not how it is called.
        listed = {(s.sentence, s.first) for s in spans if s.entry is not None}
        named: list[Named] = []
        abbreviations: dict[str, Named] = {}
        for span in spans:
            start, end = _place(span, sentences)
            surface = text[start:end]
            if span.type == "PER":
                key, name = self._person(article_id, surface, span, people)
            elif span.entry is not None:
                entry = span.entry
                variant = span.variant
                if entry.id.endswith("-vn"):
                    if variant == "VN":
                        variant = None
                    elif variant:
                        foreign = variant
                    elif not home and foreign:
                        variant = foreign
                key, name = entry.id, entry.name
                if variant:
                    key, name = f"{entry.id[:-2]}{variant.lower()}", surface
            else:
                prefix = {"LOC": "place", "ORG": "org", "MISC": "misc"}[span.type]
                headed = self._with_head(span, sentences)
                key, name = (
                    f"{prefix}:{self._slug(headed, sentences)}",
                    text[_place(headed, sentences)[0] : end],
                )
            if key.endswith(":"):
                continue
            mention = Named(start, end, key, name, span.type)
            short = _introduced(span, sentences) if span.type != "PER" else None
            if short is not None and (span.sentence, span.last + 1) not in listed:
                abbreviations.setdefault(short, mention)
            known = abbreviations.get(surface)
            if known is not None and span.type != "PER":
                mention = Named(start, end, known.id, known.name, known.type)
            named.append(mention)
        named.extend(_abbreviated(sentences, abbreviations))
        return _without_overlaps(named)

    # -- people

    def _full_names(
        self, article_id: str, text: str, sentences: list[Sentence], spans: list[Span]
    ) -> list[_Person]:
        people = []
        for span in spans:
            if span.type != "PER":
                continue
            start, end = _place(span, sentences)
            tokens = name_tokens(text[start:end])
            if len(tokens) < 2:
                continue
            entry = span.entry or self._people.get(tuple(sorted(set(tokens))))
            name = entry.name if entry else text[start:end]
            key = entry.id if entry else _id_of(name, tokens, article_id)
            vietnamese = all(s.vietnamese for s in sentences[span.sentence].shapes[span.first : span.last])
            people.append(_Person((span.sentence, span.first), key, name, tokens, vietnamese))
        # `Khả Hân` is a full name only as long as nobody is called Quách Khả Hân.
        known = _People(people)
        longer = [known.bearer(p.tokens, p.place) for p in people]
        return [
            p._replace(id=b.id, name=b.name) if b is not None else p
            for p, b in zip(people, longer, strict=True)
        ]

    def _linked_runs(self, sentences: list[Sentence], runs: list[Run], people: _People) -> list[Span]:
        linked = []
        for run in runs:
            tokens = name_tokens(" ".join(run.keys))
            sentence = sentences[run.sentence]
            vietnamese = all(s.vietnamese for s in sentence.shapes[run.first : run.last])
            kind: EntityType | None = None
            per = run.votes.get("PER", 0.0)
            loc = run.votes.get("LOC", 0.0) + run.looks.get("LOC", 0.0)
            if people.bearer(tokens, (run.sentence, run.first)) is not None and (
                not vietnamese or per >= _SINGLE_PERSON or len(tokens) > 1 or self._name_like(sentence, run)
            ):
                kind = "PER"
            elif not vietnamese and len(tokens) == 1 and len(tokens[0]) > 2:
                if per >= _SINGLE_PERSON and per > loc:
                    kind = "PER"
                elif loc >= _SINGLE_PLACE and per == 0:
                    kind = "LOC"
            if kind is not None:
                linked.append(Span(run.sentence, run.first, run.last, kind, None, run.titled))
        return linked

    def _name_like(self, sentence: Sentence, run: Run) -> bool:
        """Return whether a lone Vietnamese syllable is a name here and not a word with a capital letter."""
        share = self._statistics.capital_share(sentence.tokens[run.first].text.lower())
        return share is None or share >= (_OPENING_NAME_LIKE if sentence.opens(run.first) else _NAME_LIKE)

    def _person(self, article_id: str, surface: str, span: Span, people: _People) -> tuple[str, str]:
        if span.entry is not None and len(name_tokens(surface)) > 1:
            return span.entry.id, span.entry.name
        tokens = name_tokens(surface)
        bearer = people.bearer(tokens, (span.sentence, span.first))
        if bearer is not None:
            return bearer.id, bearer.name
        known = span.entry or self._people.get(tuple(sorted(set(tokens))))
        if known is None and len(tokens) == 1:
            known = self._short.get(tokens[0])
        if known is not None:
            return known.id, known.name
        if len(tokens) == 1 and (
            len(tokens[0]) < 3
            or is_vietnamese_folded(tokens[0])
            or tokens[0] in self._lexicon.common_surnames
        ):
            return local_id("person", surface, article_id), surface
        return _id_of(surface, tokens, article_id), surface

    # -- organisations and places

    def _with_head(self, span: Span, sentences: list[Sentence]) -> Span:
        """Return the span of a place that is but a number with the word that makes it a name: `quận 3`."""
        keys = sentences[span.sentence].keys
        numbered = span.type == "LOC" and all(k.isdigit() for k in keys[span.first : span.last])
        heads = self._lexicon.place_heads.before(keys, span.first) if numbered else []
        return span._replace(first=heads[0]) if heads else span

    def _slug(self, span: Span, sentences: list[Sentence]) -> str:
        """Return the id of an unlisted name: abbreviations spelled out, words of administration dropped."""
        keys = list(sentences[span.sentence].keys[span.first : span.last])
        words = [_SPELLED_OUT.get(k, k) for k in keys]
        if words[:3] == ["trường", "đại", "học"] or words[:2] == ["trường", "đại học"]:
            words = words[1:]
        if span.type == "ORG":
            words = [w for i, w in enumerate(words) if i == 0 or w not in _DROPPED]
        elif len(words) > 1 and words[0] in _DROPPED_HEADS and not words[1].isdigit():
            words = words[1:]
        joined = slug(" ".join(words))
        return _CITY.sub("", joined.replace("tphcm", "hcm").replace("hcm", "ho-chi-minh"))


def _id_of(name: str, tokens: tuple[str, ...], article_id: str) -> str:
    """Return the id of a full name; one that ends in an initial hides who it is: Phạm Văn K."""
    last = syllables(name)[-1]
    hidden = len(last) < 2 or (len(tokens) == 2 and last in ("van", "thi"))
    return local_id("person", name, article_id) if hidden else person_id(name)


class _People:
    """The full names of an article, asked for by a shorter one."""

    def __init__(self, people: list[_Person]) -> None:
        # By the token that a shorter name must share: the last of a Vietnamese name, any of a foreign one.
        self._by_token: dict[str, list[_Person]] = {}
        for person in sorted(people, key=lambda p: p.place):
            for token in sorted({person.tokens[-1]} if person.vietnamese else set(person.tokens)):
                self._by_token.setdefault(token, []).append(person)

    def bearer(self, tokens: tuple[str, ...], place: tuple[int, int]) -> _Person | None:
        """Return the person whom a shorter name means, or None if nobody bears it.

        If several do, it is the one named last before, as a reader takes it; if all of them come later, the
        name stays open. At most MAX_BEARERS mentions are looked at.
        """
        near = self._by_token.get(tokens[-1], []) if tokens else []
        wanted = set(tokens)
        until = bisect_left(near, place, key=lambda p: p.place)
        earlier = [
            p for p in reversed(near[max(0, until - MAX_BEARERS) : until]) if _bears(p, tokens, wanted)
        ]
        if earlier:
            return earlier[0]
        later = [p for p in near[until : until + MAX_BEARERS] if _bears(p, tokens, wanted)]
        return later[0] if len({p.id for p in later}) == 1 else None


def _bears(person: _Person, tokens: tuple[str, ...], wanted: set[str]) -> bool:
    if len(person.tokens) <= len(tokens):
        return False
    return person.tokens[-len(tokens) :] == tokens if person.vietnamese else wanted < set(person.tokens)


def _dominant_country(spans: list[Span]) -> str | None:
    """Return the country that the article is about, whose parliament is then just `Quốc hội`."""
    counts = Counter(s.entry.id for s in spans if s.entry and s.entry.id.startswith("country:"))
    if not counts:
        return None
    key, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
    clear = count >= _DOMINANT and 2 * count >= sum(counts.values())
    return key.partition(":")[2] if clear else None


def _place(span: Span, sentences: list[Sentence]) -> tuple[int, int]:
    tokens = sentences[span.sentence].tokens
    start, end = tokens[span.first].start, tokens[span.last - 1].end
    return start, end


def _introduced(span: Span, sentences: list[Sentence]) -> str | None:
    """Return the abbreviation that follows a name in brackets: Liên Hợp Quốc (LHQ)."""
    tokens = sentences[span.sentence].tokens
    if span.last + 2 >= len(tokens) or tokens[span.last].text != "(" or tokens[span.last + 2].text != ")":
        return None
    short = tokens[span.last + 1].text
    if len(short) not in _ABBREVIATION or not short.isupper():
        return None
    return short


def _abbreviated(sentences: list[Sentence], abbreviations: dict[str, Named]) -> list[Named]:
    if not abbreviations:
        return []
    return [
        Named(t.start, t.end, known.id, known.name, known.type)
        for sentence in sentences
        for t in sentence.tokens
        if (known := abbreviations.get(t.text)) is not None
    ]


def _without_overlaps(named: list[Named]) -> list[Named]:
    """Keep the longer of two overlapping mentions, the earlier of two equal ones."""
    kept: list[Named] = []
    for mention in sorted(set(named), key=lambda m: (m.start, -m.end, m.id)):
        if not kept or mention.start >= kept[-1].end:
            kept.append(mention)
    return kept


def names_of(mentions: list[Named]) -> dict[str, Named]:
    """Return for each id the mention that names it best: the most frequent name, then the longest."""
    counts = Counter((m.id, m.name) for m in mentions)
    best: dict[str, Named] = {}
    for mention in sorted(mentions):
        other = best.get(mention.id)
        if other is None or (counts[mention.id, mention.name], len(mention.name)) > (
            counts[other.id, other.name],
            len(other.name),
        ):
            best[mention.id] = mention
    return best
