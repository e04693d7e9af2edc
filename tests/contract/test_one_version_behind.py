"""Readers of today go on when tomorrow's writers add fields and values: stages, board, terminal, figures."""

import io

import pytest
from contract_files import load_examples
from test_examples import ARRIVED, runner_of

from services.board.latest import LatestStories
from services.board.pages import pages_of
from services.cli.console import InertConsole
from services.cli.demo_view import live_view, story_line
from services.cli.story_view import history_table, story_panel, way_of
from services.cli.tally import Tally
from services.runtime.codec import RECORD_LIMIT_BYTES, encode
from services.runtime.metrics import Metrics
from services.runtime.stage import Failure, StatefulStage, stateful_runner
from services.runtime.topics import STORIES, all_topics
from services.topology import STAGES, load_stage

NEWER = {"truong_moi": {"gia_tri": [1, None, "mới"]}}


def from_tomorrow(value):
    """Return the record with a field that nobody knows in every object, at the end and in front."""
    if isinstance(value, dict):
        known = {name: from_tomorrow(one) for name, one in value.items()}
        return {"truong_dau": "mới", **known, **NEWER} if known else known
    return [from_tomorrow(one) for one in value] if isinstance(value, list) else value


def stories_from_tomorrow():
    stories = [from_tomorrow(one) for one in load_examples(STORIES).values()]
    for story in stories:
        story["change"]["type"] = "doi_ten"
        story["change"]["reason"]["ly_do_moi"] = [{"a": 1}]
        for entity in story["entities"]:
            entity["type"] = "SU_KIEN"
    return stories


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_ignores_what_it_does_not_know(name):
    stage = load_stage(name)
    for number, example in enumerate(load_examples(stage.source).values()):
        runner = runner_of(name)
        plain = runner.process(encode(example), ARRIVED)
        newer = runner_of(name).process(encode(from_tomorrow(example)), ARRIVED)
        assert not isinstance(newer, Failure), (number, newer)
        assert [set(record) for record in plain] == [
            set(record) - set(NEWER) - {"truong_dau"} for record in newer
        ]


@pytest.mark.parametrize("name", [name for name in STAGES if isinstance(load_stage(name), StatefulStage)])
def test_a_memory_is_rebuilt_from_what_a_newer_version_wrote(name):
    stage = load_stage(name)
    plain, newer = stage.new_state(), stage.new_state()
    for record in load_examples(stage.sink).values():
        plain.apply(record)
        newer.apply(from_tomorrow(record))
    for example in load_examples(stage.source).values():
        outcomes = [
            stateful_runner(state, RECORD_LIMIT_BYTES).process(encode(example), ARRIVED)
            for state in (plain, newer)
        ]
        assert [len(records) for records in outcomes] == [len(outcomes[0])] * 2


def test_the_board_shows_stories_of_a_newer_version():
    stories = LatestStories()
    for story in stories_from_tomorrow():
        stories.apply(story)
    pages, below = pages_of(stories)
    shown = stories.newest_first()
    assert shown
    assert shown[0]["title"] in pages["/"]().body.decode()
    for story in shown:
        page = below["/stories/"](story["story_id"]).body.decode()
        assert "doi ten" in page
        assert "mới" not in page.split("</style>")[1].split("<h3>")[0].replace(story["title"], "")


def test_the_terminal_shows_stories_of_a_newer_version():
    stories = stories_from_tomorrow()
    tally, printed = Tally(), io.StringIO()
    console = InertConsole(file=printed, width=400)
    for story in stories:
        tally.add(STORIES, story, [], 0)
        console.print(story_panel(story, {}))
        console.print(history_table([story]))
        console.print(way_of(story["change"]["article_id"] or "x", [story]))
        console.print(story_line(story), markup=False)
    console.print(live_view(tally, 1))
    assert "doi_ten" in printed.getvalue() or "doi ten" in printed.getvalue()
    for story in stories:
        assert story["story_id"] in printed.getvalue()


def test_the_figures_count_records_of_a_newer_version():
    for name in STAGES:
        metrics = Metrics(name)
        for record in load_examples(load_stage(name).sink).values():
            metrics.domain.count(from_tomorrow(record), 0.0, 0.0)
        uncounted = metrics.registry.get_sample_value("machtin_uncounted_records_total", {"stage": name})
        assert uncounted in (0.0, None)


def test_every_topic_with_records_is_read_here():
    read = {load_stage(name).source for name in STAGES} | {STORIES}
    assert read == {topic.name for topic in all_topics().values() if topic.schema}
