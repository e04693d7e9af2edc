"""The lock of the jars: what is not exactly the locked jars is never run."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from services.runtime.broker import BrokerUnavailable, KafkaUnavailable, jars

CONTENT = {"a-1.jar": b"first", "b-2.jar": b"second"}


@pytest.fixture
def deploy(tmp_path: Path) -> Path:
    directory = tmp_path / "deploy"
    directory.mkdir()
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in CONTENT.items()]
    (directory / "jars.sha256").write_text("".join(lines))
    (directory / "pom.xml").write_text("<project/>")
    return directory


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a script on the PATH as `mvn`; `$target` in it is the output directory."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")

    def write(script: str) -> None:
        find = 'for word in "$@"; do case "$word" in -DoutputDirectory=*) target="${word#*=}";; esac; done\n'
        (programs / "mvn").write_text(f"#!/bin/sh\n{find}{script}\n")
        (programs / "mvn").chmod(0o755)

    return write


def fill(directory: Path) -> None:
    directory.mkdir(parents=True)
    for name, content in CONTENT.items():
        (directory / name).write_bytes(content)


def said(_message: str) -> None:
    pass


def test_the_committed_lock_names_kafka_and_its_log_binding() -> None:
    lock = jars.read_lock(jars.DEPLOY / "jars.sha256")
    assert f"kafka_2.13-{jars.VERSION}.jar" in lock
    assert any(name.startswith("log4j-slf4j-impl-") for name in lock)


def test_the_pom_fetches_the_version_that_the_code_runs() -> None:
    assert f"<version>{jars.VERSION}</version>" in (jars.DEPLOY / "pom.xml").read_text()


def test_no_file_names_where_jars_come_from() -> None:
    for path in jars.DEPLOY.iterdir():
        assert "://" not in path.read_text(), path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc  a.jar\n",
        f"{'0' * 64} a.jar\n",
        f"{'0' * 64}  ../a.jar\n",
        f"{'0' * 64}  a.txt\n",
        f"{'0' * 64}  a.jar\n{'1' * 64}  a.jar\n",
        f"{'G' * 64}  a.jar\n",
    ],
)
def test_a_damaged_lock_is_an_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "jars.sha256"
    path.write_text(text)
    with pytest.raises(BrokerUnavailable, match=r"jars\.sha256"):
        jars.read_lock(path)


def test_a_missing_lock_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BrokerUnavailable, match="restore it from git"):
        jars.read_lock(tmp_path / "jars.sha256")


def test_jars_that_are_the_locked_ones_are_taken_in_the_order_of_the_lock(
    tmp_path: Path, deploy: Path
) -> None:
    directory = jars.jars_directory(tmp_path)
    fill(directory)
    assert jars.verified(tmp_path, deploy=deploy) == [directory / name for name in CONTENT]


def test_no_jars_yet_is_no_error(tmp_path: Path, deploy: Path) -> None:
    assert jars.verified(tmp_path, deploy=deploy) is None


@pytest.mark.parametrize(
    ("name", "content", "clause"),
    [
        ("a-1.jar", b"tampered", "a-1.jar has the wrong checksum"),
        ("a-1.jar", None, "a-1.jar is missing"),
        ("c-3.jar", b"extra", "c-3.jar does not belong there"),
    ],
)
def test_a_wrong_a_missing_and_an_extra_jar_are_errors_that_say_what_to_do(
    tmp_path: Path, deploy: Path, name: str, content: bytes | None, clause: str
) -> None:
    directory = jars.jars_directory(tmp_path)
    fill(directory)
    if content is None:
        (directory / name).unlink()
    else:
        (directory / name).write_bytes(content)
    with pytest.raises(BrokerUnavailable, match=clause) as caught:
        jars.verified(tmp_path, deploy=deploy)
    assert "delete that directory" in str(caught.value)
    # `auto` must not answer tampered jars by quietly taking the other broker.
    assert not isinstance(caught.value, KafkaUnavailable)


def test_a_fetch_leaves_only_the_jars(tmp_path: Path, deploy: Path, maven: Callable[[str], None]) -> None:
    maven("printf first > $target/a-1.jar; printf second > $target/b-2.jar")
    cache = tmp_path / "cache"
    directory = jars.jars_directory(cache)
    assert jars.fetch(cache, said, deploy=deploy) == [directory / name for name in CONTENT]
    assert sorted(path.name for path in directory.iterdir()) == sorted(CONTENT)


def test_jars_in_the_cache_need_no_maven(
    tmp_path: Path, deploy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(jars.jars_directory(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert len(jars.fetch(tmp_path, said, deploy=deploy)) == len(CONTENT)


def test_without_maven_and_jars_the_error_says_to_install_it(
    tmp_path: Path, deploy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(KafkaUnavailable, match="install Maven"):
        jars.fetch(tmp_path, said, deploy=deploy)


def test_what_maven_fetched_wrongly_is_not_kept(
    tmp_path: Path, deploy: Path, maven: Callable[[str], None]
) -> None:
    maven("printf first > $target/a-1.jar; printf other > $target/b-2.jar")
    cache = tmp_path / "cache"
    with pytest.raises(BrokerUnavailable, match="has the wrong checksum") as caught:
        jars.fetch(cache, said, deploy=deploy)
    assert not isinstance(caught.value, KafkaUnavailable)
    assert [path.name for path in cache.iterdir() if path.is_dir()] == []


def test_the_reason_of_maven_is_passed_on(tmp_path: Path, deploy: Path, maven: Callable[[str], None]) -> None:
    maven("echo '[INFO] hello'; echo '[ERROR] the network is down'; exit 1")
    with pytest.raises(KafkaUnavailable, match="the network is down"):
        jars.fetch(tmp_path / "cache", said, deploy=deploy)


def test_a_maven_that_stands_still_is_ended(
    tmp_path: Path, deploy: Path, maven: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jars, "_STALL_S", 0.3)
    maven("exec sleep 600")
    with pytest.raises(KafkaUnavailable, match="got no further"):
        jars.fetch(tmp_path / "cache", said, deploy=deploy)
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []


def test_the_remains_of_an_interrupted_fetch_are_not_taken_for_jars(
    tmp_path: Path, deploy: Path, maven: Callable[[str], None]
) -> None:
    cache = tmp_path / "cache"
    left = cache / f".kafka-{jars.VERSION}.interrupted"
    left.mkdir(parents=True)
    (left / "a-1.jar").write_bytes(b"fir")
    assert jars.verified(cache, deploy=deploy) is None
    maven("printf first > $target/a-1.jar; printf second > $target/b-2.jar")
    jars.fetch(cache, said, deploy=deploy)
    assert not left.exists()
