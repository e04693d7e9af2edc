"""Processes: recognised by more than their pid, and gone when they should be."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.runtime.broker import BrokerUnavailable, process

SLEEPER = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]
# Tells that it ignores SIGTERM only once it does, so that a test does not ask too early.
STUBBORN = [
    *SLEEPER[:-1],
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); "
    "time.sleep(600)",
]
DEADLINE_S = 30.0


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:.0f} s: {what}"
        time.sleep(0.02)


def spawn(command: list[str], directory: Path, *, tied: bool = False) -> tuple[int, str]:
    pid = process.spawn(
        command, cwd=directory, console=directory / "console.log", env=os.environ, tie_to_parent=tied
    )
    known_as = process.identity(pid)
    assert known_as is not None
    return pid, known_as


@pytest.mark.parametrize("tied", [False, True])
def test_a_process_is_alive_until_it_is_ended(tmp_path: Path, tied: bool) -> None:
    pid, known_as = spawn(SLEEPER, tmp_path, tied=tied)
    assert process.alive(pid, known_as)
    assert process.identity(pid) == known_as
    process.end(pid, known_as, DEADLINE_S)
    assert process.identity(pid) is None
    process.end(pid, known_as, DEADLINE_S)


@pytest.mark.parametrize("tied", [False, True])
def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path, tied: bool) -> None:
    pid, known_as = spawn(STUBBORN, tmp_path, tied=tied)
    until(lambda: "deaf" in (tmp_path / "console.log").read_text(), "the process ignores SIGTERM")
    process.end(pid, known_as, 0.2)
    assert process.identity(pid) is None


def test_another_process_with_the_same_pid_is_left_alone(tmp_path: Path) -> None:
    pid, known_as = spawn(SLEEPER, tmp_path)
    process.end(pid, "an earlier process", DEADLINE_S)
    assert process.alive(pid, known_as)
    process.end(pid, known_as, DEADLINE_S)


def test_a_zombie_is_not_alive() -> None:
    # Not one of the module's own children, so that nothing reaps it.
    child = subprocess.Popen([*SLEEPER[:-1], "pass"])
    try:
        until(lambda: process.identity(child.pid) is None, "the zombie counts as gone")
    finally:
        child.wait()


def test_identities_differ_between_processes_and_ps_agrees_on_who_is_there(tmp_path: Path) -> None:
    assert process.identity(os.getpid()) != process.identity(1)
    # What macOS uses works on Linux too, where `ps` is installed.
    pid, known_as = spawn(SLEEPER, tmp_path)
    assert process._identity_posix(pid)
    process.end(pid, known_as, DEADLINE_S)
    assert process._identity_posix(pid) is None


@pytest.mark.parametrize("tied", [False, True])
def test_a_command_that_cannot_be_run_is_an_error(tmp_path: Path, tied: bool) -> None:
    with pytest.raises(BrokerUnavailable, match="no-such-program cannot be run"):
        spawn([str(tmp_path / "no-such-program")], tmp_path, tied=tied)


def test_a_tied_process_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    started: list[tuple[int, str]] = []
    thread = threading.Thread(target=lambda: started.append(spawn(SLEEPER, tmp_path, tied=True)))
    thread.start()
    thread.join(DEADLINE_S)
    pid, known_as = started[0]
    supervisor = process._children[pid]
    # Long enough for the supervisor to have looked at its parent.
    with pytest.raises(subprocess.TimeoutExpired):
        supervisor.wait(0.6)
    assert process.alive(pid, known_as)
    process.end(pid, known_as, DEADLINE_S)


def test_a_tied_process_ends_with_its_supervisor(tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux ends a process with its parent")
    pid, known_as = spawn(SLEEPER, tmp_path, tied=True)
    process._children[pid].send_signal(signal.SIGKILL)
    until(lambda: not process.alive(pid, known_as), "the process is gone")
    process.end(pid, known_as, DEADLINE_S)


@pytest.mark.parametrize("tied", [False, True])
def test_only_a_tied_process_ends_with_a_parent_that_is_killed(tmp_path: Path, tied: bool) -> None:
    code = (
        "import os, sys, time; from pathlib import Path; from services.runtime.broker import process; "
        f"d = Path(sys.argv[1]); pid = process.spawn({SLEEPER!r}, cwd=d, console=d / 'console.log', "
        f"env=os.environ, tie_to_parent={tied}); print(pid, process.identity(pid), flush=True); "
        "time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        first, _, known_as = parent.stdout.readline().strip().partition(" ")
        pid = int(first)
        assert process.alive(pid, known_as)
        parent.kill()
    if tied:
        until(lambda: not process.alive(pid, known_as), "the process is gone")
    else:
        assert process.alive(pid, known_as)
        process.end(pid, known_as, DEADLINE_S)
