"""What can be said of the Faust apps without a broker; the rest is tests/integration/test_stream.py."""

import importlib

import pytest

from services.runtime.faust_app import faust_app
from services.runtime.settings import Settings
from services.topology import SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_faust_finds_the_app_of_every_service(name: str) -> None:
    module = importlib.import_module(f"services.{name}.app")
    app = module.app
    assert app is module.app, "the app is built once"
    assert app.conf.id.startswith(f"machtin-{name}")
    with pytest.raises(AttributeError):
        module.nothing  # noqa: B018


def test_a_wrong_setting_stops_the_process_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from functools import partial

    from services.normalizer.app import STAGE
    from services.runtime.faust_app import on_demand
    from services.runtime.stream import create_app

    monkeypatch.setenv("MACHTIN_BATCH_SIZE", "none")
    with pytest.raises(SystemExit, match="MACHTIN_BATCH_SIZE='none' cannot be used"):
        on_demand(partial(create_app, STAGE))("app")


def test_the_worker_command_cannot_turn_fausts_web_server_on() -> None:
    app = faust_app("test", Settings())
    app.conf.web_enabled = True  # what `faust worker` does whatever the setting says
    assert not app.boot_strategy._should_enable_web()


def test_faust_neither_commits_what_is_not_confirmed_nor_creates_topics() -> None:
    conf = faust_app("test", Settings()).conf
    assert conf.producer_acks == -1
    assert not conf.producer_threaded
    assert not conf.topic_allow_declare
    assert not conf.stream_wait_empty
    assert conf.stream_buffer_maxsize == Settings().batch_size
    assert str(conf.processing_guarantee.value) == "at_least_once"
