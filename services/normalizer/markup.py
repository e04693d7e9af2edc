"""HTML to plain text. The result holds nothing that a browser would take for a tag or an entity."""

from __future__ import annotations

import html
import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

_INLINE = (
    "a|abbr|acronym|address|b|bdi|bdo|big|cite|code|data|del|dfn|em|embed|font|i|img|"
    "input|ins|kbd|label|map|mark|param|picture|q|rp|rt|ruby|s|samp|small|source|span|"
    "strike|strong|sub|sup|time|track|tt|u|var|wbr"
)
_BLOCK = (
    "article|aside|blockquote|body|br|caption|center|dd|details|dialog|dir|div|dl|dt|"
    "fieldset|figcaption|figure|footer|h1|h2|h3|h4|h5|h6|header|hgroup|hr|html|legend|li|"
    "main|menu|ol|p|pre|section|summary|table|tbody|td|tfoot|th|thead|tr|ul"
)
_DROPPED = (
    "applet|audio|button|canvas|head|iframe|link|meta|nav|noscript|object|option|script|"
    "select|style|svg|template|textarea|title|video"
)

_TAG = re.compile(
    rf"<(?=[a-z/!])(?:/?(?:{_INLINE}|{_BLOCK}|{_DROPPED})(?=[\s/>])[^<>]*>|!--|!doctype|!\[cdata\[)",
    re.IGNORECASE,
)
_BLOCK_TAG = re.compile(rf"</?(?:{_BLOCK})(?=[\s/>])[^<>]*>", re.IGNORECASE)
_DROPPED_ELEMENT = re.compile(
    r"<(script|style|noscript)[\s>].*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,7}|[A-Za-z][A-Za-z0-9]{1,31});")
_HAS_PARAGRAPHS = re.compile(r"<(?:p|div)[\s>/]", re.IGNORECASE)
_ATTRIBUTES = re.compile(
    r"""(<[A-Za-z][A-Za-z0-9]*)[\s/](?:[^<>"']|"[^"<]{0,2000}"|'[^'<]{0,2000}'|["'])*>"""
)
_AMPERSANDS = re.compile(r"&(?:amp;)+", re.IGNORECASE)
_OPENING = re.compile(r"<(?=[A-Za-z/!?])")

_MAX_TAGS = 5_000
"""Lexbor takes time quadratic in the depth of nesting (40 ms for 5,000 `div`, 3 s for 40,000): beyond this
many tags a plain scanner does the work."""
_MAX_PASSES = 4


def _decode_entities(text: str) -> str:
    # &amp;amp;lt; stands for &lt; whatever the number of times it was escaped.
    return _ENTITY.sub(lambda m: html.unescape(m[0]), _AMPERSANDS.sub("&amp;", text))


def _parse(source: str) -> str:
    """Return the text of `source`, a newline at every block boundary."""
    blocks, dropped = frozenset(_BLOCK.split("|")), frozenset(_DROPPED.split("|"))
    pieces: list[str] = []
    node: LexborNode | None = LexborHTMLParser(source).body
    while node is not None:
        tag = node.tag
        if tag == "-text":
            pieces.append(node.text_content or "")
        elif tag in blocks:
            pieces.append("\n")
        below = None if tag in dropped else node.first_child
        if below is not None:
            node = below
            continue
        while node is not None and node.next is None:
            node = node.parent
            if node is not None and node.tag in blocks:
                pieces.append("\n")
        node = node.next if node is not None else None
    return "".join(pieces)


def _scan(source: str) -> str:
    """Return the text of `source` without building a tree."""
    return _decode_entities(_TAG.sub("", _BLOCK_TAG.sub("\n", _DROPPED_ELEMENT.sub("", source))))


def looks_like_markup(text: str) -> bool:
    """Say whether `text` holds a known HTML tag; `a < b` and `<tên>` are not markup."""
    return "<" in text and _TAG.search(text) is not None


def to_text(text: str) -> str:
    """Return plain text for text that may be HTML: tags gone, entities decoded, blocks on lines of their own.

    Scripts, styles, forms and the head are dropped. Text without known tags keeps its `<`. Markup that was
    escaped, even repeatedly, is treated as the markup it stands for; what is still left after four rounds
    loses its meaning by a look-alike character, so that the result is inert.
    """
    for _ in range(_MAX_PASSES):
        if looks_like_markup(text):
            if _HAS_PARAGRAPHS.search(text):
                text = text.replace("\n", " ")
            # Attributes are never text, and lexbor compares each with all others of its element.
            text = _ATTRIBUTES.sub(r"\1>", text)
            text = _parse(text) if text.count("<") <= _MAX_TAGS else _scan(text)
        elif "&" in text and _ENTITY.search(text):
            text = _decode_entities(text)
        else:
            return text
    if looks_like_markup(text):
        text = _OPENING.sub("‹", text)
    return _ENTITY.sub(lambda m: "＆" + m[0][1:], text)
