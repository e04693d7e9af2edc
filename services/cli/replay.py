"""`machtin replay`: a file of raw messages through the whole pipeline, without a broker."""

from __future__ import annotations

from pathlib import Path

import orjson
from rich.console import Console
from rich.progress import Progress

from services.cli.files import opened
from services.cli.pipeline import Carried, Pipeline
from services.runtime.settings import Settings
from services.runtime.topics import all_topics


def replay_file(
    source: Path, target: Path, topics: list[str] | None, settings: Settings, console: Console
) -> None:
    """Write every record that follows from the messages in `source` to `target`, one JSON object a line.

    `topics` limits what is written, not what is computed. Progress goes to `console`. Raises
    OSError for a file that cannot be opened and ValueError for a topic that is not declared.
    """
    wanted = set(all_topics()) if topics is None else set(topics)
    unknown = wanted - set(all_topics())
    if unknown:
        raise ValueError(
            f"No such topic: {', '.join(sorted(unknown))}. The topics are {', '.join(all_topics())}."
        )
    pipeline = Pipeline(settings)
    with (
        opened(source, "rb") as lines,
        opened(target, "wb") as records,
        Progress(console=console) as progress,
    ):
        size = source.stat().st_size if source.is_file() else None
        task = progress.add_task("Replaying", total=size)
        for line in lines:
            for carried in pipeline.feed(value) if (value := line.rstrip(b"\r\n")) else ():
                if carried.topic in wanted:
                    records.write(_as_line(carried))
            progress.advance(task, len(line))


def _as_line(carried: Carried) -> bytes:
    line = {"topic": carried.topic, "key": carried.key, "value": carried.value}
    if carried.failure is not None:
        line |= {"reason": carried.failure.reason, "detail": carried.failure.detail, "stage": carried.stage}
    return orjson.dumps(line) + b"\n"
