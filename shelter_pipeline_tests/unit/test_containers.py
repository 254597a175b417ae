"""What the container files must say and never say, read as data: no engine is needed to refuse a default password."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from docker.native.compose_file import required_variables, seconds
from shelter_pipeline.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
FILES = ("compose.yaml", "compose.worker.yaml", "compose.shared.yaml", "compose.monitoring.yaml")
TEXT = (DOCKER / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
WORKER: dict[str, Any] = yaml.safe_load((DOCKER / "compose.worker.yaml").read_text())["services"]["worker"]
MONITORING_TEXT = (DOCKER / "compose.monitoring.yaml").read_text()
MONITORING: dict[str, Any] = yaml.safe_load(MONITORING_TEXT)["services"]
WATCHERS = ("prometheus", "grafana")
THIRD_PARTY = ("postgres", "redis", "objects", "proxy")
OURS = tuple(name for name in SERVICES if name not in THIRD_PARTY)
DIGEST = re.compile(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}\Z")
PINNED = re.compile(
    r"^([a-z0-9._-]+(?:\[[a-z,]+\])?)==(\S+)(.*?)\\?$\n((?:    --hash=\S+.*\n)*)", re.MULTILINE
)


def tool(name: str) -> str:
    """A linter beside this Python or on the path; the test is skipped where it is missing."""
    found = shutil.which(
        name, path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    )
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def run(*command: str) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def networks(service: str) -> set[str]:
    return set(SERVICES[service].get("networks", ()))


def test_only_the_proxy_is_published_and_on_the_loopback_unless_an_operator_says_otherwise() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert set(published) == {"proxy"}
    assert all(port.startswith("${SHELTER_PUBLIC_ADDRESS:-127.0.0.1}:") for port in published["proxy"])


def test_no_secret_has_a_default_in_any_file() -> None:
    secrets = re.compile(r"\$\{(\w*(?:PASSWORD|PEPPER|SECRET|KEY|_URL)\w*)(:?[-?]?)")
    for name in FILES:
        for variable, rule in secrets.findall((DOCKER / name).read_text()):
            assert rule == ":?" or variable == "SHELTER_S3_ENDPOINT_URL", f"{name}: {variable}"
    assert {
        "SHELTER_POSTGRES_PASSWORD",
        "SHELTER_REDIS_PASSWORD",
        "SHELTER_UI_PASSWORD",
        "SHELTER_API_PEPPER",
    } <= set(required_variables(TEXT))


def test_every_secret_is_made_by_the_script_that_never_makes_one_twice(tmp_path: Path) -> None:
    for name in ("make-env.sh", "compose.yaml", "compose.monitoring.yaml"):
        shutil.copy(DOCKER / name, tmp_path)
    script = ("sh", str(tmp_path / "make-env.sh"))

    run(*script)
    made = (tmp_path / ".env").read_text()
    second = subprocess.run(script, capture_output=True, text=True, check=False)

    values = dict(line.split("=") for line in made.splitlines())
    assert values.keys() == {*required_variables(TEXT), "SHELTER_GRAFANA_PASSWORD"}
    assert len(set(values.values())) == len(values)
    assert all(re.fullmatch("[0-9a-f]{48}", value) for value in values.values())
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    assert second.returncode == 2
    assert (tmp_path / ".env").read_text() == made
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".env",
        "compose.monitoring.yaml",
        "compose.yaml",
        "make-env.sh",
    ]


def test_no_secret_is_in_an_argument_of_a_process() -> None:
    for name, service in SERVICES.items():
        said = json.dumps([service.get("command"), service.get("healthcheck")])
        assert "${" not in said, name


def test_only_what_fetches_and_what_alerts_reaches_the_internet() -> None:
    open_networks = {
        name for name, network in COMPOSE["networks"].items() if not (network or {}).get("internal")
    }

    assert open_networks == {"public", "internet"}
    assert {name for name in SERVICES if "internet" in networks(name)} == {"worker", "code-server"}
    assert {name for name in SERVICES if "public" in networks(name)} == {"proxy"}


def test_the_api_and_the_user_interface_are_reached_through_the_proxy_alone_and_believe_no_other() -> None:
    [subnet] = COMPOSE["networks"]["edge"]["ipam"]["config"]

    assert {name for name in SERVICES if "edge" in networks(name)} == {
        "api",
        "webserver",
        "automate",
        "proxy",
    }
    assert networks("proxy") == {"edge", "public"}
    assert networks("api") == {"database", "objects", "edge"}
    assert SERVICES["api"]["environment"]["SHELTER_API_TRUSTED_PROXIES"] == subnet["subnet"]
    hosts = dict(each.split(":") for each in SERVICES["proxy"]["extra_hosts"])
    assert hosts == {name: SERVICES[name]["networks"]["edge"]["ipv4_address"] for name in hosts}


@pytest.mark.parametrize(
    "service",
    [*SERVICES.values(), WORKER, *(MONITORING[name] for name in WATCHERS)],
    ids=[*SERVICES, "worker of another machine", *WATCHERS],
)
def test_every_container_is_an_ordinary_user_without_capabilities_on_a_read_only_root(
    service: dict[str, Any],
) -> None:
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "/tmp" in service["tmpfs"]
    # Our image and nginx's name their user themselves.
    assert service.get("user", "").split(":")[0] != "0"
    assert "user" in service or service["image"] == "shelter" or "unprivileged" in service["image"]
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", [name for name in SERVICES if SERVICES[name]["restart"] != "no"])
def test_every_service_is_limited_and_asked_for_its_health(name: str) -> None:
    limits = SERVICES[name]["deploy"]["resources"]["limits"]

    assert limits["memory"]
    assert limits["pids"]
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


@pytest.mark.parametrize("image", COMPOSE["x-images"].values(), ids=COMPOSE["x-images"])
def test_every_image_is_pinned_by_its_digest(image: str) -> None:
    assert DIGEST.match(image)
    assert image in [service["image"] for service in SERVICES.values()]


def test_monitoring_publishes_grafana_alone_and_lets_prometheus_reach_nothing_but_the_api() -> None:
    networks_of = yaml.safe_load(MONITORING_TEXT)["networks"]

    assert MONITORING.keys() == {"api", *WATCHERS}
    assert [name for name in MONITORING if "ports" in MONITORING[name]] == ["grafana"]
    assert MONITORING["grafana"]["ports"][0].startswith("${SHELTER_PUBLIC_ADDRESS:-127.0.0.1}:")
    assert MONITORING["prometheus"]["networks"] == ["monitoring"]
    assert networks_of == {"monitoring": {"internal": True}}
    assert required_variables(MONITORING_TEXT) == ["SHELTER_GRAFANA_PASSWORD"]
    for name in WATCHERS:
        assert DIGEST.match(MONITORING[name]["image"])
        assert MONITORING[name]["deploy"]["resources"]["limits"]["memory"]
        assert MONITORING[name]["healthcheck"]["test"][0] == "CMD"
        for mount in MONITORING[name]["volumes"]:
            source, _, rest = mount.partition(":")
            # What is ours in a container of theirs is there, and cannot be changed by them.
            assert not source.startswith(".") or ((DOCKER / source).exists() and rest.endswith(":ro"))


def test_the_image_runs_as_an_ordinary_user_from_pinned_dependencies_on_a_pinned_base() -> None:
    lines = (DOCKER / "Dockerfile").read_text().splitlines()

    [base] = [line.partition("=")[2] for line in lines if line.startswith("ARG PYTHON_IMAGE=")]
    assert DIGEST.match(base)
    assert [line for line in lines if line.startswith("FROM")] == [
        "FROM ${PYTHON_IMAGE} AS build",
        "FROM ${PYTHON_IMAGE}",
    ]
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]
    installs = [line for line in lines if "pip install" in line or "pip wheel" in line]
    assert all("--no-deps" in line for line in installs)
    assert all("--require-hashes" in line for line in installs if "--requirement" in line)


def pins(name: str) -> dict[str, tuple[str, frozenset[str]]]:
    """What a lock installs: version and hashes by distribution."""
    found = PINNED.findall((ROOT / name).read_text())
    return {
        package: (version, frozenset(re.findall(r"sha256:\w+", hashes)))
        for package, version, _, hashes in found
    }


def test_the_locks_agree_and_the_image_has_no_development_tools() -> None:
    whole, production, cluster, building = (
        pins(f"requirements{part}.lock") for part in ("", "-production", "-kubernetes", "-build")
    )

    assert production.items() <= whole.items()
    assert production.items() <= cluster.items()
    assert "dagster-k8s" in cluster.keys() - production.keys()
    assert building.items() <= whole.items()
    assert {"dagster", "dagster-celery", "celery", "psycopg", "boto3"} <= production.keys()
    assert not {"pytest", "mypy", "ruff", "playwright", "hatchling", "schemathesis"} & production.keys()
    assert "hatchling" in building


def test_the_databases_speak_the_drivers_that_shelter_and_dagster_need() -> None:
    environment = COMPOSE["x-databases"]

    assert environment["SHELTER_DATABASE_URL"].startswith("postgresql+psycopg://")
    assert environment["SHELTER_DAGSTER_DATABASE_URL"].startswith("postgresql+psycopg2://")


@pytest.mark.parametrize("service", [*(SERVICES[name] for name in OURS), WORKER], ids=[*OURS, "other worker"])
def test_every_setting_that_is_given_exists_and_is_understood(
    service: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("SHELTER_")]:
        monkeypatch.delenv(name)
    given = {
        name: str(value) for name, value in service["environment"].items() if name.startswith("SHELTER_")
    }

    assert {name.removeprefix("SHELTER_").lower() for name in given} <= Settings.model_fields.keys()
    for name, value in given.items():
        default = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        monkeypatch.setenv(name, re.sub(r"\$\{(\w+):\?[^}]*\}", _secret, default))
    load_settings()


def _secret(found: re.Match[str]) -> str:
    return "redis://host/0" if found[1] == "SHELTER_BROKER_URL" else "0" * 48


@pytest.mark.parametrize("worker", [SERVICES["worker"], WORKER], ids=["on the first machine", "on another"])
def test_a_worker_is_given_more_time_to_end_than_its_runs(worker: dict[str, Any]) -> None:
    grace = float(worker["environment"]["SHELTER_WORKER_GRACE_SECONDS"])

    assert seconds(worker["stop_grace_period"]) >= grace + 30


def test_workers_everywhere_are_told_the_same() -> None:
    def shared(service: dict[str, Any]) -> dict[str, Any]:
        return {
            key: service[key]
            for key in ("command", "image", "init", "healthcheck", "stop_grace_period", "deploy")
        }

    assert shared(SERVICES["worker"]) == shared(WORKER)
    # Where the code server is does not matter to a worker; nor do limits that are held by the daemon.
    left_out = {
        "SHELTER_CODE_SERVER_HOST",
        "SHELTER_CODE_SERVER_PORT",
        "SHELTER_BIND_ADDRESS",
        "SHELTER_DAGSTER_PORT",
    }
    told = SERVICES["worker"]["environment"].keys() - left_out - {"SHELTER_MAX_CONCURRENT_RUNS"}
    assert WORKER["environment"].keys() == told


def test_what_other_machines_need_is_opened_on_a_private_address_alone() -> None:
    shared = yaml.safe_load((DOCKER / "compose.shared.yaml").read_text())["services"]
    ports = {name: port for name, service in shared.items() for port in service["ports"]}

    assert ports.keys() == {"postgres", "redis", "objects"}
    assert all(port.startswith("${SHELTER_PRIVATE_ADDRESS:?") for port in ports.values())


@pytest.mark.skipif(shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, reason="nginx is not installed")
def test_the_proxy_understands_its_configuration(tmp_path: Path) -> None:
    # Names of containers mean nothing here.
    text = re.sub(r"server (api|webserver):", "server 127.0.0.1:", (DOCKER / "nginx.conf").read_text())
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(text.replace("/tmp/", f"{tmp_path}/"))
    (tmp_path / "users").write_text("shelter:{PLAIN}x\n")

    run(
        shutil.which("nginx", path="/usr/sbin:/usr/bin") or "",
        "-t",
        "-p",
        str(tmp_path),
        "-c",
        str(configuration),
    )


def test_the_proxy_keeps_strangers_addresses_deadlines_and_sizes() -> None:
    text = (DOCKER / "nginx.conf").read_text()

    for line in (
        "client_header_timeout 10s;",
        "client_body_timeout 15s;",
        "client_max_body_size 1m;",
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        "limit_conn connections 64;",
        'proxy_set_header Authorization "";',
        "auth_basic_user_file /tmp/users;",
    ):
        assert line in text


@pytest.mark.parametrize("name", FILES)
def test_the_compose_files_follow_the_specification(name: str) -> None:
    run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(DOCKER / name))


def test_the_dockerfile_passes_its_linter() -> None:
    run(tool("hadolint"), str(DOCKER / "Dockerfile"))


def test_the_scripts_pass_their_linter() -> None:
    run(tool("shellcheck"), *map(str, DOCKER.rglob("*.sh")))


@pytest.mark.parametrize("unit", sorted((DOCKER / "systemd").glob("*.service")), ids=lambda unit: unit.name)
def test_systemd_understands_the_units(unit: Path, tmp_path: Path) -> None:
    # The program is not where it will be.
    text = unit.read_text().replace("/opt/shelter/bin/shelter", shutil.which("true") or "")
    copy = tmp_path / unit.name
    copy.write_text(text)
    named = copy.with_name(copy.name.replace("@.", "@code-server."))
    copy.rename(named)

    ended = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", str(named)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "shelter" not in ended.stderr, ended.stderr
    assert "NoNewPrivileges=yes" in text
    assert "EnvironmentFile=/etc/shelter/shelter.env" in text


def test_the_example_of_an_environment_file_names_settings_that_exist() -> None:
    lines = (DOCKER / "systemd/shelter.env.example").read_text().splitlines()
    named = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}

    assert {name.removeprefix("SHELTER_").lower() for name in named if name.startswith("SHELTER_")} <= (
        Settings.model_fields.keys()
    )
