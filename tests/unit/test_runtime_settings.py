import traceback
from pathlib import Path

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


def test_a_variable_is_named_after_its_setting() -> None:
    assert variable_of("http_port") == "MACHTIN_HTTP_PORT"
    assert variable_of("kafka_bootstrap_servers") == "KAFKA_BOOTSTRAP_SERVERS"


SCRAM = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "KAFKA_SASL_USERNAME": "machtin-normalizer",
    "KAFKA_SASL_PASSWORD": "mat-khau-bi-mat",
}


def test_what_concerns_the_cluster_keeps_kafkas_own_names() -> None:
    settings = from_environment(SCRAM)
    assert settings.kafka_security_protocol == "SASL_SSL"
    assert settings.kafka_sasl_mechanism == "SCRAM-SHA-512"
    assert settings.kafka_sasl_username == "machtin-normalizer"
    assert settings.kafka_sasl_password is not None
    assert settings.kafka_sasl_password.get_secret_value() == "mat-khau-bi-mat"


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_can_be_handed_over_as_a_file(tmp_path: Path, end: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(f"mat-khau-bi-mat{end}".encode())
    environment = {name: value for name, value in SCRAM.items() if name != "KAFKA_SASL_PASSWORD"}
    assert from_environment(environment | {"KAFKA_SASL_PASSWORD_FILE": str(file)}) == from_environment(SCRAM)


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="KAFKA_SASL_PASSWORD or KAFKA_SASL_PASSWORD_FILE, not both"):
        from_environment(SCRAM | {"KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "password")})


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_of_a_secret_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=r"^KAFKA_SSL_KEY_PASSWORD_FILE='.+' cannot be read: .+\.$"):
        from_environment({"KAFKA_SSL_KEY_PASSWORD_FILE": str(file)})


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (
            SCRAM | {"KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"},
            "KAFKA_SECURITY_PROTOCOL=PLAINTEXT does not use KAFKA_SASL_MECHANISM and KAFKA_SASL_PASSWORD and"
            " KAFKA_SASL_USERNAME.",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_MECHANISM": "SCRAM-SHA-256"},
            "KAFKA_SECURITY_PROTOCOL=SASL_SSL needs KAFKA_SASL_PASSWORD and KAFKA_SASL_USERNAME.",
        ),
        (
            SCRAM | {"KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SASL_MECHANISM": "PLAIN"},
            "KAFKA_SASL_MECHANISM=PLAIN with KAFKA_SECURITY_PROTOCOL=SASL_PLAINTEXT would send the password"
            " in the clear.",
        ),
        (
            {"KAFKA_SSL_CAFILE": __file__},
            "KAFKA_SECURITY_PROTOCOL=PLAINTEXT does not use KAFKA_SSL_CAFILE.",
        ),
        (
            {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_KEYFILE": __file__},
            "KAFKA_SSL_KEYFILE and KAFKA_SSL_KEY_PASSWORD need KAFKA_SSL_CERTFILE.",
        ),
        (
            {"KAFKA_SSL_CAFILE": "/khong-co"},
            "KAFKA_SSL_CAFILE='/khong-co' cannot be used: path does not point to a file.",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused_with_one_sentence(
    environment: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        from_environment(environment)
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"KAFKA_SECURITY_PROTOCOL": "TLS"},
        {"KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"},
        {"KAFKA_SASL_USERNAME": ""},
        {"KAFKA_SASL_PASSWORD": "mat-khau-bi-mat", "KAFKA_SSL_KEY_PASSWORD": "mat-khau-bi-mat"},
    ],
)
def test_no_message_shows_a_secret(wrong: dict[str, str]) -> None:
    try:
        settings = from_environment(SCRAM | wrong)
    except SettingsError:
        shown = traceback.format_exc()
    else:
        shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert "KAFKA_" in shown or "kafka_" in shown
    assert "mat-khau-bi-mat" not in shown
