"""On a cluster with TLS, passwords and permissions: who gets in, and who may do what."""

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError
from typer.testing import CliRunner

from services.cli.acls import EXPORTER, OPERATOR
from services.cli.main import app
from services.cli.processes import start_services, stop_services, wait_until_ready
from services.exporter.cluster import Cluster
from services.runtime.access import client_arguments, connect
from services.runtime.cluster import create_topics
from services.runtime.errors import InfrastructureError
from services.runtime.follow import follow
from services.runtime.restore import read_to_end
from services.runtime.settings import KafkaAccess
from services.runtime.topics import CLEAN, DEAD, RAW, STORIES, all_topics, topic
from services.topology import SERVICES
from tests.access import plain
from tests.integration.secure_broker import ADMIN, PASSWORD, SecureCluster, apply_acls, secure_cluster

pytestmark = pytest.mark.integration

DEADLINE_S = 180.0
NORMALIZER = "machtin-normalizer"


USERS = [
    *(f"machtin-{service}" for service in SERVICES),
    OPERATOR,
    EXPORTER,
    "crawlers",
    "newsrooms",
]
TEXT = (
    "Ủy ban nhân dân thành phố Hải Phòng sáng nay thông báo cầu Rào mới thông xe sau hai năm thi công. "
    "Bốn làn xe nối quận Ngô Quyền với quận Dương Kinh, giảm ùn tắc cho hàng chục nghìn lượt xe mỗi ngày."
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureCluster]:
    """Yield a cluster on which everybody has the rights that `machtin topics acls` gives them."""
    with secure_cluster(tmp_path_factory.mktemp("secure"), USERS) as running:
        printed = CliRunner().invoke(app, ["topics", "acls"])
        assert printed.exit_code == 0
        asyncio.run(apply_acls(running, printed.output))
        asyncio.run(create_topics(running.access(OPERATOR), all_topics().values()))
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


def test_every_service_works_with_its_own_rights_alone(
    cluster: SecureCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = {"article_id": "hp-1", "title": "Hải Phòng thông xe cầu Rào", "text": TEXT, "source": "Báo Thử"}
    services = []
    try:
        for name in SERVICES:
            for variable, value in cluster.environment(f"machtin-{name}").items():
                monkeypatch.setenv(variable, value)
            services += start_services([name], cluster.bootstrap_servers, tmp_path)
        wait_until_ready(services, DEADLINE_S, lambda _: None)
        asyncio.run(asyncio.wait_for(write(cluster.access("crawlers"), RAW, orjson.dumps(raw)), DEADLINE_S))
        asyncio.run(asyncio.wait_for(write(cluster.access("crawlers"), RAW, b"khong phai JSON"), DEADLINE_S))
        story = asyncio.run(asyncio.wait_for(first(cluster.access("newsrooms"), STORIES), DEADLINE_S))
        dead = asyncio.run(asyncio.wait_for(first(cluster.access(OPERATOR), DEAD), DEADLINE_S))
        asyncio.run(asyncio.wait_for(measured(cluster.access(EXPORTER)), DEADLINE_S))
        assert orjson.loads(story.value)["article_ids"] == ["hp-1"]
        assert dead.value == b"khong phai JSON"
        assert all(service.process.poll() is None for service in services)
    finally:
        stop_services(services)
    logs = "".join(path.read_text(errors="replace") for path in tmp_path.glob("*.log"))
    assert "Authenticated as machtin-clusterer via SCRAM-SHA-512" in logs
    assert PASSWORD not in logs


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ("machtin-normalizer", STORIES),
        ("machtin-enricher", CLEAN),
        ("machtin-board", STORIES),
        ("machtin-exporter", RAW),
        ("crawlers", CLEAN),
        ("newsrooms", STORIES),
        (OPERATOR, STORIES),
    ],
)
def test_nobody_writes_what_is_not_theirs(cluster: SecureCluster, user: str, name: str) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(asyncio.wait_for(write(cluster.access(user), name, b"{}"), DEADLINE_S))


@pytest.mark.parametrize(
    ("user", "name"), [("crawlers", RAW), ("machtin-normalizer", STORIES), ("newsrooms", DEAD)]
)
def test_nobody_reads_what_is_not_for_them(cluster: SecureCluster, user: str, name: str) -> None:
    seen: list[Any] = []
    with pytest.raises(InfrastructureError, match=r"TopicAuthorizationFailed|that we may read it\.$"):
        asyncio.run(read_to_end(cluster.access(user), name, 0, 0, seen.append, lambda *_: None, 2.0))
    assert seen == []


async def write(access: KafkaAccess, name: str, value: bytes) -> None:
    producer = AIOKafkaProducer(**client_arguments(access))
    try:
        await connect(producer, access)
        await producer.send_and_wait(name, value)
    finally:
        await producer.stop()


async def first(access: KafkaAccess, name: str) -> Any:
    async with aclosing(follow(access, topic(name))) as messages:
        return await anext(messages)


async def measured(access: KafkaAccess) -> None:
    """Return when the exporter has seen the normalizer's group at the end of its topic."""
    async with Cluster(access) as connection:
        while True:
            snapshot = await connection.snapshot()
            if snapshot.members["normalizer"] and any(
                position.stage == "normalizer" and position.committed for position in snapshot.positions
            ):
                return
