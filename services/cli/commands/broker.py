"""`machtin broker`."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.console import out, say
from services.cli.options import HOME, Broker, Home
from services.runtime import broker
from services.runtime.errors import InfrastructureError
from services.runtime.settings import Settings, from_environment

app = typer.Typer(no_args_is_help=True, help="A local broker for development, without Docker.")


@app.command("start")
def broker_start(
    kind: Annotated[
        Broker, typer.Option(help="Apache Kafka, the embedded broker, or what can be had.")
    ] = Broker.AUTO,
    port: Annotated[int | None, typer.Option(help="Port to serve at; a free one by default.")] = None,
    home: Home = HOME,
) -> None:
    """Start a local broker and leave it running; prints the line that points the services at it."""

    _own_broker_only()
    running = broker.start(home, kind.value, port=port, progress=say)
    out.print(f"export KAFKA_BOOTSTRAP_SERVERS={running.bootstrap_servers}", highlight=False)


@app.command("stop")
def broker_stop(home: Home = HOME) -> None:
    """Stop the local broker."""

    _own_broker_only()
    if broker.status(home) is None:
        say("No local broker is running.")
    broker.stop(home)


@app.command("status")
def broker_status(home: Home = HOME) -> None:
    """Say whether a local broker runs, and where."""

    _own_broker_only()
    running = broker.status(home)
    if running is None:
        say("No local broker is running; start one with `machtin broker start`.")
        raise typer.Exit(1)
    out.print(f"{running.kind} at {running.bootstrap_servers}, process {running.pid}, log {running.log_file}")


def _own_broker_only() -> None:
    given: Settings = from_environment()
    if given.kafka_bootstrap_servers != Settings().kafka_bootstrap_servers:
        raise InfrastructureError(
            f"KAFKA_BOOTSTRAP_SERVERS={given.kafka_bootstrap_servers} is set: that cluster is used and no"
            " local broker is started. Unset it to manage a local one."
        )
