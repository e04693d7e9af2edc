"""The verifier itself: topics that are broken in a known way must not pass. Needs no broker."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import pytest

from services.runtime.codec import encode
from services.runtime.dead_letters import PREFIX, REASON
from services.runtime.events import headers_of
from services.runtime.topics import CLEAN, DEAD, DEDUPLICATED, ENRICHED, RAW, STORIES, topic
from tests.chaos.articles import raw_messages
from tests.chaos.verifier import (
    Report,
    distinct,
    stateful,
    stateless,
    verify,
    verify_stories,
    verify_subscriber,
)

Topics = dict[str, list[Any]]
ARRIVED_MS = 1_772_434_800_000
SEED = 9


@dataclass(frozen=True)
class Message:
    """As aiokafka gives it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    timestamp: int = ARRIVED_MS
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def append(topics: Topics, name: str, partition: int, value: bytes, headers: Any, key: bytes = b"") -> None:
    offset = sum(m.partition == partition for m in topics[name])
    topics[name].append(Message(name, partition, offset, key, value, headers=headers))


def run_stage(topics: Topics, name: str, source: str, sink: str) -> None:
    step = stateful(name)() if name in ("deduplicator", "clusterer") else stateless(name)
    for message in topics[source]:
        outcome = step(message)
        if not isinstance(outcome, list):
            at = [("partition", message.partition), ("offset", message.offset)]
            headers = [(PREFIX + key, str(value).encode()) for key, value in at]
            headers += [(PREFIX + "topic", source.encode()), (REASON, outcome.reason.value.encode())]
            append(topics, DEAD, 0, message.value, headers, message.key)
            continue
        for record in outcome:
            value = encode(record)
            append(topics, sink, 0, value, headers_of(topic(sink), name, record, value, None))


@pytest.fixture(scope="module")
def undisturbed() -> Topics:
    topics: Topics = {name: [] for name in (RAW, CLEAN, DEDUPLICATED, ENRICHED, STORIES, DEAD)}
    for key, value in raw_messages(120, seed=SEED):
        # All in one partition: the toy has one writer, and one edition's partition is as good as another.
        append(topics, RAW, 0, value, [], key.encode())
    run_stage(topics, "normalizer", RAW, CLEAN)
    run_stage(topics, "deduplicator", CLEAN, DEDUPLICATED)
    run_stage(topics, "enricher", DEDUPLICATED, ENRICHED)
    run_stage(topics, "clusterer", ENRICHED, STORIES)
    return topics


def changed(message: Any, **fields: Any) -> Any:
    """Return a message with another record, under the id that belongs to it."""
    record = orjson.loads(message.value) | fields
    value = encode(record)
    return replace(message, value=value, headers=headers_of(topic(message.topic), "x", record, value, None))


def without(name: str, number: int) -> Callable[[Topics], None]:
    def break_it(topics: Topics) -> None:
        del topics[name][number]

    return break_it


def late_again(name: str, number: int) -> Callable[[Topics], None]:
    """What a zombie does: a record that lies there already is written once more, much later."""

    def repeat(topics: Topics) -> None:
        topics[name].append(replace(topics[name][number], offset=len(topics[name])))

    return repeat


def swapped(name: str, first: int) -> Callable[[Topics], None]:
    def break_it(topics: Topics) -> None:
        one, other = topics[name][first : first + 2]
        topics[name][first : first + 2] = [
            replace(other, offset=one.offset),
            replace(one, offset=other.offset),
        ]

    return break_it


def altered(name: str, number: int, **fields: Any) -> Callable[[Topics], None]:
    def break_it(topics: Topics) -> None:
        topics[name][number] = changed(topics[name][number], **fields)

    return break_it


def doubled(name: str, number: int, **fields: Any) -> Callable[[Topics], None]:
    def break_it(topics: Topics) -> None:
        topics[name].append(replace(changed(topics[name][number], **fields), offset=len(topics[name])))

    return break_it


def corrupt_dead(topics: Topics) -> None:
    topics[DEAD][0] = replace(topics[DEAD][0], value=topics[DEAD][0].value + b" ")


def dead_without_cause(topics: Topics) -> None:
    clean_at = next(m for m in topics[RAW] if m.key.startswith(b"a-"))
    headers = [(n, v) for n, v in topics[DEAD][0].headers if n != PREFIX + "offset"]
    headers.append((PREFIX + "offset", str(clean_at.offset).encode()))
    topics[DEAD].append(replace(topics[DEAD][0], key=clean_at.key, value=clean_at.value, headers=headers))


def last_edit(topics: Topics) -> int:
    """Return where the clean topic holds a version of an article that it holds another version of."""
    newest: dict[str, int] = {}
    for number, message in enumerate(distinct(topics[CLEAN])):
        article = orjson.loads(message.value)["article_id"]
        if article in newest:
            return topics[CLEAN].index(message)
        newest[article] = number
    raise AssertionError("the corpus holds no edit")


def lose_an_edit(topics: Topics) -> None:
    del topics[CLEAN][last_edit(topics)]


def test_an_undisturbed_run_has_no_fault_and_every_message_is_accounted_for(undisturbed: Topics) -> None:
    report = verify(undisturbed)
    assert report.faults == []
    ended = {name: value for name, value in report.figures.items() if name.startswith("  ended in")}
    assert sum(ended.values()) == report.figures["raw messages"] == 120
    assert min(ended.values()) > 0, "the corpus must try every way to end"


@pytest.mark.parametrize(
    "repeat",
    [late_again(CLEAN, 5), late_again(DEDUPLICATED, 5), late_again(ENRICHED, 5), late_again(STORIES, 5)],
)
def test_a_record_written_again_with_the_same_id_is_no_fault(
    undisturbed: Topics, repeat: Callable[[Topics], None]
) -> None:
    topics = {name: list(messages) for name, messages in undisturbed.items()}
    repeat(topics)
    assert verify(topics).faults == []


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (without(CLEAN, 7), "raw messages lost"),
        (lose_an_edit, "raw messages lost"),
        (without(DEAD, 0), "raw messages lost"),
        (corrupt_dead, "dead letters that are not what was sent"),
        (dead_without_cause, "is dead and should be clean"),
        (altered(CLEAN, 7, title="khác"), "clean records that nobody sent"),
        (without(DEDUPLICATED, 7), "deduplicator[0]"),
        (without(DEDUPLICATED, -1), "deduplicator[0]"),
        (swapped(DEDUPLICATED, 7), "deduplicator[0]"),
        (doubled(DEDUPLICATED, 7, version=9), "deduplicator[0]"),
        (without(ENRICHED, 7), "were not enriched"),
        (doubled(ENRICHED, 7, keywords=[]), "too many"),
        (swapped(ENRICHED, 7), "another order"),
        (altered(ENRICHED, 0, keywords=[]), "enriches otherwise"),
        (without(STORIES, 7), "clusterer[0]"),
        (without(STORIES, -1), "clusterer[0]"),
        (swapped(STORIES, 7), "clusterer[0]"),
        (doubled(STORIES, 7, title="khác"), "clusterer[0]"),
    ],
)
def test_what_is_lost_doubled_or_out_of_order_is_found(
    undisturbed: Topics, break_it: Callable[[Topics], None], said: str
) -> None:
    topics = {name: list(messages) for name, messages in undisturbed.items()}
    break_it(topics)
    faults = verify(topics).faults
    assert any(said in fault for fault in faults), faults


def story(number: int, story_id: str, revision: int, *articles: str, state: str = "open") -> Message:
    record = {"story_id": story_id, "revision": revision, "article_ids": list(articles), "state": state}
    return Message(STORIES, 0, number, b"", encode(record), headers=[("ce_id", b"%d" % number)])


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([story(0, "s", 1, "a"), story(1, "s", 3, "a", "b")], "do not rise by one"),
        ([story(0, "s", 1, "a"), story(1, "s", 1, "a", "b")], "do not rise by one"),
        ([story(0, "s", 2, "a", "b")], "do not rise by one"),
        ([story(0, "s", 1, "a", "b"), story(1, "t", 1, "b")], "in more than one story"),
        ([story(0, "s", 1, "a")], "in no story"),
    ],
)
def test_stories_with_a_gap_or_an_article_in_two_of_them_are_found(
    messages: list[Message], said: str
) -> None:
    report = Report()
    verify_stories(report, messages, {"a", "b"})
    assert any(said in fault for fault in report.faults), report.faults


def test_a_merged_story_holds_nothing_any_more() -> None:
    report = Report()
    messages = [
        story(0, "s", 1, "a"),
        story(1, "t", 1, "b"),
        story(2, "s", 2, "a", "b"),
        story(3, "t", 2, "b", state="merged"),
    ]
    verify_stories(report, messages, {"a", "b"})
    assert report.faults == []


@pytest.mark.parametrize("seen", [[b"0"], [b"0", b"1", b"2"], [b"1", b"0"]])
def test_a_subscriber_that_saw_less_more_or_another_order_is_found(seen: list[bytes]) -> None:
    report = Report()
    verify_subscriber(report, {0: seen}, [], [story(0, "s", 1, "a"), story(1, "s", 2, "a", "b")])
    assert len(report.faults) == 1
