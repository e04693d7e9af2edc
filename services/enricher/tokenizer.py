"""Sentences and tokens with their places in the text.

Tokens are those of underthesea's regular expression, found chunk by chunk (its patterns never match a
white space), so that a chunk seen before costs one dictionary look-up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

MAX_RUN = 256
"""Longest white-space-free run, in characters, tokenized in one piece: the expression is quadratic."""
MAX_SENTENCE = 4096
"""Longest sentence in characters; a longer one is cut at a white space."""
MAX_CACHED_CHUNKS = 100_000
_LONGEST_CACHED_CHUNK = 40
_LONGEST_NORMALIZED = 6

_CHUNK = re.compile(rf"\S{{1,{MAX_RUN}}}")
_PARAGRAPH = re.compile(r"[^\n\r\u2028\u2029]+")
# A full stop glued between two words ends a sentence only if what stands before it cannot be an initial or a
# short abbreviation: three letters, or one that carries a tone (`châu Á.Các nước`).
_SENTENCE_END = re.compile(
    r"(?:[.!?…]{1,8}[\"”’»)\]]{0,4})(?=\s)"
    r"|(?:(?<=[^\W\d_]{3})|(?<=[\u1ea0-\u1ef9ÁÀÃÂÉÈÊÍÌÓÒÕÔÚÙÝáàãâéèêíìóòõôúùý]))[.!?](?=[^\W\d_])"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(“\"])(?:[A-Za-zĐđ]|[Tt][pPsSxXtTrR]|T[hH]S|ThS|BS|GS|PGS|KS|LS|NS|Mr|Mrs|Ms|Dr|St|Jr|No|vs|v\.v)$"
)


class Token(NamedTuple):
    """A token as underthesea spells it, and where it stands."""

    text: str
    start: int
    end: int


class Tokenizer:
    """underthesea's tokenizer with offsets; loads its expression and its table of misspellings."""

    def __init__(self) -> None:
        from underthesea.pipeline.text_normalize.text_normalizer import character_map, token_map
        from underthesea.pipeline.word_tokenize.regex_tokenize import patterns

        self._patterns: re.Pattern[str] = patterns
        self._spellings: dict[str, str] = token_map
        self._characters = str.maketrans(character_map)
        self._chunks: dict[str, tuple[Token, ...]] = {}

    def tokens(self, text: str, start: int, end: int) -> list[Token]:
        """Return the tokens of text[start:end] (NFC) with offsets into `text`.

        The slice must not end in white space: the expression treats the end of a sentence specially.
        """
        found: list[Token] = []
        new = tuple.__new__  # half the price of the named tuple's own constructor, and this is the hot loop
        for match in _CHUNK.finditer(text, start, end):
            at = match.start()
            chunk = match[0] if match.end() == end else match[0] + " "
            for token, first, last in self._chunks.get(chunk) or self._split(chunk):
                found.append(new(Token, (token, at + first, at + last)))
        return found

    def _split(self, chunk: str) -> tuple[Token, ...]:
        tokens = tuple(
            Token(self._spell(m.group()), m.start(), m.end())
            for m in self._patterns.finditer(chunk.translate(self._characters))
        )
        if len(chunk) <= _LONGEST_CACHED_CHUNK:
            if len(self._chunks) >= MAX_CACHED_CHUNKS:
                self._chunks.clear()
            self._chunks[chunk] = tokens
        return tokens

    def _spell(self, token: str) -> str:
        if len(token) > _LONGEST_NORMALIZED:
            return token
        token = unicodedata.normalize("NFC", token)
        return self._spellings.get(token, token)


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of the sentences of `text`, without white space around them.

    A paragraph ends a sentence, and so do `.`, `!`, `?` and `…` before a white space or glued between two
    words, except after an abbreviation. No sentence is longer than MAX_SENTENCE characters.
    """
    for paragraph in _PARAGRAPH.finditer(text):
        start, last = paragraph.span()
        for match in _SENTENCE_END.finditer(text, start, last):
            if match[0] == "." and _ABBREVIATION.search(text, max(start, match.start() - 8), match.start()):
                continue
            yield from _bounded(text, start, match.end())
            start = match.end()
        yield from _bounded(text, start, last)


def _bounded(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while True:
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        if start >= end:
            return
        cut = end
        if end - start > MAX_SENTENCE:
            cut = start + MAX_SENTENCE
            space = max(text.rfind(" ", start, cut), text.rfind("\t", start, cut))
            if space > start:
                cut = space
        last = cut
        while text[last - 1].isspace():
            last -= 1
        yield start, last
        start = cut
