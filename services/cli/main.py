"""`machtin`: every command, its options and its help. What a command does lies in a module beside this."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from services.cli.commands import broker, dead, quality, story, topics
from services.cli.console import err, out, say, write_line
from services.cli.options import HOME, Broker, Home
from services.cli.story import UnknownStoryError
from services.runtime.broker import BrokerUnavailable
from services.runtime.errors import InfrastructureError
from services.runtime.settings import SettingsError, from_environment
from services.runtime.topics import STORIES, all_topics
from services.topology import SERVICES

app = typer.Typer(
    name="machtin",
    help="Mạch Tin: turns a flood of Vietnamese news into stories, over Kafka.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(topics.app, name="topics")
app.add_typer(broker.app, name="broker")
app.add_typer(story.app, name="story")
app.add_typer(dead.app, name="dead")
app.add_typer(quality.app, name="quality")


def main() -> None:
    """Run the command line; a failure that the operator can mend is a sentence and status 1."""
    try:
        app()
    except (UnknownStoryError, SettingsError, InfrastructureError, BrokerUnavailable, OSError) as error:
        say(f"machtin: {error}")
        sys.exit(1)


@app.command()
def demo(
    broker: Annotated[
        Broker, typer.Option(help="Apache Kafka, the embedded broker, or what can be had.")
    ] = Broker.AUTO,
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on running with the board open, until Ctrl-C.")
    ] = False,
    rate: Annotated[float, typer.Option(help="Articles fed per second.")] = 4.0,
    home: Home = HOME,
) -> None:
    """Show the whole pipeline: broker, topics, every service, and stories forming from a demo corpus.

    Starts everything it needs and stops it again. With KAFKA_BOOTSTRAP_SERVERS set it uses that cluster
    and starts no broker.
    """
    from services.cli.demo import run_demo

    sys.exit(run_demo(broker=broker.value, keep=keep, rate=rate, home=home, console=out))


@app.command()
def run(
    service: Annotated[str, typer.Argument(help="One of: " + ", ".join(SERVICES))],
) -> None:
    """Run one service as this process (the same as `faust -A services.NAME.app worker`)."""
    if service not in SERVICES:
        raise typer.BadParameter(f"{service} is not a service; the services are {', '.join(SERVICES)}")
    from_environment()  # a wrong value stops here, before Faust starts
    # Without a banner and, by the level, without a spinner: the log has log lines only. What is logged, and
    # how, the settings say (runtime.logs).
    faust = ["-m", "faust", "--quiet", "-A", f"services.{service}.app", "worker", "--loglevel", "INFO"]
    os.execv(sys.executable, [sys.executable, *faust])


@app.command()
def up(
    services: Annotated[list[str] | None, typer.Argument(help="Which services; all by default.")] = None,
    home: Home = HOME,
) -> None:
    """Run services on this machine and start again whichever ends, until Ctrl-C.

    What Compose, Kubernetes or systemd do elsewhere. Needs a cluster that has the topics.
    """
    from services.cli.keeper import keep_running

    unknown = set(services or ()) - set(SERVICES)
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))}: the services are {', '.join(SERVICES)}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it as Ctrl-C does: all of them stopped
    with contextlib.suppress(KeyboardInterrupt):
        servers = from_environment().kafka_bootstrap_servers
        keep_running(dict.fromkeys(services or SERVICES), servers, home / "logs", say)


@app.command()
def feed(
    file: Annotated[Path, typer.Argument(help="One raw article a line (JSON); - for standard input.")],
    rate: Annotated[
        float | None, typer.Option(help="Articles per second; as fast as possible by default.")
    ] = None,
) -> None:
    """Send raw articles to news.articles.raw, each line as it is."""
    from services.cli.feed import feed_file
    from services.cli.files import opened

    settings = from_environment()
    with opened(file, "rb") as lines:
        sent = asyncio.run(feed_file(settings, lines, rate, err))
    err.print(f"{sent} messages sent to news.articles.raw at {settings.kafka_bootstrap_servers}.")


@app.command()
def replay(
    source: Annotated[Path, typer.Option("--input", help="Raw messages, one a line; - for standard input.")],
    target: Annotated[
        Path, typer.Option("--output", help="Where the records go, one a line; - for standard output.")
    ],
    topics: Annotated[
        str | None, typer.Option(help="Comma-separated topics to write; all of them by default.")
    ] = None,
) -> None:
    """Run the pipeline's own functions over a file, without a broker. Same input, same bytes.

    Writes {"topic": …, "key": …, "value": …} for every record that the topics would carry, in the order
    of the decisions. Dead letters also carry "reason", "detail" and "stage".
    """
    from services.cli.replay import replay_file

    try:
        replay_file(source, target, topics.split(",") if topics else None, from_environment(), err)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@app.command()
def exporter() -> None:
    """Serve the lag of every stage for Prometheus, in messages and seconds, from outside the consumers."""
    from services.exporter.app import run as serve_lag

    serve_lag(from_environment())


@app.command()
def probe(
    every: Annotated[float, typer.Option(help="Seconds between two plantings.", min=1)] = 300.0,
    deadline: Annotated[
        float, typer.Option(help="Seconds after which an article that is in no story counts as lost.", min=1)
    ] = 60.0,
    plantings: Annotated[
        int | None,
        typer.Option(help="End after so many; status 1 unless all went right.", min=1),
    ] = None,
) -> None:
    """Plant marked articles into the live stream, look for what comes of them, and tell Prometheus.

    They live in an edition of their own: no real story meets them, and subscribers leave them out by the
    header machtin-probe. Run one probe a cluster.
    """
    from services.cli.quality.export import measure_apart
    from services.probe.app import Plan
    from services.probe.app import run as plant

    plan = Plan(every, deadline, plantings)
    reports = plant(from_environment(), plan, measure_apart if quality and plantings is None else None)
    if any(report.outcome != "right" for report in reports) or len(reports) < (plantings or 0):
        raise typer.Exit(1)


@app.command()
def tail(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="TOPIC", help="What to follow; news.stories by default.")
    ] = None,
    probes: Annotated[bool, typer.Option("--probes", help="Print what a probe has planted, too.")] = False,
) -> None:
    """Print the records of topics as JSON lines: those that lie there, then those that come, until Ctrl-C."""
    from services.runtime.editions import from_probe
    from services.runtime.follow import follow

    names = names or [STORIES]
    unknown = set(names) - set(all_topics())
    if unknown:
        raise typer.BadParameter(
            f"no such topic: {', '.join(sorted(unknown))}; there are {', '.join(all_topics())}"
        )

    async def follow_and_print() -> None:
        async for message in follow(from_environment(), *(all_topics()[name] for name in names)):
            if probes or not from_probe(message.headers):
                write_line(message.value or b"null")

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(follow_and_print())


if __name__ == "__main__":
    main()
