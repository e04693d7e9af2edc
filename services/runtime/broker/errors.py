"""What can go wrong with the development broker."""


class BrokerUnavailable(Exception):
    """No broker can be had; the message is a sentence for the person at the terminal."""


class KafkaUnavailable(BrokerUnavailable):
    """This machine cannot run Apache Kafka (no Java 17, or its jars can be had neither here nor from afar).

    A class of its own because `start(kind="auto")` answers it with the embedded broker.
    """
