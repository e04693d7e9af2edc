"""Every example of every topic keeps to its schema and goes through whoever reads that topic."""

import base64
import json
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace

import pytest
from contract_files import load_examples

from services.board.front import front_page
from services.board.latest import LatestStories
from services.board.story import story_page
from services.cli.dead import open_letters, original_headers
from services.runtime import dead_letters
from services.runtime.codec import RECORD_LIMIT_BYTES, decode, encode
from services.runtime.settings import Settings
from services.runtime.stage import Failure, StatefulStage, stateful_runner, stateless_runner
from services.runtime.topics import DEAD, RAW, STORIES, all_topics
from services.topology import STAGES, load_stage

ARRIVED = datetime(2026, 4, 12, tzinfo=UTC)
RECORDS = [
    (topic, name)
    for topic in all_topics()
    if topic != DEAD
    for name in load_examples(topic)  # collected here so that each example is a test of its own
]
DEAD_LETTERS = load_examples(DEAD)


@cache
def loaded(stage_name):
    """Load a stage's models and tables once for all tests; states are never shared."""
    stage = load_stage(stage_name)
    if isinstance(stage, StatefulStage):
        stage.warm_up()
        return stage.new_state
    return stage.load()


def runner_of(stage_name):
    """Return the runner that a service would run its stage with, its memory empty."""
    stage = load_stage(stage_name)
    if isinstance(stage, StatefulStage):
        return stateful_runner(loaded(stage_name)(), RECORD_LIMIT_BYTES)
    limit = Settings().max_message_bytes if stage.source == RAW else RECORD_LIMIT_BYTES
    return stateless_runner(loaded(stage_name), limit)


@pytest.fixture(scope="module")
def outcomes():
    """What each stage makes of the examples of its topic, by stage and example."""
    results = {}
    for stage_name in STAGES:
        runner = runner_of(stage_name)
        examples = load_examples(load_stage(stage_name).source)
        results[stage_name] = {
            name: runner.process(encode(record), ARRIVED) for name, record in examples.items()
        }
    return results


@pytest.mark.parametrize("topic", all_topics())
def test_every_topic_has_examples(topic):
    assert 2 <= len(load_examples(topic)) <= 4


@pytest.mark.parametrize(("topic", "name"), RECORDS)
def test_it_keeps_to_its_schema(validator_of, topic, name):
    record = load_examples(topic)[name]
    validator_of(topic).validate(record)
    if topic != RAW:
        assert all_topics()[topic].key_of(record)
        assert all_topics()[topic].partition_of(record) in range(all_topics()[topic].partitions)


@pytest.mark.parametrize(("topic", "name"), RECORDS)
def test_the_schema_would_notice_a_missing_field(validator_of, topic, name):
    record = load_examples(topic)[name]
    if topic == RAW:
        needed = [field for field in ("text",) if field in record]
        assert not validator_of(topic).is_valid(
            {field: value for field, value in record.items() if field not in ("article_id", "url")}
        )
    else:
        needed = set(record)
    for field in needed:
        less = {other: value for other, value in record.items() if other != field}
        assert not validator_of(topic).is_valid(less), field


@pytest.mark.parametrize(("topic", "name"), RECORDS)
def test_the_schema_would_notice_a_wrong_type(validator_of, topic, name):
    for field in load_examples(topic)[name]:
        if field in all_properties(validator_of(topic)):
            wrong = {**load_examples(topic)[name], field: 1.5 if field != "cohesion" else "1.5"}
            assert not validator_of(topic).is_valid(wrong), field


def all_properties(validator):
    """Return the fields that a schema names, those it includes from other schemas too."""
    schema = validator.schema
    fields = set(schema["properties"])
    for part in schema.get("allOf", []):
        included = validator._resolver.lookup(part["$ref"]).contents
        fields |= all_properties(validator.evolve(schema=included))
    return fields


@pytest.mark.parametrize("stage_name", STAGES)
def test_its_reader_can_use_it_and_publishes_what_the_next_topic_promises(outcomes, validator_of, stage_name):
    sink = all_topics()[load_stage(stage_name).sink]
    published = 0
    for name, outcome in outcomes[stage_name].items():
        assert isinstance(outcome, list), f"{name}: {outcome}"
        for record in outcome:
            validator_of(sink.name).validate(json.loads(encode(record)))
            assert sink.key_of(record)
            assert sink.partition_of(record) in range(sink.partitions)
            published += 1
    assert published >= 2


def test_the_plain_example_shows_every_field_that_a_crawler_can_send(validator_of):
    assert set(validator_of(RAW).schema["properties"]) <= set(load_examples(RAW)["01-plain"])


def test_the_normalizer_restores_and_completes(outcomes):
    clean = {name: records[0] for name, records in outcomes["normalizer"].items()}
    assert clean["01-plain"]["derived"] == []
    assert clean["01-plain"]["extra"] == {"crawler_run": "sang-0411-2"}, "a field of the contract is unknown"
    assert "_" not in clean["02-segmented"]["text"]
    assert clean["02-segmented"]["published_precision"] == "month"
    assert "title" in clean["02-segmented"]["derived"]
    assert clean["04-withdrawn"]["status"] == "withdrawn"
    assert clean["04-withdrawn"]["edition"] == clean["01-plain"]["edition"]
    assert clean["04-withdrawn"]["article_id"] == clean["01-plain"]["article_id"]


def test_the_deduplicator_tells_the_copy(outcomes):
    verdicts = {
        name: (record["duplicate"]["kind"], record["version"])
        for name, (record,) in outcomes["deduplicator"].items()
    }
    assert verdicts == {
        "01-plain": ("none", 1),
        "02-segmented": ("none", 1),
        "03-near-copy": ("near", 1),
        "04-withdrawn": ("none", 2),
    }


def test_the_enricher_names_people_where_they_stand(outcomes):
    for (record,) in outcomes["enricher"].values():
        for entity in record["entities"]:
            for mention in entity["mentions"]:
                assert record["text"][mention["start"] : mention["end"]] == mention["text"]
    assert outcomes["enricher"]["01-plain"][0]["entities"]


def test_the_clusterer_keeps_the_copy_with_its_original_and_lets_the_withdrawn_go(outcomes):
    first = {name: records[0] for name, records in outcomes["clusterer"].items()}
    assert first["03-near-copy"]["story_id"] == first["01-plain"]["story_id"]
    assert first["02-segmented"]["story_id"] != first["01-plain"]["story_id"]
    assert first["04-withdrawn"]["change"]["type"] == "article_retracted"
    assert load_examples(RAW)["01-plain"]["article_id"] not in first["04-withdrawn"]["article_ids"]


@pytest.mark.parametrize("stage_name", [name for name in STAGES if name in ("deduplicator", "clusterer")])
def test_a_stateful_service_rebuilds_its_memory_from_the_examples_of_its_own_topic(stage_name):
    state = loaded(stage_name)()
    for record in load_examples(load_stage(stage_name).sink).values():
        state.apply(decode(encode(record), RECORD_LIMIT_BYTES))


def test_what_a_rebuilt_deduplicator_knows_it_does_not_publish_again():
    state = loaded("deduplicator")()
    for name in ("01-plain", "02-segmented", "03-near-copy"):
        state.apply(load_examples(all_topics()["news.articles.deduplicated"].name)[name])
        assert state.decide(load_examples("news.articles.clean")[name]) == []


def test_the_examples_of_stories_show_the_whole_life_of_a_story():
    changes = [record["change"]["type"] for record in load_examples(STORIES).values()]
    assert changes == ["created", "article_added", "closed", "merged"]


def test_the_board_shows_the_stories_that_are_not_merged_away():
    stories = LatestStories()
    last = {}
    for record in load_examples(STORIES).values():
        stories.apply(record)
        last[record["story_id"]] = record
    shown = stories.newest_first()
    assert [story["story_id"] for story in shown] == [i for i, s in last.items() if s["state"] != "merged"]
    assert len(last) > len(shown)
    html = front_page(shown)
    assert all(story["title"] in html for story in shown)
    for story_id, record in last.items():
        story = stories.story(story_id)  # of a merged one, the story that took it up
        assert story is not None
        assert story.record["story_id"] == (record["merged_into"] or story_id)
        assert story.record["title"] in story_page(story, lambda other: other)


def message_of(dead_letter):
    """Return an example's key, value and headers as they lie on the topic; `base64:` marks other bytes."""
    return (
        None if dead_letter["key"] is None else as_bytes(dead_letter["key"]),
        as_bytes(dead_letter["value"]),
        [(name, as_bytes(value)) for name, value in dead_letter["headers"].items()],
    )


def as_bytes(text):
    marked, _, encoded = text.partition("base64:")
    return base64.b64decode(encoded, validate=True) if not marked and encoded else text.encode()


def letter_of(name):
    """Return an example as `machtin dead` finds it on the topic."""
    key, value, headers = message_of(DEAD_LETTERS[name])
    message = SimpleNamespace(partition=0, offset=5, timestamp=0, key=key, value=value, headers=headers)
    (letter,) = open_letters([message])
    return letter


@pytest.mark.parametrize("name", DEAD_LETTERS)
def test_a_dead_letter_is_what_its_stage_would_write_for_the_same_message(name):
    letter = letter_of(name)
    failure = runner_of(letter.stage).process(letter.value, ARRIVED)
    assert isinstance(failure, Failure)
    original = [
        (header, value) for header, value in original_headers(letter) if header != dead_letters.ATTEMPTS
    ]
    if letter.attempts > 1:
        original.append((dead_letters.ATTEMPTS, str(letter.attempts - 1).encode()))
    written = dict(dead_letters_of(letter, failure, original))
    message = dead_letters.PREFIX + "exception.message"
    assert written.pop(message).decode()
    assert letter.detail  # its wording may change
    assert written == {header: value for header, value in letter.headers if header != message}


@pytest.mark.parametrize("name", DEAD_LETTERS)
def test_a_letter_that_is_retried_in_vain_comes_back_with_one_attempt_more(name):
    letter = letter_of(name)
    failure = runner_of(letter.stage).process(letter.value, ARRIVED)
    again = dict(dead_letters_of(letter, failure, original_headers(letter)))
    assert int(again[dead_letters.ATTEMPTS]) == letter.attempts + 1
    assert again[dead_letters.REASON].decode() == letter.reason


def dead_letters_of(letter, failure, original):
    """Return the headers that the letter's stage writes for a message with these original headers."""
    return dead_letters.headers_of(
        failure,
        stage=letter.stage,
        topic=letter.header(dead_letters.PREFIX + "topic"),
        partition=int(letter.header(dead_letters.PREFIX + "partition")),
        offset=int(letter.header(dead_letters.PREFIX + "offset")),
        original=original,
    )


def test_one_dead_letter_is_not_even_text():
    values = [message_of(letter)[1] for letter in DEAD_LETTERS.values()]
    with pytest.raises(UnicodeDecodeError):
        [value.decode() for value in values]
