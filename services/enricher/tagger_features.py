"""What the tagger sees of a token: columns of values, and the templates that combine them.

A column is one kind of observation (the word, its shape, what the rules say of it …); a template asks for
the values of one to three columns at offsets from the current token. Training and decoding read the same
columns, so that the model is asked what it was taught.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol

from services.enricher.analyzer import Word
from services.enricher.gazetteer import Match
from services.enricher.lexicon import DATA, Lexicon, Phrases, WordStatistics
from services.enricher.sentence import Sentence, Shape

(
    KEY, NAME, SHARE, ENDING, COARSE, FINE,
    SHAPE, TAG, RULE, LISTED, PHRASE, BEFORE, AFTER, SEEN, PLACE, OPENS,
) = range(16)  # fmt: skip
FIXED, COLUMNS = 6, 16
"""The first six depend on the token alone: word, kinds of name, share of capital initials, last letters,
cluster of similar words (of 64, of 320). The others: shape, part of speech, label of the rules, gazetteer,
phrase of the lexicon, word before and after the run of capital words, the rest of the article, place in the
run, kind and cluster of the run's first word."""

Template = tuple[tuple[int, int], ...]
"""(column, offset from the current token) of each part."""

TEMPLATES: tuple[Template, ...] = (
    *(((KEY, d),) for d in (-2, -1, 0, 1, 2)),
    ((KEY, -1), (KEY, 0)),
    ((KEY, 0), (KEY, 1)),
    *(((SHAPE, d),) for d in (-2, -1, 0, 1, 2)),
    ((SHAPE, -1), (SHAPE, 0)),
    ((SHAPE, 0), (SHAPE, 1)),
    ((SHAPE, -1), (SHAPE, 0), (SHAPE, 1)),
    *(((NAME, d),) for d in (-1, 0, 1)),
    ((NAME, 0), (NAME, 1)),
    ((NAME, -1), (NAME, 0)),
    ((SHARE, 0), (SHAPE, 0)),
    ((SHARE, 1), (SHAPE, 1)),
    ((ENDING, 0),),
    *(((TAG, d),) for d in (-1, 0, 1)),
    ((TAG, -1), (TAG, 0)),
    ((TAG, 0), (TAG, 1)),
    *(((RULE, d),) for d in (-2, -1, 0, 1, 2)),
    ((RULE, -1), (RULE, 0)),
    ((RULE, 0), (RULE, 1)),
    ((RULE, -1), (RULE, 0), (RULE, 1)),
    ((RULE, 0), (KEY, 0)),
    ((RULE, 0), (SHAPE, 0)),
    ((RULE, 0), (NAME, 0)),
    ((RULE, 0), (PHRASE, 0)),
    ((RULE, 0), (BEFORE, 0)),
    ((RULE, 0), (SEEN, 0)),
    ((RULE, 0), (LISTED, 0)),
    *(((LISTED, d),) for d in (-1, 0, 1)),
    *(((PHRASE, d),) for d in (-2, -1, 0, 1)),
    ((PHRASE, -1), (SHAPE, 0)),
    ((PHRASE, 0), (SHAPE, 0)),
    ((BEFORE, 0),),
    ((AFTER, 0),),
    ((BEFORE, 0), (PLACE, 0)),
    ((PLACE, 0), (SHAPE, 0)),
    ((SEEN, 0),),
    ((SEEN, -1), (SEEN, 0)),
    ((SEEN, 0), (SEEN, 1)),
    *(((COARSE, d),) for d in (-2, -1, 0, 1, 2)),
    *(((FINE, d),) for d in (-2, -1, 0, 1, 2)),
    ((COARSE, -1), (COARSE, 0)),
    ((COARSE, 0), (COARSE, 1)),
    ((COARSE, -1), (COARSE, 0), (COARSE, 1)),
    ((FINE, -1), (FINE, 0)),
    ((FINE, 0), (FINE, 1)),
    ((RULE, 0), (FINE, 0)),
    ((RULE, 0), (COARSE, -1)),
    ((RULE, 0), (COARSE, 1)),
    ((OPENS, 0),),
    ((OPENS, 0), (PLACE, 0)),
    ((OPENS, 0), (BEFORE, 0)),
)

CLUSTERS = DATA / "ner.clusters.tsv"
BEYOND = "\x00"
"""The value of every column outside the sentence."""
_LONGEST_RUN = 4
_UNNAMED = frozenset(["0", "0s"])
"""What `seen` holds of a word that has no label and no capital letter inside a sentence."""
_MADE_FROM_THE_NAME = frozenset(["person", "org", "place", "misc"])
Row = tuple[str, ...]


class Fixed(NamedTuple):
    """What depends on the token alone: the first columns."""

    key: str
    name: str
    share: str
    ending: str
    coarse: str
    fine: str


class Observed(NamedTuple):
    """What the tagger sees of a sentence; nothing of one in which no name can begin."""

    size: int
    """Tokens of the sentence."""
    fixed: list[Fixed]
    moving: tuple[list[str], ...]
    """The other columns, each with a value for every token."""

    @property
    def silent(self) -> bool:
        """Whether no name can begin here, so that the columns were spared."""
        return not self.fixed

    def rows(self) -> list[Row]:
        """Return all columns of every token."""
        return [(*fixed, *moving) for fixed, *moving in zip(self.fixed, *self.moving, strict=True)]


class Observer:
    """Turns sentences into columns. Holds tables, and a bounded cache of what depends on a token alone."""

    def __init__(self, lexicon: Lexicon, statistics: WordStatistics) -> None:
        self._lexicon = lexicon
        self._statistics = statistics
        self._fixed: dict[str, tuple[str, Fixed]] = {}
        self._clusters: dict[str, tuple[str, str]] = {}
        with CLUSTERS.open(encoding="utf-8") as lines:
            for line in lines:
                word, coarse, fine = line.rstrip("\n").split("\t")
                self._clusters[word] = coarse, fine
        self._kinds: tuple[tuple[str, frozenset[str]], ...] = (
            ("F", lexicon.common_family_names),
            ("f", lexicon.family_names),
            ("m", lexicon.middle_names),
            ("g", lexicon.given_names),
            ("s", lexicon.common_surnames),
            ("e", lexicon.english_words),
            ("n", lexicon.not_names),
            ("o", lexicon.organisation_endings),
            ("l", lexicon.place_endings),
            ("p", lexicon.place_prepositions),
            ("a", lexicon.name_particles),
            ("x", lexicon.openers),
        )
        self._phrases: tuple[tuple[str, Phrases], ...] = (
            ("t", lexicon.titles),
            ("a", lexicon.address),
            ("o", lexicon.organisation_heads),
            ("l", lexicon.place_heads),
            ("h", lexicon.lower_heads),
            ("v", lexicon.person_verbs),
        )

        self._openers: dict[str, list[tuple[str, Phrases]]] = {}
        for mark, phrases in self._phrases:
            for word in phrases.openers():
                self._openers.setdefault(word, []).append((mark, phrases))

    def observe(
        self,
        sentences: Sequence[Sentence],
        words: Sequence[Sequence[Word]],
        matches: Sequence[dict[int, Match]],
        rules: Sequence[Sequence[str]],
    ) -> list[Observed]:
        """Return the columns of every token; `rules` are the labels of the rules, token by token."""
        capitals = [[at for at, shape in enumerate(s.shapes) if shape.capital] for s in sentences]
        seen = _seen(sentences, capitals, rules)
        return [
            self._columns(s, w, m, r, c, seen)
            if m
            or any(label != "O" for label in r)
            or any(not s.opens(at) or seen[s.keys[at]] not in _UNNAMED for at in c)
            else Observed(len(s.keys), [], ())
            for s, w, m, r, c in zip(sentences, words, matches, rules, capitals, strict=True)
        ]

    def _columns(
        self,
        s: Sentence,
        words: Sequence[Word],
        matches: dict[int, Match],
        rules: Sequence[str],
        capitals: list[int],
        seen: dict[str, str],
    ) -> Observed:
        count = len(s.keys)
        looks = list(map(self._fixed.get, [token.text for token in s.tokens]))
        if None in looks:
            looks = [self._of(token.text, shape) for token, shape in zip(s.tokens, s.shapes, strict=True)]
        shapes = [look[0] for look in looks if look is not None]
        fixed = [look[1] for look in looks if look is not None]
        listed, about = ["-"] * count, ["-"] * count
        for at in capitals:
            if s.opens(at):
                shapes[at] += "^"
            about[at] = seen[s.keys[at]]
        if s.headline:
            shapes = [f"{shape}H" for shape in shapes]
        for match in matches.values():
            for at in range(match.first, min(match.last, count)):
                if listed[at] == "-":
                    head = "B" if at == match.first else "I"
                    listed[at] = f"{head}{match.entry.type}{match.mark}"
        before, after, place, opening = _runs(s, capitals, fixed)
        tags = _tags(s, words)
        phrases = self._phrase_column(s)
        return Observed(
            count,
            fixed,
            (shapes, tags, list(rules), listed, phrases, before, after, about, place, opening),
        )

    def _of(self, token: str, shape: Shape) -> tuple[str, Fixed]:
        known = self._fixed.get(token)
        if known is None:
            if len(self._fixed) >= 100_000:
                self._fixed.clear()
            known = self._fixed[token] = self._look(token, shape)
        return known

    def _look(self, token: str, shape: Shape) -> tuple[str, Fixed]:
        key = shape.key
        form = (
            ("U" if shape.upper else "C" if shape.capital else "d" if key[0].isdigit() else "l")
            if shape.letter
            else f"p{key[:1]}"
        )
        if shape.letter:
            form += "" if shape.vietnamese else "f"
            if len(key) == 1:
                form += "1"
            if key.isascii():
                form += "a"
            if not key.isalpha():
                form += "".join(sorted({"9" if c.isdigit() else c for c in key if not c.isalpha()}))[:4]
            if any(c.isupper() for c in token[1:]) and not shape.upper:
                form += "i"
        name = "".join(mark for mark, members in self._kinds if key in members)
        share = self._statistics.capital_share(token.lower())
        bucket = "-" if share is None else str(int(share * 5.999))
        ending = key[-3:] if shape.letter and not shape.vietnamese else ""
        return form, Fixed(key, name, bucket, ending, *self._clusters.get(form_of(token, key), ("-", "-")))

    def _phrase_column(self, s: Sentence) -> list[str]:
        keys = s.keys
        column = ["-"] * len(keys)
        beyond: dict[str, int] = {}
        for at, key in enumerate(keys):
            for mark, phrases in self._openers.get(key, ()):
                if at < beyond.get(mark, 0):
                    continue
                last = phrases.longest_at(keys, at)
                if last > at:
                    beyond[mark] = last
                    for i in range(at, last):
                        here = column[i]
                        column[i] = f"{mark}{'B' if i == at else 'I'}" if here == "-" else here + mark
        return column


class Labelled(Protocol):
    """A name with its place, type and identity, as the resolution of names returns it."""

    @property
    def start(self) -> int: ...  # noqa: D102
    @property
    def end(self) -> int: ...  # noqa: D102
    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102


def rule_labels(sentences: Sequence[Sentence], named: Sequence[Labelled]) -> list[list[str]]:
    """Return what the rules say of each token: `B-LOCe` for a place that a table knows, `O` for no name."""
    labels = [["O"] * len(s.tokens) for s in sentences]
    starts = list(accumulate((s.tokens[0].start if s.tokens else 0 for s in sentences), max))
    for name in named:
        number = bisect_right(starts, name.start) - 1
        tokens, row = sentences[number].tokens, labels[number]
        at = bisect_left(tokens, name.start, key=lambda t: t.start)
        known = "" if name.id.partition(":")[0] in _MADE_FROM_THE_NAME else "e"
        part = "B"
        while at < len(tokens) and tokens[at].end <= name.end:
            row[at] = f"{part}-{name.type}{known}"
            part = "I"
            at += 1
    return labels


def form_of(token: str, key: str) -> str:
    """Return the form under which the clusters know a token: digits as zeros, a plus for a capital."""
    if key[0].isdigit():
        key = "0" * min(len(key), 4) + "".join(c for c in key if not c.isdigit())[:2]
    return f"+{key}" if token[0].isupper() else key


def _tags(s: Sentence, words: Sequence[Word]) -> list[str]:
    """Return the part of speech of each token's word, with a plus where the token does not begin it."""
    column: list[str] = []
    following = iter(words)
    inside = ""
    for starts in s.starts:
        if starts:
            tag = next(following).tag
            inside = f"+{tag}"
            column.append(tag)
        else:
            column.append(inside)
    return column


def _runs(
    s: Sentence, capitals: list[int], fixed: list[Fixed]
) -> tuple[list[str], list[str], list[str], list[str]]:
    """Return the words around the run of capital words at each token, its place in the run, and the kind of
    the run's first word.
    """
    count = len(s.keys)
    before, after, place, opening = ["-"] * count, ["-"] * count, ["-"] * count, ["-"] * count
    done = 0
    for first in capitals:
        if first < done:
            continue
        done = first
        while done < count and s.shapes[done].capital:
            done += 1
        left = s.keys[first - 1] if first else BEYOND
        right = s.keys[done] if done < count else BEYOND
        size = min(done - first, _LONGEST_RUN)
        kind = f"{fixed[first].name}/{fixed[first].coarse}"
        for at in range(first, done):
            before[at], after[at], opening[at] = left, right, kind
            place[at] = f"{min(at - first, _LONGEST_RUN)}/{size}"
    return before, after, place, opening


def _seen(
    sentences: Sequence[Sentence], capitals: Sequence[list[int]], rules: Sequence[Sequence[str]]
) -> dict[str, str]:
    """Return what the whole article says of each word with a capital letter: label and places."""
    labels: dict[str, dict[str, int]] = {}
    inside: dict[str, int] = {}
    small: set[str] = set()
    for s, places, rule in zip(sentences, capitals, rules, strict=True):
        small.update([key for key, shape in zip(s.keys, s.shapes, strict=True) if not shape.capital])
        for at in places:
            key = s.keys[at]
            counts = labels.setdefault(key, {})
            label = rule[at][2:5]
            counts[label] = counts.get(label, 0) + 1
            if not s.opens(at):
                inside[key] = inside.get(key, 0) + 1
    return {
        key: f"{min(counts, key=lambda k: (-counts[k], k))}"
        f"{min(inside.get(key, 0), 2)}{'s' if key in small else ''}"
        for key, counts in labels.items()
    }
