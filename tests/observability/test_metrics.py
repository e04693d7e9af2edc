"""The declarations: names that Prometheus users expect, help for each, gauges that go with their owner."""

import re
import tomllib

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.deduplicator.deduplicate import Deduplicator
from services.runtime.metrics import LATENCY_SLO_S, MeasuredIndex, MeasuredStories, Metrics, eta_s
from services.runtime.topics import SCHEMAS
from services.runtime.version import VERSION
from services.topology import SERVICES

UNITS = {"seconds", "bytes", "info", "records", "entries", "messages", "partitions", "articles", "entities"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_metric_follows_the_conventions(name: str) -> None:
    page = generate_latest(Metrics(name).registry).decode()
    families = [one for one in text_string_to_metric_families(page) if one.name.startswith("machtin_")]
    assert len(families) > 10
    for family in families:
        assert family.documentation
        assert family.documentation.endswith("."), family.name
        assert re.fullmatch(r"machtin_[a-z]+(_[a-z]+)*", family.name), family.name
        assert not re.search(r"_(ms|milliseconds|minutes|hours|kb|mb|percent)(_|$)", family.name)
        if family.type == "histogram":
            # In base units, or a count of something named.
            assert family.name.rsplit("_", 1)[1] in UNITS, family.name
        assert {label for s in family.samples for label in s.labels} <= {
            "stage", "outcome", "reason", "partition", "of", "kind", "type", "source", "language",
            "articles", "le", "version", "python", "faust", "aiokafka",
        }  # fmt: skip


def test_the_objective_is_a_bucket_of_its_own() -> None:
    page = generate_latest(Metrics("clusterer").registry).decode()
    assert f'machtin_article_age_seconds_bucket{{le="{LATENCY_SLO_S}",stage="clusterer"}}' in page


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads(SCHEMAS.parent.joinpath("pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_rebuilding_shows_what_is_left_and_how_long_it_takes() -> None:
    metrics = Metrics("clusterer")
    labels = {"stage": "clusterer", "partition": "3"}
    metrics.restore.started(3, 100)
    metrics.restore.progress(3, 100, 300)
    assert value(metrics, "machtin_restore_remaining_records", **labels) == 200
    assert value(metrics, "machtin_restore_eta_seconds", **labels) is None, "nothing read: nobody knows"
    metrics.restore.progress(3, 200, 300)
    assert value(metrics, "machtin_restore_remaining_records", **labels) == 100
    assert (value(metrics, "machtin_restore_eta_seconds", **labels) or 0.0) > 0
    metrics.restore.progress(3, 300, 300)
    assert value(metrics, "machtin_restore_remaining_records", **labels) == 0
    assert value(metrics, "machtin_restore_eta_seconds", **labels) == 0
    metrics.restore.gone(3)
    assert value(metrics, "machtin_restore_remaining_records", **labels) is None


def test_eta_is_the_rest_at_the_mean_speed() -> None:
    assert eta_s(read=50, remaining=100, elapsed_s=2.0) == 4.0
    assert eta_s(read=0, remaining=0, elapsed_s=2.0) == 0.0


def test_the_deduplicator_tells_its_size() -> None:
    state = Deduplicator()
    assert isinstance(state, MeasuredIndex)
    assert not isinstance(state, MeasuredStories)
    metrics = Metrics("deduplicator")
    labels = {"stage": "deduplicator", "partition": "0"}
    metrics.state.measure(0, state)
    assert value(metrics, "machtin_state_entries", **labels, of="articles") == 0
    assert value(metrics, "machtin_state_bytes", **labels) == 0
    metrics.state.gone(0)
    assert value(metrics, "machtin_state_entries", **labels, of="articles") is None


def test_the_clusterer_tells_its_size() -> None:
    from services.clusterer.cluster import Clusterer

    state = Clusterer()
    assert isinstance(state, MeasuredStories)
    metrics = Metrics("clusterer")
    metrics.state.measure(7, state)
    for of in ("articles", "stories", "open stories"):
        assert value(metrics, "machtin_state_entries", stage="clusterer", partition="7", of=of) == 0


def test_the_clusterers_bytes_grow_and_are_given_back() -> None:
    from services.clusterer.cluster import Clusterer, warm_up
    from services.clusterer.cluster import _sample as sample

    warm_up()
    state = Clusterer()
    (opened, *_) = state.decide(sample("a", "Cầu mới khánh thành sau 12 tháng, ngày 2/9"))
    state.apply(opened)
    one = state.memory_bytes
    (other, *_) = state.decide(sample("b", "Đội bóng chuyền nữ vào chung kết giải trẻ"))
    state.apply(other)
    assert state.memory_bytes > one > 0
    memory = state.edition("vi").memory
    packed = memory.memory_bytes - memory.index.memory_bytes - memory.pool.memory_bytes
    assert packed == sum(len(story.data) for story in memory.all_stories())
    for story in memory.all_stories():
        memory.forget(story.story_id)
    assert memory.memory_bytes == memory.index.memory_bytes + memory.pool.memory_bytes
