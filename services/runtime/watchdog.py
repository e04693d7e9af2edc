"""Ends a process that is stuck, with the stacks of all threads in its log.

Faust's own livelock detector compares two different clocks and cannot fire. This one runs in a thread of
its own, so that a blocked event loop does not block it too; what restarts the process reads the rest of
the work from Kafka, where nothing was acknowledged.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

log = logging.getLogger(__name__)

EXIT_STUCK = 75
"""Exit status of a process that the watchdog ended (EX_TEMPFAIL: worth starting again)."""

_POLL_S = 0.2


class Watchdog:
    """Watches pieces of work; each must end or report progress within `limit_s` seconds."""

    def __init__(self, limit_s: float, on_stuck: Callable[[str], None] | None = None) -> None:
        self._limit_s = limit_s
        self._on_stuck = on_stuck or end_process
        self._work: dict[object, tuple[str, float]] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    def bound_the_stop(self, stopping: Callable[[], bool], within_s: float) -> None:
        """Call `on_stuck` if the process is still there `within_s` seconds after `stopping` became true."""

        def run() -> None:
            while not stopping():
                if self._stopped.wait(_POLL_S):
                    return
            if not self._stopped.wait(within_s):
                self._on_stuck(f"asked to stop {within_s:.0f} s ago and still here")

        threading.Thread(target=run, name="bounded stop", daemon=True).start()

    @contextmanager
    def work(self, what: str) -> Iterator[Callable[[], None]]:
        """Watch the body; the yielded function reports progress and starts the time anew."""
        token = object()

        def progress() -> None:
            with self._lock:
                self._work[token] = (what, time.monotonic())

        progress()
        try:
            yield progress
        finally:
            with self._lock:
                del self._work[token]

    def stuck(self) -> str | None:
        """Return what has made no progress for longer than the limit, or None."""
        now = time.monotonic()
        with self._lock:
            for what, since in self._work.values():
                if now - since > self._limit_s:
                    return f"{what}: no progress for {now - since:.0f} s"
        return None

    def _run(self) -> None:
        while not self._stopped.wait(min(1.0, self._limit_s / 4)):
            stuck = self.stuck()
            if stuck is not None:
                self._on_stuck(stuck)
                return


def end_process(why: str) -> NoReturn:
    """Log why, dump the stacks of all threads, and end the process at once."""
    try:
        log.critical("%s; ending the process. Nothing unpublished was acknowledged.", why)
        # Faust puts an object without a file descriptor in the place of sys.stderr.
        faulthandler.dump_traceback(file=sys.__stderr__ or 2, all_threads=True)
        logging.shutdown()
    finally:
        os._exit(EXIT_STUCK)
