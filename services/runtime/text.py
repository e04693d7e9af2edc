"""Two comparison forms of Vietnamese text, shared by every service that compares.

The published text keeps its own spelling; these forms exist only to be compared, hashed and indexed.
"""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")
_DISPLACED_TONE = re.compile(
    r"(?<=[ouOU])([aeyAEY])([\u0300\u0301\u0303\u0309\u0323])(?![^\W_]|[\u0300-\u036f])"
)


def unify_tone_marks(text: str) -> str:
    """Return NFC text with one placement of tone marks: hoà -> hòa, thuý -> thúy, khoẻ -> khỏe.

    Both placements are correct Vietnamese and newsrooms differ; only open syllables in oa, oe, uy are
    affected. `quý` becomes `qúy` too: wrong to print, but this form is only ever compared.
    """
    return unicodedata.normalize("NFC", _DISPLACED_TONE.sub(r"\2\1", unicodedata.normalize("NFD", text)))


def comparable(text: str) -> str:
    """Return the words of `text`, lower case, accented, one tone style, joined by single spaces.

    Equal for two texts that differ only in case, punctuation, spacing, Unicode form or tone placement.
    """
    return " ".join(_WORD.findall(unify_tone_marks(text).casefold()))


def fold(text: str) -> str:
    """Return `text` in lower case without diacritics (đ -> d): matches copies typed without accents."""
    decomposed = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def syllables(text: str) -> list[str]:
    """Return the folded words of `text`: for Vietnamese, its syllables."""
    return _WORD.findall(fold(text))
