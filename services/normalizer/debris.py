"""Credits, bylines and page furniture in article text: what a reader would not call the article.

Every rule is narrow, and works on plain text that may have lost its line breaks. What is in doubt stays.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from services.normalizer.bylines import start_of_byline
from services.normalizer.credits import drop_credits, drop_positions
from services.normalizer.letters import UPPER

MAX_SHARE = 0.3
MAX_ALWAYS = 160
"""At most this share of a text, or this many characters of a short one, can be debris: if more would go,
the patterns have misread it and nothing goes."""

_MAX_ROUNDS = 3

_LEAD_TAG = re.compile(
    rf"\(\s?[{UPPER}][^()\n]{{1,28}}\)\s?[-–—:]+\s?"  # (TTXVN) - , (Dân trí) -
    rf"|(?:TTO|TPO|PLO|NLĐO|SGGPO|LĐO|HNMO|CAO|NDĐT|ANTĐ|ANTD|SKĐS|ĐSPL|GD&TĐ|TNO|VNN|TTXVN|VOV|VTV|VTC"
    rf"|Online|Infonet|Dân trí|Dân Việt|ICTnews|Kinhtedothi|Chinhphu\.vn|VOV\.VN|VOV\.vn|VTV\.vn|VTC News)"
    rf"\s[-–—]\s(?=[\"“]?[{UPPER}])"  # TTO - , VOV.VN -
)

_SHARE = (
    r"(?:facebook|twitter|zalo|google\+|pinterest|linkedin|email|in bài|bình luận|lưu bài|copy link|link"
    r"|chia sẻ|gửi)"
)
_FURNITURE_LINE = re.compile(
    r"[>»*•|\s-]*+(?:"
    r"(?:xem thêm|đọc thêm|xem tiếp|đọc tiếp|tin liên quan|bài liên quan|tin cùng chuyên mục"
    r"|có thể bạn quan tâm)\s?(?:[:：>].{0,160})?"
    r"|mời (?:quý )?(?:độc giả|bạn đọc|bạn|quý vị|vị).{0,12}(?:đọc|xem|theo dõi|truy cập).{0,160}"
    r"|(?:mời |hãy )?theo dõi.{0,60} trên (?:google news|facebook|youtube|zalo|telegram|tiktok).{0,60}"
    rf"|{_SHARE}(?:[\s|•·,/]++{_SHARE}){{0,8}}"
    r")",
    re.IGNORECASE,
)
_SEPARATOR_LINE = re.compile(r"[-–—=_*~#•.\s]{3,}")
_MAX_FURNITURE = 250
_LINK_TAIL = re.compile(
    r"(?:>>+|»+|(?:Bấm xem|Xem thêm|Đọc thêm|Xem tiếp|Đọc tiếp)\s?(?::|>+))(?:(?![.!?]\s).){0,160}\Z"
)
_AROUND_BREAK = re.compile(r" ?\n\s*")
_WORD = re.compile(r"\w")


class Cleaned(NamedTuple):
    """`text` without debris, the pieces taken out in order, and the lines known to be captions."""

    text: str
    removed: list[str]
    captions: frozenset[str]


def strip_lead_tag(text: str) -> str:
    """Return `text` without the agency tags in front: `(TTXVN) - `, `TTO - `. A word always remains."""
    start = 0
    while (match := _LEAD_TAG.match(text, start)) is not None and _WORD.search(text, match.end()):
        start = match.end()
    return text[start:]


def _is_furniture(line: str) -> bool:
    if not 3 <= len(line) <= _MAX_FURNITURE:
        return False
    return _FURNITURE_LINE.fullmatch(line) is not None or _SEPARATOR_LINE.fullmatch(line) is not None


def _drop_furniture(text: str, removed: list[str]) -> str:
    lines = text.split("\n")
    kept = [line for line in lines if not _is_furniture(line)]
    if len(kept) < len(lines):
        removed += [line for line in lines if _is_furniture(line)]
    return "\n".join(kept)


def _start_of_links(text: str, end: int) -> int | None:
    """Return where `>> Xem thêm: …` begins that closes `text[:end]`, or None."""
    offset = max(0, end - _MAX_FURNITURE)
    window = text[offset:end]
    for match in _LINK_TAIL.finditer(window):
        before = window[: match.start()].rstrip(" ")
        if before and before[-1] in '\n.!?…”")]':
            return offset + match.start()
    return None


def _drop_tails(text: str, removed: list[str], floor: int) -> str:
    """Take bylines and links off the end, but nothing before `floor`."""
    end = len(text)
    while end > floor:
        start = _start_of_links(text, end)
        if start is None:
            start = start_of_byline(text, end)
        if start is None:
            break
        removed.append(text[start:end].strip())
        while start > 0 and text[start - 1].isspace():
            start -= 1
        end = start
    return text[:end]


def remove(text: str) -> Cleaned:
    """Take agency tags, credits, bylines and page furniture out of printable text.

    Captions stay, without their credit and `(trái)`: often nobody else names who is in the picture.
    """
    removed: list[str] = []
    captions: set[str] = set()
    least = len(text) - max(MAX_ALWAYS, int(MAX_SHARE * len(text)))
    current = text
    for _ in range(_MAX_ROUNDS):
        before = current
        current = strip_lead_tag(current)
        if len(current) < len(before):
            removed.append(before[: len(before) - len(current)].strip())
        current = drop_positions(drop_credits(current, removed, captions), removed)
        if "\n" in current:
            current = _drop_furniture(_AROUND_BREAK.sub("\n", current).strip(), removed)
        current = _drop_tails(current, removed, least)
        if current == before:
            break
    if len(current) < least or _WORD.search(current) is None:
        return Cleaned(text, [], frozenset())
    return Cleaned(current, removed, frozenset(drop_positions(caption, []) for caption in captions))
