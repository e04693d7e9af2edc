from services.cli.acls import EXPORTER, OPERATOR, PROBE, Grant, grants, principal_of, script
from services.probe.connection import GROUP
from services.probe.watch import WAY
from services.runtime.topics import DEDUPLICATED, RAW, STORIES, all_topics
from services.topology import SERVICES

REBUILT = {"deduplicator": DEDUPLICATED, "clusterer": STORIES}
ALL = grants(all_topics().values(), SERVICES, REBUILT)


def rights(principal: str, operation: str, resource: str = "topic") -> set[str]:
    return {
        grant.name
        for grant in ALL
        if (grant.principal, grant.operation, grant.resource) == (principal, operation, resource)
    }


def test_everybody_may_write_what_the_declarations_say_and_nothing_else() -> None:
    declared = {
        (principal_of(name, SERVICES), topic.name)
        for topic in all_topics().values()
        for name in topic.produced_by
    }
    assert {(g.principal, g.name) for g in ALL if g.operation == "Write"} == declared


def test_a_stateful_service_may_read_the_topic_that_it_is_rebuilt_from() -> None:
    assert rights("machtin-clusterer", "Read") == {"news.articles.enriched", STORIES}
    assert rights("machtin-normalizer", "Read") == {RAW}


def test_only_the_operator_creates_topics() -> None:
    assert {g.principal for g in ALL if g.operation == "Create"} == {OPERATOR}
    assert rights(OPERATOR, "Create") == set(all_topics())


def test_nobody_may_use_the_group_of_another() -> None:
    groups = {(g.principal, g.name) for g in ALL if g.resource == "group" and g.operation == "Read"}
    assert ("machtin-normalizer", "machtin-normalizer") in groups
    for principal, prefix in groups:
        assert not any(other.startswith(prefix) for name, other in groups if name != principal)


def test_the_exporter_writes_nothing_and_joins_no_group() -> None:
    assert {(g.resource, g.operation) for g in ALL if g.principal == EXPORTER} == {
        ("topic", "Read"),
        ("group", "Describe"),
    }


def test_the_probe_writes_as_a_crawler_does_and_reads_what_comes_of_it() -> None:
    assert rights(PROBE, "Write") == {RAW}
    assert rights(PROBE, "Read") == set(WAY)
    assert rights(PROBE, "Read", "group") == {GROUP}


def test_a_name_cannot_become_a_command() -> None:
    text = script([Grant("a; rm -rf .", "topic", "$(id)", "Read")], "h:1", "o'x")
    assert "'User:a; rm -rf .'" in text
    assert "'$(id)'" in text
