"""What is tested here, read from the checkout."""

import json
from typing import Any

import yaml

from tests.integration.conftest import ROOT

DASHBOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted(ROOT.joinpath("deploy/grafana/dashboards").glob("*.json"))
}
RUNBOOKS = {path.stem for path in ROOT.joinpath("docs/runbooks").glob("*.md")}
RULE_FILES = sorted(ROOT.joinpath("deploy/prometheus/rules").glob("*.yml"))
_RULES = [
    rule
    for file in RULE_FILES
    for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS: dict[str, dict[str, Any]] = {rule["alert"]: rule for rule in _RULES if "alert" in rule}
RECORDED: dict[str, str] = {rule["record"]: rule["expr"] for rule in _RULES if "record" in rule}
