"""Word-segmented text back to plain Vietnamese.

Corpora and some crawlers deliver text as a segmenter left it: the syllables of a word joined by
underscores, punctuation set apart by spaces, sentences sometimes glued. Restoring it is needed before
anything compares, names or prints it.
"""

from __future__ import annotations

import re

from services.normalizer.letters import UPPER

_JOINED = re.compile(r"[^\W_]+(?:_[^\W_]+)+")
_ADDRESS = re.compile(r"://|www\.|@|^#|\.(?:com|net|org|vn|html?|php|jpe?g|png)(?:/|$)", re.IGNORECASE)
_MARKED_LETTER = re.compile(r"[^\W\d_\x00-\x7f]")
_SPACED_MARK = re.compile(r"(?<=\s)[,.;:!?)\]”](?=\s|$)")
_ATTACHED_MARK = re.compile(r"(?<=[^\W_])[,.;:!?)\]”](?=\s|$)")

_MIN_JOINED = 2
_MIN_SHARE = 0.06
"""Of the tokens: real segmented news has 0.2 to 0.35, so even a headline or a list of names passes."""
_CLEAR_SHARE = 0.12
"""From this share on the joined words alone decide, whatever the punctuation looks like."""

_GLUED_END = re.compile(rf"([^\W\d_]+)\.(?=[{UPPER}])")
_ABBREVIATION_LIST = "ths ts gs pgs bs ks ls cn nxb st mr mrs ms dr prof tp tx tt th q p h x đ"
_ABBREVIATIONS = frozenset(_ABBREVIATION_LIST.split())

_CLOSING = frozenset(
    [",", ".", ";", ":", "!", "?", "…", "...", "..", "....", "?!", "!?", ")", "]", "}", "”", "’", "»"]
)
_OPENING = frozenset(["(", "[", "{", "“", "‘", "«"])
_MARKS = _CLOSING | _OPENING | frozenset(['"', "'", "/", "%", "-", "–", "$", "£", "€"])

# What a segmenter splits inside numbers. A rule is here if the joined form is the usual one in print.
_REJOINED = (
    (re.compile(r"(?<![\w.,])(\d{1,2}) h ?(\d{2})(?!\w)"), r"\1h\2"),  # 19 h30
    (re.compile(r"(?<=\d) (?=(?:h|g|ml|cc|G|kV|GB)(?![\w/]))"), ""),  # 7 h, 4 G, 220 kV
    (re.compile(r"(?<=\d) - (?=\d)"), "-"),  # 1965 - 1969
    (re.compile(r"(?<=\d) \+ (?=\d)"), "+"),  # 90 + 3
    (re.compile(r"(?<![\w:])(\d{1,2}): (?=\d\d(?![\w:]))"), r"\1:"),  # 02 : 45
    (re.compile(rf"(?<=[{UPPER}]{{2}}) & (?=[{UPPER}]{{2}})"), "&"),  # TT & DL
)

_CODE = re.compile(r"(?<!\w)[A-Z]\d{1,2}(?!\w)")
_SPLIT_CODE = re.compile(r"(?<!\w)([A-Z]) (\d{1,2})(?!\w|[.,]\d)")


def looks_segmented(text: str) -> bool:
    """Say whether a segmenter has been over `text`: many joined syllables, punctuation set apart.

    A stray underscore, identifiers, addresses and e-mail do not make a text segmented.
    """
    if text.count("_") < _MIN_JOINED:
        return False
    tokens = text.split()
    joined = [t for t in tokens if "_" in t and _JOINED.search(t) and not _ADDRESS.search(t)]
    if len(joined) < _MIN_JOINED or len(joined) < _MIN_SHARE * len(tokens):
        return False
    if sum(1 for t in joined if _MARKED_LETTER.search(t)) * 2 < len(joined):
        return False
    if len(joined) >= _CLEAR_SHARE * len(tokens):
        return True
    return len(_SPACED_MARK.findall(text)) >= len(_ATTACHED_MARK.findall(text))


def _split_glued(token: str) -> list[str]:
    """Split `châu_Á.G` where one sentence ends and the next begins; `TP.HCM` and `vov.vn` stay."""
    pieces: list[str] = []
    start = 0
    for match in _GLUED_END.finditer(token):
        word = token[start : match.end(1)].replace("_", "")
        if len(word) > 1 and not word.isupper() and match[1].casefold() not in _ABBREVIATIONS:
            pieces += [token[start : match.end(1)], "."]
            start = match.end()
    pieces.append(token[start:])
    return pieces


def _tokens(line: str) -> list[str]:
    tokens: list[str] = []
    after_glue = False
    for token in line.split(" "):
        if after_glue and token.isdigit() and len(token) < 3:
            tokens[-1] += token  # the segmenter that glued `châu_Á.G` also tore `G7` apart
            after_glue = False
            continue
        after_glue = False
        if ("_" not in token and "." not in token) or _ADDRESS.search(token):
            tokens.append(token)
            continue
        pieces = _split_glued(token) if "." in token else [token]
        for piece in pieces:
            tokens += piece.replace("_", " ").split()
        after_glue = len(pieces) > 1 and len(pieces[-1]) == 1
    return tokens


def _restore_line(line: str) -> str:
    tokens = _tokens(line)
    out: list[str] = []
    attach = True  # whether the next token follows without a space
    inside = {'"': False, "'": False}
    last = len(tokens) - 1
    for i, token in enumerate(tokens):
        left = right = False
        if token in _MARKS:
            previous = tokens[i - 1] if i else ""
            following = tokens[i + 1] if i < last else ""
            if token == "'" and previous[-1:].isdigit():
                left = True  # minutes
            elif token in inside:
                # Quotation marks without direction alternate, unless the neighbours say otherwise.
                closes = inside[token]
                if closes and previous == ":":
                    closes = False
                elif (
                    not closes and i and previous not in _OPENING and (not following or following in _CLOSING)
                ):
                    closes = True
                left, right = closes, not closes
                inside[token] = not closes
            elif token in _CLOSING:
                left = True
            elif token in _OPENING:
                right = True
            elif token == "/":
                left = right = bool(previous and following)
            elif token == "%":
                left = previous[-1:].isdigit()
            elif token in "$£€":
                right = following[:1].isdigit()
        out.append(token if attach or left else " " + token)
        attach = right
    return "".join(out)


def restore(text: str) -> str:
    """Return plain text for segmented `text`: words open again, punctuation where print has it.

    Line structure is kept; a sentence end glued to the next sentence gets its space back.
    """
    restored = "\n".join(_restore_line(line) for line in text.split("\n"))
    for pattern, replacement in _REJOINED:
        restored = pattern.sub(replacement, restored)
    # `G 7` is one name where the text also writes `G7`; `khối A 10 điểm` is not.
    codes = frozenset(_CODE.findall(restored))
    return (
        _SPLIT_CODE.sub(lambda m: m[1] + m[2] if m[1] + m[2] in codes else m[0], restored)
        if codes
        else restored
    )
