"""`machtin topics`."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from services.cli.acls import grants, script
from services.cli.asyncapi import render
from services.cli.console import out
from services.runtime.cluster import create_topics
from services.runtime.errors import InfrastructureError
from services.runtime.settings import from_environment
from services.runtime.stage import StatefulStage
from services.runtime.topics import all_topics
from services.topology import SERVICES, STAGES, load_stage

app = typer.Typer(no_args_is_help=True, help="The topics on the cluster.")


@app.command("create")
def topics_create(
    replication_factor: Annotated[
        int | None, typer.Option(help="Copies of each partition; by default 3, or one a broker.")
    ] = None,
) -> None:
    """Create the declared topics that the cluster lacks, and say what was done. Safe to run again."""

    settings = from_environment()
    results = asyncio.run(create_topics(settings, all_topics().values(), replication_factor))
    for result in results:
        out.print(f"{result.outcome:8} {result.name:28} {result.detail}", highlight=False)
    if any(result.outcome == "differs" for result in results):
        raise InfrastructureError("A topic differs from its declaration: delete it or change schemas/topics.")


@app.command("acls")
def topics_acls(
    command_config: Annotated[
        str, typer.Option(help="File of the client settings with which Kafka's tool gets in as its admin.")
    ] = "admin.properties",
) -> None:
    """Print the shell script that gives every service its own rights on the cluster, and no more."""
    stages = [load_stage(name) for name in STAGES]
    rebuilt = {stage.name: stage.sink for stage in stages if isinstance(stage, StatefulStage)}
    given = grants(all_topics().values(), SERVICES, rebuilt)
    sys.stdout.write(script(given, from_environment().kafka_bootstrap_servers, command_config))


@app.command("asyncapi")
def topics_asyncapi() -> None:
    """Print the AsyncAPI 3 document of the topics and their records (`make schemas` keeps it)."""

    sys.stdout.write(render())
