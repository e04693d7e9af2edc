"""The Faust app of a service: the settings that our guarantees rest on, and how `faust -A` finds it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import faust

from services.runtime import logs
from services.runtime.access import refusal, secret_of, ssl_context
from services.runtime.codec import RECORD_LIMIT_BYTES
from services.runtime.settings import KafkaAccess, Settings, SettingsError, from_environment


def faust_app(name: str, settings: Settings) -> faust.App:
    """Return the Faust app of one service, with the settings that our guarantees rest on."""
    app = faust.App(
        f"machtin-{name}",
        broker=[f"kafka://{server}" for server in settings.kafka_bootstrap_servers.split(",")],
        broker_credentials=_credentials(settings),
        store="memory://",
        # Faust makes this directory whether anything goes there or not; the working directory may be
        # read-only, and is nobody's place for it.
        datadir=Path(tempfile.gettempdir()) / "machtin-faust",
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=RECORD_LIMIT_BYTES,
        producer_acks=-1,
        producer_request_timeout=settings.send_timeout_s,
        producer_max_request_size=2 * RECORD_LIMIT_BYTES,
        broker_commit_interval=1.0,
        # Faust's 60 s would leave the partitions of a killed process without an owner for a minute.
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        stream_wait_empty=False,
        stream_buffer_maxsize=settings.batch_size,
        logging_config=logs.configuration(settings),
    )
    app.boot_strategy.enable_web = False
    return app


def on_demand(create: Callable[[Settings], faust.App]) -> Callable[[str], faust.App]:
    """Return a module's `__getattr__` that builds its `app` when `faust -A` asks for it, not on import."""

    @cache
    def app() -> faust.App:
        try:
            settings = from_environment()
            _require_access(settings)
            return create(settings)
        except SettingsError as error:
            raise SystemExit(str(error)) from error

    def module_getattr(name: str) -> faust.App:
        if name == "app":
            return app()
        raise AttributeError(name)

    return module_getattr


def _credentials(access: KafkaAccess) -> Any:
    """Return Faust's form of the way into the cluster; None where the cluster asks for nothing."""
    context = ssl_context(access)
    if access.kafka_sasl_mechanism is not None:
        return faust.SASLCredentials(
            username=access.kafka_sasl_username,
            password=secret_of(access.kafka_sasl_password),
            ssl_context=context,
            mechanism=access.kafka_sasl_mechanism,
        )
    # Only ever with a context: a bare SSLCredentials() raises TypeError.
    return None if context is None else faust.SSLCredentials(context=context)


def _require_access(access: KafkaAccess) -> None:
    """Raise SettingsError where the cluster refuses us for good: Faust would only say it cannot connect."""
    if access.kafka_security_protocol == "PLAINTEXT":
        return
    loop = asyncio.new_event_loop()  # not asyncio.run, which would take away the loop that Faust looks for
    try:
        why = loop.run_until_complete(refusal(access))
    finally:
        loop.close()
    if why is not None:
        raise SettingsError(why)
