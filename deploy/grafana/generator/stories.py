"""Stories: what the news is made of, and whether the stories are good."""

from __future__ import annotations

from deploy.grafana.generator.panels import GOOD, WARNING, Panel, Query
from deploy.grafana.generator.queries import increase, mean, quantile, rate, series

TITLE = "Mạch Tin / Stories"
DESCRIPTION = "Articles, copies, entities and stories, counted from the records that subscribers get."

_REACHING = "machtin_stories_reaching_size_total"
_OPEN = 'of="open stories"'
_CLUSTERER = 'stage="clusterer"'
_ENTRIES = "machtin_state_entries"


def rows() -> list[tuple[str, list[Panel]]]:
    """Return the rows of the dashboard."""
    return [
        ("Stories", _stories()),
        ("Articles", _articles()),
        ("Sources", _sources()),
        ("Quality", _quality()),
    ]


def _stories() -> list[Panel]:
    first, second = (increase(_REACHING, f'articles="{size}"') for size in (1, 2))
    return [
        Panel(
            "stat",
            "Open stories",
            "Stories that articles can join now.",
            "short",
            [Query(f"sum({series(_ENTRIES, _OPEN)})", "open")],
            width=4,
        ),
        Panel(
            "stat",
            "Singleton share",
            "Share of the stories opened in the time shown that have not got a second article one by one"
            " (merges not counted). A sudden rise: articles do not find their stories any more.",
            "percentunit",
            [Query(f"1 - {second} / {first}", "singletons")],
            width=4,
        ),
        Panel(
            "graph",
            "Changes of stories",
            "Revisions published per second, by what changed.",
            "cps",
            [Query(rate("machtin_story_changes_total", by="type"), "{{type}}")],
            stacked=True,
        ),
        Panel(
            "bars",
            "Changes in the time shown",
            "Stories opened (created), joined (article_added), merged, split, linked (related), closed,"
            " reopened; articles withdrawn.",
            "short",
            [Query(f"sort_desc({increase('machtin_story_changes_total', by='type')})", "{{type}}")],
            decimals=0,
        ),
        Panel(
            "bars",
            "Stories that reached a size",
            "Stories of the time shown that reached this number of articles: the distribution of sizes, from"
            " above.",
            "short",
            [Query(f"sort_desc({increase(_REACHING, by='articles')})", "{{articles}}")],
            decimals=0,
        ),
        Panel(
            "graph",
            "Size of closed stories",
            "Stories that closed per second, by number of articles at most.",
            "cps",
            [Query(rate("machtin_closed_story_articles_bucket", by="le"), "≤ {{le}}")],
        ),
        Panel(
            "graph",
            "Stories in memory",
            "What the clusterer holds: articles, stories, and open stories.",
            "short",
            [Query(f"sum by (of) ({series(_ENTRIES, _CLUSTERER)})", "{{of}}")],
        ),
    ]


def _articles() -> list[Panel]:
    copies = rate("machtin_copies_total", 'kind!="none"')
    return [
        Panel(
            "graph",
            "Articles by kind of copy",
            "none: an original; exact: the same text; near: the same article with small changes.",
            "cps",
            [Query(rate("machtin_copies_total", by="kind"), "{{kind}}")],
            stacked=True,
            runbook="copies-out-of-band",
        ),
        Panel(
            "graph",
            "Share of copies",
            "On a national stream about a quarter is usual.",
            "percentunit",
            [Query(f"{copies} / {rate('machtin_copies_total')}", "copies")],
            thresholds=((0.6, WARNING),),
            most=1,
            runbook="copies-out-of-band",
        ),
        Panel(
            "graph",
            "Versions and withdrawals",
            "Newer versions of known articles, and articles withdrawn, per second.",
            "cps",
            [
                Query(rate("machtin_article_versions_total"), "new versions"),
                Query(rate("machtin_withdrawn_articles_total"), "withdrawals"),
            ],
        ),
        Panel(
            "graph",
            "Entities per article",
            "Different people, places and organisations named by an article. A drop: the recogniser errs, or"
            " crawlers send other text.",
            "short",
            [
                Query(mean("machtin_article_entities"), "mean"),
                Query(quantile(0.5, "machtin_article_entities"), "median"),
            ],
        ),
        Panel(
            "graph",
            "Entities by type",
            "PER: people, LOC: places, ORG: organisations, MISC: others; per second.",
            "cps",
            [Query(rate("machtin_entities_total", by="type"), "{{type}}")],
            stacked=True,
        ),
        Panel(
            "bars",
            "Languages",
            "Articles in the time shown by language; und where nothing reliable can be said.",
            "short",
            [
                Query(
                    f"sort_desc({increase('machtin_language_articles_total', by='language')})", "{{language}}"
                )
            ],
            decimals=0,
        ),
    ]


def _sources() -> list[Panel]:
    volume = increase("machtin_source_articles_total", by="source")
    latest = series("machtin_source_latest_arrival_timestamp_seconds", 'source!="other"')
    return [
        Panel(
            "bars",
            "Articles by source",
            "The 20 sources with most articles in the time shown. Sources beyond the first 200 that a"
            " normalizer meets are counted as other.",
            "short",
            [Query(f"topk(20, {volume})", "{{source}}")],
            height=12,
            decimals=0,
        ),
        Panel(
            "bars",
            "Silence by source",
            "Time since the latest article of the 20 sources that have been silent longest.",
            "s",
            [Query(f"topk(20, time() - max by (source) ({latest}))", "{{source}}")],
            height=12,
            runbook="source-silent",
        ),
        Panel(
            "graph",
            "From publication to arrival",
            "Event time between an article's publication and its arrival, where the publication is known to"
            " the second: how quick the crawlers are.",
            "s",
            [
                Query(quantile(0.5, "machtin_crawl_delay_seconds"), "median"),
                Query(quantile(0.95, "machtin_crawl_delay_seconds"), "95 %"),
            ],
            height=12,
        ),
    ]


def _quality() -> list[Panel]:
    ratio, floor = series("machtin_quality_ratio"), series("machtin_quality_floor_ratio")
    wrong = increase("machtin_probe_checks_total", 'result="wrong"', by="check")
    return [
        Panel(
            "bars",
            "Quality on the gold set",
            "What the version that runs makes of our own labelled articles: B-Cubed precision, recall and F1"
            " of the stories, related events linked, events that are only alike kept apart.",
            "percentunit",
            [Query(f"max by (measure) ({ratio})", "{{measure}}")],
            most=1,
            decimals=1,
            runbook="quality-drop",
        ),
        Panel(
            "bars",
            "Above its floor",
            "How much better each measure is than what a release must reach; below zero an alert fires.",
            "percentunit",
            [Query(f"min by (measure) ({ratio}) - min by (measure) ({floor})", "{{measure}}")],
            decimals=1,
            thresholds=((0, GOOD),),
            low_is_bad=True,
            runbook="quality-drop",
        ),
        Panel(
            "bars",
            "Checks of the probe that were wrong",
            "In the time shown, by what was checked; all should be zero.",
            "short",
            [Query(f"sort_desc({wrong})", "{{check}}")],
            decimals=0,
            thresholds=((1, WARNING),),
            runbook="probe-finds-mistakes",
        ),
    ]
