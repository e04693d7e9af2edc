"""Puts the panels together: variables, rows, links between the dashboards, runbooks."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.generator import overview, pipeline, resources, stories
from deploy.grafana.generator.panels import RUNBOOKS_UID, build, page

RUNBOOKS = Path(__file__).resolve().parents[3] / "docs" / "runbooks"
TAG = "machtin"
DASHBOARDS: dict[str, ModuleType] = {
    "overview": overview,
    "pipeline": pipeline,
    "stories": stories,
    "resources": resources,
}


def rendered() -> dict[str, str]:
    """Return the JSON of every dashboard by file name. Same sources, same bytes."""
    pages = {path.stem: path.read_text(encoding="utf-8") for path in sorted(RUNBOOKS.glob("*.md"))}
    ids = {name: number for number, name in enumerate(pages, start=1)}
    made = {name: _dashboard(name, module, ids) for name, module in DASHBOARDS.items()}
    made["runbooks"] = _runbooks(pages, ids)
    return {f"{name}.json": _json(builder.build()) for name, builder in made.items()}


def _dashboard(name: str, module: ModuleType, runbook_ids: dict[str, int]) -> dashboard.Dashboard:
    made = _empty(module.TITLE, f"machtin-{name}", module.DESCRIPTION)
    for variable in _variables():
        made = made.with_variable(variable)
    number = 0
    for title, panels in module.rows():
        number += 1
        made = made.with_row(dashboard.Row(title).id(number))
        for panel in panels:
            number += 1
            made = made.with_panel(build(panel, runbook_ids).id(number))
    return made


def _runbooks(pages: dict[str, str], ids: dict[str, int]) -> dashboard.Dashboard:
    made = _empty("Mạch Tin / Runbooks", RUNBOOKS_UID, "What to do about each alert: docs/runbooks/.")
    for name, markdown in pages.items():
        made = made.with_panel(page(name, markdown).id(ids[name]))
    return made


def _empty(title: str, uid: str, description: str) -> dashboard.Dashboard:
    others = dashboard.DashboardLink("Mạch Tin").type(models.DashboardLinkType.DASHBOARDS)
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG])
        .readonly()
        .time("now-1h", "now")
        .refresh("10s")
        .timezone("browser")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(others.tags([TAG]).keep_time(True).include_vars(True))
    )


def _variables() -> list[dashboard.DatasourceVariable | dashboard.QueryVariable]:
    return [
        dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"),
        _labels("job", "Job", "label_values(machtin_build_info, job)"),
        _labels("instance", "Instance", 'label_values(machtin_build_info{job=~"$job"}, instance)'),
    ]


def _labels(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(common_models.DataSourceRef(type_val="prometheus", uid="${datasource}"))
        .query({"query": query, "refId": name})
        .definition(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".+")
        .current(models.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _json(made: models.Dashboard) -> str:
    return json.dumps(made, cls=JSONEncoder, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
