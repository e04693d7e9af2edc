"""Every query of every panel and alert, on a real Prometheus that scrapes the real services at work."""

import asyncio
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest

from services.cli.quality.export import FLOORS
from services.runtime.broker import RunningBroker
from tests.demo_corpus import LINES
from tests.observability.dashboard_lint import targets
from tests.observability.files import ALERTS, DASHBOARDS, RECORDED
from tests.observability.prometheus import QueryError, needed
from tests.observability.promql import selectors
from tests.observability.scenario import Run, demo, feed, until

pytestmark = pytest.mark.integration

ARTICLES_PER_S = 15.0

QUERIES = [
    pytest.param(panel, target, id=f"{name}: {panel['title']} {target['refId']}")
    for name, dashboard in DASHBOARDS.items()
    for panel, target in targets(dashboard)
]


@pytest.fixture(scope="module")
def run(cluster: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    needed("prometheus")
    with demo(cluster.bootstrap_servers, tmp_path_factory.mktemp("prometheus"), ARTICLES_PER_S) as running:
        yield running


@pytest.mark.parametrize(("panel", "target"), QUERIES)
def test_a_panel_shows_something(run: Run, panel: dict[str, Any], target: dict[str, Any]) -> None:
    values = run.asked(target)
    assert any(math.isfinite(value) for value in values), f"{panel['title']}: {target['expr']} gives nothing"


def test_an_empty_result_would_be_noticed(run: Run) -> None:
    assert run.asked({"expr": "machtin_no_such_metric"}) == []
    with pytest.raises(QueryError, match="parse error"):
        run.asked({"expr": "sum(", "instant": True})


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_asks_for_what_exists(run: Run, name: str) -> None:
    expr = ALERTS[name]["expr"]
    run.prometheus.query(expr)
    found = selectors(expr)
    assert found
    for one in found:
        assert run.prometheus.query(one.expr), f"{name} asks for {one.expr}, which does not exist"


@pytest.mark.parametrize("name", RECORDED)
def test_a_rule_records_something(run: Run, name: str) -> None:
    assert run.prometheus.query(name), name
    for one in selectors(RECORDED[name]):
        assert run.prometheus.query(one.expr), f"{name} asks for {one.expr}, which does not exist"


def test_all_is_quiet_while_all_is_well(run: Run) -> None:
    firing = run.prometheus.query('ALERTS{alertstate="firing"}')
    assert [one["metric"]["alertname"] for one in firing] == []


def test_the_figures_are_those_of_the_corpus(run: Run) -> None:
    """Increases are extrapolated by Prometheus; the counters themselves must be exact.

    The probe goes on planting, so two of them agree as soon as both have been scraped between plantings.
    """

    def agree(one: str, other: str) -> None:
        until(f"{one} is {other}", lambda: run.prometheus.value(one) == run.prometheus.value(other))

    arrived = 'sum(machtin_topic_messages_total{topic="news.articles.raw"})'
    sent = f"(sum(machtin_probe_messages_total) + {len(LINES)})"
    agree(arrived, sent)
    agree('sum(machtin_consumer_committed_offset{stage="normalizer"})', sent)
    clean = 'sum(machtin_messages_total{stage="normalizer", outcome="published"})'
    agree(clean, 'sum(machtin_topic_messages_total{topic="news.articles.clean"})')
    agree("sum(machtin_dead_letters_total)", 'sum(machtin_topic_messages_total{topic="news.articles.dead"})')
    news = "(sum(machtin_source_articles_total) + sum(machtin_withdrawn_articles_total))"
    agree(f"{news} + sum(machtin_dead_letters_total)", f"vector({len(LINES)})")


def test_the_probe_finds_all_right_and_its_articles_are_no_news(run: Run) -> None:
    value = run.prometheus.value
    assert value('sum(machtin_probe_plantings_total{outcome!="right"})') == 0
    assert value("machtin_probe_latency_seconds_count") == value("machtin_probe_articles_total")
    assert run.prometheus.query('machtin_source_articles_total{source=~"probe.*"}') == []
    measured = {one["metric"]["measure"] for one in run.prometheus.query("machtin_quality_ratio")}
    assert measured == set(FLOORS)
    assert run.prometheus.query("machtin_quality_ratio < machtin_quality_floor_ratio") == []


def test_no_label_carries_text_of_an_article(run: Run) -> None:
    titles = {title for line in LINES if (title := re.search(rb'"title": "([^"]{20,})"', line))}
    assert titles
    known = {match[1].decode() for match in titles}
    for one in run.prometheus.query('{__name__=~"machtin_.+"}'):
        assert not known & set(one["metric"].values())
        assert not any("://" in label for label in one["metric"].values())


def test_lag_grows_while_the_consumer_is_dead(run: Run) -> None:
    """The last test: it kills a service."""
    normalizer = next(service for service in run.services if service.name == "normalizer")
    normalizer.process.kill()
    asyncio.run(feed(run.servers, 500.0))
    lag = 'sum(machtin_consumer_lag_messages{stage="normalizer"})'
    until("the backlog shows", lambda: (run.prometheus.value(lag) or 0.0) >= len(LINES))
    seconds = 'max(machtin_consumer_lag_seconds{stage="normalizer"})'
    before_s = run.prometheus.value(seconds) or 0.0
    until("it grows older", lambda: (run.prometheus.value(seconds) or 0.0) > before_s + 2)
    age = 'max(machtin_oldest_unprocessed_article_age_seconds{stage="normalizer"})'
    assert (run.prometheus.value(age) or 0.0) > 2
