"""The state file, its lock, and ports."""

import json
import socket
import threading
from pathlib import Path

import pytest

from services.runtime.broker import BrokerUnavailable, RunningBroker, ports, state


def record(home: Path) -> state.Record:
    broker = RunningBroker("kafka", "127.0.0.1:4242", 12345, home, home / "broker.log")
    return state.Record(broker, "boot/1", "cluster")


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    state.write(record(tmp_path))
    assert state.read(tmp_path) == record(tmp_path)
    assert record(tmp_path).port == 4242
    assert [path.name for path in tmp_path.iterdir()] == ["broker.json"]


def test_nothing_is_recorded_in_a_new_home(tmp_path: Path) -> None:
    assert state.read(tmp_path) is None
    state.remove(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps({"kind": "rabbit"}),
        '{"kind": "kafka", "bootstrap_servers": "127.0.0.1:x", "pid": 1, "log_file": "l", "identity": "i", '
        '"cluster_id": "c"}',
    ],
)
def test_a_damaged_state_file_is_an_error_and_not_no_broker(tmp_path: Path, text: str) -> None:
    state.state_file(tmp_path).write_text(text)
    with pytest.raises(BrokerUnavailable, match="see that no broker runs, then delete it"):
        state.read(tmp_path)


def test_a_failed_write_leaves_the_old_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state.write(record(tmp_path))

    def full(*_arguments: object, **_named: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(state.json, "dump", full)
    with pytest.raises(OSError, match="no space left"):
        state.write(record(tmp_path))
    assert state.read(tmp_path) == record(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["broker.json"]


def test_a_lock_that_another_holds_is_waited_for_and_then_an_error(tmp_path: Path) -> None:
    path = tmp_path / "broker.lock"
    with state.locked(path, 1, "first"):
        with pytest.raises(BrokerUnavailable, match="busy second"), state.locked(path, 0, "second"):
            pass
        got = threading.Event()

        def wait() -> None:
            with state.locked(path, 30, "third"):
                got.set()

        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not got.is_set()
    waiting.join(30)
    assert got.is_set()


def test_free_ports_are_different_and_free() -> None:
    found = ports.free_ports(20)
    assert len(set(found)) == 20
    for port in found:
        assert not ports.listening(port, 1)


def test_a_taken_port_is_an_error_that_names_it() -> None:
    with socket.socket() as taken:
        taken.bind((ports.HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert ports.listening(port, 1)
        with pytest.raises(BrokerUnavailable, match=f"Port {port} .*choose another"):
            ports.require_free(port)
    ports.require_free(port)


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_what_is_no_port_is_an_error(port: int) -> None:
    with pytest.raises(BrokerUnavailable, match="between 1 and 65535"):
        ports.require_free(port)
