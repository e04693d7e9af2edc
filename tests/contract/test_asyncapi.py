"""schemas/asyncapi.yaml is what the topics and schemas say, and valid AsyncAPI."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from services.cli.asyncapi import COMMAND, document, render
from services.runtime.settings import Settings
from services.runtime.stream import create_app
from services.runtime.topics import SCHEMAS, all_topics
from services.topology import STAGES, load_stage

COMMITTED = SCHEMAS / "asyncapi.yaml"
CHECKER = Path(__file__).parent / "asyncapi"


@pytest.fixture(scope="session")
def parse():
    """A function that runs AsyncAPI's own parser on a file and returns the finished process."""
    missing = None
    if shutil.which("node") is None:
        missing = "node is not installed"
    elif not CHECKER.joinpath("node_modules").is_dir():
        missing = "run `npm ci` in tests/contract/asyncapi"
    if missing is not None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"AsyncAPI's parser cannot be run: {missing}")
        pytest.skip(f"AsyncAPI's parser cannot be run: {missing}")

    def run(path: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["node", CHECKER / "validate.mjs", path], capture_output=True, text=True, timeout=120, check=False
        )

    return run


def test_the_committed_document_is_up_to_date():
    assert COMMITTED.read_text(encoding="utf-8") == render(), f"out of date; run: {COMMAND}"


def test_it_is_valid_asyncapi(parse):
    result = parse(COMMITTED)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(all_topics())} channels, {len(document()['operations'])} operations" in result.stdout


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("./records/clean-article.schema.json", "./records/no-such.schema.json"),
        ("'#/channels/news.stories'", "'#/channels/no.such'"),
        ("action: send", "action: shout"),
        ("partitions: 6", "partitions: six"),
    ],
)
def test_the_parser_would_notice_a_mistake(parse, tmp_path, was, becomes):
    shutil.copytree(SCHEMAS, tmp_path, dirs_exist_ok=True)
    broken = tmp_path / "asyncapi.yaml"
    text = COMMITTED.read_text(encoding="utf-8")
    assert was in text
    broken.write_text(text.replace(was, becomes), encoding="utf-8")
    assert parse(broken).returncode == 1


@pytest.mark.parametrize("name", STAGES)
def test_the_consumer_group_is_the_one_the_service_joins(name):
    stage = load_stage(name)
    operation = document()["operations"][f"{name}.receive.{stage.source}"]
    group = operation["bindings"]["kafka"]["groupId"]["const"]
    assert group == create_app(stage, Settings()).conf.id
