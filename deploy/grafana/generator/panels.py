"""The few kinds of panels there are. Each says what it shows, in which unit, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.builders import text as text_panel
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.text import TextMode

DATASOURCE = common_models.DataSourceRef(type_val="prometheus", uid="${datasource}")
RUNBOOKS_UID = "machtin-runbooks"

GOOD, WARNING, BAD = "green", "orange", "red"


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel and how its series are called."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel of a dashboard."""

    kind: Literal["graph", "stat", "bars"]
    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    width: int = 8
    """Of 24 columns."""
    height: int = 8
    thresholds: tuple[tuple[float, str], ...] = ()
    """(from this value on, colour); below the first it is green."""
    low_is_bad: bool = False
    """Below the first threshold it is red instead."""
    runbook: str | None = None
    """Name of the page in docs/runbooks/."""
    stacked: bool = False
    most: float | None = None
    decimals: int | None = None
    values: tuple[tuple[str, str, str], ...] = ()
    """(value, text instead of it, colour)."""


AnyPanel = timeseries.Panel | stat.Panel | bargauge.Panel


def build(panel: Panel, runbook_ids: dict[str, int]) -> AnyPanel:
    """Return the builder of a panel; `runbook_ids` are the panels of the runbook dashboard."""
    makers: dict[str, Callable[[Panel], AnyPanel]] = {"graph": _graph, "stat": _stat, "bars": _bars}
    made = makers[panel.kind](panel)
    made = (
        made.title(panel.title)
        .description(panel.description)
        .datasource(DATASOURCE)
        .unit(panel.unit)
        .span(panel.width)
        .height(panel.height)
    )
    for number, query in enumerate(panel.queries):
        target = (
            prometheus.Dataquery()
            .datasource(DATASOURCE)
            .ref_id(chr(ord("A") + number))
            .expr(query.expr)
            .legend_format(query.legend)
        )
        made = made.with_target(target.range() if panel.kind == "graph" else target.instant())
    if panel.thresholds or panel.kind != "graph":
        below = BAD if panel.low_is_bad else GOOD
        steps = [models.Threshold(value=None, color=below)]
        steps += [models.Threshold(value=value, color=color) for value, color in panel.thresholds]
        made = made.thresholds(dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps))
    if panel.most is not None:
        made = made.max(panel.most)
    if panel.decimals is not None:
        made = made.decimals(panel.decimals)
    if panel.values:
        made = made.mappings([_mapping(panel)])
    if panel.runbook is not None:
        url = f"/d/{RUNBOOKS_UID}?viewPanel=panel-{runbook_ids[panel.runbook]}"
        link = dashboard.DashboardLink(f"Runbook: {panel.runbook}").url(url)
        made = made.links([link.type(models.DashboardLinkType.LINK)])
    return made


def page(title: str, markdown: str) -> text_panel.Panel:
    """Return the builder of a panel that shows a page of text."""
    return (
        text_panel.Panel()
        .title(title)
        .description(f"docs/runbooks/{title}.md, as it was when the dashboards were generated.")
        .mode(TextMode.MARKDOWN)
        .content(markdown)
        .span(12)
        .height(14)
    )


def _graph(panel: Panel) -> timeseries.Panel:
    legend = common.VizLegendOptions().display_mode(common_models.LegendDisplayMode.TABLE)
    legend = (
        legend.placement(common_models.LegendPlacement.BOTTOM).show_legend(True).calcs(["lastNotNull", "max"])
    )
    tooltip = common.VizTooltipOptions().mode(common_models.TooltipDisplayMode.MULTI)
    made = (
        timeseries.Panel()
        .legend(legend)
        .tooltip(tooltip.sort(common_models.SortOrder.DESCENDING))
        .line_width(1)
        .fill_opacity(60 if panel.stacked else 8)
        .show_points(common_models.VisibilityMode.NEVER)
        .min(0)
    )
    if panel.stacked:
        made = made.stacking(common.StackingConfig().mode(common_models.StackingMode.NORMAL).group("A"))
    if panel.thresholds:
        style = common.GraphThresholdsStyleConfig().mode(common_models.GraphThresholdsStyleMode.LINE)
        made = made.thresholds_style(style)
    return made


def _stat(panel: Panel) -> stat.Panel:
    return (
        stat.Panel()
        .reduce_options(_last())
        .color_mode(
            common_models.BigValueColorMode.BACKGROUND
            if panel.thresholds or panel.values
            else common_models.BigValueColorMode.NONE
        )
        .graph_mode(common_models.BigValueGraphMode.NONE)
        .text_mode(
            common_models.BigValueTextMode.VALUE_AND_NAME
            if len(panel.queries) > 1 or "{{" in panel.queries[0].legend
            else common_models.BigValueTextMode.VALUE
        )
    )


def _bars(panel: Panel) -> bargauge.Panel:
    return (
        bargauge.Panel()
        .reduce_options(_last())
        .orientation(common_models.VizOrientation.HORIZONTAL)
        .display_mode(common_models.BarGaugeDisplayMode.BASIC)
        .min(0)
    )


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def _mapping(panel: Panel) -> models.ValueMap:
    return models.ValueMap(
        options={
            value: models.ValueMappingResult(text=text, color=color) for value, text, color in panel.values
        }
    )
