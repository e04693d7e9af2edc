"""The Kubernetes manifests: valid, complete, and no more than each process must be able to do."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from contract_files import ROOT

from services.runtime.settings import Settings, from_environment, variable_of
from services.runtime.stage import StatefulStage
from services.topology import SERVICES, STAGES, load_stage

DIRECTORY = ROOT / "deploy/kubernetes"
KUSTOMIZATION = yaml.safe_load(DIRECTORY.joinpath("kustomization.yaml").read_text(encoding="utf-8"))
MANIFESTS = [
    manifest
    for name in KUSTOMIZATION["resources"]
    for manifest in yaml.safe_load_all(DIRECTORY.joinpath(name).read_text(encoding="utf-8"))
]
WORKLOADS = {
    one["metadata"]["name"]: one for one in MANIFESTS if one["kind"] in ("Deployment", "StatefulSet", "Job")
}
LONG_LIVED = {*SERVICES, "exporter", "probe"}
DOCKERFILE = ROOT.joinpath("deploy/Dockerfile").read_text(encoding="utf-8")
HTTP_PORT = int(re.search(r"MACHTIN_HTTP_PORT=(\d+)", DOCKERFILE)[1])
COMPOSE = yaml.safe_load(ROOT.joinpath("docker-compose.yml").read_text(encoding="utf-8"))["services"]


def pod(name):
    return WORKLOADS[name]["spec"]["template"]["spec"]


def container(name):
    (one,) = pod(name)["containers"]
    return one


def of_kind(kind):
    return {one["metadata"]["name"]: one for one in MANIFESTS if one["kind"] == kind}


def validated(*files):
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_every_manifest_is_valid():
    result = validated(*(DIRECTORY / name for name in KUSTOMIZATION["resources"]))
    said = result.stdout + result.stderr
    assert result.returncode == 0, said
    assert said.count(" passed for resource ") == len(MANIFESTS), said


@pytest.mark.parametrize(
    ("was", "becomes"), [("replicas: 1", "replicas: one"), ("livenessProbe:", "liveProbe:")]
)
def test_the_validator_would_notice_a_mistake(tmp_path, was, becomes):
    text = DIRECTORY.joinpath("clusterer.yaml").read_text(encoding="utf-8")
    assert was in text
    broken = tmp_path / "clusterer.yaml"
    broken.write_text(text.replace(was, becomes), encoding="utf-8")
    assert validated(broken).returncode != 0


def test_every_file_is_part_of_it():
    files = {path.name for path in DIRECTORY.glob("*.yaml")} - {"kustomization.yaml"}
    assert files == set(KUSTOMIZATION["resources"])


def test_every_service_has_a_manifest_and_nothing_unknown_has():
    assert set(WORKLOADS) == LONG_LIVED | {"topics"}
    for name in SERVICES:
        assert container(name)["args"] == ["run", name]
    for name in ("exporter", "probe"):
        assert container(name)["args"] == [name]
    assert container("topics")["args"][:2] == ["topics", "create"]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_with_a_state_has_one_writer(name):
    stateful = isinstance(load_stage(name), StatefulStage)
    assert WORKLOADS[name]["kind"] == ("StatefulSet" if stateful else "Deployment")
    if stateful:
        headless = of_kind("Service")[WORKLOADS[name]["spec"]["serviceName"]]
        assert headless["spec"]["clusterIP"] == "None"


@pytest.mark.parametrize("name", ["exporter", "probe"])
def test_what_there_may_be_only_one_of_is_never_two(name):
    assert WORKLOADS[name]["spec"]["replicas"] == 1
    assert WORKLOADS[name]["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("name", sorted(LONG_LIVED))
def test_its_probes_ask_its_port(name):
    one = container(name)
    assert one["ports"] == [{"name": "http", "containerPort": HTTP_PORT}]
    paths = {kind: one[kind]["httpGet"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {
        "startupProbe": {"path": "/health", "port": "http"},
        "livenessProbe": {"path": "/health", "port": "http"},
        "readinessProbe": {"path": "/ready", "port": "http"},
    }
    annotations = WORKLOADS[name]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(HTTP_PORT)
    assert annotations["prometheus.io/path"] == "/metrics"


@pytest.mark.parametrize("name", sorted(WORKLOADS))
def test_it_can_do_no_more_than_it_must(name):
    spec = pod(name)
    assert spec["automountServiceAccountToken"] is False
    (user,) = {spec["securityContext"]["runAsUser"], spec["securityContext"]["runAsGroup"]}
    assert f"USER {user}:{user}" in DOCKERFILE
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    for one in [*spec["containers"], *spec.get("initContainers", [])]:
        assert one["image"] == "machtin"
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= set(one["resources"]["requests"])
        assert "memory" in one["resources"]["limits"]
    for volume in spec["volumes"]:
        assert set(volume) - {"name"} <= {"emptyDir", "secret"}


@pytest.mark.parametrize("name", sorted(LONG_LIVED))
def test_it_gets_the_memory_that_compose_gives_it(name):
    sizes = {"256m": "256Mi", "512m": "512Mi", "768m": "768Mi", "1g": "1Gi", "2g": "2Gi"}
    assert container(name)["resources"]["limits"]["memory"] == sizes[COMPOSE[name]["mem_limit"]]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_drained_node_does_not_take_all_of_it(name):
    spec = of_kind("PodDisruptionBudget")[name]["spec"]
    assert spec["selector"] == WORKLOADS[name]["spec"]["selector"]
    replicas = WORKLOADS[name]["spec"]["replicas"]
    assert spec.get("minAvailable", 0) < replicas, "a drain would wait for ever"


def test_a_selector_selects_its_own_pods_only():
    for kind, manifest in [(one["kind"], one) for one in MANIFESTS if one["kind"] != "Job"]:
        if kind not in ("Deployment", "StatefulSet"):
            continue
        labels = manifest["spec"]["template"]["metadata"]["labels"]
        assert manifest["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert labels["app.kubernetes.io/name"] == manifest["metadata"]["name"]
    board = of_kind("Service")["board"]["spec"]
    assert board["selector"]["app.kubernetes.io/name"] == "board"
    assert board["ports"][0]["targetPort"] == "http"


def test_the_settings_are_ours_and_every_pod_gets_them():
    (generated,) = KUSTOMIZATION["configMapGenerator"]
    (file,) = generated["envs"]
    lines = DIRECTORY.joinpath(file).read_text(encoding="utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(given) <= {variable_of(name) for name in Settings.model_fields}
    assert from_environment(given).log_format == "json"
    for name in WORKLOADS:
        assert container(name)["envFrom"] == [{"configMapRef": {"name": generated["name"]}}]


def test_the_image_is_the_version_of_this_tree():
    (image,) = KUSTOMIZATION["images"]
    assert f"machtin:{image['newTag']}" == COMPOSE["normalizer"]["image"]


@pytest.mark.parametrize(
    ("directory", "pattern"), [("grafana", "dashboards/*.json"), ("prometheus", "rules/*.yml")]
)
def test_every_dashboard_and_every_rule_is_provisioned(directory, pattern):
    root = ROOT / "deploy" / directory
    kustomization = yaml.safe_load(root.joinpath("kustomization.yaml").read_text(encoding="utf-8"))
    (generated,) = kustomization["configMapGenerator"]
    wanted = sorted(str(path.relative_to(root)) for path in root.glob(pattern))
    assert sorted(generated["files"]) == wanted
    assert sum(root.joinpath(file).stat().st_size for file in wanted) < 1_000_000, "etcd takes no more"
    assert kustomization["namespace"] == KUSTOMIZATION["namespace"]


@pytest.mark.parametrize("directory", ["kubernetes", "grafana", "prometheus"])
def test_kustomize_builds_it(tmp_path, directory):
    """Where kubectl is; everything else about the files is tested without it."""
    if shutil.which("kubectl") is None:
        said = "kubectl is not on this machine; Debian has it: apt-get install kubernetes-client"
        pytest.fail(said) if os.environ.get("CI") == "true" else pytest.skip(said)
    built = subprocess.run(
        ["kubectl", "kustomize", str(ROOT / "deploy" / directory)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    file = tmp_path / "built.yaml"
    file.write_text(built.stdout, encoding="utf-8")
    result = validated(file)
    assert result.returncode == 0, result.stdout + result.stderr
    for manifest in yaml.safe_load_all(built.stdout):
        if manifest["kind"] == "ConfigMap":
            assert manifest["data"]
        if manifest["kind"] in ("Deployment", "StatefulSet", "Job"):
            assert manifest["metadata"]["namespace"] == "machtin"
            (one,) = manifest["spec"]["template"]["spec"]["containers"]
            assert re.fullmatch(r"machtin:\d+\.\d+\.\d+", one["image"])
