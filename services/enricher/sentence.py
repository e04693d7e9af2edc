"""A sentence as the name rules see it: tokens with their comparable keys and shapes."""

from __future__ import annotations

import re
from typing import NamedTuple

from services.enricher.analyzer import Word
from services.enricher.lexicon import key_of
from services.enricher.syllable import is_vietnamese
from services.enricher.tokenizer import Token

MAX_CACHED_SHAPES = 100_000
_MIN_HEADLINE = 4
_HEADLINE_SHARE = 0.7
_ABBREVIATED_HEAD = re.compile(r"(TP|Tp|TX|Tx|TT|Q|P|H)\.(?=[^\W\d_a-z])")
_GLUED = re.compile(r"[^\W\d_]-[^\W\d_]|[A-Za-z]\.[^\W\d_]")
_HEADS = {
    "TP": "TP.",
    "Tp": "TP.",
    "TX": "TX.",
    "Tx": "TX.",
    "TT": "TT.",
    "Q": "Quận",
    "P": "Phường",
    "H": "Huyện",
}
_OPENING = frozenset("\"'“‘«([-–—•*:;…|/>.?!")


class Shape(NamedTuple):
    """What one token looks like."""

    key: str
    """One tone style, no case."""
    capital: bool
    """Begins with a capital letter."""
    upper: bool
    """Two letters or more, all of them capital."""
    letter: bool
    """Begins with a letter or digit: a word, not punctuation."""
    vietnamese: bool
    """Can be a Vietnamese syllable."""


class Shapes:
    """A bounded cache of token shapes."""

    def __init__(self) -> None:
        self._known: dict[str, Shape] = {}

    def of_all(self, tokens: list[Token]) -> list[Shape]:
        """Return the shapes of tokens."""
        shapes = list(map(self._known.get, [t[0] for t in tokens]))
        return [s or self.of(t.text) for s, t in zip(shapes, tokens, strict=True)]

    def of(self, token: str) -> Shape:
        """Return the shape of a token."""
        shape = self._known.get(token)
        if shape is None:
            letters = sum(c.isalpha() for c in token)
            shape = Shape(
                key_of(token),
                token[0].isupper(),
                letters > 1 and token.isupper(),
                token[0].isalnum(),
                is_vietnamese(token),
            )
            if len(self._known) >= MAX_CACHED_SHAPES:
                self._known.clear()
            self._known[token] = shape
        return shape


class Sentence(NamedTuple):
    """Tokens of one sentence, their shapes, and the words they belong to."""

    number: int
    tokens: list[Token]
    shapes: list[Shape]
    keys: list[str]
    headline: bool
    """Nearly all in capital letters, which then say nothing about names."""
    ordinary: list[bool]
    """The token belongs to a word whose second syllable is not capital: `Tổng thống`, `Giáo dục`."""
    starts: list[bool]
    """The token begins a word: `đình` in `gia đình` does not."""
    labels: list[str]
    """The tagger's label of the token's word, such as B-PER or O."""

    def opens(self, at: int) -> bool:
        """Return whether the token stands where any word would have a capital letter."""
        return at == 0 or self.tokens[at - 1].text[-1] in _OPENING


def split_pairs(tokens: list[Token]) -> list[Token]:
    """Return the tokens with pairs of names cut that underthesea takes for one: `Nga-Trung`, `TP.Vinh`.

    A glued `P.` or `H.` is read as the word it stands for; offsets stay those of the text.
    """
    if not _GLUED.search(" ".join([t[0] for t in tokens])):
        return tokens
    parts: list[Token] = []
    for token in tokens:
        short = _ABBREVIATED_HEAD.match(token.text)
        if short and is_vietnamese(token.text[short.end() :]):
            cut = token.start + short.end()
            parts.append(Token(_HEADS[short[1]], token.start, cut))
            parts.append(Token(token.text[short.end() :], cut, token.end))
            continue
        pieces = token.text.split("-")
        if len(pieces) == 2 and all(p[:1].isupper() and is_vietnamese(p) for p in pieces):
            cut = token.start + len(pieces[0])
            parts.append(Token(pieces[0], token.start, cut))
            parts.append(Token("-", cut, cut + 1))
            parts.append(Token(pieces[1], cut + 1, token.end))
        else:
            parts.append(token)
    return parts


def build(number: int, tokens: list[Token], words: list[Word], shapes: Shapes) -> Sentence:
    """Return the sentence of these tokens and words (which cover the same text)."""
    tokens = split_pairs(tokens)
    seen = shapes.of_all(tokens)
    ordinary: list[bool] = []
    starts: list[bool] = []
    labels: list[str] = []
    at = 0
    for word in words:
        if tokens[at].end == word.end:
            ordinary.append(False)
            starts.append(True)
            labels.append(word.label)
            at += 1
            continue
        first = at
        while at < len(tokens) and tokens[at].end <= word.end:
            at += 1
        count = at - first
        shape = seen[first]
        plain = shape.capital and shape.vietnamese and seen[first + 1].letter and not seen[first + 1].capital
        ordinary.extend([plain] * count)
        starts.extend([True] + [False] * (count - 1))
        labels.extend([word.label] * count)
    keys = [s.key for s in seen]
    return Sentence(number, tokens, seen, keys, _is_headline(seen), ordinary, starts, labels)


def _is_headline(shapes: list[Shape]) -> bool:
    if not any(s.upper for s in shapes[:_MIN_HEADLINE]):
        return False
    letters = [s for s in shapes if s.letter and s.key[0].isalpha()]
    return len(letters) >= _MIN_HEADLINE and sum(s.upper for s in letters) >= _HEADLINE_SHARE * len(letters)
