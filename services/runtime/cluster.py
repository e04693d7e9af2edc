"""The topics on a real cluster: creating what is declared, and saying where the two differ."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from services.runtime.access import client_arguments, connect, failure
from services.runtime.errors import InfrastructureError
from services.runtime.settings import KafkaAccess
from services.runtime.topics import Topic

MOST_COPIES = 3
METADATA_DEADLINE_S = 30.0
"""How long a topic that exists may stay unknown to the broker that is asked."""


@dataclass(frozen=True, slots=True)
class TopicResult:
    """What became of one declared topic."""

    name: str
    outcome: Literal["created", "exists", "differs"]
    detail: str


async def create_topics(
    access: KafkaAccess, topics: Iterable[Topic], replication_factor: int | None = None
) -> list[TopicResult]:
    """Create the topics that the cluster lacks; change nothing that exists. Safe to run again.

    Without `replication_factor` each partition has a copy on three brokers, or on all where there are
    fewer. A topic that exists with another number of partitions is reported as `differs`: the services
    must not run on it. Raises InfrastructureError.
    """
    admin = AIOKafkaAdminClient(**client_arguments(access))
    try:
        await connect(admin, access)
        if replication_factor is None:
            cluster = await admin.describe_cluster()
            replication_factor = min(MOST_COPIES, len(cluster["brokers"]))
        return [await _create(admin, topic, replication_factor) for topic in topics]
    except (KafkaError, OSError) as error:
        raise failure(access, error) from error
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, topic: Topic, replication_factor: int) -> TopicResult:
    # Created first and asked afterwards: a broker's list of topics may lag behind its own answers.
    new = NewTopic(topic.name, topic.partitions, replication_factor, topic_configs=topic.config)
    ((_, code, *message),) = (await admin.create_topics([new])).topic_errors
    if code == 0:
        return TopicResult(topic.name, "created", f"{topic.partitions} partitions")
    error = for_code(code)
    if error is not TopicAlreadyExistsError:
        raise InfrastructureError(f"Creating {topic.name} failed: {error.__name__} {message}.")
    existing = await _partitions_of(admin, topic.name)
    if existing == topic.partitions:
        return TopicResult(topic.name, "exists", f"{existing} partitions")
    return TopicResult(
        topic.name, "differs", f"{existing} partitions on the cluster, {topic.partitions} declared"
    )


async def _partitions_of(admin: AIOKafkaAdminClient, name: str) -> int:
    deadline = time.monotonic() + METADATA_DEADLINE_S
    while True:
        (described,) = await admin.describe_topics([name])
        if described["error_code"] == 0 and described["partitions"]:
            return len(described["partitions"])
        if time.monotonic() > deadline:
            raise InfrastructureError(f"The cluster knows {name} but does not describe it.")
        await asyncio.sleep(0.1)
