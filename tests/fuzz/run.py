"""Feeds hostile input to the whole pipeline and watches what comes of it."""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from services.cli.pipeline import Carried, Pipeline
from services.runtime.codec import RECORD_LIMIT_BYTES, encode
from services.runtime.errors import Reason
from services.runtime.settings import Settings
from services.runtime.topics import CLEAN, DEAD, STORIES
from tests.fuzz.inputs import Input

SLOWEST_SHOWN = 12
SHOWN_CHARACTERS = 160


@dataclass
class Figures:
    """What a run came to."""

    inputs: int = 0
    dead: Counter[str] = field(default_factory=Counter)
    articles: int = 0
    revisions: dict[str, int] = field(default_factory=dict)
    """The last revision of every story."""
    largest_record: int = 0
    bugs: list[str] = field(default_factory=list)
    slowest: dict[str, tuple[float, str]] = field(default_factory=dict)
    """By kind: milliseconds of CPU time, and how the input begins."""
    by_kind: Counter[str] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """Return the figures for people."""
        slowest = sorted(self.slowest.items(), key=lambda item: -item[1][0])[:SLOWEST_SHOWN]
        dead = ", ".join(f"{reason} {count}" for reason, count in self.dead.most_common())
        return [
            f"inputs {self.inputs}, articles {self.articles}, stories {len(self.revisions)},"
            f" dead {sum(self.dead.values())} ({dead})",
            f"largest record {self.largest_record} bytes (limit {RECORD_LIMIT_BYTES})",
            f"peak RSS {peak_rss_mb()} MB; the slowest input of each kind, in CPU time:",
            *(f"{ms:8.1f} ms  {kind}: {shown}" for kind, (ms, shown) in slowest),
            f"{len(self.bugs)} bugs",
        ]


class Run:
    """One pipeline and all that is watched of it."""

    def __init__(self) -> None:
        self._pipeline = Pipeline(Settings())
        self.figures = Figures()

    def feed(self, inputs: Iterable[Input]) -> None:
        """Feed the inputs; what must not happen is added to the figures' bugs."""
        for one in inputs:
            self.feed_one(one)

    def feed_one(self, one: Input) -> list[Carried]:
        """Feed one input and return all that came of it."""
        figures = self.figures
        figures.inputs += 1
        figures.by_kind[one.kind] += 1
        started = time.process_time()
        came: list[Carried] = []
        try:
            for carried in self._pipeline.feed(one.value):
                came.append(carried)
                if carried.topic == DEAD:
                    assert carried.failure is not None
                    figures.dead[carried.failure.reason.value] += 1
                    if carried.failure.reason is Reason.INTERNAL_ERROR:
                        self._bug(
                            one, f"{carried.stage}: {carried.failure.error_class}: {carried.failure.detail}"
                        )
                else:
                    self._record(one, carried.topic, carried.value)
        except Exception as error:  # noqa: BLE001 (whatever it is, it would have stopped the service)
            self._bug(one, f"escaped: {error!r}")
        else:
            if not came:
                self._bug(one, "neither an article nor a dead letter")
        spent_ms = (time.process_time() - started) * 1000
        if spent_ms > figures.slowest.get(one.kind, (0.0, ""))[0]:
            figures.slowest[one.kind] = (spent_ms, repr(one.value[:SHOWN_CHARACTERS]))
        return came

    def _record(self, one: Input, topic: str, record: Any) -> None:
        figures = self.figures
        size = len(encode(record))
        figures.largest_record = max(figures.largest_record, size)
        if size > RECORD_LIMIT_BYTES:
            self._bug(one, f"a record of {size} bytes on {topic}")
        if topic == CLEAN:
            figures.articles += 1
        if topic == STORIES:
            before = figures.revisions.get(record["story_id"], 0)
            if record["revision"] != before + 1:
                self._bug(one, f"{record['story_id']}: revision {record['revision']} after {before}")
            figures.revisions[record["story_id"]] = record["revision"]

    def _bug(self, one: Input, what: str) -> None:
        if len(self.figures.bugs) < 50:
            self.figures.bugs.append(f"{what}; {one.kind}: {one.value[:400]!r}")


def peak_rss_mb() -> int:
    """Return the most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
