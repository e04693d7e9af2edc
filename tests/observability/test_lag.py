"""What a snapshot of the cluster says at a scrape, however long after it."""

from prometheus_client import CollectorRegistry

from services.exporter.cluster import sources
from services.exporter.collector import STALE_AFTER_S, LagCollector
from services.exporter.snapshot import Position, Snapshot, Waiting, lag_messages
from services.runtime.topics import CLEAN, DEDUPLICATED, ENRICHED, RAW
from services.topology import STAGES, load_stage

WHERE = {"stage": "enricher", "topic": DEDUPLICATED, "partition": "4"}


def behind(committed: int = 10, end: int = 15, first: int = 10) -> Position:
    waiting = Waiting(first, written_at_s=100.0, arrived_at_s=90.0)
    return Position("enricher", DEDUPLICATED, 4, committed, end, waiting)


def registry_of(position: Position, now_s: float, read_at_s: float = 101.0) -> CollectorRegistry:
    collector = LagCollector(lambda: now_s)
    collector.update(Snapshot(read_at_s, (position,), {(DEDUPLICATED, 4): position.end}, {"enricher": 1}))
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


def test_the_sources_are_those_of_the_stages() -> None:
    assert sources() == {name: load_stage(name).source for name in STAGES}
    assert sources()["normalizer"] == RAW
    assert {sources()[stage] for stage in STAGES} == {RAW, CLEAN, DEDUPLICATED, ENRICHED}


def test_a_consumer_behind_has_lag_that_grows_between_snapshots() -> None:
    for now_s in (102.0, 112.0):
        registry = registry_of(behind(), now_s)
        assert registry.get_sample_value("machtin_consumer_lag_messages", WHERE) == 5
        assert registry.get_sample_value("machtin_consumer_lag_seconds", WHERE) == now_s - 100
        age_s = registry.get_sample_value("machtin_oldest_unprocessed_article_age_seconds", WHERE)
        assert age_s == now_s - 90
        assert registry.get_sample_value("machtin_consumer_committed_offset", WHERE) == 10
        assert registry.get_sample_value("machtin_cluster_readable") == 1
        assert registry.get_sample_value("machtin_consumer_members", {"stage": "enricher"}) == 1
        ends = {"topic": DEDUPLICATED, "partition": "4"}
        assert registry.get_sample_value("machtin_topic_messages_total", ends) == 15


def test_a_consumer_at_the_end_has_no_lag() -> None:
    position = Position("enricher", DEDUPLICATED, 4, 15, 15, None)
    registry = registry_of(position, 1000.0, read_at_s=999.0)
    for name in (
        "machtin_consumer_lag_messages",
        "machtin_consumer_lag_seconds",
        "machtin_oldest_unprocessed_article_age_seconds",
    ):
        assert registry.get_sample_value(name, WHERE) == 0


def test_what_retention_removed_unread_is_no_lag() -> None:
    assert lag_messages(behind(committed=10, end=15, first=13)) == 2


def test_an_old_snapshot_gives_no_lag_and_says_so() -> None:
    registry = registry_of(behind(), now_s=101.0 + STALE_AFTER_S + 1)
    assert registry.get_sample_value("machtin_cluster_readable") == 0
    assert registry.get_sample_value("machtin_consumer_lag_messages", WHERE) is None
