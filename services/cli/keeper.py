"""Keeps the services running on a machine that has no Compose, no Kubernetes and no systemd to do it.

A service ends itself rather than go on in doubt; whoever starts it again loses nothing. This is the least
that has to be there for that: start it again, at once the first time, ever later when it does not last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from services.cli.processes import ServiceProcess, start_again, start_services, stop_services

LONGEST_PAUSE_S = 60.0
LASTED_S = 60.0
"""Whoever has run for this long is forgiven that it ended before."""
POLL_S = 0.2


@dataclass(slots=True)
class Restarts:
    """How long to wait before a service is started again: 0, 1, 2, 4 … seconds, a minute at most."""

    failures: int = 0

    def pause_s(self, ran_for_s: float) -> float:
        """Return the seconds to wait now that it has ended after `ran_for_s`."""
        self.failures = 1 if ran_for_s >= LASTED_S else self.failures + 1
        return 0.0 if self.failures == 1 else min(LONGEST_PAUSE_S, 2.0 ** (self.failures - 2))


@dataclass(slots=True)
class _Kept:
    service: ServiceProcess
    restarts: Restarts
    started_at: float
    due_at: float | None = None
    """When it is to be started again; None while it runs."""


def keep_running(
    names: Iterable[str], bootstrap_servers: str, logs: Path, tell: Callable[[str], None]
) -> None:
    """Start the services and start again whichever ends, until this is interrupted; then stop them all."""
    kept = [
        _Kept(service, Restarts(), time.monotonic())
        for service in start_services(names, bootstrap_servers, logs)
    ]
    try:
        for one in kept:
            tell(f"{one.service.name}: {one.service.url}/ready, its log in {one.service.log_file}")
        while True:
            for one in kept:
                _look_after(one, bootstrap_servers, tell)
            time.sleep(POLL_S)
    finally:
        stop_services([one.service for one in kept])


def _look_after(one: _Kept, bootstrap_servers: str, tell: Callable[[str], None]) -> None:
    now = time.monotonic()
    if one.due_at is not None:
        if now >= one.due_at:
            one.service, one.started_at, one.due_at = start_again(one.service, bootstrap_servers), now, None
        return
    status = one.service.process.poll()
    if status is not None:
        pause_s = one.restarts.pause_s(now - one.started_at)
        one.due_at = now + pause_s
        tell(f"{one.service.name} ended with status {status}; it is started again in {pause_s:.0f} s.")
