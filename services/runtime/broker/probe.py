"""Ask a broker whether it serves, through the Kafka protocol."""

import asyncio
import threading

from aiokafka.admin import AIOKafkaAdminClient  # type: ignore[import-untyped, unused-ignore]
from aiokafka.errors import KafkaError  # type: ignore[import-untyped, unused-ignore]

from services.runtime.broker.ports import HOST, listening


def serves(port: int, cluster_id: str, timeout_s: float) -> bool:
    """Tell whether the broker of `cluster_id` serves on `port`: it answers a metadata request as itself.

    An open port is not enough: Kafka listens before it is registered, and another broker may have taken a
    port that ours wanted. Blocks for `timeout_s` seconds at most, a moment more under load.
    """
    # A refused connection is the common case while a broker starts, and the client logs it as an error.
    if not listening(port, timeout_s):
        return False
    answer: list[bool | BaseException] = []

    def ask() -> None:
        try:
            answer.append(asyncio.run(asyncio.wait_for(_described(port, cluster_id, timeout_s), timeout_s)))
        except (KafkaError, OSError, TimeoutError):
            answer.append(False)
        except BaseException as error:  # noqa: BLE001 — raised in the caller's thread, below
            answer.append(error)

    # In a thread of its own, because the caller may itself be inside a running event loop.
    thread = threading.Thread(target=ask, name="broker-probe", daemon=True)
    thread.start()
    thread.join()
    if isinstance(answer[0], BaseException):
        raise answer[0]
    return answer[0]


async def _described(port: int, cluster_id: str, timeout_s: float) -> bool:
    client = AIOKafkaAdminClient(
        bootstrap_servers=f"{HOST}:{port}", request_timeout_ms=max(1, int(timeout_s * 1000))
    )
    try:
        await client.start()
        cluster = await client.describe_cluster()
    finally:
        await client.close()
    registered = any(broker["port"] == port for broker in cluster["brokers"])
    return registered and cluster.get("cluster_id") == cluster_id
