"""Where commands write: results to standard output, everything else to standard error."""

from __future__ import annotations

from rich.console import Console

out = Console()
err = Console(stderr=True)


def say(line: str) -> None:
    """Tell the person at the terminal something that is no result."""
    err.print(line, markup=False, highlight=False)


def write(text: str) -> None:
    """Write a result that is somebody's text: no markup in it counts, and no line of it is broken."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)
