"""Free ports on the loopback address."""

import socket
from contextlib import ExitStack

from services.runtime.broker.errors import BrokerUnavailable

HOST = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Return `count` different TCP ports that nothing used a moment ago.

    Another process may take one before the broker binds it: callers try again with new ones.
    """
    with ExitStack() as held:
        ports = []
        # All are held open together, or the system could hand out the same one twice.
        for _ in range(count):
            one = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            one.bind((HOST, 0))
            ports.append(int(one.getsockname()[1]))
        return ports


def require_free(port: int) -> None:
    """Raise BrokerUnavailable when something listens on `port` already, or it is no port at all."""
    if not 0 < port < 65536:
        raise BrokerUnavailable(f"{port} is not a TCP port: choose one between 1 and 65535.")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the brokers do: the remains of closed connections do not make a port taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise BrokerUnavailable(
                f"Port {port} on {HOST} cannot be used ({error.strerror}): choose another or leave it out."
            ) from error


def listening(port: int, timeout_s: float) -> bool:
    """Tell whether something accepts connections on `port`."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(timeout_s)
        return probe.connect_ex((HOST, port)) == 0
