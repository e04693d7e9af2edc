"""Pipeline: rate, errors and durations of each stage, lag, rebalances, rebuilding, dead letters."""

from __future__ import annotations

from deploy.grafana.generator.panels import BAD, WARNING, Panel, Query
from deploy.grafana.generator.queries import increase, quantile, rate, series

TITLE = "Mạch Tin / Pipeline"
DESCRIPTION = "Each stage from inside (rate, errors, durations) and from outside (lag)."

_NO_BOARD = 'stage!="board"'
"""The board shows stories and decides nothing."""


def rows() -> list[tuple[str, list[Panel]]]:
    """Return the rows of the dashboard."""
    return [
        ("Rate, errors, durations", _red()),
        ("Lag, from outside the consumers", _lag()),
        ("Groups and state", _groups()),
        ("Dead letters", _dead()),
    ]


def _red() -> list[Panel]:
    return [
        Panel(
            "graph",
            "Rate by stage",
            "Input messages processed per second.",
            "cps",
            [Query(rate("machtin_messages_total", by="stage"), "{{stage}}")],
        ),
        Panel(
            "graph",
            "Outcome",
            "What became of the messages: published, unchanged (delivered again, nothing new) or dead.",
            "cps",
            [Query(rate("machtin_messages_total", by="stage, outcome"), "{{stage}} {{outcome}}")],
            stacked=True,
            runbook="dead-letters",
        ),
        Panel(
            "graph",
            "Records published",
            "Output records confirmed by the cluster, per second. A story's change can be several records.",
            "cps",
            [Query(rate("machtin_records_published_total", by="stage"), "{{stage}}")],
        ),
        Panel(
            "graph",
            "Decision time",
            "Time of the decision on one message at 99 %, decoding included, without Kafka.",
            "s",
            [Query(quantile(0.99, "machtin_decision_seconds", _NO_BOARD, by="stage"), "{{stage}}")],
            runbook="latency-budget-burns-fast",
        ),
        Panel(
            "graph",
            "Batch time",
            "From taking a batch to the cluster's confirmation of its last record, at 99 %. Long batches of"
            " short decisions: the broker is slow.",
            "s",
            [Query(quantile(0.99, "machtin_batch_seconds", _NO_BOARD, by="stage"), "{{stage}}")],
            thresholds=((10, BAD),),
            runbook="rebalances",
        ),
        Panel(
            "graph",
            "Age by stage",
            "Time since the raw article's arrival when a stage has finished with it, at 99 %. The first stage"
            " that jumps is the one that waits.",
            "s",
            [Query(quantile(0.99, "machtin_article_age_seconds", _NO_BOARD, by="stage"), "{{stage}}")],
            thresholds=((5, WARNING),),
            runbook="latency-budget-burns-fast",
        ),
    ]


def _lag() -> list[Panel]:
    place = "{{stage}} {{topic}}[{{partition}}]"
    by = "stage, topic, partition"
    return [
        Panel(
            "graph",
            "Lag in messages",
            "Messages that wait before each stage, per partition: from the committed offset to the end.",
            "short",
            [Query(f"max by ({by}) ({series('machtin_consumer_lag_messages')})", place)],
            runbook="consumer-stuck",
        ),
        Panel(
            "graph",
            "Lag in seconds",
            "How long the first message that waits has been in its topic, per partition.",
            "s",
            [Query(f"max by ({by}) ({series('machtin_consumer_lag_seconds')})", place)],
            thresholds=((60, BAD),),
            runbook="news-late",
        ),
        Panel(
            "graph",
            "Oldest waiting article",
            "Time since the arrival at the broker of the oldest article that waits before each stage.",
            "s",
            [
                Query(
                    f"max by (stage) ({series('machtin_oldest_unprocessed_article_age_seconds')})",
                    "{{stage}}",
                )
            ],
            thresholds=((60, BAD),),
            runbook="news-late",
        ),
        Panel(
            "graph",
            "Messages arriving",
            "Messages written to each topic per second, by the ends of its partitions.",
            "cps",
            [Query(rate("machtin_topic_messages_total", by="topic"), "{{topic}}")],
            width=12,
            runbook="no-news",
        ),
        Panel(
            "graph",
            "Committed offset",
            "Where each group is in each partition. A flat line under a growing end is a stuck consumer.",
            "short",
            [Query(f"max by ({by}) ({series('machtin_consumer_committed_offset')})", place)],
            width=12,
            runbook="consumer-stuck",
        ),
    ]


def _groups() -> list[Panel]:
    rebuilding = "{{stage}}[{{partition}}]"
    return [
        Panel(
            "stat",
            "Group members",
            "Members of each stage's consumer group, as the cluster sees them: 0 means that nobody reads.",
            "short",
            [Query(f"max by (stage) ({series('machtin_consumer_members')})", "{{stage}}")],
            thresholds=((1, "green"),),
            low_is_bad=True,
            runbook="consumer-stuck",
        ),
        Panel(
            "graph",
            "Partitions assigned",
            "Input partitions that the processes of each stage read: their sum should be all there are.",
            "short",
            [Query(f"sum by (stage) ({series('machtin_assigned_partitions', _NO_BOARD)})", "{{stage}}")],
        ),
        Panel(
            "graph",
            "Rebalances",
            "Partition assignments received from the group, in the time shown.",
            "short",
            [Query(increase("machtin_rebalances_total", _NO_BOARD, by="stage"), "{{stage}}")],
            runbook="rebalances",
        ),
        Panel(
            "graph",
            "Rebuilding: records left",
            "Records of its own output that a stage still has to read to have its state again.",
            "short",
            [Query(f"max by (stage, partition) ({series('machtin_restore_remaining_records')})", rebuilding)],
            runbook="service-not-ready",
        ),
        Panel(
            "graph",
            "Rebuilding: time left",
            "At the mean speed so far.",
            "s",
            [Query(f"max by (stage, partition) ({series('machtin_restore_eta_seconds')})", rebuilding)],
            runbook="service-not-ready",
        ),
        Panel(
            "graph",
            "Rebuilding: time taken",
            "How long the last rebuilding of each partition's state took, or has taken so far: what a restart"
            " costs.",
            "s",
            [Query(f"max by (stage, partition) ({series('machtin_restore_duration_seconds')})", rebuilding)],
            runbook="service-not-ready",
        ),
    ]


def _dead() -> list[Panel]:
    return [
        Panel(
            "graph",
            "Dead letters by reason",
            "Messages sent to the dead-letter topic per second. Read them with `machtin dead list`.",
            "cps",
            [Query(rate("machtin_dead_letters_total", by="stage, reason") + " > 0", "{{stage}} {{reason}}")],
            width=12,
            runbook="dead-letters",
        ),
        Panel(
            "bars",
            "Dead letters in the time shown",
            "By reason; internal_error is a bug of ours, the others are the crawlers'.",
            "short",
            [Query(f"sort_desc({increase('machtin_dead_letters_total', by='reason')})", "{{reason}}")],
            width=12,
            thresholds=((1, WARNING),),
            runbook="breaker-open",
            decimals=0,
        ),
    ]
