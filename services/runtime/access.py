"""How every client of ours gets into the Kafka cluster: one set of arguments, one way to connect."""

from __future__ import annotations

import ssl
from typing import Any, Protocol

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError, SaslAuthenticationFailed, UnsupportedSaslMechanismError
from pydantic import SecretStr

from services.runtime.errors import InfrastructureError
from services.runtime.settings import KafkaAccess, SettingsError

PROBE_DEADLINE_MS = 10_000


class Client(Protocol):
    """What aiokafka's producers, consumers and admin clients have in common."""

    async def start(self) -> None:
        """Connect to the cluster."""


def client_arguments(access: KafkaAccess) -> dict[str, Any]:
    """Return what each of aiokafka's clients is to be given to reach the cluster.

    Raises SettingsError for a certificate or key that cannot be used. Holds the password: never log it.
    """
    return {"bootstrap_servers": access.kafka_bootstrap_servers, **_connection_arguments(access)}


def ssl_context(access: KafkaAccess) -> ssl.SSLContext | None:
    """Return the TLS context, which verifies the brokers' certificates and names; None without TLS.

    Raises SettingsError for a certificate or key that cannot be used.
    """
    if not access.kafka_security_protocol.endswith("SSL"):
        return None
    try:
        context = ssl.create_default_context(cafile=access.kafka_ssl_cafile)
    except OSError as error:
        raise SettingsError(f"KAFKA_SSL_CAFILE={str(access.kafka_ssl_cafile)!r}: {error}.") from error
    if access.kafka_ssl_certfile is not None:
        try:
            context.load_cert_chain(
                access.kafka_ssl_certfile,
                access.kafka_ssl_keyfile,
                # Given always: without one OpenSSL would ask the terminal for it.
                secret_of(access.kafka_ssl_key_password) or "",
            )
        except OSError as error:
            raise SettingsError(
                f"KAFKA_SSL_CERTFILE={str(access.kafka_ssl_certfile)!r} with its key and"
                f" KAFKA_SSL_KEY_PASSWORD cannot be used: {error}."
            ) from error
    return context


def secret_of(given: SecretStr | None) -> str | None:
    """Return the value of a pydantic secret, or None where there is none."""
    return None if given is None else given.get_secret_value()


async def connect(client: Client, access: KafkaAccess) -> None:
    """Start a client of aiokafka. Raises InfrastructureError with a sentence that says what is wrong."""
    try:
        await client.start()
    except (KafkaError, OSError) as error:
        why = await refusal(access)
        raise (failure(access, error) if why is None else InfrastructureError(why)) from error


def failure(access: KafkaAccess, error: Exception) -> InfrastructureError:
    """Return what to raise when the cluster failed a client."""
    return InfrastructureError(f"The cluster at {access.kafka_bootstrap_servers} failed: {error!r}.")


async def refusal(access: KafkaAccess) -> str | None:
    """Return why the cluster will not let us in however often we try, or None where nothing says so.

    aiokafka only logs what a broker answered and then says that it could not bootstrap.
    """
    for server in access.kafka_bootstrap_servers.split(","):
        host, _, port = server.rpartition(":")
        try:
            connection = await create_conn(
                host, int(port), request_timeout_ms=PROBE_DEADLINE_MS, **_connection_arguments(access)
            )
        except (KafkaError, OSError) as error:
            if (why := _why(server, access, error)) is not None:
                return why
        else:
            connection.close()
            return None
    return None


def _why(server: str, access: KafkaAccess, error: Exception) -> str | None:
    if isinstance(error, SaslAuthenticationFailed):
        return (
            f"The broker at {server} does not accept KAFKA_SASL_USERNAME={access.kafka_sasl_username!r}"
            f" with the password given, by {access.kafka_sasl_mechanism}."
        )
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"The broker at {server} does not offer KAFKA_SASL_MECHANISM={access.kafka_sasl_mechanism}."
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"The certificate of the broker at {server} is not trusted: {error.verify_message}."
            " KAFKA_SSL_CAFILE names the authority that signed it."
        )
    if isinstance(error, ssl.SSLError):
        return (
            f"TLS with the broker at {server} failed: {error.reason}."
            f" See that its port is one for KAFKA_SECURITY_PROTOCOL={access.kafka_security_protocol}."
        )
    return None


def _connection_arguments(access: KafkaAccess) -> dict[str, Any]:
    arguments: dict[str, Any] = {"security_protocol": access.kafka_security_protocol}
    if (context := ssl_context(access)) is not None:
        arguments["ssl_context"] = context
    if access.kafka_sasl_mechanism is not None:
        arguments["sasl_mechanism"] = access.kafka_sasl_mechanism
        arguments["sasl_plain_username"] = access.kafka_sasl_username
        arguments["sasl_plain_password"] = secret_of(access.kafka_sasl_password)
    return arguments
