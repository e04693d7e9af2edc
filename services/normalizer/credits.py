"""Photo credits in running text, on lines of their own and in brackets.

Aggregators deliver an article as one paragraph, captions and credits in the middle: where a credit ends and
the next sentence begins has to be read off the words. Where it cannot, the credit stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.normalizer.letters import LOWER, UPPER
from services.normalizer.names import AGENCY, NAME, TOKEN

_STARTERS = (
    "Theo|Trong|Tại|Các|Những|Một|Khi|Sau|Trước|Ngày|Hôm|Sáng|Trưa|Chiều|Tối|Đêm|Tuy|Nhưng|Từ|Với|Để"
    "|Đây|Đó|Hiện|Cùng|Được|Do|Vì|Nếu|Về|Ngoài|Bên|Dù|Mặc|Qua|Trả|Nói|Không|Có|Đến|Ông|Bà|Chúng|Người"
    "|Cũng|Như|Ở|Vào|Lúc|Khoảng|Phát|Phó|Trên|Nhiều|Bởi|Đồng thời|Riêng|Liên quan|Trao đổi|Cơ quan"
    "|Công an|Chia sẻ|Hoàn thành"
)
_TITLES = (
    "Ông|Bà|ĐB|HLV|TS|BS|GS|PGS|Thủ tướng|Tổng thống|Chủ tịch|Bộ trưởng|Thứ trưởng|Đại tướng"
    "|Thượng tướng|Trung tướng|Thiếu tướng|Đại tá|Thượng tá|Trung tá|Thiếu tá|Việt Nam"
)
_SURNAMES = (
    "Nguyễn|Trần|Lê|Phạm|Hoàng|Huỳnh|Vũ|Võ|Phan|Trương|Bùi|Đặng|Đỗ|Ngô|Hồ|Dương|Đinh|Lý|Đoàn|Đào|Mai"
    "|Hà|Tô|Lưu|Lương|Cao"
)
_LABEL = re.compile(
    r"[Ảả](?:nh(?: (?P<kind>minh h[oọ][aạ]|tư liệu|internet|chụp màn hình|chụp từ clip|cắt từ clip"
    r"|nhân vật cung cấp))?|NH(?: MINH HỌA)?)\s?[:：]\s?"
)
_BEFORE_LABEL = re.compile(r"(?<!\w)(?:Nguồn|(?:Tin|Bài|Bài viết)(?:,| và| -)?) \Z")
_INSTITUTIONS = (
    "[Bb]áo|Bộ|Sở|Cục|Công an|Cảnh sát|CSGT|CA|Hải quân|Không quân|Lục quân|Quân đội|Đại học"
    "|Đại sứ quán|Trung tâm|Tổng công ty|Công ty|Cổng|Quốc hội|Ban|UBND|Viện|Bệnh viện|Hội|Đài"
    "|Tạp chí|Cơ quan|Kênh|An ninh|Pháp luật|Lao động|Tuổi trẻ|Khám phá|[Cc]hụp|[Cc]ắt|[Tt]ư liệu"
    "|[Mm]inh họa"
)
_PHRASE = r"[^.:;!?\n\"“”()]"
_NOTE = r"(?:\s?\([^()\n]{1,30}\))?"
_END = r"(?:\s?\.(?=\s|$)|\.?(?=\))|(?=\n|$))"
_CREDIT_ENDS = (
    # known agencies, also with a name before a slash; the next sentence may follow at once
    re.compile(
        rf"(?:{NAME}(?:\s?/\s?|\s?[-–]\s))?{AGENCY}(?:(?:\s?/\s?|\s?[-–]\s|, ?){AGENCY})*(?![\w&/+-])"
        rf"(?:{_END}|(?=\s[\"“'‘(…]?[{UPPER}\d]))"
    ),
    # an address
    re.compile(rf"(?:https?://)?[\w-]+(?:\.[\w-]+)+(?:/[^\s)]*)?(?:{_END}|(?=\s[\"“'‘(…]?[{UPPER}\d]))"),
    # initials
    re.compile(rf"(?:[{UPPER}]{{1,2}}\.\s?){{1,3}}[{UPPER}]{{0,2}}(?:{_END}|(?=\s[\"“]?[{UPPER}][{LOWER}]))"),
    # names in capitals before ordinary text
    re.compile(rf"[{UPPER}.]{{2,}}(?:[ -][{UPPER}.]{{2,}}){{0,3}}(?=\s[\"“]?[{UPPER}](?:[{LOWER}]|\s))"),
    # names, an institution, or one word, up to the end of the sentence or line
    re.compile(rf"{TOKEN}(?:(?:\s?[/–-]\s?|\s){TOKEN}){{0,5}}(?<![\s.][{UPPER}]){_NOTE}{_END}"),
    re.compile(rf"(?:{TOKEN}/)?(?:{_INSTITUTIONS})\b{_PHRASE}{{0,38}}(?<![\s.][{UPPER}]){_NOTE}{_END}"),
    re.compile(rf"{_PHRASE}{{1,30}}\scung cấp(?:{_END}|(?=\s[\"“{UPPER}]))"),
    re.compile(rf"[^\s.:;!?\"“”()]{{2,40}}{_END}"),
    # a name before a quotation, before a word that begins sentences, or surname and name before any other
    re.compile(rf"{NAME}(?:/{NAME})?(?=\s[\"“])"),
    re.compile(
        rf"{TOKEN}(?: {TOKEN}){{0,3}}?(?:/{TOKEN}(?: {TOKEN}){{0,3}}?)?"
        rf"(?=\s(?:(?:{_STARTERS})\s[{LOWER}\d]|(?:{_TITLES})\s))"
    ),
    re.compile(rf"(?:(?:{_SURNAMES}) {TOKEN}|{TOKEN}/{TOKEN} {TOKEN})(?=\s{TOKEN},?\s[{LOWER}])"),
    re.compile(rf"[Bb]áo [{UPPER}]\w+ [{LOWER}]+(?=\s[{UPPER}])"),
    # a site's name in small letters
    re.compile(rf"[a-z][\w-]{{3,}}(?=\s[{UPPER}])"),
)
_MAX_CREDIT_WORDS = 7
MAX_CREDITS = 300
"""More labels than this are no captions of one article, and each costs time."""
_IN_BRACKETS = re.compile(
    r"[(\[]\s?(?:(?:[Nn]guồn ảnh|[Nn]guồn|[Ảả]nh[^():\n]{0,25}|ẢNH[^():\n]{0,25})\s?[:：][^()\n]{1,60}"
    r"|[Ảả]nh (?:minh h[oọ][aạ]|tư liệu|internet|chụp màn hình|cắt từ clip|nhân vật cung cấp"
    r"|AFP|AP|Reuters|TTXVN))"
    r"\s?[)\]](?P<end>\s?\.(?=\s|$))?"
)
_BEFORE_CREDIT = re.compile(r"(?:\s?[-–—|])?\s?\Z")
_POSITION = re.compile(
    r"\((?:(?:ảnh |ảnh, |ở |đứng |người )?(?:(?:bìa|bên|góc|ngoài cùng|ngoài cùng bên|phía) )?"
    r"(?:trái|phải|giữa)(?: ảnh)?"
    r"|(?:đứng )?thứ (?:nhất|hai|ba|tư|năm|\d) (?:từ|bên) (?:bên )?(?:trái|phải)(?: (?:sang|qua))?"
    r"|(?:ảnh,? )?từ (?:bên )?(?:trái|phải) (?:sang|qua)(?: (?:trái|phải))?)\)"
)
_SENTENCE_END = re.compile(r"[.!?…][\"”’')\]]*\s+")


def _credit_end(text: str, start: int) -> int | None:
    """Return where the credit ends whose label ends at `start`; None where its end cannot be told."""
    for pattern in _CREDIT_ENDS:
        match = pattern.match(text, start)
        if match is not None and match[0] and match[0].count(" ") < _MAX_CREDIT_WORDS:
            return match.end()
    return None


def _caption(text: str) -> str:
    """Return the sentence that `text`, up to a credit, ends with."""
    line = text[max(text.rfind("\n") + 1, len(text) - 400) :].strip()
    starts = [m.end() for m in _SENTENCE_END.finditer(line) if m.end() < len(line)]
    return line[starts[-1] :] if starts else line


def _labels(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the labels of credits outside brackets begin and end: `Ảnh: `, `Nguồn ảnh: `."""
    for match in _LABEL.finditer(text):
        start = match.start()
        before = _BEFORE_LABEL.search(text[max(0, start - 14) : start])
        if before is not None:
            yield start - len(before[0]), match.end()
        elif (text[start] == "Ả" or match["kind"]) and not text[start - 1 : start].isalnum():
            yield start, match.end()


def drop_credits(text: str, removed: list[str], captions: set[str]) -> str:
    """Take photo credits out; what follows one begins a new line, as it did on the page."""
    found = [(m.start(), m.end(), True, m["end"] is not None) for m in _IN_BRACKETS.finditer(text)]
    found += [(start, end, False, False) for start, end in _labels(text)]
    if not 0 < len(found) <= MAX_CREDITS:
        return text
    done, position = "", 0
    pieces: list[str] = []
    for start, label_end, bracketed, stop in sorted(found):
        if start < position:
            continue
        end = label_end if bracketed else _credit_end(text, label_end)
        if end is None:
            continue
        before = text[position:start]
        if (dash := _BEFORE_CREDIT.search(before, max(0, len(before) - 3))) is not None:
            before = before[: dash.start()]
        if stop and before[-1:].isalnum():
            before += "."
        done = (done + before)[-400:]
        captions.add(_caption(done))
        pieces.append(before)
        removed.append(text[start:end].strip())
        position = end
        if not text.startswith(")", end):
            pieces.append("\n")
            done += "\n"
    return "".join(pieces) + text[position:]


def drop_positions(text: str, removed: list[str]) -> str:
    """Take `(trái)`, `(thứ hai từ phải sang)` out: it points into a picture that is not here."""
    pieces: list[str] = []
    position = 0
    for match in _POSITION.finditer(text):
        pieces.append(text[position : match.start()].removesuffix(" "))
        removed.append(match[0])
        position = match.end()
    return "".join(pieces) + text[position:]
