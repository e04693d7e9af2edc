"""The settings of a process: read from the environment once, validated, frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class SettingsError(Exception):
    """A setting has a value that the process cannot run with; the message is meant for the operator."""


class Settings(BaseModel):
    """Every setting of every service. Environment variables are `MACHTIN_` and the name in capitals;
    only the cluster's address keeps the name that everybody uses.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kafka_bootstrap_servers: str = Field(default="127.0.0.1:9092", pattern=r"^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$")
    """Comma-separated host:port of the Kafka cluster."""
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
    log_level: Literal["DEBUG", "INFO", "WARN", "ERROR"] = "INFO"


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of this process. Raises SettingsError with one line per wrong value."""
    given = {
        name: environment[variable_of(name)]
        for name in Settings.model_fields
        if variable_of(name) in environment
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        lines = [
            f"{variable_of(str(wrong['loc'][0]))}={wrong['input']!r} cannot be used: {wrong['msg'].lower()}."
            for wrong in error.errors()
        ]
        raise SettingsError("\n".join(lines)) from error


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return "KAFKA_BOOTSTRAP_SERVERS" if name == "kafka_bootstrap_servers" else f"MACHTIN_{name.upper()}"
