"""`machtin quality`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="How good the results are, measured on labelled data.")

Data = Annotated[
    Path | None,
    typer.Option(help="Directory of development data; without it, what our own corpora can tell."),
]


@app.command()
def entities(data: Data = None) -> None:
    """Names: agreement of the annotators, F1 on the labels never trained on, identities in the seeds."""
    from services.cli.quality.entities import run

    run(data)
