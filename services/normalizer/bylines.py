"""Who wrote it: names and sources after the last sentence of an article."""

from __future__ import annotations

import re

from services.normalizer.letters import LOWER, UPPER
from services.normalizer.names import AGENCY, NAME

MIN_BEFORE = 200
"""A bare name after the last sentence is a byline only below a text of some length (characters)."""

_SENTENCE = re.compile(rf"[{LOWER}]{{2}}\.$")
_TAIL = 120
"""A byline is not longer than this (characters)."""
_WINDOW = 2 * _TAIL

_SENTENCE_END = re.compile(r"(?:[.!?…]|\./\.)[\"”’')\]]*(?:\s+|(?=[(\[]))")
_ABBREVIATION = re.compile(
    rf"(?:^|[^\w])(?:TP|Tp|TX|TT|TS|ThS|Ths|GS|PGS|BS|KS|LS|Mr|Mrs|Ms|Dr|St|vs|[{UPPER}\d])\.\s*$"
)
_NAMES = rf"{NAME}(?:(?:\s[-&]\s|\s?[–,/]\s?|\svà\s){NAME}){{0,3}}"
_BRACKETED = r"\s?[(\[][^()\[\]\n]{1,50}[)\]]\.?"
_HOW = (
    r"(?:[Tt]heo|THEO|[Tt]ổng hợp|TỔNG HỢP|TH|T/[Hh]|t/h|th|[Ll]ược dịch|[Dd]ịch|[Nn]guồn|[Gg]hi|thực hiện)"
    r"\b(?! (?:Điều|Khoản|Luật|Nghị))"  # a law is cited, not copied from
)
_SIGNED_BRACKET = re.compile(
    rf"(?:{_NAMES}\s?)?\(\s?(?:{_HOW}[^()\n]{{0,50}}|{AGENCY})\s?\)\.?(?:\s{_NAMES})?"
)
_SIGNED = re.compile(
    rf"(?:(?:Theo|Nguồn)\s?:?\s)?{_NAMES}(?:{_BRACKETED}){{0,2}}|(?:[{UPPER}]\.){{1,4}}"
    rf"|(?:Tin|Bài|Ảnh|Thực hiện|Dịch|Biên dịch)\s?:\s?{_NAMES}(?:{_BRACKETED})?"
)


def start_of_byline(text: str, end: int) -> int | None:
    """Return where a byline begins that closes `text[:end]`, or None: only names follow the last sentence."""
    offset = max(0, end - _WINDOW)
    window = text[offset:end]
    floor = max(0, len(window) - _TAIL, window.rfind("\n", max(0, len(window) - _TAIL)) + 1)
    ends = [m.end() for m in _SENTENCE_END.finditer(window, floor) if m.end() < len(window)]
    own_line = [floor] if floor and window[floor - 1] == "\n" else []
    for start in (*ends[:-3:-1], *own_line):
        before, tail = window[:start].rstrip(), window[start:]
        if not before or before[-1] not in ".!?…”\"’')]" or _ABBREVIATION.search(before[-8:]):
            continue
        long_enough = offset + len(before) >= MIN_BEFORE
        signed = long_enough and not _SENTENCE.search(tail) and _SIGNED.fullmatch(tail)
        if signed or _SIGNED_BRACKET.fullmatch(tail):
            return offset + start
    return None
