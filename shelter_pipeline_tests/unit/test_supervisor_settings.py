"""What the settings become for the parts of the stack: files, environments, ports."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.addresses import public_urls
from shelter_pipeline.embedded.database import DatabaseUrls
from shelter_pipeline.embedded.instance import (
    Instance,
    dagster_yaml,
    packaged_file,
    workspace_yaml,
    write_instance,
)
from shelter_pipeline.embedded.parts import part_environment
from shelter_pipeline.embedded.stack import Stack, check_ports
from shelter_pipeline.settings import load_settings

URLS = DatabaseUrls("postgresql+psycopg://catalog", "postgresql+psycopg2://dagster")


def base() -> str:
    return packaged_file("dagster.yaml").read_text()


def test_the_limits_of_the_settings_become_plain_numbers() -> None:
    written = yaml.safe_load(dagster_yaml(base(), load_settings(max_concurrent_runs=7)))

    assert written["concurrency"]["runs"]["max_concurrent_runs"] == 7
    assert written["concurrency"]["pools"]["default_limit"] == 6


def test_everything_else_of_the_instance_is_the_repositorys() -> None:
    original = yaml.safe_load(base())

    assert yaml.safe_load(dagster_yaml(base(), load_settings(max_concurrent_runs=4))) == original


def test_nothing_is_sent_to_anybody_and_the_storage_is_one_variable() -> None:
    original = yaml.safe_load(base())

    assert original["telemetry"] == {"enabled": False}
    assert original["nux"] == {"enabled": False}
    assert original["storage"] == {"postgres": {"postgres_url": {"env": "SHELTER_DAGSTER_DATABASE_URL"}}}


def test_the_workspace_leads_to_the_code_server_of_the_settings() -> None:
    written = yaml.safe_load(workspace_yaml(load_settings(code_server_port=4711)))

    server = {"host": "127.0.0.1", "port": 4711, "location_name": "shelter_pipeline"}
    assert written == {"load_from": [{"grpc_server": server}]}


def test_the_instance_folder_holds_both_files(tmp_path: Path) -> None:
    instance = write_instance(tmp_path, load_settings())

    assert {path.name for path in instance.folder.iterdir()} == {"dagster.yaml", "workspace.yaml"}


def test_an_instance_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "dagster").write_text("in the way")

    with pytest.raises(SetupError, match=r"SHELTER_HOME: .*dagster cannot be written"):
        write_instance(tmp_path, load_settings())


def test_a_file_that_is_missing_from_the_installation_is_named() -> None:
    with pytest.raises(SetupError, match=r"no-such\.yaml is missing from this installation"):
        packaged_file("no-such.yaml")


def test_children_are_told_every_setting_that_was_chosen_and_the_running_databases(tmp_path: Path) -> None:
    settings = load_settings(
        home=tmp_path, allowed_networks="127.0.0.0/8,10.0.0.0/8", allowed_ports="80,443", host_delay_seconds=0
    )

    environment = part_environment(settings, tmp_path, URLS, Instance(tmp_path / "dagster", tmp_path / "w"))

    assert environment["SHELTER_ALLOWED_NETWORKS"] == "127.0.0.0/8,10.0.0.0/8"
    assert environment["SHELTER_ALLOWED_PORTS"] == "80,443"
    assert environment["SHELTER_DATABASE_URL"] == URLS.catalog
    assert environment["SHELTER_DAGSTER_DATABASE_URL"] == URLS.dagster
    assert environment["SHELTER_HOME"] == str(tmp_path)
    assert environment["DAGSTER_HOME"] == str(tmp_path / "dagster")


def test_a_child_reads_the_settings_its_parent_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(
        home=tmp_path, allowed_networks="127.0.0.0/8", store=str(tmp_path / "s"), max_concurrent_runs=2
    )
    environment = part_environment(settings, tmp_path, URLS, Instance(tmp_path, tmp_path))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    child = load_settings()

    databases = {"database_url", "dagster_database_url"}
    assert child.model_dump(exclude=databases) == settings.model_dump(exclude=databases)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, {"dagster_public_url": "http://127.0.0.1:3000", "api_public_url": "http://127.0.0.1:8000"}),
        (
            {"bind_address": "::1", "dagster_public_url": "https://d.example.org", "api_port": 8080},
            {"dagster_public_url": "https://d.example.org", "api_public_url": "http://127.0.0.1:8080"},
        ),
        # Under which of its names it is reached nobody knows.
        ({"bind_address": "0.0.0.0"}, {"api_public_url": "http://127.0.0.1:8000"}),
        (
            {"api_bind_address": "::", "api_public_url": "https://data.example.org"},
            {"dagster_public_url": "http://127.0.0.1:3000", "api_public_url": "https://data.example.org"},
        ),
    ],
)
def test_pages_lead_to_each_other_at_the_addresses_that_were_chosen_unless_an_operator_says_otherwise(
    said: dict[str, Any], found: dict[str, str]
) -> None:
    assert public_urls(load_settings(**said)) == found


def test_a_taken_port_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        with pytest.raises(SetupError, match=rf"port {port} \(SHELTER_DAGSTER_PORT\) is taken; set another"):
            check_ports({"SHELTER_DAGSTER_PORT": ("127.0.0.1", port)})


def test_one_port_for_two_parts_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    ports = {"SHELTER_DAGSTER_PORT": ("127.0.0.1", port), "SHELTER_CODE_SERVER_PORT": ("127.0.0.1", port)}

    with pytest.raises(
        SetupError, match=rf"SHELTER_CODE_SERVER_PORT and SHELTER_DAGSTER_PORT are both {port}"
    ):
        check_ports(ports)


def test_an_address_of_another_machine_is_named_with_its_setting() -> None:
    with pytest.raises(SetupError, match=r"SHELTER_BIND_ADDRESS: cannot listen on '192\.0\.2\.1'"):
        check_ports({"SHELTER_DAGSTER_PORT": ("192.0.2.1", 3000)})


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:3000"),
        ("0.0.0.0", "http://127.0.0.1:3000"),
        ("::", "http://[::1]:3000"),
        ("::1", "http://[::1]:3000"),
    ],
)
def test_the_url_to_look_at_is_one_that_can_be_opened(address: str, url: str) -> None:
    assert Stack(load_settings(bind_address=address)).urls == {"dagster": url}


def test_a_stack_without_a_webserver_has_nothing_to_look_at() -> None:
    assert Stack(load_settings(), parts=("code-server", "daemon")).urls == {}


def test_a_stack_that_was_not_started_says_so() -> None:
    stack = Stack(load_settings())

    with pytest.raises(SetupError, match="not running"):
        stack.dagster.query("query { version }")
    with pytest.raises(SetupError, match="not been started"):
        _ = stack.databases
