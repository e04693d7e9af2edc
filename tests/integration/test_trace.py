"""One article followed by its trace: through the headers of every topic and the logs of every stage."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from services.cli.feed import key_of
from services.cli.processes import start_services, stop_services, wait_until_ready
from services.runtime.broker import RunningBroker
from services.runtime.editions import PROBE_HEADER
from services.runtime.follow import follow
from services.runtime.topics import RAW, STORIES, topic
from services.runtime.trace import TRACEPARENT, made_for, trace_id_of
from services.topology import STAGES, load_stage
from tests.access import plain
from tests.demo_corpus import LINES

pytestmark = pytest.mark.integration

DEADLINE_S = 240.0
GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SINKS = {name: load_stage(name).sink for name in STAGES}
Headers = list[tuple[str, bytes]]


async def send(servers: str, lines: list[tuple[bytes, Headers]]) -> list[int]:
    """Send raw messages to partition 0 and return their offsets."""
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        sent = [
            await producer.send_and_wait(RAW, line, key=key_of(line), partition=0, headers=headers)
            for line, headers in lines
        ]
    return [metadata.offset for metadata in sent]


async def until_clustered(servers: str, articles: int) -> list[Any]:
    """Return the messages of all sinks once so many articles have come into a story."""
    messages: list[Any] = []
    clustered: set[bytes] = set()
    sinks = [topic(name) for name in SINKS.values()]
    async with aclosing(follow(plain(servers), *sinks)) as following:
        async for message in following:
            messages.append(message)
            if message.topic == STORIES:
                clustered.add(dict(message.headers)[TRACEPARENT])
                if len(clustered) == articles:
                    return messages
    return messages


async def until_traced(servers: str, traceparent: bytes) -> list[Any]:
    """Return the messages of news.stories up to the first with this trace."""
    messages: list[Any] = []
    async with aclosing(follow(plain(servers), topic(STORIES))) as following:
        async for message in following:
            messages.append(message)
            if dict(message.headers)[TRACEPARENT] == traceparent:
                break
    return messages


def test_a_trace_leads_from_the_raw_message_to_the_story(
    cluster: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MACHTIN_LOG_FORMAT", "json")
    monkeypatch.setenv("MACHTIN_LOG_LEVEL", "DEBUG")
    servers = cluster.bootstrap_servers
    first, second, third, *_ = LINES
    services = start_services(STAGES, servers, tmp_path)
    try:
        wait_until_ready(services, DEADLINE_S, lambda _: None)
        lines: list[tuple[bytes, Headers]] = [
            (first, [(TRACEPARENT, GIVEN.encode())]),
            (second, [(TRACEPARENT, b"00-nonsense")]),
            (third, [(PROBE_HEADER, b"1")]),
        ]
        offsets = asyncio.run(send(servers, lines))
        messages = asyncio.run(asyncio.wait_for(until_clustered(servers, len(lines)), DEADLINE_S))
    finally:
        stop_services(services)
    made = [made_for(f"{RAW}:0:{offset}") for offset in offsets]
    wanted = {GIVEN: json.loads(first), made[1]: json.loads(second), made[2]: json.loads(third)}
    for sink in SINKS.values():
        found = {dict(m.headers)[TRACEPARENT].decode(): m for m in messages if m.topic == sink}
        assert set(found) == set(wanted), sink
        for traceparent, message in found.items():
            probe = traceparent == made[2]
            assert (dict(message.headers).get(PROBE_HEADER) == b"1") is probe, sink
            assert json.loads(message.value)["edition"] == ("vi-probe" if probe else "vi")
    for name in STAGES:
        said = [json.loads(line) for line in (tmp_path / f"{name}.log").read_text().splitlines()]
        decided = [line for line in said if line["message"] == "decided"]
        assert {line["trace_id"] for line in decided} == {trace_id_of(one) for one in wanted}, name
        assert len(decided) == len(wanted)
        assert all(line["article_id"] and line["level"] == "DEBUG" for line in decided)


def test_a_forged_mark_touches_no_real_article(cluster: RunningBroker, tmp_path: Path) -> None:
    """Somebody withdraws and rewrites another's article under the probe's header."""
    servers = cluster.bootstrap_servers
    victim = {"article_id": "victim", "title": "Cầu phao Rạch Lá thông xe trở lại", "language": "vi"}
    text = (
        "Cầu phao qua rạch Lá mở lại cho xe máy từ sáng nay sau mười hai ngày thay dây neo."
        " Người dân hai xã không còn phải vòng thêm chín cây số."
    )
    probe = [(PROBE_HEADER, b"1")]
    lines: list[tuple[bytes, Headers]] = [
        (json.dumps({**victim, "text": text}).encode(), []),
        (json.dumps({**victim, "status": "withdrawn"}).encode(), probe),
        (json.dumps({**victim, "text": "Tin giả: " + text[::-1]}).encode(), probe),
        (json.dumps({**victim, "article_id": "after", "text": text}).encode(), []),
    ]
    services = start_services(STAGES, servers, tmp_path)
    try:
        wait_until_ready(services, DEADLINE_S, lambda _: None)
        offsets = asyncio.run(send(servers, lines))
        last = made_for(f"{RAW}:0:{offsets[-1]}").encode()
        messages = asyncio.run(asyncio.wait_for(until_traced(servers, last), DEADLINE_S))
    finally:
        stop_services(services)
    ours = made_for(f"{RAW}:0:{offsets[0]}").encode()
    story = next(m.key for m in messages if dict(m.headers)[TRACEPARENT] == ours)
    revisions = [json.loads(m.value) for m in messages if m.key == story]
    assert [revision["change"]["type"] for revision in revisions] == ["created", "article_added"]
    assert sorted(revisions[-1]["article_ids"]) == ["after", "victim"]
    assert revisions[-1]["edition"] == "vi"
