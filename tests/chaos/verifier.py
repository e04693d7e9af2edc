"""Says from outside whether anything was lost or doubled: looks at the topics only."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.runtime.dead_letters import PREFIX
from services.runtime.stage import Failure, StatefulStage, stateful_runner
from services.runtime.times import from_text
from services.runtime.topics import CLEAN, DEAD, DEDUPLICATED, ENRICHED, RAW, STORIES
from services.topology import load_stage

LIMIT = 8 * 1024 * 1024


@dataclass
class Report:
    """The figures of a run, and what is wrong with it."""

    figures: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def expect(self, holds: bool, fault: str) -> None:
        if not holds:
            self.faults.append(fault)

    def lines(self) -> list[str]:
        width = max(map(len, self.figures))
        return [f"  {name:{width}}  {value:>8,}" for name, value in self.figures.items()]


def distinct(messages: list[Any]) -> list[Any]:
    """Return what a consumer sees that drops the events whose id it has seen."""
    seen: dict[bytes, Any] = {}
    for message in messages:
        seen.setdefault(dict(message.headers)["ce_id"], message)
    return list(seen.values())


def verify(topics: dict[str, list[Any]]) -> Report:
    """Check the messages of all topics of a run, each topic's in the order of its partitions' logs."""
    report = Report()
    values = {
        name: [orjson.loads(m.value) for m in distinct(topics[name])]
        for name in topics
        if name not in (RAW, DEAD)
    }
    _everything_is_accounted_for(report, topics, values)
    _stage_is_complete(report, "deduplicator", topics[CLEAN], topics[DEDUPLICATED])
    _stage_is_complete(report, "clusterer", topics[ENRICHED], topics[STORIES])
    deduplicated = {(v["article_id"], v["version"]) for v in values[DEDUPLICATED]}
    enriched = {(v["article_id"], v["version"]) for v in values[ENRICHED]}
    report.expect(
        deduplicated == enriched,
        f"{len(deduplicated ^ enriched)} articles differ between deduplicated and enriched",
    )
    _stories_are_consistent(report, values[STORIES], {v["article_id"] for v in values[ENRICHED]})
    for name in (CLEAN, DEDUPLICATED, ENRICHED, STORIES):
        report.figures[f"{name}: events"] = len(values[name])
        report.figures[f"{name}: written again with the same id"] = len(topics[name]) - len(values[name])
    return report


def _everything_is_accounted_for(
    report: Report, topics: dict[str, list[Any]], values: dict[str, list[Any]]
) -> None:
    """Every raw message ended as a clean article or as a dead letter, by its own identity."""
    raw = Counter((m.partition, m.offset) for m in topics[RAW])
    dead = {
        (int(headers[PREFIX + "partition"]), int(headers[PREFIX + "offset"]))
        for headers in (dict(m.headers) for m in topics[DEAD])
        if headers[PREFIX + "topic"] == RAW.encode()
    }
    strange = [m for m in topics[DEAD] if dict(m.headers)[PREFIX + "topic"] != RAW.encode()]
    report.expect(not strange, f"{len(strange)} dead letters of later stages")
    clean = {v["article_id"] for v in values[CLEAN]}
    lost = [
        m for m in topics[RAW]
        if (m.partition, m.offset) not in dead and m.key.decode() not in clean
    ]  # fmt: skip
    report.expect(not lost, f"{len(lost)} raw messages lost, such as {[m.key for m in lost[:3]]}")
    known = {m.key.decode() for m in topics[RAW]}
    report.expect(clean <= known, f"{len(clean - known)} clean articles that nobody sent")
    report.figures |= {"raw messages": len(raw), "dead letters": len(dead)}


def _stage_is_complete(report: Report, name: str, inputs: list[Any], outputs: list[Any]) -> None:
    """The output of a stateful stage is what one undisturbed writer makes of its input's order."""
    stage = load_stage(name)
    assert isinstance(stage, StatefulStage)
    partitions = sorted({m.partition for m in inputs})
    for partition in partitions:
        runner = stateful_runner(stage.new_state(), LIMIT)
        expected: list[Any] = []
        for message in inputs:
            if message.partition == partition:
                outcome = runner.process(message.value, from_text("2026-03-02T00:00:00Z"))
                report.expect(not isinstance(outcome, Failure), f"{name}: {outcome}")
                expected += [] if isinstance(outcome, Failure) else outcome
        got = [orjson.loads(m.value) for m in distinct([m for m in outputs if m.partition == partition])]
        part = next((i for i, (a, b) in enumerate(zip(got, expected, strict=False)) if a != b), "the end")
        report.expect(
            got == expected,
            f"{name}[{partition}]: {len(got)} records, an undisturbed run writes {len(expected)};"
            f" they part at {part}",
        )


def _stories_are_consistent(report: Report, records: list[Any], articles: set[str]) -> None:
    revisions: dict[str, list[int]] = {}
    last: dict[str, Any] = {}
    for record in records:
        revisions.setdefault(record["story_id"], []).append(record["revision"])
        last[record["story_id"]] = record
    gaps = [story for story, seen in revisions.items() if seen != list(range(1, len(seen) + 1))]
    report.expect(not gaps, f"{len(gaps)} stories whose revisions do not rise by one, such as {gaps[:3]}")
    held = Counter(
        article for story in last.values() if story["state"] != "merged" for article in story["article_ids"]
    )
    doubled = [article for article, count in held.items() if count > 1]
    report.expect(not doubled, f"{len(doubled)} articles in more than one story")
    missing = articles - set(held)
    report.expect(not missing, f"{len(missing)} articles in no story")
    report.figures["stories"] = len(last)
