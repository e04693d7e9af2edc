"""docs/contracts.md names what there is: topics, keys, headers and reasons."""

import re

import pytest
from contract_files import ROOT

from services.cli.asyncapi import document
from services.runtime.errors import Reason
from services.runtime.topics import DEAD, all_topics

PAGE = ROOT.joinpath("docs/contracts.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(news\.[a-z.]+)` \| (.+) \|$", PAGE, re.MULTILINE))
DAY_MS = 86_400_000


def test_every_topic_has_its_row():
    assert set(ROWS) == set(all_topics())


@pytest.mark.parametrize("name", all_topics())
def test_a_row_says_what_is_declared(name):
    topic = all_topics()[name]
    _, key, partition, kept = (cell.strip() for cell in ROWS[name].split("|"))
    assert partition == f"by {topic.partition_by}"
    assert f"{int(topic.config['retention.ms']) // DAY_MS} days" in kept
    if topic.key is not None:
        assert f"`{topic.key}`" in key
    if "min.compaction.lag.ms" in topic.config:
        assert f"every revision {int(topic.config['min.compaction.lag.ms']) // DAY_MS}" in kept


def test_every_header_is_described():
    for message in document()["components"]["messages"].values():
        for header in message["headers"]["properties"]:
            short = header.removeprefix("__connect.errors")
            assert f"`{header}`" in PAGE or f"`{short}`" in PAGE, header


def test_every_reason_is_described():
    assert DEAD in PAGE
    assert {reason.value for reason in Reason} <= set(re.findall(r"`([a-z_]+)`", PAGE))


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        if not target.startswith("https://"):
            assert ROOT.joinpath("docs", target).exists(), target
