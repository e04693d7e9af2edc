"""`machtin quality`."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from services.cli.console import write

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


class Form(StrEnum):
    """How figures are written."""

    PROMETHEUS = "prometheus"
    JSON = "json"


@app.command()
def export(form: Annotated[Form, typer.Option("--as", help="For whom.")] = Form.PROMETHEUS) -> None:
    """What our own gold set says about this version, for Prometheus' textfile collector or as JSON."""
    from services.cli.quality.export import exposition, figures
    from services.cli.quality.gold import load_gold

    measured = figures(load_gold())
    write(exposition(measured).rstrip() if form is Form.PROMETHEUS else json.dumps(measured))


@app.command()
def dedup(
    data: Data = None,
    originals: Annotated[int, typer.Option(help="Articles edited of each corpus, at most.")] = 2000,
) -> None:
    """Copies: recall of every named edit in many variants, false claims, bulletins, beside three peers."""
    from services.cli.quality.dedup_view import run

    run(data, originals)


@app.command()
def hostile(inputs: Annotated[int, typer.Option(help="Inputs to make.")] = 100_000) -> None:
    """Copies: what hostile input does to the deduplicator; fails on an error, a wrong merge, a stall."""
    from services.cli.quality.hostile import run

    if not run(inputs):
        raise typer.Exit(1)


@app.command()
def stories(
    data: Data = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many streams to simulate.")] = 3,
    cache: Annotated[
        Path | None, typer.Option(help="Keep what the enricher finds in this file between runs.")
    ] = None,
) -> None:
    """Stories: B-Cubed, noise, links and churn on our gold set and on simulated streams, beside peers."""
    from services.cli.quality.stories_view import run

    run(data, seeds, cache)
