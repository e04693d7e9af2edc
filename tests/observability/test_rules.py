"""The rules by promtool: valid, and each alert fires when it should and only then."""

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.integration.conftest import ROOT
from tests.observability.files import ALERTS, RULE_FILES
from tests.observability.prometheus import needed

TESTS = ROOT / "deploy/prometheus/tests/alerts.test.yml"


def promtool(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [needed("promtool"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.integration
def test_promtool_takes_the_rules_and_the_configuration() -> None:
    checked = promtool("check", "rules", *RULE_FILES)
    assert checked.returncode == 0, checked.stderr
    checked = promtool("check", "config", "--syntax-only", ROOT / "deploy/prometheus/prometheus.yml")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.integration
def test_promtool_takes_the_configuration_for_kubernetes(tmp_path: Path) -> None:
    """But for the discovery of pods: Debian builds Prometheus without Kubernetes."""
    config = yaml.safe_load(ROOT.joinpath("deploy/prometheus/kubernetes.yml").read_text(encoding="utf-8"))
    (job,) = config["scrape_configs"]
    (discovery,) = job.pop("kubernetes_sd_configs")
    assert discovery == {"role": "pod", "namespaces": {"names": ["machtin"]}}
    file = tmp_path / "kubernetes.yml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    checked = promtool("check", "config", "--syntax-only", file)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.integration
def test_the_alerts_fire_when_they_should_and_only_then() -> None:
    tested = promtool("test", "rules", TESTS)
    assert tested.returncode == 0, tested.stderr


def test_every_alert_is_seen_to_fire_and_to_stay_silent() -> None:
    fired, silent = set(), set()
    for case in yaml.safe_load(TESTS.read_text(encoding="utf-8"))["tests"]:
        for check in case["alert_rule_test"]:
            (fired if check["exp_alerts"] else silent).add(check["alertname"])
    assert fired == set(ALERTS)
    assert silent == set(ALERTS) - {"MachtinUncountedRecords"}
