"""`machtin dead`: what lies in the dead-letter topic, and what to do with it.

The topic is the only memory: a letter that was retried or parked is settled by a marker that names it,
appended to the same topic. Retrying a letter twice changes nothing, since no stage counts a message twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.runtime.access import client_arguments, connect, failure
from services.runtime.dead_letters import ATTEMPTS, PREFIX, REASON, SETTLED, SETTLED_HOW
from services.runtime.events import Headers
from services.runtime.settings import KafkaAccess
from services.runtime.topics import DEAD

How = Literal["retried", "parked"]


@dataclass(frozen=True, slots=True)
class Letter:
    """One message in the dead-letter topic that nobody has settled yet."""

    address: str
    """partition:offset in the dead-letter topic; what the commands take."""
    dead_since_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    def header(self, name: str) -> str:
        """Return the last header of that name as text; empty where there is none."""
        return dict(self.headers).get(name, b"").decode("utf-8", "replace")

    @property
    def reason(self) -> str:
        """The published code of why it is here."""
        return self.header(REASON)

    @property
    def stage(self) -> str:
        """The service that could not process it."""
        return self.header(PREFIX + "stage")

    @property
    def detail(self) -> str:
        """The sentence for whoever runs the crawler."""
        return self.header(PREFIX + "exception.message")

    @property
    def attempts(self) -> int:
        """How often it was tried."""
        return int(self.header(ATTEMPTS) or 1)


def open_letters(messages: Iterable[Any], reason: str | None = None) -> list[Letter]:
    """Return the letters among the topic's messages that no marker settles, in the order given."""
    letters: dict[str, Letter] = {}
    settled: set[str] = set()
    for message in messages:
        headers = list(message.headers)
        marker = dict(headers).get(SETTLED)
        if marker is not None:
            settled.add(marker.decode())
            continue
        address = f"{message.partition}:{message.offset}"
        letters[address] = Letter(address, message.timestamp, message.key, message.value, headers)
    return [
        letter
        for letter in letters.values()
        if letter.address not in settled and reason in (None, letter.reason)
    ]


def original_headers(letter: Letter) -> Headers:
    """Return the headers that a retried message carries: its own, and the count of the attempts."""
    return [(name, value) for name, value in letter.headers if not name.startswith(PREFIX) and name != REASON]


async def settle(access: KafkaAccess, letters: Iterable[Letter], how: How) -> int:
    """Send the letters back to their topics, or only mark them as parked; return how many.

    The marker follows the confirmation of the message: a crash in between leaves the letter listed.
    Raises InfrastructureError when the cluster fails.
    """
    producer = AIOKafkaProducer(**client_arguments(access), acks="all", max_request_size=8 * 1024 * 1024)
    count = 0
    try:
        await connect(producer, access)
        for letter in letters:
            if how == "retried":
                await producer.send_and_wait(
                    letter.header(PREFIX + "topic"),
                    letter.value,
                    key=letter.key,
                    partition=int(letter.header(PREFIX + "partition")),
                    headers=original_headers(letter),
                )
            marker = [(SETTLED, letter.address.encode()), (SETTLED_HOW, how.encode())]
            # aiokafka sends nothing that has neither a key nor a value, and a marker has no value.
            await producer.send_and_wait(DEAD, None, key=letter.key or b"", headers=marker)
            count += 1
    except (KafkaError, OSError) as error:
        raise failure(access, error) from error
    finally:
        await producer.stop()
    return count
