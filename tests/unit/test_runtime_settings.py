import pytest
from pydantic import ValidationError

from services.runtime.settings import Settings, SettingsError, from_environment, variable_of


def test_an_empty_environment_gives_the_defaults() -> None:
    assert from_environment({}) == Settings()


def test_values_come_from_their_variables() -> None:
    settings = from_environment(
        {"KAFKA_BOOTSTRAP_SERVERS": "a:9092,b:9092", "MACHTIN_BATCH_SIZE": "7", "OTHER": "x"}
    )
    assert settings.kafka_bootstrap_servers == "a:9092,b:9092"
    assert settings.batch_size == 7


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "nowhere"),
        ("KAFKA_BOOTSTRAP_SERVERS", "http://a:1"),
        ("MACHTIN_HTTP_PORT", "70000"),
        ("MACHTIN_BATCH_SIZE", "many"),
        ("MACHTIN_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        from_environment({variable: value})
    assert str(refused.value).startswith(f"{variable}={value!r} cannot be used")


def test_every_wrong_value_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        from_environment({"MACHTIN_BATCH_SIZE": "0", "MACHTIN_HTTP_PORT": "-1"})
    assert len(str(refused.value).splitlines()) == 2


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().batch_size = 1  # type: ignore[misc]


def test_only_the_clusters_address_has_a_name_of_its_own() -> None:
    assert variable_of("http_port") == "MACHTIN_HTTP_PORT"
    assert variable_of("kafka_bootstrap_servers") == "KAFKA_BOOTSTRAP_SERVERS"
