"""The development broker: Apache Kafka as a local process, or the embedded broker where there is no Java.

`start`, `status` and `stop` work on a home directory, which holds the state file `broker.json`, the files of
the broker below `broker/` and, unless kept elsewhere, the jars of Kafka. See `start` for the details.

KAFKA_BOOTSTRAP_SERVERS is not read here: the settings decide whether a broker is to be started at all.
"""

from services.runtime.broker.errors import BrokerUnavailable, KafkaUnavailable
from services.runtime.broker.lifecycle import fetch_kafka, running, start, status, stop
from services.runtime.broker.state import BrokerKind, RunningBroker

__all__ = [
    "BrokerKind",
    "BrokerUnavailable",
    "KafkaUnavailable",
    "RunningBroker",
    "fetch_kafka",
    "running",
    "start",
    "status",
    "stop",
]
