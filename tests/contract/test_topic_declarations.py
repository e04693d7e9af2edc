"""Every topic is declared once, completely, and the way the services use it."""

import dataclasses

import pytest
import yaml
from contract_files import load_schemas

from services.runtime.codec import RECORD_LIMIT_BYTES
from services.runtime.settings import Settings
from services.runtime.stage import StatefulStage
from services.runtime.topics import DEAD, RAW, SCHEMAS, STORIES, Topic, all_topics
from services.topology import SERVICES, STAGES, load_stage

FILES = sorted(SCHEMAS.joinpath("topics").glob("*.yaml"))
NAMES = [path.stem for path in FILES]

# The topic configurations of Apache Kafka 4: a broker refuses others.
KAFKA_TOPIC_CONFIGS = {
    *("cleanup.policy", "compression.type", "compression.gzip.level", "compression.lz4.level"),
    *("compression.zstd.level", "delete.retention.ms", "errors.deadletterqueue.topic.name"),
    *("file.delete.delay.ms", "flush.messages", "flush.ms", "follower.replication.throttled.replicas"),
    *("index.interval.bytes", "leader.replication.throttled.replicas", "local.retention.bytes"),
    *("local.retention.ms", "max.compaction.lag.ms", "max.message.bytes", "message.timestamp.after.max.ms"),
    *("message.timestamp.before.max.ms", "message.timestamp.type", "min.cleanable.dirty.ratio"),
    *("min.compaction.lag.ms", "min.insync.replicas", "preallocate", "remote.log.copy.disable"),
    *("remote.log.delete.on.disable", "remote.storage.enable", "retention.bytes", "retention.ms"),
    *("segment.bytes", "segment.index.bytes", "segment.jitter.ms", "segment.ms"),
    *("unclean.leader.election.enable",),
}


def declared(name):
    return yaml.safe_load(SCHEMAS.joinpath("topics", f"{name}.yaml").read_text(encoding="utf-8"))


def test_every_file_is_a_topic_and_every_topic_a_file():
    assert set(NAMES) == set(all_topics())


@pytest.mark.parametrize("name", NAMES)
def test_it_has_the_known_fields_and_no_others(name):
    topic = declared(name)
    assert set(topic) == {field.name for field in dataclasses.fields(Topic)}
    assert topic["name"] == name
    assert topic["description"].endswith(".")
    assert topic["owner"]
    assert topic["produced_by"]
    assert topic["consumed_by"]
    assert topic["partition_by"] in ("key", "edition")
    assert topic["partitions"] >= 1


@pytest.mark.parametrize("name", NAMES)
def test_its_configuration_is_kafkas(name):
    config = declared(name)["config"]
    assert set(config) <= KAFKA_TOPIC_CONFIGS
    assert set(config["cleanup.policy"].split(",")) <= {"compact", "delete"}
    assert config["retention.ms"] > 0, "a retention that is not declared is the cluster's, whatever that is"
    assert config.get("message.timestamp.type", "CreateTime") in ("CreateTime", "LogAppendTime")


@pytest.mark.parametrize("name", NAMES)
def test_its_schema_exists_and_has_its_key(name):
    topic = all_topics()[name]
    if topic.schema is None:
        assert (topic.event_type, topic.key) == (None, None)
        return
    schemas = load_schemas()
    schema = schemas[topic.schema]
    properties = dict(schema["properties"])
    for part in schema.get("allOf", []):
        properties |= all_properties(schemas, part["$ref"])
    assert topic.key in properties
    assert topic.partition_by == "key" or topic.partition_by in properties
    assert topic.event_type.endswith(".v1")


def all_properties(schemas, ref):
    schema = schemas[ref.removesuffix(".schema.json")]
    properties = dict(schema["properties"])
    for part in schema.get("allOf", []):
        properties |= all_properties(schemas, part["$ref"])
    return properties


@pytest.mark.parametrize("name", NAMES)
def test_the_services_that_write_and_read_it_are_those_it_names(name):
    topic = all_topics()[name]
    stages = {stage: load_stage(stage) for stage in STAGES}
    writers = set(STAGES) if name == DEAD else {s for s, stage in stages.items() if stage.sink == name}
    readers = {s for s, stage in stages.items() if stage.source == name} | (
        {"board"} if name == STORIES else set()
    )
    assert {party for party in topic.produced_by if party in SERVICES} == writers
    assert {party for party in topic.consumed_by if party in SERVICES} == readers


@pytest.mark.parametrize("name", NAMES)
def test_its_owner_writes_it_or_works_on_it(name):
    topic = all_topics()[name]
    assert topic.owner in (*topic.produced_by, "operators")


@pytest.mark.parametrize("name", STAGES)
def test_a_stateful_stage_finds_its_own_records_in_the_partition_it_reads(name):
    stage = load_stage(name)
    if isinstance(stage, StatefulStage):
        source, sink = all_topics()[stage.source], all_topics()[stage.sink]
        assert source.partitions == sink.partitions
        assert source.partition_by == sink.partition_by == "edition"


def test_sizes_grow_along_the_flow():
    sizes = {name: int(topic.config["max.message.bytes"]) for name, topic in all_topics().items()}
    largest_limit = Settings.model_fields["max_message_bytes"].metadata
    assert sizes[RAW] >= max(bound.le for bound in largest_limit if hasattr(bound, "le"))
    for name, size in sizes.items():
        if name not in (RAW, DEAD):
            assert size == RECORD_LIMIT_BYTES
    assert sizes[DEAD] > max(size for name, size in sizes.items() if name != DEAD)


def test_the_arrival_time_of_a_raw_message_is_the_brokers():
    assert all_topics()[RAW].config["message.timestamp.type"] == "LogAppendTime"
