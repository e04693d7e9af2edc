"""One letter for every way of writing it: the table that compiled code folds text with.

Copies are found on text without case, diacritics and punctuation (`services.runtime.text.fold`), because
half of what newsrooms change in a copy is exactly that. The compiled code works on UTF-16 units, so the
folding is laid out as a table once; the halves of what UTF-16 writes with two units are no letters.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

from services.runtime.text import fold

SEPARATOR = 0
"""Ends a word: punctuation, white space, symbols."""

IGNORED = 1
"""Belongs to the letter before it: combining marks, so that decomposed text needs no composing."""

SIZE = 0x10000
"""The table covers the Basic Multilingual Plane; what is beyond (emoji, rare ideographs) separates words."""

_UNCASED = ((0x3400, 0xA4CF), (0xAC00, 0xD7FF))
"""CJK ideographs, Yi and Hangul syllables: folding changes none of them, and they are half of the plane."""


def _folded(code: int) -> int:
    if any(first <= code <= last for first, last in _UNCASED):
        return code if chr(code).isalnum() else SEPARATOR
    character = chr(code)
    if unicodedata.combining(character):
        return IGNORED
    if not character.isalnum():
        return SEPARATOR
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return ord(str(digit))
    bare = fold(character)[:1]
    return ord(bare) if bare.isalnum() and ord(bare) < SIZE else code


@cache
def folding_table() -> NDArray[np.uint16]:
    """Return `table[code point]`: SEPARATOR, IGNORED or the code point of the folded letter or digit.

    Takes about a tenth of a second; services call it while they warm up. Letters whose folded form has
    several characters (ß) keep the first one.
    """
    return np.fromiter(map(_folded, range(SIZE)), dtype=np.uint16, count=SIZE)
