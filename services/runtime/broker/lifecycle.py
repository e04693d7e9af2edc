"""Start, find and stop the development broker of a home directory."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Literal

from services.runtime.broker import embedded, jars, kafka, process, state
from services.runtime.broker.errors import BrokerUnavailable, KafkaUnavailable
from services.runtime.broker.launch import Launch
from services.runtime.broker.ports import HOST, free_ports, require_free
from services.runtime.broker.probe import serves
from services.runtime.broker.state import BrokerKind, RunningBroker

_ATTEMPTS = 5
_POLL_S = 0.1
_PROBE_S = 3.0
# A broker that was found running gets this long to answer before it is taken for hung and replaced.
_FOUND_S = 15.0
_GRACE_S = 30.0


def _silent(_message: str) -> None:
    """Say nothing."""


def fetch_kafka(
    home: Path,
    progress: Callable[[str], None] = _silent,
    *,
    cache: Path | None = None,
    deadline_s: float = 600,
) -> Path:
    """Fetch the jars of Apache Kafka ahead of the first start and return their directory.

    They go to `kafka-<version>/` below `cache`, by default `home`; nothing happens when they are there.

    Raises KafkaUnavailable when they cannot be fetched within `deadline_s` seconds (or Maven gets no
    further for a while), BrokerUnavailable when they are not the ones that deploy/kafka/jars.sha256 names.
    """
    cache = _absolute(cache or home)
    jars.fetch(cache, progress, deadline_s=deadline_s)
    return jars.jars_directory(cache)


def start(
    home: Path,
    kind: BrokerKind | Literal["auto"] = "auto",
    *,
    port: int | None = None,
    progress: Callable[[str], None] = _silent,
    deadline_s: float = 120,
    cache: Path | None = None,
    tie_to_parent: bool = False,
) -> RunningBroker:
    """Start a broker with its files below `home`, or return the one that runs there already.

    `auto` is Apache Kafka where Java 17 and the jars (in the cache, or fetchable) can be had, else the
    embedded broker; `progress` is told which and why. The jars lie below `cache`, by default `home`. Without
    `port` a free one is taken. The broker serves when this returns; it has `deadline_s` seconds for that,
    not counting the one fetch of the jars.

    The broker stays when this process ends, unless `tie_to_parent`: then it ends within seconds of this
    process, even when that is killed with SIGKILL.

    KAFKA_BOOTSTRAP_SERVERS is not read here: the settings decide whether a broker is to be started at all.

    Blocks; may be called from any thread. Raises BrokerUnavailable with the reason and, when the broker
    ended by itself, its last lines.
    """
    return _start(home, kind, port, progress, deadline_s, cache, tie_to_parent)[0]


def status(home: Path) -> RunningBroker | None:
    """Return the broker that runs in `home` and answers a metadata request, None when none does.

    Takes a few seconds when the broker hangs. Raises BrokerUnavailable for a damaged state file.
    """
    home = _absolute(home)
    record = state.read(home)
    return record.broker if record is not None and _healthy(record, _PROBE_S) else None


def stop(home: Path, deadline_s: float = _GRACE_S) -> bool:
    """Stop the broker of `home`, healthy or not, and tell whether there was one.

    It is asked to end (SIGTERM) and killed when it has not after `deadline_s` seconds. Raises
    BrokerUnavailable when another process is starting it all the while, or it survives even that.
    """
    home = _absolute(home)
    if not home.is_dir():
        return False
    with _locked(home, deadline_s):
        record = state.read(home)
        if record is None:
            return False
        ran = process.alive(record.broker.pid, record.identity)
        process.end(record.broker.pid, record.identity, deadline_s)
        state.remove(home)
        return ran


@contextmanager
def running(
    home: Path,
    kind: BrokerKind | Literal["auto"] = "auto",
    *,
    port: int | None = None,
    progress: Callable[[str], None] = _silent,
    deadline_s: float = 120,
    cache: Path | None = None,
    tie_to_parent: bool = True,
) -> Iterator[RunningBroker]:
    """Have a broker in `home` for the length of a block, and stop it after if it was started for the block.

    The arguments are those of `start`, but the broker is tied to this process unless said otherwise.
    """
    broker, started = _start(home, kind, port, progress, deadline_s, cache, tie_to_parent)
    try:
        yield broker
    finally:
        # Someone may have replaced it meanwhile, and theirs is not ours to stop.
        record = state.read(broker.home) if started else None
        if record is not None and record.broker == broker:
            stop(broker.home)


def _start(
    home: Path,
    kind: BrokerKind | Literal["auto"],
    port: int | None,
    progress: Callable[[str], None],
    deadline_s: float,
    cache: Path | None,
    tie_to_parent: bool,
) -> tuple[RunningBroker, bool]:
    """Return the broker and whether this call started it."""
    home = _absolute(home)
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home, deadline_s):
        found = _found(home, progress)
        if found is not None:
            _require_same(found, kind, port)
            return found, False
        if port is not None:
            require_free(port)
        launch = _choose(home / "broker", kind, _absolute(cache or home), progress)
        deadline = time.monotonic() + deadline_s
        for _ in range(_ATTEMPTS):
            broker = _attempt(home, launch, port, deadline, deadline_s, tie_to_parent)
            if broker is not None:
                progress(f"The {_called(broker.kind)} serves at {broker.bootstrap_servers}.")
                return broker, True
            progress("A port was taken meanwhile: trying again with another.")
        raise BrokerUnavailable(
            f"{_ATTEMPTS} times another process took a port before the broker could.\n{launch.last_lines()}"
        )


def _found(home: Path, progress: Callable[[str], None]) -> RunningBroker | None:
    """Return the healthy broker of `home`; clear away one that is gone or hangs."""
    record = state.read(home)
    if record is None:
        return None
    deadline = time.monotonic() + _FOUND_S
    while process.alive(record.broker.pid, record.identity):
        if _healthy(record, _PROBE_S):
            return record.broker
        if time.monotonic() >= deadline:
            progress(f"The broker with process id {record.broker.pid} does not answer: replacing it.")
            process.end(record.broker.pid, record.identity, _GRACE_S)
            break
        time.sleep(_POLL_S)
    state.remove(home)
    return None


def _require_same(found: RunningBroker, kind: BrokerKind | Literal["auto"], port: int | None) -> None:
    other_kind = kind not in ("auto", found.kind)
    other_port = port is not None and found.bootstrap_servers != f"{HOST}:{port}"
    if other_kind or other_port:
        raise BrokerUnavailable(
            f"The {_called(found.kind)} runs in {found.home} already, at {found.bootstrap_servers}: "
            "stop it first to have another."
        )


def _choose(
    directory: Path, kind: BrokerKind | Literal["auto"], cache: Path, progress: Callable[[str], None]
) -> Launch:
    if kind == "embedded":
        return embedded.EmbeddedLaunch(directory / "embedded", embedded.find_binary())
    try:
        launch = kafka.prepare(directory / "kafka", cache, progress)
    except KafkaUnavailable as reason:
        if kind == "kafka":
            raise
        try:
            binary = embedded.find_binary()
        except BrokerUnavailable as also:
            raise BrokerUnavailable(f"No broker can be had. {reason} {also}") from reason
        progress(f"Starting the embedded broker, which keeps everything in memory alone. {reason}")
        return embedded.EmbeddedLaunch(directory / "embedded", binary)
    progress(f"Starting Apache Kafka {jars.VERSION}: Java and its checked jars are there.")
    return launch


def _attempt(
    home: Path, launch: Launch, port: int | None, deadline: float, deadline_s: float, tie_to_parent: bool
) -> RunningBroker | None:
    """Start once; None when it ended because a port was taken and another may do."""
    ports = free_ports(launch.port_count)
    if port is not None:
        require_free(port)
        ports[0] = port
    launch.fresh_logs()
    command = launch.command(ports)
    pid = process.spawn(
        command,
        cwd=launch.directory,
        console=launch.console,
        env=launch.environment(),
        tie_to_parent=tie_to_parent,
    )
    known_as = process.identity(pid)
    if known_as is None:
        _require_port_conflict(launch)
        return None
    broker = RunningBroker(launch.kind, f"{HOST}:{ports[0]}", pid, home, launch.log_file)
    serving = False
    try:
        record = state.Record(broker, known_as, launch.cluster_id())
        # Before it serves: should this process be killed now, the next one finds the broker and ends it.
        state.write(record)
        while not _healthy(record, min(_PROBE_S, max(0.1, deadline - time.monotonic()))):
            if not process.alive(pid, known_as):
                _require_port_conflict(launch)
                return None
            if time.monotonic() >= deadline:
                raise BrokerUnavailable(
                    f"The {_called(launch.kind)} did not serve within {deadline_s:.0f} s. "
                    f"Its last lines ({launch.log_file}):\n{launch.last_lines()}"
                )
            time.sleep(_POLL_S)
        serving = True
        return broker
    finally:
        if not serving:
            process.end(pid, known_as, _GRACE_S)
            state.remove(home)


def _require_port_conflict(launch: Launch) -> None:
    """Raise BrokerUnavailable when the broker ended for a reason that another port does not help."""
    if not launch.failed_to_bind():
        raise BrokerUnavailable(
            f"The {_called(launch.kind)} ended while it started. "
            f"Its last lines ({launch.log_file}):\n{launch.last_lines()}"
        )


def _healthy(record: state.Record, timeout_s: float) -> bool:
    return process.alive(record.broker.pid, record.identity) and serves(
        record.port, record.cluster_id, timeout_s
    )


def _called(kind: BrokerKind) -> str:
    return f"Apache Kafka {jars.VERSION} broker" if kind == "kafka" else "embedded broker"


def _locked(home: Path, deadline_s: float) -> AbstractContextManager[None]:
    return state.locked(home / "broker.lock", deadline_s, "with the broker")


def _absolute(path: Path) -> Path:
    # Not resolved: the path in messages should be the one the user knows.
    return path.expanduser().absolute()
