"""Apache Kafka as one local process: broker and controller in one, KRaft, loopback only."""

import base64
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from services.runtime.broker import jars
from services.runtime.broker.errors import BrokerUnavailable, KafkaUnavailable
from services.runtime.broker.launch import LOG_NAME, Launch
from services.runtime.broker.ports import HOST

JAVA_VERSION = 17
MESSAGE_BYTES = 8 * 1024 * 1024

_HEAP = ("-Xms128m", "-Xmx512m")
_TOOL_S = 60.0


def find_java() -> str:
    """Return the path of a Java of version 17 or newer: that of JAVA_HOME, else that on the PATH.

    Raises KafkaUnavailable when there is none.
    """
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    remedy = f"install Java {JAVA_VERSION} or newer"
    if java is None:
        raise KafkaUnavailable(f"Apache Kafka needs Java and there is none: {remedy}.")
    try:
        asked = subprocess.run(
            [java, "-version"], capture_output=True, text=True, errors="replace", timeout=_TOOL_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = error.strerror if isinstance(error, OSError) else f"no answer within {_TOOL_S:.0f} s"
        raise KafkaUnavailable(
            f"Java ({java}) cannot be run ({reason}): {remedy}, or correct JAVA_HOME."
        ) from error
    version = java_version(asked.stderr + asked.stdout)
    if asked.returncode != 0 or version is None:
        # macOS has a `java` that only tells where to get one.
        raise KafkaUnavailable(f"Java ({java}) does not work: {remedy}, or correct JAVA_HOME.")
    if version < JAVA_VERSION:
        raise KafkaUnavailable(
            f"Apache Kafka needs Java {JAVA_VERSION} or newer and {java} is Java {version}: {remedy}."
        )
    return java


def java_version(text: str) -> int | None:
    """Return the release that `java -version` names in `text` (8 for 1.8), None when it names none."""
    found = re.search(r'version "(\d+)(?:\.(\d+))?', text)
    if found is None:
        return None
    first, second = found.groups()
    return int(second) if first == "1" and second else int(first)


def prepare(directory: Path, cache: Path, progress: Callable[[str], None]) -> "KafkaLaunch":
    """Return how to start Kafka with its files in `directory`, having seen to Java and the jars.

    Raises KafkaUnavailable when one of them cannot be had.
    """
    java = find_java()
    paths = jars.verified(cache) or jars.fetch(cache, progress)
    if any(os.pathsep in str(path) for path in paths):
        raise BrokerUnavailable(f"Java cannot load jars from {cache}: its path holds a {os.pathsep!r}.")
    return KafkaLaunch(directory, java, paths)


class KafkaLaunch(Launch):
    """How to start Apache Kafka. Data and logs survive a stop; the ports are new each time."""

    kind = "kafka"
    port_count = 2

    def __init__(
        self,
        directory: Path,
        java: str,
        paths: list[Path],
        overrides: Mapping[str, object] | None = None,
        format_options: Sequence[str] = (),
    ) -> None:
        """Take the broker's directory, the path of `java` and those of the jars.

        `overrides` are properties that count instead of ours; `format_options` go to Kafka's storage tool.
        """
        super().__init__(directory)
        self._overrides = dict(overrides or {})
        self._format_options = tuple(format_options)
        self._java = java
        self._class_path = os.pathsep.join(str(path) for path in paths)

    def environment(self) -> dict[str, str]:
        """Return the caller's environment, with a locale in which Java can name every file."""
        variables = dict(os.environ)
        if sys.platform == "linux":
            # In the locale "C" Java 17 cannot open a path with a Vietnamese letter in it.
            variables["LC_ALL"] = "C.UTF-8"
        return variables

    def command(self, ports: list[int]) -> list[str]:
        """Write the configuration for these ports (clients, controller), format the storage if it is new."""
        config = self.directory / "server.properties"
        config.write_text(properties(ports[0], ports[1], self._overrides), encoding="ascii")
        if not (self.directory / "data" / "meta.properties").exists():
            self._format(config)
        log_config = (jars.DEPLOY / "log4j2.xml").as_uri()
        return [
            *(self._java, *_HEAP),
            # One small heap on a shared machine: the parallel collectors only cost threads here.
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={log_config}",
            *("-cp", self._class_path),
            *("kafka.Kafka", config.name),
        ]

    def cluster_id(self) -> str:
        """Return the id that the storage was formatted with."""
        text = (self.directory / "data" / "meta.properties").read_text(encoding="utf-8")
        found = re.search(r"^cluster\.id=(.+)$", text, re.MULTILINE)
        if found is None:
            raise BrokerUnavailable(
                f"The data in {self.directory} is damaged (no cluster.id): delete that directory."
            )
        return found.group(1).strip()

    def _format(self, config: Path) -> None:
        # A format that was interrupted leaves other files behind, which the tool would refuse or trust.
        data = self.directory / "data"
        if data.exists():
            shutil.rmtree(data)
        new_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        command = [self._java, "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        command += ["-cp", self._class_path, "kafka.tools.StorageTool"]
        command += ["format", f"--cluster-id={new_id}", f"--config={config.name}", *self._format_options]
        with (self.directory / LOG_NAME).open("ab") as log:
            try:
                made = subprocess.run(
                    command,
                    cwd=self.directory,
                    env=self.environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=_TOOL_S,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise BrokerUnavailable(
                    f"Formatting Kafka's storage took more than {_TOOL_S:.0f} s."
                ) from error
        if made.returncode != 0:
            raise BrokerUnavailable(f"Kafka's storage could not be formatted.\n{self.last_lines()}")


def properties(port: int, controller_port: int, overrides: Mapping[str, object] | None = None) -> str:
    """Return Kafka's configuration for one combined node; `overrides` count instead of ours.

    Paths in it are relative to the broker's directory, which is its working directory: so no path of the
    user's can clash with the syntax of the file.
    """
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        # By address and not `localhost`, which may resolve to ::1 first.
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "listeners": f"CLIENTS://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"CLIENTS://{HOST}:{port}",
        "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENTS",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": "data",
        # Topics are declared in schemas/topics: a misspelt name is an error and not a new topic.
        "auto.create.topics.enable": "false",
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        # Nobody else is about to join: waiting 3 s for them only delays every start.
        "group.initial.rebalance.delay.ms": 0,
        "message.max.bytes": MESSAGE_BYTES,
        "replica.fetch.max.bytes": MESSAGE_BYTES,
        "num.network.threads": 2,
        "num.io.threads": 4,
        # The default takes 128 MB of the heap.
        "log.cleaner.dedupe.buffer.size": 32 * 1024 * 1024,
    }
    return "".join(f"{name}={value}\n" for name, value in {**settings, **(overrides or {})}.items())
