"""Apache Kafka for the chaos test: one listener for the test, another behind the proxy for the services."""

import subprocess
import time
from pathlib import Path

from services.runtime.broker import kafka
from services.runtime.broker.ports import HOST, free_ports
from services.runtime.broker.probe import serves

SERVES_WITHIN_S = 180.0


class ChaosKafka:
    """A broker that can be stopped, killed and started again on the same data and the same ports."""

    def __init__(self, directory: Path, jars: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._launch = kafka.prepare(directory, jars, print)
        self._port, self._controller, self.behind_proxy, self.proxy_port = free_ports(4)
        self._process: subprocess.Popen[bytes] | None = None
        self.restarts = 0

    @property
    def direct(self) -> str:
        """Where the test itself reads and writes: no proxy in between."""
        return f"{HOST}:{self._port}"

    @property
    def proxied(self) -> str:
        """Where the services connect; the broker names this address to them, too."""
        return f"{HOST}:{self.proxy_port}"

    def start(self) -> None:
        """Start the broker and return when it serves."""
        command = self._launch.command([self._port, self._controller])
        config = self._launch.directory / "server.properties"
        lines = []
        for line in config.read_text(encoding="ascii").splitlines():
            name, _, value = line.partition("=")
            more = {
                "listeners": f",PROXIED://{HOST}:{self.behind_proxy}",
                "advertised.listeners": f",PROXIED://{self.proxied}",
                "listener.security.protocol.map": ",PROXIED:PLAINTEXT",
            }
            lines.append(f"{name}={value}{more.get(name, '')}")
        config.write_text("\n".join(lines), encoding="ascii")
        with self._launch.console.open("ab") as console:
            self._process = subprocess.Popen(
                command,
                cwd=self._launch.directory,
                env=self._launch.environment(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        deadline = time.monotonic() + SERVES_WITHIN_S
        while not serves(self._port, self._launch.cluster_id(), 10.0):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Kafka does not serve:\n{self._launch.last_lines()}")
            time.sleep(0.2)

    def stop(self, *, hard: bool = False) -> None:
        """End the broker, with SIGKILL if `hard`."""
        assert self._process is not None
        if hard:
            self._process.kill()
        else:
            self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def restart(self, *, hard: bool) -> None:
        """End it and start it again."""
        self.restarts += 1
        self.stop(hard=hard)
        self.start()
