"""The services as real processes on this machine: started, watched and stopped together."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.runtime.broker import supervise
from services.runtime.broker.ports import HOST, free_ports
from services.runtime.errors import InfrastructureError

STOP_GRACE_S = 20.0
POLL_S = 0.2
LOG_TAIL_LINES = 15
SHUTDOWN_NOISE = ("Stopping...", "Gathering", "Closing event loop", "Cleanup", "Flush producer")
"""What Faust says last, whatever it was that ended it."""


@dataclass(frozen=True, slots=True)
class ServiceProcess:
    """One running service."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    log_file: Path

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://{HOST}:{self.port}"

    def get(self, path: str) -> str | None:
        """Return a page of the service, or None while it does not answer with success."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as response:
                return str(response.read().decode())
        except OSError:  # not listening yet, or 503: not ready
            return None


def start_services(names: Iterable[str], bootstrap_servers: str, logs: Path) -> list[ServiceProcess]:
    """Start the services, each writing its log to `logs`/NAME.log, and return at once.

    They end within seconds of this process, even when that is killed.
    """
    logs.mkdir(parents=True, exist_ok=True)
    names = list(names)
    return [
        _start(name, port, bootstrap_servers, logs / f"{name}.log")
        for name, port in zip(names, free_ports(len(names)), strict=True)
    ]


def start_again(ended: ServiceProcess, bootstrap_servers: str) -> ServiceProcess:
    """Start a service that has ended, at its old port; its log goes on."""
    return _start(ended.name, ended.port, bootstrap_servers, ended.log_file, log_mode="ab")


def _start(
    name: str,
    port: int,
    bootstrap_servers: str,
    log_file: Path,
    log_mode: Literal["wb", "ab"] = "wb",
) -> ServiceProcess:
    environment: Mapping[str, str] = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "MACHTIN_HTTP_PORT": str(port),
    }
    supervised = [sys.executable, "-I", "-S", supervise.__file__, str(os.getpid())]
    command = [*supervised, sys.executable, "-m", "services.cli.main", "run", name]
    with log_file.open(log_mode) as log:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the one who started them: they are stopped in order
        )
    return ServiceProcess(name, process, port, log_file)


def wait_until_ready(
    services: Iterable[ServiceProcess], deadline_s: float, progress: Callable[[str], None]
) -> None:
    """Return when every service answers /ready with success; `progress` is told each one's name.

    Raises InfrastructureError for a service that ends before, or after `deadline_s` seconds.
    """
    waiting = list(services)
    deadline = time.monotonic() + deadline_s
    while waiting:
        for service in list(waiting):
            raise_if_ended(service)
            if service.get("/ready") is not None:
                waiting.remove(service)
                progress(service.name)
        if time.monotonic() > deadline:
            raise InfrastructureError(
                f"Not ready after {deadline_s:.0f} s: {', '.join(s.name for s in waiting)}."
                f" Look at {waiting[0].log_file}."
            )
        time.sleep(POLL_S)


def raise_if_ended(service: ServiceProcess) -> None:
    """Raise InfrastructureError with the end of its log if the service has ended."""
    status = service.process.poll()
    if status is not None:
        lines = service.log_file.read_text(errors="replace").splitlines()
        tail = [line for line in lines if not any(noise in line for noise in SHUTDOWN_NOISE)][
            -LOG_TAIL_LINES:
        ]
        raise InfrastructureError(
            f"The {service.name} ended with status {status}. The end of {service.log_file}:\n"
            + "\n".join(tail)
        )


def stop_services(services: Iterable[ServiceProcess]) -> None:
    """Ask every service to end, and kill what has not ended after a grace period."""
    running = [service.process for service in services if service.process.poll() is None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + STOP_GRACE_S
    for process in running:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
