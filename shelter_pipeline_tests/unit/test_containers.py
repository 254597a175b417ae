"""What the container files must never say, read as data: no engine is needed to refuse a default password."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

DOCKER = Path(__file__).parents[2] / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_only_the_user_interface_is_published_and_only_on_the_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}

    assert list(published) == ["webserver"]
    assert all(port.startswith("127.0.0.1:") for port in published["webserver"])


def test_no_password_has_a_default() -> None:
    text = (DOCKER / "compose.yaml").read_text()

    uses = re.findall(r"\$\{SHELTER_POSTGRES_PASSWORD[^}]*\}", text)

    assert uses
    assert all(use.startswith("${SHELTER_POSTGRES_PASSWORD:?") for use in uses)


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
