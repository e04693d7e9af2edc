"""The same words written in another way: markup, joined syllables, Unicode forms, accents, typography.

Edits for `variants`; none shares code with the edit of its name in `edits`.
"""

from __future__ import annotations

import html
import html.entities
import random
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

from services.cli.quality.edits import Text


def _paragraphs(text: str, wrap: Callable[[str], str]) -> str:
    return "".join(f"<p>{wrap(line)}</p>\n" for line in re.split(r"\n+", text))


def as_html(article: Text, rng: random.Random, other: str) -> Text:
    """Paragraphs, links, a script and a comment."""

    def wrap(line: str) -> str:
        words = html.escape(line).split(" ")
        at = rng.randrange(len(words))
        words[at] = f'<a href="https://vidu.example/tu-khoa?x=1&amp;y=2"><b>{words[at]}</b></a>'
        return " ".join(words)

    page = _paragraphs(article.body, wrap)
    script = "<script>var quangCao = 1 < 2;</script><style>p{margin:0}</style>"
    return Text(html.escape(article.title), f'<div class="noi-dung">{script}{page}<!-- het bai --></div>')


def as_entities(article: Text, rng: random.Random, other: str) -> Text:
    """Every letter that is not ASCII as an entity: named, decimal or hexadecimal."""

    def entity(match: re.Match[str]) -> str:
        code = ord(match[0])
        named = html.entities.codepoint2name.get(code)
        return f"&{named};" if named else f"&#{code};" if code % 2 else f"&#x{code:x};"

    def encoded(text: str) -> str:
        return re.sub(r"[^\x00-\x7f]", entity, html.escape(text))

    return Text(encoded(article.title), "<br/>".join(map(encoded, article.body.split("\n"))))


def segmented_by_pairs(article: Text, rng: random.Random, other: str) -> Text:
    """Every second pair of syllables joined, all punctuation apart, numbers torn, one line."""

    def segment(text: str) -> str:
        spaced = re.sub(r"\s+", " ", re.sub(r"([^\w\s])", r" \1 ", text))
        return re.sub(r"(\w+) (\w+)(?= )", r"\1_\2", spaced)

    return Text(segment(article.title), segment(article.body))


def joined_only(article: Text, rng: random.Random, other: str) -> Text:
    """Underscores, with the punctuation left where it was."""

    def segment(text: str) -> str:
        return re.sub(r"(?<=\w) (?=\w)", lambda _: "_" if rng.random() < 0.3 else " ", text)

    return Text(segment(article.title), segment(article.body))


def _bare(text: str) -> str:
    marks = "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")
    return marks.replace("đ", "d").replace("Đ", "D")


def stripped(article: Text, rng: random.Random, other: str) -> Text:
    """Typed without diacritics."""
    return Text(_bare(article.title), _bare(article.body))


def marks_dropped(article: Text, rng: random.Random, other: str) -> Text:
    """Combining marks dropped, đ kept: what a careless program does."""

    def bare(text: str) -> str:
        return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))

    return Text(bare(article.title), bare(article.body))


def half_stripped(article: Text, rng: random.Random, other: str) -> Text:
    """Half of the words without diacritics."""
    lines = article.body.split("\n")
    return Text(
        article.title,
        "\n".join(" ".join(_bare(w) if rng.random() < 0.5 else w for w in line.split(" ")) for line in lines),
    )


def compatibility(article: Text, rng: random.Random, other: str) -> Text:
    """Unicode NFKD."""
    return Text(unicodedata.normalize("NFKD", article.title), unicodedata.normalize("NFKD", article.body))


def decomposed_in_part(article: Text, rng: random.Random, other: str) -> Text:
    """Half of the words in NFD."""
    words = article.body.split(" ")
    return replace(
        article, body=" ".join(unicodedata.normalize("NFD", w) if rng.random() < 0.5 else w for w in words)
    )


def capitals(article: Text, rng: random.Random, other: str) -> Text:
    """All in capital letters."""
    return Text(article.title.upper(), article.body.upper())


def one_line(article: Text, rng: random.Random, other: str) -> Text:
    """Without line breaks."""
    return Text(article.title, re.sub(r"\s+", " ", article.body))


def odd_spaces(article: Text, rng: random.Random, other: str) -> Text:
    """Tabs, thin spaces and such."""
    spaces = ("\u00a0", "\u2009", "  ", " \u200b", "\t")
    return Text(article.title, re.sub(" ", lambda _: rng.choice(spaces), article.body))


def typography(article: Text, rng: random.Random, other: str) -> Text:
    """Plain quotation marks, dashes and dots."""
    table = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "..."})
    return Text(article.title.translate(table), article.body.translate(table))


def tones_swapped(article: Text, rng: random.Random, other: str) -> Text:
    """hoà for hòa and khoẻ for khỏe."""

    def swapped(text: str) -> str:
        decomposed = unicodedata.normalize("NFD", text)
        moved = re.sub(
            r"([oO])([\u0300\u0301\u0303\u0309\u0323])([aeAE])(?![\w\u0300-\u036f])", r"\1\3\2", decomposed
        )
        return unicodedata.normalize("NFC", moved)

    return Text(swapped(article.title), swapped(article.body))
