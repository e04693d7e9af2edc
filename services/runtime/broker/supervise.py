"""Run one command and end it when the process that asked for it is gone, however it went.

Run as `python -I -S supervise.py PARENT_PID COMMAND…`; standard library only. Prints the pid of the
command on standard output and then lets go of it.

Why a process and not PR_SET_PDEATHSIG alone: that signal is bound to the *thread* that forked (a broker
started from a pool thread would die with the thread) and exists on Linux only. A pipe held by the parent
would be inherited by every process the parent forks, and then outlive it. `getppid` has neither fault:
it changes the moment the parent ends, also by kill -9, on every POSIX system.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from types import FrameType

_POLL_S = 0.2
_GRACE_S = 10.0
_PR_SET_PDEATHSIG = 1


def _run(parent: int, command: list[str]) -> int:
    stopping = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    # Should this process itself be killed, nobody is left to watch: on Linux the kernel then does it.
    # It is safe here, since this process has one thread, which lives as long as the process.
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def bind_to_supervisor() -> None:
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2, preexec_fn=bind_to_supervisor)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)  # noqa: T201 — goes to the broker's log
        return 127
    os.write(1, f"{child.pid}\n".encode())
    os.close(1)
    while child.poll() is None and not stopping and os.getppid() == parent:
        time.sleep(_POLL_S)
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.wait()


if __name__ == "__main__":
    sys.exit(_run(int(sys.argv[1]), sys.argv[2:]) & 0xFF)
