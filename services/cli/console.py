"""Where commands write: results to standard output, everything else to standard error.

What an article says reaches a terminal here and nowhere else, so here it is made inert.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import Any

import orjson
from rich.console import Console, RenderableType
from rich.segment import Segment

_ACTIVE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys instead of showing it: control characters but tab and line feed, and those that
turn the direction of writing, with which a title could pass for something else."""


def inert(text: str) -> str:
    """Return the text with every character that a terminal would obey replaced by one that it shows."""
    return _ACTIVE.sub(lambda found: chr(0x2400 + ord(found[0])) if found[0] < " " else "\ufffd", text)


class InertConsole(Console):
    """A console on which no text can move the cursor, change a colour or set a window's title.

    Rich takes only a few control characters out of what it prints, and the escape is not among them.
    Styles and cursor movements of our own are no text to rich and stay.
    """

    def render(self, renderable: RenderableType, options: Any = None) -> Iterable[Segment]:
        """Yield what rich would print, its text made inert."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else inert(text), style, control)


out = InertConsole()
err = InertConsole(stderr=True)


def say(line: str) -> None:
    """Tell the person at the terminal something that is no result."""
    err.print(line, markup=False, highlight=False)


def write(text: str) -> None:
    """Write a result that is somebody's text: no markup in it counts, and no line of it is broken."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def write_line(value: bytes) -> None:
    """Write a message's value and a line feed: byte for byte to a file or a pipe, inert to a terminal."""
    if sys.stdout.isatty():
        value = inert(value.decode("utf-8", "backslashreplace")).encode()
    sys.stdout.buffer.write(value + b"\n")
    sys.stdout.buffer.flush()


def write_json(data: object) -> None:
    """Write a result for programs, indented; its strings are exact unless a terminal shows them."""
    write_line(orjson.dumps(data, option=orjson.OPT_INDENT_2))
