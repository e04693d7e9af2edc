from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat

from services.runtime.codec import encode
from services.runtime.dead_letters import ATTEMPTS, PREFIX, REASON, SETTLED
from services.runtime.dead_letters import headers_of as dead_headers_of
from services.runtime.editions import from_probe, language_of, probe_edition
from services.runtime.errors import Reason
from services.runtime.events import ARRIVED_AT, Origin, arrived_at_ms_of, headers_of, origin_of, raw_origin
from services.runtime.stage import Failure
from services.runtime.topics import CLEAN, DEAD, RAW, STORIES, all_topics, topic
from services.runtime.trace import TRACEPARENT, valid

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
RECORD = {"article_id": "a-1", "edition": "vi", "received_at": "2026-03-02T07:05:00Z"}


def test_the_headers_are_a_cloud_event_that_others_can_read() -> None:
    value = encode(RECORD)
    headers = dict(headers_of(topic(CLEAN), "normalizer", RECORD, value, Origin(1_772_434_800_123, TRACE)))
    event = from_binary(KafkaMessage(headers=headers, key=b"a-1", value=value), JSONFormat())
    assert event.get_type() == "vn.machtin.article.clean.v1"
    assert event.get_source() == "/machtin/normalizer"
    assert event.get_subject() == "a-1"
    assert event.get_time().isoformat() == "2026-03-02T07:05:00+00:00"
    assert event.get_extension("arrivedat") == "1772434800123"
    assert event.get_data() == RECORD


def test_the_same_record_is_the_same_event_and_another_is_not() -> None:
    def id_of(record: dict[str, str]) -> bytes:
        return dict(headers_of(topic(CLEAN), "normalizer", record, encode(record), None))["ce_id"]

    assert id_of(RECORD) == id_of(dict(RECORD))
    assert id_of(RECORD) != id_of({**RECORD, "article_id": "a-2"})


def test_a_story_event_takes_its_time_from_the_clock_of_the_decision() -> None:
    story = {"story_id": "st-1", "edition": "vi", "clock": {"now": "2026-03-02T08:00:00Z"}}
    headers = dict(headers_of(topic(STORIES), "clusterer", story, encode(story), None))
    assert headers["ce_time"] == b"2026-03-02T08:00:00Z"
    assert ARRIVED_AT not in headers


def test_the_crawlers_trace_is_carried_on_and_another_is_made_where_it_sent_none_that_is_valid() -> None:
    given = [(TRACEPARENT, TRACE.encode()), (ARRIVED_AT, b"3")]
    assert raw_origin(given, RAW, 2, 7, 5) == Origin(5, TRACE), (
        "what a crawler says of its arrival is ignored"
    )
    assert origin_of(given, CLEAN, 2, 7, 5) == Origin(3, TRACE)
    made = raw_origin([], RAW, 2, 7, 5)
    assert made.traceparent == raw_origin([], RAW, 2, 7, 6).traceparent, "made twice it is the same"
    for broken in (
        b"", b"00", TRACE.upper().encode(), TRACE.replace("00-", "ff-", 1).encode(), TRACE.encode() + b"-x",
        b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01",
        b"00-4bf92f3577b34da6a3ce929d0e0e4736-" + b"0" * 16 + b"-01",
        TRACE.encode() + b"\n",
    ):  # fmt: skip
        assert raw_origin([(TRACEPARENT, broken)], RAW, 2, 7, 5) == made, broken
    assert valid(made.traceparent.encode()) == made.traceparent
    assert raw_origin([], RAW, 2, 8, 5).traceparent != made.traceparent


def test_a_record_of_the_probes_edition_is_marked_whatever_it_follows_from() -> None:
    for edition, marked in (("vi", False), ("vi-probe", True)):
        record = {**RECORD, "edition": edition}
        headers = headers_of(topic(CLEAN), "normalizer", record, encode(record), None)
        assert from_probe(headers) is marked
    assert probe_edition("vi") == probe_edition(probe_edition("vi")) == "vi-probe"
    assert language_of("vi-probe") == language_of("vi") == "vi"


def test_the_time_of_arrival_is_carried_on_and_begins_with_the_raw_messages_timestamp() -> None:
    assert arrived_at_ms_of([], 5) == 5
    assert arrived_at_ms_of([(ARRIVED_AT, b"3")], 5) == 3
    assert arrived_at_ms_of([(ARRIVED_AT, b"nonsense")], 5) == 5


def test_a_dead_letter_keeps_the_original_headers_and_counts_the_attempts() -> None:
    failure = Failure(Reason.NO_TEXT, "InvalidMessage", "there is no text")

    def once(original: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        return dead_headers_of(
            failure, stage="normalizer", topic="news.articles.raw", partition=2, offset=7, original=original
        )

    first = once([("crawler", b"7"), ("crawler", b"8")])
    assert first[:2] == [("crawler", b"7"), ("crawler", b"8")]
    assert dict(first)[ATTEMPTS] == b"1"
    second = once(first)
    assert dict(second)[ATTEMPTS] == b"2"
    assert dict(second)[REASON] == b"no_text"
    assert dict(second)[PREFIX + "exception.message"] == b"there is no text"
    assert len(second) == len(first)


def test_all_records_of_an_edition_go_to_one_partition() -> None:
    for declared in all_topics().values():
        if declared.partition_by == "edition":
            partition = declared.partition_of(RECORD)
            assert partition is not None
            assert 0 <= partition < declared.partitions
            assert partition == declared.partition_of({**RECORD, "article_id": "other"})
            assert partition == declared.partition_of({**RECORD, "edition": "vi-probe"}), "the same way"
        else:
            assert declared.partition_of(RECORD) is None
    assert topic(CLEAN).key_of(RECORD) == b"a-1"
    assert topic(DEAD).key is None


def test_headers_that_only_look_like_ours_cannot_hide_a_dead_letter_or_stop_a_service() -> None:
    failure = Failure(Reason.NO_TEXT, "InvalidMessage", "there is no text")
    headers = dict(
        dead_headers_of(
            failure,
            stage="normalizer",
            topic="news.articles.raw",
            partition=2,
            offset=7,
            original=[(SETTLED, b"0:5"), (ATTEMPTS, b"9" * 5000), ("crawler", b"7")],
        )
    )
    assert SETTLED not in headers
    assert headers[ATTEMPTS] == b"1"
    assert headers["crawler"] == b"7"
    assert arrived_at_ms_of([(ARRIVED_AT, b"9" * 5000)], 5) == 5
