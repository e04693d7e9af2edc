"""Characters: what every string of a record is reduced to before anything looks at it."""

from __future__ import annotations

import re
import unicodedata

_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_BREAK = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_PRINTABLE_INVISIBLE = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # joiners and letters that print nothing
    "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors
)
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f"  # control characters other than white space
    "\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero width
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"  # tags
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U00013430-\U0001345f\U000110bd\U000110cd"  # other formats
    "\ue000-\uf8ff\U000f0000-\U0010ffff"  # private use: icon fonts
    f"\ufdd0-\ufdef\ufffe\uffff{_PRINTABLE_INVISIBLE}]"  # not characters
)
_UNUSUAL = re.compile("[^\\w\\s\x00-\u02ff\u2010-\u2027\u2030-\u205e]")  # marks and symbols, but “ ” – …
_BLANK_LETTER = re.compile("[\u115f\u1160\u3164\uffa0]")
_UNTIDY = ("  ", "\n\n", " \n", "\n ")
_NOT_A_CHARACTER = re.compile(
    f"[{''.join(chr(plane << 16 | x) for plane in range(1, 15) for x in (65534, 65535))}]"
)
_MARK_RUN = re.compile("[^\\w\\s\x00-\u02ff]{31,}")
_MAX_MARKS = 30
_SPACES = re.compile(r"[^\S\n]{2,}|[^\S\n ]")
_AROUND_BREAK = re.compile(r" ?\n[ \n]*")


def _limit_marks(text: str) -> str:
    """Keep at most 30 combining marks in a row (the Stream-Safe Text Format of UAX #15).

    Sorting an endless run of marks, as normalization must, takes quadratic time.
    """

    def limited(match: re.Match[str]) -> str:
        kept: list[str] = []
        marks = 0
        for c in match[0]:
            marks = marks + 1 if unicodedata.combining(c) else 0
            if marks <= _MAX_MARKS:
                kept.append(c)
        return "".join(kept)

    return _MARK_RUN.sub(limited, text)


def whole_characters(text: str) -> str:
    """Return `text` with the halves of a character that came as two escapes joined, lone halves dropped."""
    if _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


def _is_plain(text: str) -> bool:
    """Say whether `text` needs no more than normalizing and trimming: most text, and cheap to see."""
    if not text.replace("\n", "").isprintable() or any(pair in text for pair in _UNTIDY):
        return False
    return _UNUSUAL.search(text) is None and _BLANK_LETTER.search(text) is None


def printable(text: str) -> str:
    """Return `text` in NFC without surrogates, control, zero-width and private characters.

    Line breaks become a newline, other white space one space; lines are trimmed and empty ones dropped.
    Emoji stay. Applying it twice changes nothing more.
    """
    if _is_plain(text):
        return unicodedata.normalize("NFC", text).strip()
    text = _LINE_BREAK.sub("\n", whole_characters(text))
    text = _NOT_A_CHARACTER.sub("", _INVISIBLE.sub("", text))
    text = _limit_marks(unicodedata.normalize("NFC", _limit_marks(text)))
    return _AROUND_BREAK.sub("\n", _SPACES.sub(" ", text)).strip()


def one_line(text: str) -> str:
    """Return `printable(text)` on a single line."""
    return printable(text).replace("\n", " ")


def shorten(text: str, limit: int, ellipsis: str = "") -> str:
    """Return `text` cut to at most `limit` characters, at a space where there is one in the last half."""
    if len(text) <= limit:
        return text
    head = text[: limit - len(ellipsis) + 1]
    space = head.rfind(" ", limit // 2)
    return head[: space if space > 0 else limit - len(ellipsis)].rstrip(' ,;:-–—("“‘') + ellipsis
