"""A linter with the rules of grafana/dashboard-linter, written from its documentation."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from grafana_foundation_sdk.models import units

from tests.observability.promql import selectors

Json = dict[str, Any]
Problem = tuple[str, str | None, str]
"""(rule, title of the panel or None, what is wrong)."""

KNOWN_UNITS = {value for name, value in vars(units).items() if name[0].isupper() and isinstance(value, str)}
NAMES = ("$datasource", "${datasource}")


def lint(dashboard: Json) -> list[Problem]:
    """Return what breaks a rule."""
    return [(rule, panel, said) for rule, check in RULES.items() for panel, said in check(dashboard)]


def panels(dashboard: Json) -> list[Json]:
    """Return the panels of a dashboard, those in collapsed rows too, without the rows."""
    found = []
    for panel in dashboard["panels"]:
        found += panel.get("panels", []) if panel["type"] == "row" else [panel]
    return found


def targets(dashboard: Json) -> Iterator[tuple[Json, Json]]:
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield panel, target


Found = Iterator[tuple[str | None, str]]


def _variables(dashboard: Json, name: str) -> list[Json]:
    return [one for one in dashboard["templating"].get("list", []) if one["name"] == name]


def _template_datasource(dashboard: Json) -> Found:
    sources = [one for one in dashboard["templating"].get("list", []) if one["type"] == "datasource"]
    if not sources:
        yield None, "no templated data source"
    for one in sources:
        if one["name"] not in ("datasource", "prometheus_datasource") or one["query"] != "prometheus":
            yield None, f"the data source variable is {one['name']} for {one['query']}"
        if one.get("label") not in ("Data source", "Prometheus data source"):
            yield None, f"the data source variable is labelled {one.get('label')}"


def _template(name: str) -> Callable[[Json], Found]:
    def check(dashboard: Json) -> Found:
        (variable, *_) = _variables(dashboard, name) or [None]
        if variable is None:
            yield None, f"no variable {name}"
            return
        wanted = {"type": "query", "label": name.capitalize(), "multi": True, "allValue": ".+"}
        for field, value in wanted.items():
            if variable.get(field) != value:
                yield None, f"variable {name}: {field} is {variable.get(field)!r}, not {value!r}"
        if (variable.get("datasource") or {}).get("uid") not in NAMES:
            yield None, f"variable {name} does not ask the templated data source"

    return check


def _template_promql(dashboard: Json) -> Found:
    for one in dashboard["templating"].get("list", []):
        if one["type"] == "query":
            query = one["query"]["query"] if isinstance(one["query"], dict) else one["query"]
            if not re.fullmatch(r"label_values\(([a-z_:]+(\{.*\})?, )?[a-z_]+\)", query):
                yield None, f"variable {one['name']}: {query} is no label_values query"


def _template_reload(dashboard: Json) -> Found:
    for one in dashboard["templating"].get("list", []):
        if one["type"] == "query" and one.get("refresh") != 2:
            yield None, f"variable {one['name']} is not loaded anew when the time changes"


def _panel_datasource(dashboard: Json) -> Found:
    for panel in panels(dashboard):
        if panel["type"] != "text" and (panel.get("datasource") or {}).get("uid") not in NAMES:
            yield panel["title"], "does not ask the templated data source"
    for panel, target in targets(dashboard):
        if (target.get("datasource") or {}).get("uid") not in NAMES:
            yield panel["title"], "a target does not ask the templated data source"


def _panel_title(dashboard: Json) -> Found:
    for panel in panels(dashboard):
        if not panel.get("title") or not panel.get("description"):
            yield panel.get("title"), "lacks a title or a description"


def _panel_units(dashboard: Json) -> Found:
    for panel in panels(dashboard):
        unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit")
        if panel["type"] != "text" and unit not in KNOWN_UNITS:
            yield panel["title"], f"{unit} is no unit"


def _panel_targets(dashboard: Json) -> Found:
    for panel in panels(dashboard):
        if panel["type"] != "text" and not panel.get("targets"):
            yield panel["title"], "asks nothing"


def _rate_interval(dashboard: Json) -> Found:
    for panel, target in targets(dashboard):
        for one in selectors(target["expr"]):
            if one.range is not None and one.range != "$__rate_interval":
                yield panel["title"], f"the range is {one.range}"


def _matcher(label: str) -> Callable[[Json], Found]:
    def check(dashboard: Json) -> Found:
        for panel, target in targets(dashboard):
            for one in selectors(target["expr"]):
                if f'{label}=~"${label}"' not in one.matchers:
                    yield panel["title"], f"{one.name} has no matcher for {label}"

    return check


def _counter_aggregation(dashboard: Json) -> Found:
    for panel, target in targets(dashboard):
        for one in selectors(target["expr"]):
            if one.name.endswith("_total") and one.function not in ("rate", "irate", "increase"):
                yield panel["title"], f"{one.name} is a counter, shown as it is"


def _uneditable(dashboard: Json) -> Found:
    if dashboard.get("editable") is not False:
        yield None, "can be edited, and what is edited is lost"


RULES: dict[str, Callable[[Json], Found]] = {
    "template-datasource-rule": _template_datasource,
    "template-job-rule": _template("job"),
    "template-instance-rule": _template("instance"),
    "template-label-promql-rule": _template_promql,
    "template-on-time-change-reload-rule": _template_reload,
    "panel-datasource-rule": _panel_datasource,
    "panel-title-description-rule": _panel_title,
    "panel-units-rule": _panel_units,
    "panel-no-targets-rule": _panel_targets,
    "target-rate-interval-rule": _rate_interval,
    "target-job-rule": _matcher("job"),
    "target-instance-rule": _matcher("instance"),
    "target-counter-agg-rule": _counter_aggregation,
    "uneditable-dashboard": _uneditable,
}
"""target-promql-rule is kept by a real Prometheus, in test_prometheus.py."""
