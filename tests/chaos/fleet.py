"""The services' processes in the chaos test: started, watched, killed, stopped and woken up."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from services.runtime.broker.ports import HOST, free_ports
from services.topology import STAGES

ROOT = Path(__file__).parents[2]
STATEFUL = ("deduplicator", "clusterer")
WORKERS_EACH = 2
FOUND_WITHIN_S = 1500.0
"""How long to wait for a worker in a certain state; on a busy machine a start takes minutes."""
BUSY_WITHIN_S = 20.0


@dataclass
class Worker:
    """One place in the fleet, and the process that has it now."""

    stage: str
    number: int
    process: subprocess.Popen[bytes]
    port: int
    wanted: bool = True
    """Whether a process that ends is to be replaced."""
    frozen: bool = False

    def says(self, path: str = "/ready") -> str:
        """Return a page, /ready says `ok` or what the worker waits for; nothing while it does not listen."""
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.port}{path}", timeout=1) as response:
                return str(response.read().decode())
        except urllib.error.HTTPError as error:
            return str(error.read().decode())
        except OSError:
            return ""


@dataclass
class Fleet:
    """Every worker; one that ends is started again, as any supervisor does."""

    servers: str
    logs: Path
    app: str = "services.{stage}.app"
    environment: dict[str, str] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)
    starts: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    killed_rebuilding: Counter[str] = field(default_factory=Counter)
    ended_by_themselves: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        """Start the usual number of workers of every service."""
        for stage in STAGES:
            for _ in range(WORKERS_EACH):
                self.join(stage)

    def join(self, stage: str) -> Worker:
        """Start one more worker of a service."""
        number = sum(worker.stage == stage for worker in self.workers)
        process, port = self._start(stage, number)
        worker = Worker(stage, number, process, port)
        self.workers.append(worker)
        return worker

    def _start(self, stage: str, number: int) -> tuple[subprocess.Popen[bytes], int]:
        self.starts[stage] += 1
        (port,) = free_ports(1)
        environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "MACHTIN_HTTP_PORT": str(port),
            "MACHTIN_SEND_TIMEOUT_S": "10",
            "CHAOS_STAGE": stage,
            **self.environment,
        }
        with (self.logs / f"{stage}-{number}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "faust", "-A", self.app.format(stage=stage), "worker", "-l", "WARN"],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        return process, port

    def supervise(self) -> None:
        """Start a new process in every place whose process has ended."""
        for worker in self.workers:
            status = worker.process.poll()
            if worker.wanted and status is not None:
                if status >= 0:
                    self.ended_by_themselves[worker.stage] += 1
                worker.process, worker.port = self._start(worker.stage, worker.number)

    async def at_work(self, stage: str, rng: random.Random) -> Worker | None:
        """Return a worker that has just processed a message; after a while one that is at least ready."""
        deadline = time.monotonic() + BUSY_WITHIN_S
        before: dict[int, str] = {}
        while time.monotonic() < deadline:
            for worker in self._candidates(stage):
                page = await asyncio.to_thread(worker.says, "/metrics")
                counts = "".join(
                    line for line in page.splitlines() if line.startswith("machtin_messages_total")
                )
                if before.get(worker.process.pid, counts) != counts:
                    return worker
                before[worker.process.pid] = counts
            await asyncio.sleep(0.05)
        return await self.ready(stage, rng)

    def _candidates(self, stage: str) -> list[Worker]:
        return [w for w in self.workers if w.stage == stage and w.wanted and not w.frozen]

    def kill(self, worker: Worker) -> None:
        """Kill with -9."""
        self.kills[worker.stage] += 1
        worker.process.kill()

    def leave(self, worker: Worker) -> None:
        """Ask a worker to end and do not replace it."""
        worker.wanted = False
        worker.process.send_signal(signal.SIGTERM)

    async def ready(self, stage: str, rng: random.Random) -> Worker | None:
        """Return a worker of a service that is at work; None when there is none for too long."""
        return await self._find(stage, rng, "ok")

    async def rebuilding(self, stage: str, rng: random.Random) -> Worker | None:
        """Kill until a worker of a stateful service is in the middle of rebuilding its state, and return it.

        Killing one worker makes the other take over its partitions, and the killed one come back for them.
        """
        deadline = time.monotonic() + FOUND_WITHIN_S
        while time.monotonic() < deadline:
            worker = await self._find(stage, rng, "ok")
            if worker is None:
                return None
            self.kill(worker)
            # Looked at without pause: a rebuild of some thousand records takes less than a second.
            found = await self._find(stage, rng, "rebuilding", pause_s=0.005, within_s=45)
            if found is not None:
                return found
        return None

    async def _find(
        self,
        stage: str,
        rng: random.Random,
        text: str,
        pause_s: float = 0.2,
        within_s: float = FOUND_WITHIN_S,
    ) -> Worker | None:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            candidates = self._candidates(stage)
            rng.shuffle(candidates)
            for worker in candidates:
                if text in await asyncio.to_thread(worker.says):
                    return worker
            await asyncio.sleep(pause_s)
        return None

    def end(self) -> None:
        """Kill every worker, stopped ones too."""
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            worker.process.wait()
