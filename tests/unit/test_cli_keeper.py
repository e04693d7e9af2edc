"""Services that end are started again; what a service loses by that is the chaos test's business."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.cli import keeper, processes
from services.cli.keeper import LASTED_S, Restarts
from services.cli.processes import ServiceProcess

DEADLINE_S = 120.0


def test_the_first_restart_is_at_once_and_each_failure_doubles_the_pause() -> None:
    restarts = Restarts()
    assert [restarts.pause_s(1.0) for _ in range(9)] == [0, 1, 2, 4, 8, 16, 32, 60, 60]


def test_a_service_that_lasted_starts_at_once_again() -> None:
    restarts = Restarts()
    for _ in range(5):
        restarts.pause_s(1.0)
    assert restarts.pause_s(LASTED_S) == 0
    assert restarts.pause_s(1.0) == 1


class Stop(Exception):
    """Ends the keeper, as Ctrl-C does."""


@pytest.fixture
def sleepers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Have the keeper start processes that only sleep."""
    started: list[subprocess.Popen[bytes]] = []

    def start(
        name: str, port: int, bootstrap_servers: str, log_file: Path, log_mode: str = "wb"
    ) -> ServiceProcess:
        with log_file.open(log_mode) as log:
            log.write(b"started\n")
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
        started.append(process)
        return ServiceProcess(name, process, port, log_file)

    monkeypatch.setattr(processes, "_start", start)
    yield started
    for process in started:
        process.kill()
        process.wait()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_whoever_ends_is_started_again_and_all_are_stopped_at_the_end(
    tmp_path: Path, sleepers: list[subprocess.Popen[bytes]]
) -> None:
    told: list[str] = []
    stop = threading.Event()

    def tell(line: str) -> None:
        told.append(line)
        if stop.is_set():
            raise Stop

    def run() -> None:
        with pytest.raises(Stop):
            keeper.keep_running(["normalizer", "enricher"], "127.0.0.1:1", tmp_path, tell)

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: len(sleepers) == 2)
    sleepers[0].send_signal(signal.SIGKILL)
    until(lambda: len(sleepers) == 3)
    stop.set()
    sleepers[1].send_signal(signal.SIGKILL)
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    assert told[2] == "normalizer ended with status -9; it is started again in 0 s."
    assert [process.poll() is not None for process in sleepers] == [True, True, True]
    assert (tmp_path / "normalizer.log").read_text() == "started\nstarted\n", "the log of the end is lost"
