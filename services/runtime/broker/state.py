"""What is remembered of a running broker, and who may change it."""

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from services.runtime.broker.errors import BrokerUnavailable

BrokerKind = Literal["kafka", "embedded"]

_POLL_S = 0.05


@dataclass(frozen=True)
class RunningBroker:
    """A broker of ours: its kind, `host:port`, process, home directory and the log to look into."""

    kind: BrokerKind
    bootstrap_servers: str
    pid: int
    home: Path
    log_file: Path


@dataclass(frozen=True)
class Record:
    """The content of `broker.json`: the broker, its process identity and the id of its cluster."""

    broker: RunningBroker
    identity: str
    cluster_id: str

    @property
    def port(self) -> int:
        """The port that clients connect to."""
        return int(self.broker.bootstrap_servers.rpartition(":")[2])


def state_file(home: Path) -> Path:
    """Return the path of the state file of `home`."""
    return home / "broker.json"


def read(home: Path) -> Record | None:
    """Return what is recorded in `home`, None when nothing is.

    Raises BrokerUnavailable when the file is there but is none of ours: guessing could orphan a broker.
    """
    path = state_file(home)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        found = json.loads(text)
        if found["kind"] not in get_args(BrokerKind):
            raise ValueError(f"unknown kind {found['kind']!r}")
        broker = RunningBroker(
            kind=found["kind"],
            bootstrap_servers=str(found["bootstrap_servers"]),
            pid=int(found["pid"]),
            home=home,
            log_file=Path(found["log_file"]),
        )
        record = Record(broker, str(found["identity"]), str(found["cluster_id"]))
        _ = record.port
    except (ValueError, KeyError, TypeError) as error:
        raise BrokerUnavailable(
            f"{path} is not a state file of this program ({error}): see that no broker runs, then delete it."
        ) from error
    return record


def write(record: Record) -> None:
    """Write the record to its home: whole or not at all."""
    broker = record.broker
    content = {
        "kind": broker.kind,
        "bootstrap_servers": broker.bootstrap_servers,
        "pid": broker.pid,
        "log_file": str(broker.log_file),
        "identity": record.identity,
        "cluster_id": record.cluster_id,
    }
    handle, temporary = tempfile.mkstemp(prefix=".broker.", suffix=".json", dir=broker.home)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
        os.replace(temporary, state_file(broker.home))
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def remove(home: Path) -> None:
    """Forget the broker of `home`."""
    state_file(home).unlink(missing_ok=True)


@contextmanager
def locked(path: Path, deadline_s: float, what: str) -> Iterator[None]:
    """Hold the lock file `path`; the system lets go of it when this process ends, however it ends.

    Raises BrokerUnavailable when another process still holds it after `deadline_s` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + deadline_s
    # Python opens files non-inheritable, so a broker started meanwhile does not keep the lock.
    with path.open("ab") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise BrokerUnavailable(
                        f"Another process has been busy {what} for {deadline_s:.0f} s: "
                        f"wait for it or end it, then try again ({path})."
                    ) from None
                time.sleep(_POLL_S)
        yield
