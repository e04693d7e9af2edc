"""On a cluster with TLS, passwords and permissions: who gets in, and who may do what."""

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from services.runtime.cluster import create_topics
from services.runtime.errors import InfrastructureError
from services.runtime.settings import KafkaAccess
from services.runtime.topics import all_topics
from tests.access import plain
from tests.integration.secure_broker import ADMIN, PASSWORD, SecureCluster, secure_cluster

pytestmark = pytest.mark.integration

DEADLINE_S = 180.0
NORMALIZER = "machtin-normalizer"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureCluster]:
    with secure_cluster(tmp_path_factory.mktemp("secure"), [NORMALIZER, "crawlers"]) as running:
        asyncio.run(create_topics(running.access(ADMIN), all_topics().values()))
        yield running


def changed(access: KafkaAccess, **changes: object) -> KafkaAccess:
    return access.model_copy(update=changes)


@pytest.mark.filterwarnings(
    # aiokafka ends refused connections without waiting for their sockets.
    "ignore:Exception ignored in. <(socket.socket|_SelectorSocketTransport|function _SelectorTransport)",
    "ignore:unclosed:ResourceWarning",
)
def test_nobody_gets_in_without_tls_the_right_password_or_trust(cluster: SecureCluster) -> None:
    admin = cluster.access(ADMIN)
    for access, sentence in (
        (plain(cluster.bootstrap_servers), "failed"),
        (changed(admin, kafka_security_protocol="SASL_PLAINTEXT"), "failed"),
        (
            cluster.access(ADMIN, "khong-dung"),
            "does not accept KAFKA_SASL_USERNAME='admin' with the password given, by SCRAM-SHA-512.",
        ),
        (changed(admin, kafka_sasl_mechanism="SCRAM-SHA-256"), "does not offer KAFKA_SASL_MECHANISM"),
        (changed(admin, kafka_ssl_cafile=None), "is not trusted"),
    ):
        with pytest.raises(InfrastructureError) as refused:
            asyncio.run(create_topics(access, all_topics().values()))
        assert sentence in str(refused.value)
        assert cluster.bootstrap_servers in str(refused.value)
        assert PASSWORD not in repr(refused.value)
    gc.collect()


@pytest.mark.parametrize("command", [["-m", "services.cli.main", "run", "normalizer"],
                                     ["-m", "faust", "-A", "services.normalizer.app", "worker"],
                                     ["-m", "services.cli.main", "dead", "list"]])  # fmt: skip
def test_a_wrong_password_ends_the_process_with_one_sentence(
    cluster: SecureCluster, command: list[str]
) -> None:
    ended = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, **cluster.environment(NORMALIZER, "khong-dung")},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert ended.returncode == 1
    assert "does not accept KAFKA_SASL_USERNAME='machtin-normalizer'" in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr
    assert "khong-dung" not in ended.stderr + ended.stdout
