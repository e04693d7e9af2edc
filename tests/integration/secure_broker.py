"""Apache Kafka as a cluster that lets nobody in without TLS, a password and a permission."""

import asyncio
import shlex
import socket
import subprocess
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import CreateAclsRequest

from services.runtime.access import client_arguments
from services.runtime.broker import jars, kafka, process
from services.runtime.broker.ports import HOST, free_ports
from services.runtime.settings import KafkaAccess
from tests.integration.conftest import JARS

DEADLINE_S = 120.0
PASSWORD = "mat-khau-chi-de-thu"
ADMIN = "admin"

# In Kafka's protocol: resource types, pattern types, operations, permission types.
TYPES = {"topic": 2, "group": 3, "cluster": 4}
PATTERNS = {"literal": 3, "prefixed": 4}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
ALLOW = 3


@dataclass(frozen=True)
class SecureCluster:
    """Where it is, whom it trusts, and who may do anything."""

    bootstrap_servers: str
    authority: Path

    def environment(self, user: str, password: str = PASSWORD) -> dict[str, str]:
        """Return the environment that lets a process in as `user`."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_SASL_USERNAME": user,
            "KAFKA_SASL_PASSWORD": password,
            "KAFKA_SSL_CAFILE": str(self.authority),
        }

    def access(self, user: str, password: str = PASSWORD) -> KafkaAccess:
        """Return the same for a client in this process."""
        environment = self.environment(user, password)
        return KafkaAccess.model_validate({name.lower(): value for name, value in environment.items()})


@contextmanager
def secure_cluster(home: Path, users: Sequence[str]) -> Iterator[SecureCluster]:
    """Run a broker that knows the admin and `users`, all with the same password, and has no ACLs yet."""
    home.mkdir(parents=True, exist_ok=True)
    _make_certificates(home)
    launch = kafka.KafkaLaunch(
        home / "kafka",
        kafka.find_java(),
        jars.fetch(JARS, print),
        _properties(home),
        [f"--add-scram=SCRAM-SHA-512=[name={user},password={PASSWORD}]" for user in (ADMIN, *users)],
    )
    ports = free_ports(launch.port_count)
    cluster = SecureCluster(f"{HOST}:{ports[0]}", home / "authority.pem")
    launch.fresh_logs()
    pid = process.spawn(
        launch.command(ports),
        cwd=launch.directory,
        console=launch.console,
        env=launch.environment(),
        tie_to_parent=True,
    )
    known_as = process.identity(pid)
    assert known_as is not None, launch.last_lines()
    try:
        deadline = time.monotonic() + DEADLINE_S
        while not (_listens(ports[0]) and asyncio.run(_serves(cluster))):
            time.sleep(0.2)
            assert process.alive(pid, known_as), launch.last_lines()
            assert time.monotonic() < deadline, launch.last_lines()
        yield cluster
    finally:
        process.end(pid, known_as, 30.0)


def _properties(home: Path) -> dict[str, object]:
    return {
        "listener.security.protocol.map": "CLIENTS:SASL_SSL,CONTROLLER:PLAINTEXT",
        "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.clients.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required"
            f' username="{ADMIN}" password="{PASSWORD}";'
        ),
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": home / "broker.pem",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": home / "authority.pem",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # ANONYMOUS is the broker itself, at its own controller.
        "super.users": f"User:{ADMIN};User:ANONYMOUS",
    }


def _make_certificates(home: Path) -> None:
    """Make an authority, and a certificate of the broker for its address."""
    authority, broker = home / "authority.pem", home / "broker.pem"
    for arguments in (
        f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=machtin-test-authority"
        f" -keyout {home / 'authority.key'} -out {authority}",
        f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=broker -addext subjectAltName=IP:{HOST}"
        f" -addext basicConstraints=critical,CA:FALSE -CA {authority} -CAkey {home / 'authority.key'}"
        f" -keyout {home / 'broker.key'} -out {home / 'broker.crt'}",
    ):
        subprocess.run(["openssl", *shlex.split(arguments)], check=True, capture_output=True, timeout=60)
    broker.write_bytes((home / "broker.key").read_bytes() + (home / "broker.crt").read_bytes())


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=5).close()
    except OSError:
        return False
    return True


async def _serves(cluster: SecureCluster) -> bool:
    client = AIOKafkaAdminClient(**client_arguments(cluster.access(ADMIN)))
    try:
        await client.start()
        return bool((await client.describe_cluster())["brokers"])
    except KafkaError:
        return False
    finally:
        await client.close()


async def apply_acls(cluster: SecureCluster, script: str) -> None:
    """Do what the lines of `kafka-acls.sh --add` in `script` say; Kafka's own tool is not among our jars."""
    client = AIOKafkaAdminClient(**client_arguments(cluster.access(ADMIN)))
    await client.start()
    try:
        for request in requests_of(script):
            response = await client._send_to_controller(request)
            for code, message in response.creation_responses:
                assert code == 0, (for_code(code), message)
    finally:
        await client.close()


def requests_of(script: str) -> list[CreateAclsRequest]:
    """Return one request per ACL in the script; raises for an option that it does not know."""
    parser = ArgumentParser(exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--bootstrap-server", required=True)
    parser.add_argument("--command-config", required=True)
    parser.add_argument("--add", action="store_true", required=True)
    parser.add_argument("--allow-principal", required=True)
    parser.add_argument("--operation", action="append", required=True)
    parser.add_argument("--resource-pattern-type", choices=PATTERNS, default="literal")
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--topic")
    kind.add_argument("--group")
    kind.add_argument("--cluster", action="store_const", const="kafka-cluster")
    requests = []
    for line in script.splitlines():
        command, *words = shlex.split(line, comments=True) or [""]
        if not command.endswith("kafka-acls.sh"):
            continue
        given = parser.parse_args(words)
        ((resource, name),) = [(k, getattr(given, k)) for k in TYPES if getattr(given, k) is not None]
        requests += [
            CreateAclsRequest(
                TYPES[resource],
                name,
                PATTERNS[given.resource_pattern_type],
                given.allow_principal,
                "*",
                OPERATIONS[operation],
                ALLOW,
            )
            for operation in given.operation
        ]
    return requests
