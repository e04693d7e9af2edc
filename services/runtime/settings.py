"""The settings of a process: read from the environment once, validated, frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FilePath, SecretStr, ValidationError, model_validator


class SettingsError(Exception):
    """A setting has a value that the process cannot run with; the message is meant for the operator."""


SECRETS = ("kafka_sasl_password", "kafka_ssl_key_password")
"""Settings whose values no message may show."""


class KafkaAccess(BaseModel):
    """Where the Kafka cluster is and how it lets us in: all that a client of it needs to know.

    Environment variables are the names in capitals. Each secret is read from the file that the variable
    with `_FILE` behind it names, as Docker and Kubernetes hand secrets over, or from the variable itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kafka_bootstrap_servers: str = Field(default="127.0.0.1:9092", pattern=r"^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$")
    """Comma-separated host:port of the Kafka cluster."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """SSL means TLS. SASL_PLAINTEXT is for networks that nobody else listens on."""
    kafka_sasl_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"] | None = None
    kafka_sasl_username: str | None = Field(default=None, min_length=1)
    kafka_sasl_password: SecretStr | None = Field(default=None, min_length=1)
    kafka_ssl_cafile: FilePath | None = None
    """PEM file of the authorities to trust; the system's own where it is not given."""
    kafka_ssl_certfile: FilePath | None = None
    """PEM file of our own certificate (and, unless `kafka_ssl_keyfile` holds it, its key), for mutual TLS."""
    kafka_ssl_keyfile: FilePath | None = None
    kafka_ssl_key_password: SecretStr | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Refuse what would be ignored, and what would send a password in the clear."""
        protocol = f"KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol}"
        sasl = {name for name in type(self).model_fields if name.startswith("kafka_sasl_")}
        given = {name for name in type(self).model_fields if getattr(self, name) is not None}
        if self.kafka_security_protocol.startswith("SASL_"):
            if missing := sorted(sasl - given):
                raise ValueError(f"{protocol} needs {_variables(missing)}")
            if self.kafka_sasl_mechanism == "PLAIN" and self.kafka_security_protocol != "SASL_SSL":
                raise ValueError(
                    f"KAFKA_SASL_MECHANISM=PLAIN with {protocol} would send the password in the clear"
                )
        elif unused := sorted(sasl & given):
            raise ValueError(f"{protocol} does not use {_variables(unused)}")
        if not self.kafka_security_protocol.endswith("SSL"):
            if unused := sorted(name for name in given if name.startswith("kafka_ssl_")):
                raise ValueError(f"{protocol} does not use {_variables(unused)}")
        elif self.kafka_ssl_certfile is None and (self.kafka_ssl_keyfile or self.kafka_ssl_key_password):
            raise ValueError("KAFKA_SSL_KEYFILE and KAFKA_SSL_KEY_PASSWORD need KAFKA_SSL_CERTFILE")
        return self


class Settings(KafkaAccess):
    """Every setting of every service. Environment variables are `MACHTIN_` and the name in capitals;
    what concerns the cluster keeps the names that everybody uses.
    """

    http_host: str = "127.0.0.1"
    """Where /metrics, /health and the board listen; loopback unless told otherwise."""
    http_port: int = Field(default=0, ge=0, le=65535)
    """0 means any free port; the log says which."""
    max_message_bytes: int = Field(default=1_048_576, ge=1_024, le=2_097_152)
    """A raw article above this size goes to the dead-letter topic."""
    batch_size: int = Field(default=200, ge=1, le=10_000)
    """Most messages that a service takes before it publishes and acknowledges."""
    batch_wait_s: float = Field(default=0.02, gt=0, le=10)
    """Longest time that a service waits for a batch to fill."""
    send_timeout_s: float = Field(default=30.0, ge=1, le=600)
    """A record not confirmed by the cluster after this long stops the service."""
    stuck_after_s: float = Field(default=120.0, ge=5, le=3600)
    """A service that makes no progress on a batch, or on rebuilding its state, for this long is ended."""
    stop_within_s: float = Field(default=15.0, ge=1, le=600)
    """A service that has not ended this long after it was asked to is ended."""
    copies_window_h: int = Field(default=168, ge=1, le=168)
    """Hours of event time for which the deduplicator remembers an article. Not more than a week: an index is
    rebuilt from its topic, which keeps nine days."""
    log_level: Literal["DEBUG", "INFO", "WARN", "ERROR"] = "INFO"
    """DEBUG adds a line for every decision."""
    log_format: Literal["console", "json"] = "console"
    """Lines for people, or one JSON object a line."""


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of this process. Raises SettingsError with one line per wrong value."""
    given = {
        name: environment[variable_of(name)]
        for name in Settings.model_fields
        if variable_of(name) in environment
    }
    for name in SECRETS:
        if (path := environment.get(f"{variable_of(name)}_FILE")) is not None:
            if name in given:
                raise SettingsError(f"Give {variable_of(name)} or {variable_of(name)}_FILE, not both.")
            given[name] = _read_secret(f"{variable_of(name)}_FILE", path)
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = [_sentence(wrong) for wrong in error.errors()]
    raise SettingsError("\n".join(problems))  # outside: the cause would carry the values, secrets among them


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return name.upper() if name.startswith("kafka_") else f"MACHTIN_{name.upper()}"


def _read_secret(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"{variable}={path!r} cannot be read: {what}.") from None


def _sentence(wrong: Any) -> str:
    """Return one of pydantic's errors as a sentence for the operator, without any secret."""
    if not wrong["loc"]:  # the settings do not fit together; the message is ours
        return f"{wrong['msg'].removeprefix('Value error, ')}."
    name = str(wrong["loc"][0])
    value = "" if name in SECRETS else f"={wrong['input']!r}"
    return f"{variable_of(name)}{value} cannot be used: {wrong['msg'].lower()}."


def _variables(names: list[str]) -> str:
    return " and ".join(variable_of(name) for name in names)
