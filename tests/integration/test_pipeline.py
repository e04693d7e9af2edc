"""All services as real processes on a real broker: the records of one process, and nothing left over."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from services.cli.dead import Letter, open_letters
from services.cli.feed import key_of
from services.cli.main import app
from services.cli.pipeline import Pipeline
from services.cli.processes import ServiceProcess, start_services, stop_services, wait_until_ready
from services.cli.reading import read_topic
from services.cli.story import UnknownStoryError
from services.runtime.broker import RunningBroker
from services.runtime.dead_letters import REASON
from services.runtime.follow import follow
from services.runtime.settings import Settings
from services.runtime.topics import DEAD, RAW, STORIES, all_topics, topic
from services.topology import SERVICES
from tests.access import plain
from tests.demo_corpus import EXPECTED, LINES
from tests.integration.conftest import ROOT

pytestmark = pytest.mark.integration

DEADLINE_S = 240.0

Log = dict[tuple[str, int | None], list[Any]]


def replayed() -> Log:
    """Return what each partition of each topic should hold, by the pipeline in one process."""
    pipeline = Pipeline(Settings())
    logs: Log = {}
    for line in LINES:
        for carried in pipeline.feed(line):
            if carried.failure is not None:
                logs.setdefault((DEAD, None), []).append(carried.failure.reason.value)
            elif isinstance(carried.value, dict):
                partition = topic(carried.topic).partition_of(carried.value)
                logs.setdefault((carried.topic, partition), []).append(carried.value)
    return logs


async def feed_in_order(servers: str) -> None:
    """Send the corpus to one partition: an order is kept within a partition only."""
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for line in LINES:
            await producer.send(RAW, line, key=key_of(line), partition=0)
        await producer.flush()


async def read_logs(servers: str, records: int) -> tuple[Log, list[Any]]:
    """Return what the topics hold once they hold `records` records, and the messages of news.stories."""
    logs: Log = {}
    stories: list[Any] = []
    topics = [one for one in all_topics().values() if one.name != RAW]
    async with aclosing(follow(plain(servers), *topics)) as messages:
        async for message in messages:
            if message.topic == DEAD:
                where, value = (DEAD, None), dict(message.headers)[REASON].decode()
            else:
                where, value = (message.topic, message.partition), json.loads(message.value)
            logs.setdefault(where, []).append(value)
            if message.topic == STORIES:
                stories.append(message)
            if sum(map(len, logs.values())) == records:
                return logs, stories
    return logs, stories


@dataclass(frozen=True)
class Run:
    """The demo corpus through real services, which still run."""

    servers: str
    expected: Log
    logs: Log
    stories: list[Any]
    services: list[ServiceProcess]


@pytest.fixture(scope="module")
def run(cluster: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    servers, expected = cluster.bootstrap_servers, replayed()
    records = sum(map(len, expected.values()))
    services = start_services(SERVICES, servers, tmp_path_factory.mktemp("logs"))
    try:
        wait_until_ready(services, DEADLINE_S, lambda _: None)

        async def feed_and_read() -> tuple[Log, list[Any]]:
            await feed_in_order(servers)
            return await read_logs(servers, records)

        logs, stories = asyncio.run(asyncio.wait_for(feed_and_read(), DEADLINE_S))
        yield Run(servers, expected, logs, stories, services)
    finally:
        stop_services(services)
    assert all(service.process.poll() is not None for service in services)


def test_the_services_write_what_the_pipeline_in_one_process_writes(run: Run) -> None:
    assert sorted(run.logs[DEAD, None]) == sorted(run.expected[DEAD, None])
    for where in run.expected.keys() | run.logs.keys():
        if where != (DEAD, None):
            assert run.logs.get(where) == run.expected.get(where), where
    assert all(m.key.decode() == json.loads(m.value)["story_id"] for m in run.stories)


def test_every_service_counts_what_it_processed(run: Run) -> None:
    normalizer = next(service for service in run.services if service.name == "normalizer")
    counts = re.findall(
        r"^machtin_messages_total\{.*\} (.+)$", normalizer.get("/metrics") or "", re.MULTILINE
    )
    assert sum(map(float, counts)) == len(LINES)
    for service in run.services:
        assert service.get("/health") == "ok\n"
        assert "machtin_ready" in (service.get("/metrics") or "")


def test_the_board_shows_the_live_stories_and_runs_no_script(run: Run) -> None:
    board = next(service for service in run.services if service.name == "board")
    shown = _until(lambda: json.loads(board.get("/stories.json") or "[]"), _live(run.stories))
    assert {one["story_id"] for one in shown} == _live(run.stories)
    assert "<script" not in (board.get("/") or "").lower()


def machtin(run: Run, *arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), env={"KAFKA_BOOTSTRAP_SERVERS": run.servers})
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def test_a_story_tells_its_state_its_history_and_its_reasons(run: Run) -> None:
    last = json.loads(run.stories[-1].value)
    story_id = last["story_id"]
    added = next(
        json.loads(m.value) for m in run.stories if json.loads(m.value)["change"]["type"] == "article_added"
    )
    assert story_id in machtin(run, "story", "show", story_id)
    assert last["change"]["type"] in machtin(run, "story", "history", story_id)
    asked = ("story", "why", added["story_id"], added["change"]["article_id"])
    (step,) = json.loads(machtin(run, *asked, "--json"))
    assert step == {"story_id": added["story_id"], "revision": added["revision"], **added["change"]}
    assert added["change"]["reason"]["matched_article"] in machtin(run, *asked)
    with pytest.raises(UnknownStoryError):
        CliRunner().invoke(
            app,
            ["story", "show", "st-none"],
            env={"KAFKA_BOOTSTRAP_SERVERS": run.servers},
            catch_exceptions=False,
        )


def test_dead_letters_are_listed_retried_and_parked(run: Run) -> None:
    """A retry comes back as the next attempt; what is settled is off the list, and stays in the topic."""

    def letters() -> list[Letter]:
        return open_letters(asyncio.run(read_topic(plain(run.servers), topic(DEAD))))

    first = letters()
    assert [letter.reason for letter in first if letter.attempts == 1] == [letter.reason for letter in first]
    assert len(first) == len(EXPECTED["dead"])
    victim = next(letter for letter in first if letter.reason == "not_json")
    assert victim.value is not None
    assert victim.value.decode() in machtin(run, "dead", "show", victim.address)
    assert "1 retried" in machtin(run, "dead", "retry", victim.address)
    _until(lambda: [{"story_id": str(letter.attempts)} for letter in letters()], {"1", "2"})
    again = next(letter for letter in letters() if letter.attempts == 2)
    assert (again.key, again.value, again.reason) == (victim.key, victim.value, victim.reason)
    assert "2 parked" in machtin(run, "dead", "park", "--reason", "no_text")
    assert sorted(letter.reason for letter in letters()) == sorted(
        reason for reason in EXPECTED["dead"].values() if reason != "no_text"
    )
    refused = CliRunner().invoke(app, ["dead", "park"], env={"KAFKA_BOOTSTRAP_SERVERS": run.servers})
    assert refused.exit_code == 2


def _live(stories: list[Any]) -> set[str]:
    last = {message.key: json.loads(message.value) for message in stories}
    return {s["story_id"] for s in last.values() if s["state"] != "merged" and s["article_count"] > 0}


def _until(read: Any, wanted: set[str]) -> Any:
    """Return what `read` gives once it holds the stories wanted: the board reads on its own time."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        stories = read()
        if {story["story_id"] for story in stories} == wanted or time.monotonic() > deadline:
            return stories
        time.sleep(0.1)


def processes_of(home: Path) -> list[str]:
    """Return the command lines of processes that have to do with a home directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = (entry / "environ").read_bytes()
            command = (entry / "cmdline").read_bytes()
        except OSError:  # it ended meanwhile
            continue
        if str(home).encode() in command + environment and int(entry.name) != os.getpid():
            found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def demo(home: Path, kind: str) -> subprocess.Popen[str]:
    # The environment names the home, so that every process of this demo can be found by it.
    environment = {name: value for name, value in os.environ.items() if name != "KAFKA_BOOTSTRAP_SERVERS"}
    return subprocess.Popen(
        [sys.executable, "-m", "services.cli.main", "demo", "--broker", kind, "--rate", "50", "--home", home],
        cwd=ROOT,
        env={**environment, "MACHTIN_DEMO_OF_TEST": str(home), "COLUMNS": "160"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_demo_ends_with_its_summary_and_leaves_nothing_running(tmp_path: Path) -> None:
    with demo(tmp_path, "embedded") as process:
        output, _ = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, output
    assert "Mạch Tin on the embedded broker" in output

    def figure(name: str) -> int:
        found = re.search(rf"{name} *│ *(\d+)", output)
        assert found is not None, (name, output)
        return int(found[1])

    assert figure("raw articles") == len(LINES)
    assert figure("dead letters") == len(EXPECTED["dead"])
    assert figure("copies, exact") + figure("copies, near") == len(EXPECTED["copies"])
    assert processes_of(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_demo_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    with demo(tmp_path, "embedded") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "services are ready" in line:
                break
        process.send_signal(number)
        process.communicate(timeout=DEADLINE_S)
    deadline = time.monotonic() + DEADLINE_S
    while processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert processes_of(tmp_path) == []
