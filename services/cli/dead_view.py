"""How dead letters look in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.table import Table
from rich.text import Text

from services.cli.dead import Letter
from services.runtime.times import to_text


def letters_table(letters: Sequence[Letter]) -> Table:
    """Return one row per letter, in the order given."""
    table = Table(title=f"{len(letters)} open dead letters")
    for name in ("address", "since", "stage", "reason", "tries", "key", "what to know"):
        table.add_column(name, justify="right" if name == "tries" else "left", overflow="fold")
    for letter in letters:
        table.add_row(
            letter.address,
            to_text(datetime.fromtimestamp(letter.dead_since_ms / 1000, UTC)),
            Text(letter.stage),
            Text(letter.reason),
            str(letter.attempts),
            Text((letter.key or b"").decode("utf-8", "replace")),
            Text(letter.detail),  # Text: what a crawler sent is no markup of ours
        )
    return table
