"""compose.yaml read and translated for processes of one machine: variables, order, names, addresses, paths."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from docker.native.__main__ import main
from docker.native.compose_file import ComposeFile, interpolate, read_compose, required_variables, seconds
from docker.native.keeping import claim_network, keep_environment, kept_ports, kept_secrets
from docker.native.stand_ins import kind_of
from docker.native.topology import COMPOSE, Topology
from docker.native.translation import Translator
from shelter_pipeline.domain.errors import SetupError

ROOT = Path("/tmp/state/roots/api")


def compose_of(text: str, tmp_path: Path) -> ComposeFile:
    path = tmp_path / "compose.yaml"
    path.write_text(text)
    return read_compose(path, {})


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("${A}", {"A": "x"}, "x"),
        ("${A}", {}, ""),
        ("${A:-y}", {"A": ""}, "y"),
        ("${A-y}", {"A": ""}, ""),
        ("${A:-}", {}, ""),
        ("${A:?gone}", {"A": "x"}, "x"),
        ("$A/$$B", {"A": "x"}, "x/$B"),
        ("a ${A:-http://host:8333} b", {}, "a http://host:8333 b"),
    ],
)
def test_variables_are_filled_in_as_compose_does(text: str, variables: dict[str, str], expected: str) -> None:
    assert interpolate(text, variables) == expected


def test_a_missing_secret_is_refused_with_the_reason_of_the_file() -> None:
    with pytest.raises(SetupError, match="A is missing: choose one"):
        interpolate("${A:?choose one}", {"A": ""})


def test_durations_are_read() -> None:
    assert (seconds("1h2m3s"), seconds("500ms"), seconds("90s")) == (3723, 0.5, 90)


def test_services_come_after_what_they_depend_on_and_alone_with_it(tmp_path: Path) -> None:
    compose = compose_of(
        """
        services:
          c: {image: shelter, depends_on: {b: {condition: service_healthy}}}
          b: {image: shelter, depends_on: {a: {condition: service_started}}}
          a: {image: redis}
          d: {image: redis}
        """,
        tmp_path,
    )

    assert compose.levels() == [{"a", "d"}, {"b"}, {"c"}]
    assert list(compose.only(["b"]).services) == ["a", "b"]
    with pytest.raises(SetupError, match="no service e"):
        compose.only(["e"])


def test_services_that_wait_for_each_other_are_refused(tmp_path: Path) -> None:
    circle = """
        services:
          a: {image: redis, depends_on: {b: {condition: service_healthy}}}
          b: {image: redis, depends_on: {a: {condition: service_healthy}}}
        """
    with pytest.raises(SetupError, match="depend on each other"):
        compose_of(circle, tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "postgresql+psycopg://shelter:api@postgres:5432/api",
            "postgresql+psycopg://shelter:api@127.70.1.10:5432/api",
        ),
        ("http://objects:8333", "http://127.70.1.12:40001"),
        ("server api:8000 max_fails=0;", "server 127.70.1.13:8000 max_fails=0;"),
        ("listen 0.0.0.0:8080; # 10.0.0.0/8", "listen 127.70.1.13:8080; # 10.0.0.0/8"),
        ("http://127.0.0.1:8000/health", "http://127.70.1.13:8000/health"),
        ("172.29.77.0/24", "127.70.1.0/24"),
        ("not-postgres:1 my.postgres:1 api", "not-postgres:1 my.postgres:1 api"),
        ("-dir=/data,/tmp/a /tmpfoo /x/tmp", f"-dir={ROOT}/data,{ROOT}/tmp/a /tmpfoo /x/tmp"),
        ("/etc/nginx/nginx.conf", f"{ROOT}/etc/nginx/nginx.conf"),
    ],
)
def test_texts_change_only_where_they_name_a_host_or_a_path(text: str, expected: str, tmp_path: Path) -> None:
    compose = compose_of(
        "{services: {}, networks: {edge: {ipam: {config: [{subnet: 172.29.77.0/24}]}}}}", tmp_path
    )
    addresses = {"postgres": "127.70.1.10", "objects": "127.70.1.12", "api": "127.70.1.13"}
    translator = Translator(compose, "127.70.1", addresses, {("objects", 8333): 40001})
    paths = ("/data", "/tmp", "/etc/nginx/nginx.conf")

    assert translator.text(text, "api", own="127.70.1.13", root=ROOT, paths=paths) == expected


def test_a_variable_that_is_a_service_becomes_its_address(tmp_path: Path) -> None:
    translator = Translator(
        compose_of("{services: {}}", tmp_path), "127.70.1", {"code-server": "127.70.1.10"}
    )

    assert [translator.host(value) for value in ("code-server", "code-servers")] == [
        "127.70.1.10",
        "code-servers",
    ]


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        ("shelter", "shelter"),
        ("postgres:18.4-bookworm@sha256:00", "postgres"),
        ("chrislusf/seaweedfs:4.48", "seaweedfs"),
        ("nginxinc/nginx-unprivileged:1.29-alpine", "nginx"),
        ("registry.example.org:5000/shelter:1", "shelter"),
    ],
)
def test_images_are_known_by_their_names(image: str, kind: str) -> None:
    assert kind_of(image) == kind


def test_a_folder_keeps_its_secrets_addresses_and_ports(tmp_path: Path) -> None:
    compose = COMPOSE.read_text()

    first = kept_secrets(tmp_path / "secrets.env", compose)
    claim, network = claim_network(tmp_path / "network")
    ports = kept_ports(tmp_path / "ports.json")
    claim.close()
    claim, again = claim_network(tmp_path / "network")
    claim.close()

    assert first.keys() == set(required_variables(compose))
    assert len(set(first.values())) == len(first)
    assert (tmp_path / "secrets.env").stat().st_mode & 0o077 == 0
    assert kept_secrets(tmp_path / "secrets.env", compose) == first
    assert again == network
    assert kept_ports(tmp_path / "ports.json") == ports


def test_two_topologies_never_have_the_same_addresses(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("127.99.1")
    (tmp_path / "b").write_text("127.99.1")
    one, first = claim_network(tmp_path / "a")
    other, second = claim_network(tmp_path / "b")
    one.close()
    other.close()

    assert first == "127.99.1"
    assert first != second


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--scale", "worker"], "SERVICE=N"),
        (["--scale", "worker=x"], "SERVICE=N"),
        (["--set", "PATH=x"], "SHELTER_NAME"),
    ],
)
def test_rubbish_on_the_command_line_is_told_what_it_should_be(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert word in capsys.readouterr().err


def test_a_service_that_is_none_is_one_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--folder", str(tmp_path), "--scale", "wroker=2"]) == 2
    assert capsys.readouterr().err.startswith("docker.native: scale: wroker=2 names no service")


def test_nothing_is_known_of_places_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="has not been started"):
        Topology(tmp_path).address("redis")


def test_commands_beside_a_topology_read_its_settings_from_a_file_of_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "shelter.env"

    keep_environment(path, {"SHELTER_STORE": "s3://a b", "AWS_ACCESS_KEY_ID": "$x'y", "PATH": "/nowhere"})

    assert path.stat().st_mode & 0o077 == 0
    said = subprocess.run(
        ["sh", "-c", f". {path}; env"], capture_output=True, text=True, check=True, env={"PATH": os.defpath}
    ).stdout.splitlines()
    assert {"SHELTER_STORE=s3://a b", "AWS_ACCESS_KEY_ID=$x'y", f"PATH={os.defpath}"} <= set(said)
