"""Start, recognise and end the broker's process."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.runtime.broker.errors import BrokerUnavailable

_SUPERVISOR = Path(__file__).with_name("supervise.py")
_POLL_S = 0.05
_KILL_S = 10.0
_SPAWN_S = 20.0

# Our own children by the pid of the broker: a dead child stays a zombie until its parent asks for it.
_children: dict[int, subprocess.Popen[bytes]] = {}


def spawn(
    command: Sequence[str], *, cwd: Path, console: Path, env: Mapping[str, str], tie_to_parent: bool
) -> int:
    """Start `command` in a session of its own and return its pid.

    Output goes to the file `console`. With `tie_to_parent` the command ends within a moment of the end of
    the calling process, even by kill -9 (see supervise.py); otherwise it stays.

    Raises BrokerUnavailable when the command cannot be run.
    """
    wrapped = list(command)
    if tie_to_parent:
        # Isolated and without site-packages: nothing in the caller's environment can break or slow it.
        wrapped = [sys.executable, "-I", "-S", str(_SUPERVISOR), str(os.getpid()), *command]
    with console.open("ab") as output:
        try:
            child = subprocess.Popen(
                wrapped,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if tie_to_parent else output,
                stderr=output,
                start_new_session=True,
            )
        except OSError as error:
            raise BrokerUnavailable(f"{wrapped[0]} cannot be run: {error.strerror}.") from error
    if not tie_to_parent:
        _children[child.pid] = child
        return child.pid
    try:
        pid = _reported_pid(child)
    except BaseException:
        # Also on Ctrl-C: the supervisor ends the broker when it is asked to end.
        child.terminate()
        child.wait(_KILL_S + _SPAWN_S)
        raise
    if pid is None:
        child.wait(_SPAWN_S)
        raise BrokerUnavailable(f"{command[0]} cannot be run; {console} says why.")
    _children[pid] = child
    return pid


def _reported_pid(supervisor: subprocess.Popen[bytes]) -> int | None:
    """Read the pid of the broker from its supervisor; None when there is no broker."""
    assert supervisor.stdout is not None
    deadline = time.monotonic() + _SPAWN_S
    line = b""
    with supervisor.stdout as pipe, selectors.DefaultSelector() as ready:
        ready.register(pipe, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not ready.select(max(0.0, deadline - time.monotonic())):
                raise BrokerUnavailable(f"The broker's process did not start within {_SPAWN_S:.0f} s.")
            piece = os.read(pipe.fileno(), 64)
            if not piece:
                return None
            line += piece
    return int(line)


def identity(pid: int) -> str | None:
    """Return what tells this process from any other that ever has the same pid; None when none runs.

    It is the time the process started, which a reused pid cannot share. A zombie counts as not running.
    """
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]
    if sys.platform == "linux":
        return _identity_linux(pid)
    return _identity_posix(pid)


def _identity_linux(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the name in parentheses and may itself hold spaces and parentheses.
    fields = stat[stat.rindex(")") + 2 :].split()
    if fields[0] in "ZX":
        return None
    # Ticks since boot: only unique together with the boot.
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}/{fields[19]}"


def _identity_posix(pid: int) -> str | None:
    asked = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    state, _, started = asked.stdout.strip().partition(" ")
    if not started or state.startswith("Z"):
        return None
    return " ".join(started.split())


def alive(pid: int, known_as: str) -> bool:
    """Tell whether the process `pid` runs and is the one that was `known_as` (see `identity`)."""
    return identity(pid) == known_as


def end(pid: int, known_as: str, grace_s: float) -> None:
    """End a process: SIGTERM, up to `grace_s` seconds of patience, SIGKILL. Nothing happens if it is gone.

    Raises BrokerUnavailable when it outlives even that.
    """
    for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, _KILL_S)):
        if not _signal(pid, known_as, number) or _gone(pid, known_as, patience_s):
            _reap(pid)
            return
    raise BrokerUnavailable(f"Process {pid} of the broker does not end, not even by SIGKILL.")


def _signal(pid: int, known_as: str, number: signal.Signals) -> bool:
    if not alive(pid, known_as):
        return False
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _gone(pid: int, known_as: str, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while alive(pid, known_as):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _reap(pid: int) -> None:
    """Collect what is left of a child of ours: itself, or the supervisor that outlives it by a moment."""
    if identity(pid) is not None:
        # The pid is another process's by now, which may even be a younger child of ours.
        return
    child = _children.pop(pid, None)
    if child is not None:
        child.wait(_KILL_S)
