"""What the container files must never say, read as data: no engine is needed to refuse a default password."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCKER = Path(__file__).parents[2] / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_only_the_user_interface_and_the_proxy_are_published_and_only_on_the_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert set(published) == {"webserver", "proxy"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


@pytest.mark.parametrize("secret", ["SHELTER_POSTGRES_PASSWORD", "SHELTER_API_PEPPER"])
def test_no_secret_has_a_default(secret: str) -> None:
    text = (DOCKER / "compose.yaml").read_text()

    uses = re.findall(rf"\$\{{{secret}[^}}]*\}}", text)

    assert uses
    assert all(use.startswith(f"${{{secret}:?") for use in uses)


def test_the_api_is_reached_through_the_proxy_alone_and_believes_no_other() -> None:
    networks = COMPOSE["networks"]
    on_edge = {name for name, service in SERVICES.items() if "edge" in service["networks"]}
    [subnet] = networks["edge"]["ipam"]["config"]

    assert on_edge == {"api", "proxy"}
    assert networks["edge"]["internal"]
    assert set(SERVICES["api"]["networks"]) == {"database", "edge"}
    assert SERVICES["api"]["environment"]["SHELTER_API_TRUSTED_PROXIES"] == subnet["subnet"]


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_the_proxy_understands_its_configuration(tmp_path: Path) -> None:
    # Names of containers mean nothing here.
    text = (DOCKER / "nginx.conf").read_text().replace("server api:8000", "server 127.0.0.1:8000")
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(text.replace("/tmp/", f"{tmp_path}/"))

    ran = subprocess.run(
        ["nginx", "-t", "-p", str(tmp_path), "-c", str(configuration)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr


def test_the_proxy_keeps_strangers_addresses_deadlines_and_sizes() -> None:
    text = (DOCKER / "nginx.conf").read_text()

    for line in (
        "client_header_timeout 10s;",
        "client_body_timeout 15s;",
        "client_max_body_size 1m;",
        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        "limit_conn connections 64;",
    ):
        assert line in text


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "postgres"])
def test_our_services_have_no_capabilities_to_lose(name: str) -> None:
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in SERVICES[name]["security_opt"]


def test_the_image_runs_as_an_ordinary_user_from_pinned_dependencies() -> None:
    lines = (DOCKER / "Dockerfile").read_text().splitlines()

    users = [line for line in lines if line.startswith("USER ")]
    installs = [line for line in lines if "pip install" in line]

    assert users == ["USER shelter"]
    assert "--require-hashes" in installs[0]
    assert all("--no-deps" in line for line in installs)


def test_the_databases_speak_the_drivers_that_shelter_and_dagster_need() -> None:
    environment = COMPOSE["x-shelter"]["environment"]

    assert environment["SHELTER_DATABASE_URL"].startswith("postgresql+psycopg://")
    assert environment["SHELTER_DAGSTER_DATABASE_URL"].startswith("postgresql+psycopg2://")
