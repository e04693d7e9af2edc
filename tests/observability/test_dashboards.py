"""The dashboards as files: as generated, understood by the SDK without loss, and by the linter's rules."""

import copy
import json
import warnings
from typing import Any

import pytest
import yaml

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of a schema that every Grafana still loads
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    from deploy.grafana.generator.dashboards import rendered

from tests.integration.conftest import ROOT
from tests.observability.dashboard_lint import RULES, lint, panels
from tests.observability.files import ALERTS, DASHBOARDS, RUNBOOKS

EXCLUSIONS = yaml.safe_load(ROOT.joinpath("deploy/grafana/dashboards/.lint").read_text(encoding="utf-8"))


def test_the_committed_dashboards_are_those_of_the_generator() -> None:
    committed = ROOT / "deploy/grafana/dashboards"
    files = rendered()
    assert {path.name for path in committed.glob("*.json")} == set(files)
    for name, text in files.items():
        assert committed.joinpath(name).read_text(encoding="utf-8") == text, f"{name}: generate it again"


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_sdk_reads_a_dashboard_without_loss(name: str) -> None:
    register_default_plugins()
    again = json.loads(json.dumps(Dashboard.from_json(DASHBOARDS[name]), cls=JSONEncoder))
    assert again == DASHBOARDS[name]


def test_the_sdk_drops_what_it_does_not_know() -> None:
    """Otherwise the test above could not fail."""
    register_default_plugins()
    odd = {**DASHBOARDS["overview"], "descriptoin": "a slip"}
    assert json.loads(json.dumps(Dashboard.from_json(odd), cls=JSONEncoder)) != odd


def excused(dashboard: str, rule: str, panel: str | None) -> bool:
    entries = EXCLUSIONS["exclusions"].get(rule, {}).get("entries", [])
    return any(one["dashboard"] == dashboard and one.get("panel", panel) == panel for one in entries)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_linter_finds_nothing(name: str) -> None:
    title = DASHBOARDS[name]["title"]
    assert [one for one in lint(DASHBOARDS[name]) if not excused(title, one[0], one[1])] == []


def test_every_excuse_is_needed_and_has_a_reason() -> None:
    for rule, exclusion in EXCLUSIONS["exclusions"].items():
        assert exclusion["reason"]
        for one in exclusion["entries"]:
            dashboard = next(d for d in DASHBOARDS.values() if d["title"] == one["dashboard"])
            found = {panel for broken, panel, _ in lint(dashboard) if broken == rule}
            assert one.get("panel") in found, one


def _first(dashboard: dict[str, Any]) -> dict[str, Any]:
    return panels(dashboard)[0]


def _variable(dashboard: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in dashboard["templating"]["list"] if one["name"] == name)


def _query(text: str) -> Any:
    return lambda d: _first(d)["targets"][0].update(expr=text)


CHOSEN = 'job=~"$job", instance=~"$instance"'


@pytest.mark.parametrize(
    ("rule", "spoil"),
    [
        ("template-datasource-rule", lambda d: _variable(d, "datasource").update(name="source")),
        ("template-datasource-rule", lambda d: d["templating"].update(list=[])),
        ("template-job-rule", lambda d: _variable(d, "job").update(multi=False)),
        ("template-instance-rule", lambda d: _variable(d, "instance").update(allValue="")),
        ("template-label-promql-rule", lambda d: _variable(d, "job").update(query="up")),
        ("template-on-time-change-reload-rule", lambda d: _variable(d, "job").update(refresh=1)),
        ("panel-datasource-rule", lambda d: _first(d).update(datasource={"uid": "abc"})),
        ("panel-title-description-rule", lambda d: _first(d).update(description="")),
        ("panel-units-rule", lambda d: _first(d)["fieldConfig"]["defaults"].update(unit="articles")),
        ("panel-no-targets-rule", lambda d: _first(d).update(targets=[])),
        ("target-rate-interval-rule", _query(f"rate(a_total{{{CHOSEN}}}[5m])")),
        ("target-job-rule", _query('sum by (job) (up{instance=~"$instance"})')),
        ("target-instance-rule", _query('up{job=~"$job", job!="instance"}')),
        ("target-counter-agg-rule", _query(f"sum(a_total{{{CHOSEN}}})")),
        ("uneditable-dashboard", lambda d: d.update(editable=True)),
    ],
)
def test_the_linter_would_notice(rule: str, spoil: Any) -> None:
    spoiled = copy.deepcopy(DASHBOARDS["pipeline"])
    assert rule in RULES
    before = [one for one in lint(spoiled) if one[0] == rule]
    spoil(spoiled)
    assert len([one for one in lint(spoiled) if one[0] == rule]) > len(before)


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    named = {alert["annotations"]["runbook"] for alert in ALERTS.values()}
    assert named == {f"docs/runbooks/{name}.md" for name in RUNBOOKS}
    for name, alert in ALERTS.items():
        assert alert["labels"]["severity"] in ("page", "ticket")
        text = ROOT.joinpath(alert["annotations"]["runbook"]).read_text(encoding="utf-8")
        assert text.startswith(f"# {name}\n")


def test_every_link_to_a_runbook_leads_to_its_panel() -> None:
    pages = {
        f"/d/machtin-runbooks?viewPanel=panel-{one['id']}": one["title"]
        for one in panels(DASHBOARDS["runbooks"])
    }
    assert set(pages.values()) == RUNBOOKS
    linked = set()
    for name, dashboard in DASHBOARDS.items():
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(ids) == len(set(ids)), name
        for panel in panels(dashboard):
            for link in panel.get("links") or []:
                assert link["title"] == f"Runbook: {pages[link['url']]}"
                linked.add(pages[link["url"]])
    assert linked >= RUNBOOKS - {"uncounted-records"}
