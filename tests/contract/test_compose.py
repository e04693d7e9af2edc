"""What cannot be run here is held to its schema and to what the services need: Compose, image, Prometheus."""

import re
import subprocess
import sys

import pytest
import yaml
from contract_files import ROOT

from services.runtime.settings import Settings, variable_of
from services.topology import SERVICES

COMPOSE = yaml.safe_load(ROOT.joinpath("docker-compose.yml").read_text(encoding="utf-8"))
CONTAINERS = COMPOSE["services"]
JOBS = {"topics", "feed"}
OURS = {*SERVICES, *JOBS, "exporter", "probe"}
CORE = {"kafka", "topics", *SERVICES}
DOCKERFILE = ROOT.joinpath("deploy/Dockerfile").read_text(encoding="utf-8")
HTTP_PORT = re.search(r"MACHTIN_HTTP_PORT=(\d+)", DOCKERFILE)[1]


def check(path):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", path]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_compose_file_is_valid():
    result = check(ROOT / "docker-compose.yml")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("was", "becomes"),
    [("read_only:", "readonly:"), ("interval: 10s", "interval: [10]"), ("ports:", "port:")],
)
def test_the_schema_would_notice_a_mistake(tmp_path, was, becomes):
    text = ROOT.joinpath("docker-compose.yml").read_text(encoding="utf-8")
    assert was in text
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(text.replace(was, becomes), encoding="utf-8")
    assert check(broken).returncode == 1


def test_every_service_is_there_and_nothing_unknown():
    assert set(CONTAINERS) == CORE | {"feed", "exporter", "probe", "prometheus", "grafana"}
    for service in SERVICES:
        assert CONTAINERS[service]["command"] == ["run", service]


@pytest.mark.parametrize(
    ("profile", "members"),
    [
        ("core", CORE),
        ("demo", CORE | {"feed"}),
        ("observability", CORE | {"exporter", "probe", "prometheus", "grafana"}),
    ],
)
def test_a_profile_holds_all_that_it_needs(profile, members):
    selected = {name for name, container in CONTAINERS.items() if profile in container["profiles"]}
    assert selected == members
    for name in selected:
        for needed, how in CONTAINERS[name].get("depends_on", {}).items():
            assert needed in selected
            ends = needed in JOBS
            assert how["condition"] == ("service_completed_successfully" if ends else "service_healthy")
            assert ends or "healthcheck" in CONTAINERS[needed]


@pytest.mark.parametrize("name", CONTAINERS)
def test_nothing_is_published_beyond_loopback(name):
    for port in CONTAINERS[name].get("ports", []):
        assert port.startswith("127.0.0.1:")
    assert "network_mode" not in CONTAINERS[name]


@pytest.mark.parametrize("name", CONTAINERS)
def test_it_can_do_no_more_than_it_must(name):
    container = CONTAINERS[name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"} & set(container)
    assert not container.get("user", "").startswith(("0", "root"))
    assert {"mem_limit", "pids_limit", "stop_grace_period", "restart"} <= set(container)
    for volume in container.get("volumes", []):
        source, _, *mode = volume.split(":")
        if source.startswith("."):
            assert ROOT.joinpath(source).exists()
            assert mode == ["ro"]
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_run_the_one_image_as_nobody(name):
    container = CONTAINERS[name]
    assert container["build"] == {"context": ".", "dockerfile": "deploy/Dockerfile"}
    assert container["image"] == f"machtin:{project_version()}"
    assert f"USER {container['user']}" in DOCKERFILE
    assert set(container["environment"]) <= {variable_of(setting) for setting in Settings.model_fields}
    Settings(kafka_bootstrap_servers=container["environment"]["KAFKA_BOOTSTRAP_SERVERS"])


def project_version():
    return re.search(r'^version = "(.+)"$', ROOT.joinpath("pyproject.toml").read_text(), re.MULTILINE)[1]


@pytest.mark.parametrize("name", [*SERVICES, "exporter", "probe"])
def test_the_health_check_asks_the_port_that_the_image_fixes(name):
    (*_, script) = CONTAINERS[name]["healthcheck"]["test"]
    assert f'"http://127.0.0.1:{HTTP_PORT}/health"' in script
    compile(script, name, "exec")


def test_kafka_advertises_what_clients_are_given():
    environment = CONTAINERS["kafka"]["environment"]
    advertised = environment["KAFKA_ADVERTISED_LISTENERS"]
    assert f"://{CONTAINERS['normalizer']['environment']['KAFKA_BOOTSTRAP_SERVERS']}" in advertised
    (published,) = CONTAINERS["kafka"]["ports"]
    host, outside, inside = published.split(":")
    assert f"HOST://{host}:{outside}" in advertised
    assert f"HOST://:{inside}" in environment["KAFKA_LISTENERS"]
    assert environment["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    listeners = {part.split(":")[0] for part in environment["KAFKA_LISTENERS"].split(",")}
    protocols = {
        part.split(":")[0] for part in environment["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    }
    assert listeners == protocols


def test_the_demo_feeds_a_file_that_the_image_has():
    _, file, *_ = CONTAINERS["feed"]["command"]
    assert ROOT.joinpath(file).is_file()
    assert f"COPY {file.split('/')[0]} /app/" in DOCKERFILE
    assert "WORKDIR /app\n" in DOCKERFILE


@pytest.mark.parametrize(
    "image",
    [
        *{container["image"] for name, container in CONTAINERS.items() if name not in OURS},
        *re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE),
    ],
)
def test_foreign_images_are_pinned(image):
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+(-[a-z-]+)?", image)


def test_the_image_sets_only_settings_that_exist():
    given = set(re.findall(r"(MACHTIN_[A-Z_]+)=", DOCKERFILE))
    assert {"MACHTIN_HTTP_HOST", "MACHTIN_HTTP_PORT"} <= given
    assert given <= {variable_of(setting) for setting in Settings.model_fields}


def test_the_image_takes_only_what_the_builder_is_sent():
    ignored = ROOT.joinpath(".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    for source in re.findall(r"^COPY (\S+) \S+$", DOCKERFILE, re.MULTILINE):
        assert f"!{source}" in ignored
        assert ROOT.joinpath(source).exists()


def test_prometheus_scrapes_every_service():
    config = yaml.safe_load(ROOT.joinpath("deploy/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    (job,) = [job for job in config["scrape_configs"] if job["job_name"] == "machtin"]
    (group,) = job["static_configs"]
    assert sorted(group["targets"]) == sorted(f"{service}:{HTTP_PORT}" for service in SERVICES)
    for name in ("exporter", "probe"):
        (beside,) = [job for job in config["scrape_configs"] if job["job_name"] == name]
        assert beside["static_configs"] == [{"targets": [f"{name}:{HTTP_PORT}"], "labels": {"service": name}}]
    for pattern in config["rule_files"]:
        assert list(ROOT.joinpath("deploy/prometheus").glob(pattern))
    path = next(flag for flag in CONTAINERS["prometheus"]["command"] if flag.startswith("--config.file="))
    assert path == "--config.file=/etc/prometheus/prometheus.yml"
    assert "./deploy/prometheus:/etc/prometheus:ro" in CONTAINERS["prometheus"]["volumes"]


def test_grafana_asks_that_prometheus():
    file = ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml"
    (source,) = yaml.safe_load(file.read_text(encoding="utf-8"))["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert source["isDefault"] is True
    assert "./deploy/grafana/provisioning:/etc/grafana/provisioning:ro" in CONTAINERS["grafana"]["volumes"]


def test_grafana_finds_the_dashboards_where_they_are_mounted():
    file = ROOT / "deploy/grafana/provisioning/dashboards/machtin.yml"
    (provider,) = yaml.safe_load(file.read_text(encoding="utf-8"))["providers"]
    grafana = CONTAINERS["grafana"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in grafana["volumes"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/overview.json"
    assert ROOT.joinpath("deploy/grafana/dashboards/overview.json").is_file()
