"""`machtin dead`."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from services.cli.console import out, say, write
from services.cli.dead import How, Letter, open_letters, settle
from services.cli.dead_view import letters_table
from services.cli.reading import read_topic
from services.runtime.settings import from_environment
from services.runtime.topics import DEAD, topic

app = typer.Typer(no_args_is_help=True, help="Messages that no stage could use.")

Reason = Annotated[str | None, typer.Option(help="Only those with this reason, such as no_text.")]
Addresses = Annotated[list[str] | None, typer.Argument(help="PARTITION:OFFSET, as `dead list` shows them.")]


@app.command("list")
def dead_list(reason: Reason = None) -> None:
    """List the messages that nobody has retried or parked yet, oldest first."""
    out.print(letters_table(_letters(reason)))


@app.command("show")
def dead_show(
    address: Annotated[str, typer.Argument(help="PARTITION:OFFSET, as `dead list` shows it.")],
) -> None:
    """Show one message as it came: headers, key and value."""
    (letter,) = _addressed([address])
    for name, value in letter.headers:
        write(f"{name}: {value.decode('utf-8', 'replace')}")
    write(f"\nkey: {letter.key!r}\n")
    write((letter.value or b"").decode("utf-8", "backslashreplace"))


@app.command("retry")
def dead_retry(addresses: Addresses = None, reason: Reason = None) -> None:
    """Send messages back to the topics they came from, e.g. after mending what failed on them."""
    _settle(addresses, reason, "retried")


@app.command("park")
def dead_park(addresses: Addresses = None, reason: Reason = None) -> None:
    """Take messages off the list without trying them again. They stay in the topic."""
    _settle(addresses, reason, "parked")


def _letters(reason: str | None) -> list[Letter]:
    messages = asyncio.run(read_topic(from_environment(), topic(DEAD)))
    return open_letters(messages, reason)


def _addressed(addresses: list[str]) -> list[Letter]:
    letters = {letter.address: letter for letter in _letters(None)}
    unknown = [address for address in addresses if address not in letters]
    if unknown:
        raise typer.BadParameter(f"no open dead letter at {', '.join(unknown)}; see `machtin dead list`")
    return [letters[address] for address in addresses]


def _settle(addresses: list[str] | None, reason: str | None, how: How) -> None:
    if bool(addresses) == bool(reason):
        raise typer.BadParameter("name either addresses or a --reason")
    letters = _addressed(addresses) if addresses else _letters(reason)
    count = asyncio.run(settle(from_environment(), letters, how))
    say(f"{count} {how}.")
