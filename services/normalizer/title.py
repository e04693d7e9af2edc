"""Titles: the crawler's, or a headline read off the head of the text."""

from __future__ import annotations

import re
from typing import NamedTuple

from services.normalizer.characters import shorten
from services.normalizer.letters import UPPER
from services.runtime.text import syllables

MAX_LENGTH = 500
MAX_DERIVED = 120

_SENTENCE_END = re.compile(rf"[.!?…]+[\"”’)\]]*(?=\s+[\"“‘(\[]?[{UPPER}\d])|\n")
_NO_END_AFTER = re.compile(rf"(?:^|[\s(])(?:TP|Tp|TS|ThS|GS|PGS|BS|KS|LS|Th|Mr|Mrs|Ms|Dr|St|[{UPPER}])\.$")


_QUOTES = {"“": "”", "‘": "’", '"': '"'}


class Headline(NamedTuple):
    """A title, and where the article goes on: the text after it, or the paragraph it was read off."""

    title: str
    body: str


def first_sentence(text: str) -> str:
    """Return the first sentence of `text`, never past the end of its first line."""
    for match in _SENTENCE_END.finditer(text):
        head = text[: match.end()].rstrip("\n")
        if text[match.start()] == "\n" or not _NO_END_AFTER.search(head[-8:]):
            return head
    return text


def opening(paragraph: str, limit: int) -> str:
    """Return `paragraph` cut to `limit` characters: after its last whole sentence, or in its first one."""
    if len(paragraph) <= limit:
        return paragraph
    end = 0
    for match in _SENTENCE_END.finditer(paragraph[: limit + 2]):
        if match.end() <= limit and not _NO_END_AFTER.search(
            paragraph[max(0, match.end() - 8) : match.end()]
        ):
            end = match.end()
    return paragraph[:end] if end else shorten(paragraph, limit, "…")


def first_paragraph(text: str, captions: frozenset[str] = frozenset()) -> str:
    """Return the first line of `text` with a word in it that is not a caption, or the first if all are."""
    lines = [line for line in text.split("\n") if _WORDS.search(line)] or [text]
    return next((line for line in lines if line not in captions), lines[0])


# ---- a headline of its own -------------------------------------------------------------------------------


def _is_headline(line: str) -> bool:
    if not 8 <= len(line) <= MAX_DERIVED or line[-1] in ".,;:" or len(_WORDS.findall(line)) < 3:
        return False
    return _SENTENCE_END.search(line) is None


def _starts_with_headline(lines: list[str]) -> bool:
    """Say whether the first of `lines` is clearly a headline of its own: the next one is not like it."""
    return len(lines) > 1 and _is_headline(lines[0]) and not _is_headline(lines[1])


def drop_repeated(title: str, text: str) -> str:
    """Return `text` without a headline in its first line that only repeats `title`."""
    lines = text.split("\n", 2)
    if _starts_with_headline(lines) and syllables(lines[0]) == syllables(title):
        return "\n".join(lines[1:])
    return text


# ---- a headline run into the lead ------------------------------------------------------------------------

_STARTER_LIST = (
    "theo ngày sáng chiều tối trưa đêm hôm ông bà anh chị trong tại sau khi mới các những một với để "
    "từ trước vừa không đây là nhiều đại dù tuy vào ở hiện liên qua cơ công nhân tổng thủ phó bộ chủ "
    "ngoại đội tiền giá thị trung tướng báo"
)
_STARTERS = frozenset(_STARTER_LIST.split())
_GOVERNING_LIST = (
    "ở tại của với ông bà và từ đến cho về là anh chị cô em trên dưới trong vào do bởi theo thành "
    "hay hoặc tỉnh huyện xã quận tp thị phố nước người gặp như vs qua cùng thăm trước sau sang tới "
    "gọi tên vì khỏi gần "
    "miền vùng đảo phường thôn"
)
_GOVERNING = frozenset(_GOVERNING_LIST.split())
"""Words that want an object: the capital after one belongs to a name, not to a new sentence."""
_TIMES = frozenset(["ngày", "sáng", "trưa", "chiều", "tối", "đêm", "hôm", "rạng"])
_NEAR = frozenset(["nay", "qua", "kia", "ngày", "sáng"])
_WORDS = re.compile(r"\w+")
_TOKENS = re.compile(r"\S+")
_RUN_IN_HEAD = 1_000
_RUN_IN_MIN_WORDS = 4
_RUN_IN_TYPICAL_WORDS = 12
_RUN_IN_SCORE = 1.5


def _run_in_score(
    tokens: list[re.Match[str]], i: int, head: str, lower_words: frozenset[str]
) -> float | None:
    """Rate the claim that a headline ends before token `i`; None where it cannot."""
    token, previous, following = (tokens[k][0].lstrip("\"“'‘(") for k in (i, i - 1, i + 1))
    if (
        not token
        or not re.match(f"[{UPPER}]", token)
        or re.search(r"(?:^|[^\w?!…”’\"')])$", tokens[i - 1][0])
    ):
        return None
    start = tokens[i].start()
    own, after = set(syllables(head[:start])), set(syllables(head[start : start + 350]))
    word = _WORDS.match(token)
    lower = word[0].lower() if word is not None else ""
    named = previous[:1].isupper()
    return (
        1.3 * len(own & after) / max(1, len(own))  # the lead takes the headline up
        + (lower in _STARTERS)
        + (lower in _TIMES and (following in _NEAR or following[:1].isdigit()))
        + (lower in lower_words)  # not a name: elsewhere in the text it has no capital
        + (not following[:1].isupper())  # names have more than one syllable
        + 3 * bool(re.search(r"[?!…”’\"')]$", previous))
        - (previous.lower() in _GOVERNING and not named)
        - 0.5 * named
        - 0.5 * (named and previous.lower() not in lower_words)
        - 0.5 * abs(i - _RUN_IN_TYPICAL_WORDS) / _RUN_IN_TYPICAL_WORDS
    )


def _run_in_end(text: str) -> int | None:
    """Return where a headline ends that runs into the first sentence without a mark, or None.

    The evidence and its weights were set by hand on 240 news articles put into this form and checked on 240
    others: three headlines of four end where they did, three leads of four without a headline stay whole.
    """
    head = text[:_RUN_IN_HEAD]
    tokens = list(_TOKENS.finditer(head))
    lower_words = frozenset(_WORDS.findall(text[: 4 * _RUN_IN_HEAD]))
    best: tuple[float, int] | None = None
    for i in range(_RUN_IN_MIN_WORDS, len(tokens) - 1):
        if tokens[i].start() > MAX_DERIVED + 1:
            break
        score = _run_in_score(tokens, i, head, lower_words)
        if score is not None and score >= _RUN_IN_SCORE and (best is None or score > best[0]):
            best = score, tokens[i].start()
    return best[1] if best is not None else None


def derive(text: str, captions: frozenset[str] = frozenset(), *, run_in: bool = False) -> Headline:
    """Read a headline off the head of `text`.

    A first line of its own that reads like a headline, else the first sentence, bounded to 120 characters;
    with `run_in` (text that has lost its line breaks) the sentence may begin with the headline, which is
    then looked for. Captions are passed over.
    """
    lines = text.split("\n")
    if _starts_with_headline(lines) and lines[0] not in captions:
        return Headline(lines[0], "\n".join(lines[1:]))
    paragraph = first_paragraph(text, captions)
    sentence = first_sentence(paragraph)
    if run_in and len(sentence) > MAX_DERIVED and (end := _run_in_end(paragraph)) is not None:
        return Headline(paragraph[:end].strip(), paragraph[end:])
    if run_in and sentence[-1] in "?!" and len(sentence) <= MAX_DERIVED and len(sentence) < len(paragraph):
        return Headline(sentence, paragraph[len(sentence) :].lstrip())
    if sentence[0] in _QUOTES and sentence.count(_QUOTES[sentence[0]]) < 1 + (sentence[0] == '"'):
        sentence = sentence[1:].lstrip() or sentence  # the quotation goes on in the next sentence
    title = shorten(sentence.rstrip(".").rstrip(), MAX_DERIVED, "…")
    return Headline(title or shorten(" ".join(lines), MAX_DERIVED, "…") or text[:MAX_DERIVED], paragraph)
