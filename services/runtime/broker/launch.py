"""What the two brokers have in common when they start."""

import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from services.runtime.broker.state import BrokerKind

# The process's own output, and the log that Kafka writes and rotates itself.
CONSOLE_NAME = "console.log"
LOG_NAME = "broker.log"

_BIND_FAILURES = re.compile(r"Address already in use|Address in use|AddrInUse")
_TAIL_BYTES = 65536


class Launch(ABC):
    """How to start one kind of broker with its files in `directory`."""

    kind: ClassVar[BrokerKind]
    port_count: ClassVar[int]

    def __init__(self, directory: Path) -> None:
        """Take the directory, which becomes the working directory of the broker."""
        self.directory = directory

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """Return the environment of the process."""

    @abstractmethod
    def command(self, ports: list[int]) -> list[str]:
        """Prepare for these `port_count` ports, the first for clients, and return the command."""

    @abstractmethod
    def cluster_id(self) -> str:
        """Return the id the broker will answer with, known after `command`."""

    @property
    def log_file(self) -> Path:
        """The log to look into."""
        return self.directory / LOG_NAME

    @property
    def console(self) -> Path:
        """Where the output of the process goes."""
        return self.directory / CONSOLE_NAME

    def fresh_logs(self) -> None:
        """Put the logs of the last run aside, so that what they say is about this one."""
        self.directory.mkdir(parents=True, exist_ok=True)
        for path in {self.log_file, self.console}:
            if path.exists():
                path.replace(path.with_name(path.name + ".previous"))

    def last_lines(self, count: int = 15) -> str:
        """Return the last lines that the broker wrote, indented, for an error message."""
        lines = [line for path in (self.log_file, self.console) for line in _tail(path)[-count:]]
        return "\n".join(f"  {line}" for line in dict.fromkeys(lines)) or "  (it wrote nothing)"

    def failed_to_bind(self) -> bool:
        """Tell whether this run ended because a port was taken."""
        return any(
            _BIND_FAILURES.search(line) for path in (self.log_file, self.console) for line in _tail(path)
        )


def _tail(path: Path) -> list[str]:
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        text = file.read().decode("utf-8", errors="replace")
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return [line for line in plain.splitlines() if line.strip()]
