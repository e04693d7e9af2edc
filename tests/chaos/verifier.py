"""Says from outside whether anything was lost or doubled: looks at the topics only.

What must be there is computed from what was fed, by the same pure functions that the services wrap: the
output of an undisturbed run on the same order of inputs. Every topic is compared as a consumer sees it
that drops the ids it has seen, in the order of the log.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson

from services.runtime.codec import encode
from services.runtime.dead_letters import PREFIX, REASON
from services.runtime.events import headers_of
from services.runtime.records import Record
from services.runtime.settings import Settings
from services.runtime.stage import (
    Failure,
    Outcome,
    StatefulStage,
    StatelessStage,
    input_limit,
    stateful_runner,
    stateless_runner,
)
from services.runtime.topics import CLEAN, DEAD, DEDUPLICATED, ENRICHED, RAW, STORIES, topic
from services.topology import load_stage

MOST_EXAMPLES = 3
ENRICHED_AGAIN = 10
"""One in so many articles is enriched again and compared; of the others only the order is."""


@dataclass
class Report:
    """The figures of a run, and what is wrong with it."""

    figures: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def expect_none(self, wrong: Iterable[object], what: str) -> None:
        """Note a fault that names the first few, unless there are none."""
        found = list(wrong)
        if found:
            self.faults.append(f"{len(found)} {what}, such as {found[:MOST_EXAMPLES]}")

    def lines(self) -> list[str]:
        width = max(map(len, self.figures), default=0)
        return [f"  {name:{width}}  {value:>8,}" for name, value in self.figures.items()]


def event_id(message: Any) -> bytes:
    return bytes(dict(message.headers)["ce_id"])


def distinct(messages: Iterable[Any]) -> list[Any]:
    """Return what a consumer sees that drops the events whose id it has seen."""
    seen: dict[bytes, Any] = {}
    for message in messages:
        seen.setdefault(event_id(message), message)
    return list(seen.values())


def by_partition(messages: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for message in messages:
        found.setdefault(message.partition, []).append(message)
    return found


def expected_id(sink: str, record: Record) -> bytes:
    """Return the id of the event that a stage publishes a record as."""
    return dict(headers_of(topic(sink), "", record, encode(record), None))["ce_id"]


Step = Callable[[Any], Outcome]
"""What an undisturbed stage makes of a message, given those that it was given before."""


@cache
def stateless(name: str) -> Step:
    stage = load_stage(name)
    assert isinstance(stage, StatelessStage)
    runner = stateless_runner(stage.load(), input_limit(stage, Settings().max_message_bytes))
    return lambda m: runner.process(m.value, datetime.fromtimestamp(m.timestamp / 1000, UTC))


def stateful(name: str) -> Callable[[], Step]:
    """Return what makes a step for a partition, beginning with an empty memory."""
    stage = load_stage(name)
    assert isinstance(stage, StatefulStage)

    def fresh() -> Step:
        runner = stateful_runner(stage.new_state(), input_limit(stage, Settings().max_message_bytes))
        return lambda m: runner.process(m.value, datetime.fromtimestamp(m.timestamp / 1000, UTC))

    return fresh


def verify(topics: dict[str, list[Any]]) -> Report:
    """Check the messages of all topics of a run, each topic's in the order of its partitions' logs."""
    with warnings.catch_warnings():
        # pytest makes errors of them; in a service a warning is a warning, and decides nothing.
        warnings.simplefilter("default")
        return _verify(topics)


def _verify(topics: dict[str, list[Any]]) -> Report:
    report = Report()
    raw = verify_first_stage(report, topics[RAW], topics[CLEAN], topics[DEAD], stateless("normalizer"))
    brought = verify_stateful(
        report, "deduplicator", topics[CLEAN], topics[DEDUPLICATED], stateful("deduplicator")
    )
    account(report, raw, brought)
    verify_enriched(report, topics[DEDUPLICATED], topics[ENRICHED], stateless("enricher"))
    verify_stateful(report, "clusterer", topics[ENRICHED], topics[STORIES], stateful("clusterer"))
    verify_stories(report, topics[STORIES], usable_articles(topics[ENRICHED]))
    for name in (CLEAN, DEDUPLICATED, ENRICHED, STORIES):
        events = len(distinct(topics[name]))
        report.figures[f"{name}: events"] = events
        report.figures[f"{name}: written again with the same id"] = len(topics[name]) - events
    return report


def verify_first_stage(
    report: Report, raw: list[Any], clean: list[Any], dead: list[Any], normalize: Step
) -> list[bytes | None]:
    """Every raw message is in the clean topic as it must be, or in the dead-letter topic, and no other is.

    Returns for every raw message the id of its clean record; None for a dead letter.
    """
    letters: dict[tuple[int, int], Any] = {}
    strange = []
    for message in dead:
        headers = dict(message.headers)
        if headers[PREFIX + "topic"] != RAW.encode():
            strange.append((headers[PREFIX + "topic"], headers[REASON]))
        at = (int(headers[PREFIX + "partition"]), int(headers[PREFIX + "offset"]))
        letters[at] = message
    report.expect_none(strange, "dead letters of later stages")
    there = {event_id(m) for m in clean}
    ends: list[bytes | None] = []
    lost, changed = [], []
    for message in raw:
        outcome = normalize(message)
        letter = letters.pop((message.partition, message.offset), None)
        if isinstance(outcome, Failure):
            ends.append(None)
            if letter is None:
                lost.append((message.partition, message.offset, outcome.reason.value))
            elif (letter.key, letter.value, dict(letter.headers)[REASON].decode()) != (
                message.key,
                message.value,
                outcome.reason.value,
            ):
                changed.append((message.partition, message.offset))
            continue
        (record,) = outcome
        ends.append(expected_id(CLEAN, record))
        if letter is not None:
            report.faults.append(f"{message.partition}:{message.offset} is dead and should be clean")
        if ends[-1] not in there:
            lost.append((message.partition, message.offset, message.key))
    report.expect_none(lost, "raw messages lost")
    report.expect_none(changed, "dead letters that are not what was sent")
    report.expect_none(letters, "dead letters that nobody sent")
    report.expect_none(there - set(ends), "clean records that nobody sent")
    report.figures["raw messages"] = len(raw)
    report.figures["dead letters written again"] = len(dead) - ends.count(None)
    return ends


def account(report: Report, raw: list[bytes | None], brought: dict[bytes, list[Record]]) -> None:
    """Say what each raw message ended in; `brought` tells what a clean record brought about at first."""
    ended: Counter[str] = Counter()
    seen: set[bytes] = set()
    for event in raw:
        if event is None:
            ended["a dead letter"] += 1
        elif event in seen or not brought.get(event):
            ended["a replay that changes nothing"] += 1
        else:
            first = brought[event][0]["version"] == 1
            ended["a clean article" if first else "a version of one"] += 1
        if event is not None:
            seen.add(event)
    for name in ("a clean article", "a version of one", "a replay that changes nothing", "a dead letter"):
        report.figures[f"  ended in {name}"] = ended[name]
    if sum(ended.values()) != len(raw):
        report.faults.append(f"{len(raw)} raw messages, {sum(ended.values())} accounted for")


def verify_stateful(
    report: Report, name: str, inputs: list[Any], outputs: list[Any], fresh: Callable[[], Step]
) -> dict[bytes, list[Record]]:
    """The output of a stateful stage is what one undisturbed writer makes of its input's order.

    Returns what the first delivery of every input brought about.
    """
    brought: dict[bytes, list[Record]] = {}
    wrote = by_partition(outputs)
    for partition, messages in sorted(by_partition(inputs).items()):
        step = fresh()
        expected: list[Record] = []
        for message in messages:
            outcome = step(message)
            if isinstance(outcome, Failure):
                report.faults.append(f"{name}[{partition}]: {outcome}")
                continue
            brought.setdefault(event_id(message), outcome)
            expected += outcome
        compare(report, f"{name}[{partition}]", wrote.pop(partition, []), expected)
    report.expect_none(wrote, f"partitions that the {name} wrote to without input")
    return brought


def compare(report: Report, where: str, outputs: list[Any], expected: list[Record]) -> None:
    """Note where what a consumer sees parts from what must be there."""
    got = [orjson.loads(message.value) for message in distinct(outputs)]
    if got != expected:
        part = next((i for i, (a, b) in enumerate(zip(got, expected, strict=False)) if a != b), "the end")
        report.faults.append(
            f"{where}: {len(got)} records, an undisturbed run writes {len(expected)}; they part at {part}"
        )


def verify_enriched(report: Report, inputs: list[Any], outputs: list[Any], enrich: Step) -> None:
    """Every article is enriched, once, in the order of the inputs; a part of them is enriched again."""
    wrote = by_partition(outputs)
    for partition, messages in sorted(by_partition(inputs).items()):
        results = distinct(wrote.pop(partition, []))
        want = [_version(m) for m in distinct(messages)]
        got = [_version(m) for m in results]
        report.expect_none(
            Counter(want) - Counter(got), f"articles of deduplicated[{partition}] that were not enriched"
        )
        report.expect_none(Counter(got) - Counter(want), f"articles of enriched[{partition}] too many")
        if Counter(want) == Counter(got) and want != got:
            report.faults.append(f"enriched[{partition}] is in another order than its input")
        ids = {event_id(m) for m in results}
        report.expect_none(
            (
                _version(message)
                for message in distinct(messages)[::ENRICHED_AGAIN]
                for outcome in [enrich(message)]
                if isinstance(outcome, Failure) or expected_id(ENRICHED, outcome[0]) not in ids
            ),
            f"articles of enriched[{partition}] that an undisturbed run enriches otherwise",
        )
    report.expect_none(wrote, "partitions of enriched without input")


def _version(message: Any) -> tuple[str, int]:
    record = orjson.loads(message.value)
    return record["article_id"], record["version"]


def usable_articles(messages: list[Any]) -> set[str]:
    """Return the articles whose newest version has not been withdrawn."""
    newest: dict[str, tuple[int, bool]] = {}
    for message in messages:
        record = orjson.loads(message.value)
        version = (record["version"], record["status"] == "usable")
        newest[record["article_id"]] = max(newest.get(record["article_id"], version), version)
    return {article for article, (_, usable) in newest.items() if usable}


def verify_stories(report: Report, messages: list[Any], articles: set[str]) -> None:
    """Revisions rise by one without gaps; every article is in one story and no other."""
    revisions: dict[str, list[int]] = {}
    last: dict[str, Record] = {}
    listed: set[str] = set()
    for message in distinct(messages):
        story = orjson.loads(message.value)
        listed.update(story["article_ids"])
        revisions.setdefault(story["story_id"], []).append(story["revision"])
        last[story["story_id"]] = story
    report.expect_none(
        (story for story, seen in revisions.items() if seen != list(range(1, len(seen) + 1))),
        "stories whose revisions do not rise by one",
    )
    held = Counter(
        article for story in last.values() if story["state"] != "merged" for article in story["article_ids"]
    )
    report.expect_none((a for a, count in held.items() if count > 1), "articles in more than one story")
    # A large story lists its newest articles only: what it has listed once, it holds.
    report.expect_none(sorted(articles - listed), "articles in no story")
    report.figures["stories"] = len(last)
    report.figures["  of them merged into others"] = sum(s["state"] == "merged" for s in last.values())
    report.figures["  of them closed"] = sum(s["state"] == "closed" for s in last.values())


def verify_subscriber(
    report: Report, events: dict[int, list[bytes]], faults: list[str], messages: list[Any]
) -> None:
    """A subscriber that read all the while saw what lies there, each once and in that order."""
    report.expect_none(faults, "revisions out of step for a subscriber")
    for partition, stories in sorted(by_partition(messages).items()):
        want = [event_id(message) for message in distinct(stories)]
        got = events.get(partition, [])
        if got != want:
            report.faults.append(
                f"stories[{partition}]: a subscriber saw {len(got)} events, {len(want)} lie there"
            )
