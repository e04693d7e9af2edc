"""Overview: within ten seconds, whether news flows, how late it is, what is stuck."""

from __future__ import annotations

from deploy.grafana.generator.panels import BAD, GOOD, WARNING, Panel, Query
from deploy.grafana.generator.queries import increase, late_share, quantile, rate, series

TITLE = "Mạch Tin / Overview"
DESCRIPTION = "Is the stream healthy, and how late is the news? Read the first row from left to right."

_LATE = "latency-budget-burns-fast"
_UP = (("0", "down", BAD), ("1", "up", GOOD))


def rows() -> list[tuple[str, list[Panel]]]:
    """Return the rows of the dashboard."""
    return [
        ("At a glance", _glance()),
        ("The flow", _flow()),
        ("The objective", _objective()),
        ("By the probe", _probe()),
    ]


def _glance() -> list[Panel]:
    return [
        Panel(
            "stat",
            "Articles arriving",
            "Raw articles written to Kafka per second, whether anybody reads them or not.",
            "cps",
            [Query(rate("machtin_topic_messages_total", 'topic="news.articles.raw"'), "articles")],
            width=4,
            height=5,
            runbook="no-news",
            decimals=2,
        ),
        Panel(
            "stat",
            "Story updates",
            "Revisions of stories published per second: what subscribers get.",
            "cps",
            [Query(rate("machtin_story_changes_total"), "updates")],
            width=4,
            height=5,
            decimals=2,
        ),
        Panel(
            "stat",
            "Late articles",
            "Share of articles that came into their story later than 5 s after their arrival, over the time"
            " shown. The objective allows 1 %.",
            "percentunit",
            [Query(late_share("$__range"), "late")],
            width=4,
            height=5,
            thresholds=((0.01, WARNING), (0.06, BAD)),
            runbook=_LATE,
            decimals=2,
        ),
        Panel(
            "stat",
            "Oldest waiting article",
            "Time since the arrival of the oldest article that some stage has not finished, measured from"
            " outside the stages: it grows when they are dead, too.",
            "s",
            [Query(f"max({series('machtin_oldest_unprocessed_article_age_seconds')})", "oldest")],
            width=4,
            height=5,
            thresholds=((10, WARNING), (60, BAD)),
            runbook="news-late",
            decimals=1,
        ),
        Panel(
            "stat",
            "Dead letters",
            "Messages that no stage could use, in the time shown.",
            "short",
            [Query(increase("machtin_messages_total", 'outcome="dead"'), "dead")],
            width=4,
            height=5,
            thresholds=((1, WARNING), (100, BAD)),
            runbook="dead-letters",
            decimals=0,
        ),
        Panel(
            "stat",
            "Lag is measured",
            "Whether the exporter reads the cluster. When it does not, the lag shown here is no longer true.",
            "bool_yes_no",
            [Query(f"min({series('machtin_cluster_readable')})", "read")],
            width=4,
            height=5,
            thresholds=((1, GOOD),),
            low_is_bad=True,
            runbook="lag-unknown",
        ),
    ]


def _flow() -> list[Panel]:
    return [
        Panel(
            "stat",
            "Services",
            "Whether Prometheus reaches each service.",
            "bool_on_off",
            [Query(f"min by (service) ({series('up')})", "{{service}}")],
            width=12,
            height=5,
            values=_UP,
            runbook="service-down",
        ),
        Panel(
            "stat",
            "Ready",
            "Whether each service has its partitions and its state. Not ready for long: see Rebuilding.",
            "bool_yes_no",
            [Query(f"min by (stage) ({series('machtin_ready')})", "{{stage}}")],
            width=12,
            height=5,
            thresholds=((1, GOOD),),
            low_is_bad=True,
            runbook="service-not-ready",
        ),
        Panel(
            "graph",
            "Through the stages",
            "Messages per second through each stage, in the order of the flow. All lines should be alike; the"
            " first that is lower is where news waits.",
            "cps",
            [Query(rate("machtin_messages_total", by="stage"), "{{stage}}")],
            width=12,
            runbook="consumer-stuck",
        ),
        Panel(
            "graph",
            "Waiting before each stage",
            "How long the first message that a stage has not finished has been in its topic; the worst"
            " partition counts.",
            "s",
            [Query(f"max by (stage) ({series('machtin_consumer_lag_seconds')})", "{{stage}}")],
            width=12,
            thresholds=((60, BAD),),
            runbook="consumer-stuck",
        ),
    ]


def _objective() -> list[Panel]:
    used = f"({late_share('$__range')}) / 0.01"
    return [
        Panel(
            "graph",
            "From arrival to story",
            "Wall time from a raw article's arrival at the broker to the record of its story. The line is the"
            " objective for 99 of 100 articles.",
            "s",
            [
                Query(quantile(share, "machtin_article_age_seconds", 'stage="clusterer"'), name)
                for share, name in ((0.5, "median"), (0.95, "95 %"), (0.99, "99 %"))
            ],
            thresholds=((5, BAD),),
            runbook=_LATE,
        ),
        Panel(
            "graph",
            "Late articles, over time",
            "Share of articles later than 5 s. The line is what the objective allows.",
            "percentunit",
            [Query(late_share("$__rate_interval"), "late")],
            thresholds=((0.01, WARNING),),
            runbook="latency-budget-burns-slowly",
        ),
        Panel(
            "stat",
            "Budget used",
            "How much of the late articles that the objective allows has been used in the time shown: above"
            " 100 % the objective is missed. Choose 30 days to see the month.",
            "percentunit",
            [Query(used, "used")],
            width=4,
            thresholds=((0.75, WARNING), (1, BAD)),
            runbook="latency-budget-burns-slowly",
            decimals=0,
        ),
        Panel(
            "stat",
            "From publication to story",
            "Median time from an article's publication on its site to its story: event time until it was"
            " crawled, wall time from then on. Mostly the crawlers' doing.",
            "s",
            [Query(quantile(0.5, "machtin_publication_to_story_seconds"), "median")],
            width=4,
        ),
    ]


def _probe() -> list[Panel]:
    plantings = "machtin_probe_plantings_total"
    right = increase(plantings, 'outcome="right"')
    planted = series("machtin_probe_last_planting_timestamp_seconds")
    lost = series("machtin_probe_lost_articles_total")
    return [
        Panel(
            "stat",
            "Plantings right",
            "Share of the probe's plantings, in the time shown, that came out right: six articles each, as a"
            " crawler sends them, looked for as a subscriber does. Copies, stories and links are checked.",
            "percentunit",
            [Query(f"{right} / {increase(plantings)}", "right")],
            width=4,
            thresholds=((0.9, WARNING), (0.99, GOOD)),
            low_is_bad=True,
            runbook="probe-finds-mistakes",
            decimals=0,
        ),
        Panel(
            "stat",
            "Last planting",
            "Time since the probe has finished a planting. When it grows, nobody tests the way through.",
            "s",
            [Query(f"time() - max({planted})", "ago")],
            width=4,
            thresholds=((600, WARNING), (1200, BAD)),
            runbook="probe-silent",
        ),
        Panel(
            "graph",
            "From sending to subscriber",
            "Wall time from the sending of a planted article to the record of its story, as a subscriber sees"
            " it: the crawlers' and the subscribers' own way to the broker included.",
            "s",
            [
                Query(quantile(share, "machtin_probe_latency_seconds"), name)
                for share, name in ((0.5, "median"), (0.99, "99 %"))
            ],
            thresholds=((5, BAD),),
            runbook=_LATE,
        ),
        Panel(
            "graph",
            "Planted articles lost",
            "Planted articles that had not come out of a stage within the probe's deadline.",
            "short",
            [Query(f"sum by (stage) (increase({lost}[$__rate_interval]))", "{{stage}}")],
            runbook="probe-loses-articles",
        ),
    ]
