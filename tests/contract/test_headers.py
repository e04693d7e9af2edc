"""Headers as others read them: events by the CloudEvents SDK, dead letters as AsyncAPI documents them."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import get_args

import jsonschema
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from contract_files import load_examples

from services.cli.asyncapi import document
from services.cli.dead import How, open_letters
from services.runtime import dead_letters
from services.runtime.codec import encode
from services.runtime.editions import PROBE_HEADER
from services.runtime.errors import Reason
from services.runtime.events import ARRIVED_AT, Origin, headers_of
from services.runtime.stage import Failure
from services.runtime.topics import DEAD, RAW, all_topics
from services.runtime.trace import TRACEPARENT, made_for
from services.topology import STAGES

DEAD_HEADERS = [(dead_letters.REASON, b"not_json"), (dead_letters.ATTEMPTS, b"1")]
EVENTS = [name for name in all_topics() if name not in (RAW, DEAD)]
ARRIVED_MS = 1_775_871_850_250
ORIGIN = Origin(ARRIVED_MS, made_for("news.articles.raw:3:41"))


def message_of(topic_name):
    """Return what AsyncAPI says of a topic's message."""
    name = next(iter(document()["channels"][topic_name]["messages"]))
    return document()["components"]["messages"][name]


def written(topic_name, record, origin=ORIGIN):
    """Return a record's message as its service writes it: key, value and headers."""
    topic = all_topics()[topic_name]
    value = encode(record)
    headers = headers_of(topic, topic.produced_by[0], record, value, origin)
    return topic.key_of(record), value, dict(headers)


def message(address, headers):
    """Return a message of the dead-letter topic as aiokafka would."""
    partition, offset = map(int, address.split(":"))
    return SimpleNamespace(
        partition=partition, offset=offset, timestamp=0, key=b"k", value=None, headers=headers
    )


@pytest.mark.parametrize("name", EVENTS)
def test_the_sdk_reads_the_event_back(name):
    topic = all_topics()[name]
    for record in load_examples(name).values():
        key, value, headers = written(name, record)
        event = from_binary(KafkaMessage(headers=headers, key=key, value=value), JSONFormat())
        assert event.get_specversion() == "1.0"
        assert event.get_type() == topic.event_type
        assert event.get_source() == f"/machtin/{topic.produced_by[0]}"
        assert event.get_subject() == record[topic.key]
        assert event.get_datacontenttype() == "application/json"
        assert event.get_extension("partitionkey") == record[topic.key]
        assert event.get_extension(ARRIVED_AT.removeprefix("ce_")) == str(ARRIVED_MS)
        assert headers[TRACEPARENT].decode() == ORIGIN.traceparent
        assert event.get_time() == datetime.fromisoformat(headers["ce_time"].decode())
        assert event.get_time().tzinfo is not None
        assert event.get_data() == record


@pytest.mark.parametrize("name", EVENTS)
def test_the_same_record_is_the_same_event_and_another_one_is_not(name):
    first, *others = load_examples(name).values()
    again = json.loads(json.dumps(first))
    assert written(name, again) == written(name, first)
    ids = {written(name, record)[2]["ce_id"] for record in (first, *others)}
    assert len(ids) == 1 + len(others)


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("origin", [ORIGIN, None])
@pytest.mark.parametrize("edition", ["vi", "vi-probe"])
def test_the_headers_are_those_that_asyncapi_documents(name, origin, edition):
    schema = message_of(name)["headers"]
    for record in load_examples(name).values():
        _, _, headers = written(name, {**record, "edition": edition}, origin)
        assert (PROBE_HEADER in headers) == (edition == "vi-probe")
        text = {header: value.decode() for header, value in headers.items()}
        jsonschema.Draft202012Validator(schema).validate(text)
        undocumented = set(text) - set(schema["properties"])
        assert not undocumented


@pytest.mark.parametrize("stage", all_topics()[DEAD].produced_by)
@pytest.mark.parametrize("reason", Reason)
def test_dead_letter_headers_are_those_that_asyncapi_documents(stage, reason):
    original = [("crawler-host", b"crawler-7"), (dead_letters.ATTEMPTS, b"2")]
    failure = Failure(reason, "InvalidMessage", "Vì sao không dùng được.")
    headers = dead_letters.headers_of(
        failure, stage=stage, topic=RAW, partition=3, offset=41, original=original
    )
    schema = message_of(DEAD)["headers"]
    text = {header: value.decode() for header, value in headers}
    jsonschema.Draft202012Validator(schema).validate(text)
    assert set(text) == {"crawler-host", *schema["properties"]}
    assert len(headers) == len(text), "a header stands there twice"
    assert text[dead_letters.ATTEMPTS] == "3"


@pytest.mark.parametrize("how", get_args(How))
def test_a_marker_settles_the_letter_that_it_names_and_is_documented(how):
    letters = [message("1:7", DEAD_HEADERS), message("2:7", DEAD_HEADERS)]
    marker = message("2:9", [(dead_letters.SETTLED, b"1:7"), (dead_letters.SETTLED_HOW, how.encode())])
    assert [letter.address for letter in open_letters([*letters, marker])] == ["2:7"]
    schema = document()["components"]["messages"]["SettledMarker"]["headers"]
    text = {header: value.decode() for header, value in marker.headers}
    jsonschema.Draft202012Validator(schema).validate(text)
    assert set(text) == set(schema["properties"])


def test_asyncapi_says_who_sends_which_message():
    operations = document()["operations"]
    for name, operation in operations.items():
        sent = {message["$ref"].split("/")[-1] for message in operation["messages"]}
        if f".send.{DEAD}" in name:
            assert sent == ({"DeadLetter"} if name.split(".")[0] in STAGES else {"SettledMarker"})
        elif f".receive.{DEAD}" in name:
            assert sent == {"DeadLetter", "SettledMarker"}
        else:
            assert len(sent) == 1
            assert not sent & {"DeadLetter", "SettledMarker"}


def test_the_header_schemas_would_notice_a_missing_header():
    for name in (*EVENTS, DEAD):
        assert not jsonschema.Draft202012Validator(message_of(name)["headers"]).is_valid({})


def test_times_in_records_are_the_events_own():
    for name in EVENTS:
        for record in load_examples(name).values():
            time = datetime.fromisoformat(written(name, record)[2]["ce_time"].decode())
            assert time < datetime(2026, 6, 1, tzinfo=UTC), "not the clock of whoever runs this"
