"""A short run of what `make fuzz` does at length: no crash, no bug of ours, nothing lost, nothing grows."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from services.clusterer.tally import MOST_ARTICLE_IDS
from services.runtime.topics import STORIES
from tests.fuzz.inputs import LIMIT, Fuzzer, Input, flood
from tests.fuzz.run import Run
from tests.fuzz.strategies import MESSAGES
from tests.integration.conftest import ROOT


@pytest.fixture(scope="module")
def run() -> Run:
    return Run()


def test_hostile_input_meets_no_bug_and_nothing_of_it_is_lost(run: Run) -> None:
    run.feed(Fuzzer(seed=2).inputs(1_600))
    assert run.figures.bugs == []
    assert run.figures.articles > 500
    assert {"not_json", "too_deep", "no_text", "no_identity", "bad_status"} <= set(run.figures.dead)
    assert sum(kind.startswith("near the limit") for kind in run.figures.by_kind) > 0


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(MESSAGES)
def test_whatever_hypothesis_makes_meets_no_bug(run: Run, message: bytes) -> None:
    known = len(run.figures.bugs)
    run.feed_one(Input("hypothesis", message))
    assert run.figures.bugs[known:] == []


def test_an_enormous_message_is_a_dead_letter() -> None:
    run = Run()
    run.feed_one(Input("50 MB", b'{"article_id":"lon","text":"' + b"a " * 25_000_000 + b'"}'))
    assert run.figures.dead == {"too_large": 1}
    assert run.figures.articles == 0


@pytest.mark.parametrize("kind", ["copies", "near"])
def test_a_flood_makes_neither_large_records_nor_ever_more_of_them(kind: str) -> None:
    run = Run()
    records: list[int] = []
    for one in flood(kind, MOST_ARTICLE_IDS + 400):
        records.append(sum(carried.topic == STORIES for carried in run.feed_one(one)))
    assert run.figures.bugs == []
    assert run.figures.articles == MOST_ARTICLE_IDS + 400
    assert run.figures.largest_record < 64 * 1024
    assert max(records[-100:]) <= max(records[:200])


def test_the_watcher_sees_a_bug_a_loss_and_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run()
    monkeypatch.setattr(run, "_pipeline", Broken())
    for value in (b"raises", b"nothing"):
        run.feed_one(Input("broken", value))
    assert [bug.split(";")[0] for bug in run.figures.bugs] == [
        "escaped: ZeroDivisionError()",
        "neither an article nor a dead letter",
    ]


class Broken:
    """A pipeline that fails in all ways."""

    def feed(self, value: bytes) -> Iterator[None]:
        if value == b"raises":
            raise ZeroDivisionError
        yield from ()


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    program = "import hashlib; from tests.fuzz.inputs import Fuzzer; print(hashlib.sha256("
    program += "b'|'.join(one.value for one in Fuzzer(7).inputs(800))).hexdigest())"
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=120,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1


def test_one_input_in_a_thousand_is_as_large_as_the_normalizer_takes() -> None:
    sizes = [len(one.value) for one in Fuzzer(3).inputs(1_000)]
    assert sorted(sizes)[-1] > 0.95 * LIMIT
