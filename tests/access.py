"""The way into the brokers that the tests start, which ask for nothing."""

from services.runtime.settings import KafkaAccess


def plain(bootstrap_servers: str) -> KafkaAccess:
    return KafkaAccess(kafka_bootstrap_servers=bootstrap_servers)
