"""`shelter` as a person or a script runs it: a process of its own, real servers, one JSON object or one sentence."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline_tests.support.fault_server import FaultServer, whole

Shelter = Callable[..., "subprocess.CompletedProcess[str]"]

HARVEST = {
    *("portal", "verdict", "expected", "seen", "new", "changed", "unchanged", "refused", "delisted"),
    *("resources", "seconds"),
}
RESCUE = {"organization", "verdict", "datasets", "expected_files", "held_files", "held_bytes", "failed"}
REBUILD = {
    *("store", "manifests", "damaged_manifests", "captures", "assets", "blobs", "copies", "missing_blobs"),
    *("unlisted_blobs", "datasets", "organizations", "seconds"),
}
FETCH = {"verdict", "reason", "sha256", "size", "requests", "flags", "final_url"}


def run(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shelter_pipeline.cli", *arguments],
        env=os.environ | {f"SHELTER_{name.upper()}": str(value) for name, value in settings.items()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def shelter(catalog_url: str, tmp_path: Path) -> Shelter:
    """`shelter` on a catalog and a store of the test's own."""
    defaults = {
        "home": tmp_path / "home",
        "database_url": catalog_url,
        "dagster_database_url": catalog_url.replace("psycopg", "psycopg2"),
        "store": tmp_path / "store",
        "allowed_networks": "127.0.0.0/8",
    }
    return lambda *arguments, **settings: run(*arguments, **(defaults | settings))


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port of loopback on which nobody listens, and nobody else can."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def result_of(ended: subprocess.CompletedProcess[str], *, code: int = 0) -> dict[str, Any]:
    """The one JSON object on standard output."""
    assert ended.returncode == code, ended.stderr
    (line,) = ended.stdout.splitlines()
    value = json.loads(line)
    assert isinstance(value, dict)
    return value


def assert_one_sentence(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("shelter: ")
    assert all(word in line for word in words), line


def test_a_rescue_from_harvest_to_scrub_speaks_the_contract(shelter: Shelter, tmp_path: Path) -> None:
    with SamplePortal() as portal:
        harvested = result_of(shelter("harvest", "--portal", f"datagov:{portal.base_url}", "--json"))
        rescued = result_of(shelter("rescue", "--organization", "city-of-riverton", "--json"))
        right = portal.expectations.by_organization["city-of-riverton"]
    status = result_of(shelter("status", "--json"))
    scrubbed = result_of(shelter("scrub", "--store", str(tmp_path / "store"), "--json"))

    assert set(harvested) >= HARVEST
    assert (harvested["verdict"], harvested["seen"], harvested["refused"]) == ("complete", 300, 3)
    assert set(rescued) >= RESCUE
    assert (rescued["verdict"], rescued["held_files"]) == ("complete", right.held_files)
    assert (status["datasets"], status["held_files"]) == (300, right.held_files)
    assert len(status["by_organization"]) == 12
    rebuilt = result_of(shelter("rebuild", "--store", str(tmp_path / "store"), "--json"))
    assert (scrubbed["ok"] >= 1, scrubbed["damaged"], scrubbed["missing"]) == (True, 0, 0)
    # The catalog is there, so there is nothing that it does not know.
    assert (rebuilt["manifests"] >= 1, rebuilt["captures"], rebuilt["copies"]) == (True, 0, 0)


def test_an_address_where_nobody_listens_is_unreachable_and_exits_with_1(
    shelter: Shelter, unused_port: int
) -> None:
    ended = shelter("harvest", "--portal", f"ckan:http://127.0.0.1:{unused_port}", "--json")

    result = result_of(ended, code=1)
    assert set(result) >= HARVEST
    assert (result["verdict"], result["seen"], result["delisted"]) == ("unreachable", 0, 0)
    assert "\n" not in result["message"]
    assert ended.stderr == ""


def test_a_rebuild_says_what_is_missing_and_refuses_what_is_no_store(
    shelter: Shelter, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    with FaultServer() as server:
        url = server.serves("/a.csv", *whole(b"a,b\n1,2\n"))
        sha256 = result_of(shelter("fetch", url, "--store", str(store), "--json"))["sha256"]
    (blob,) = store.rglob(sha256)
    blob.unlink()

    rebuilt = result_of(shelter("rebuild", "--store", str(store), "--json"), code=1)
    shown = shelter("rebuild", "--store", str(store))
    refused = shelter("rebuild", "--store", str(tmp_path / "elsewhere"), "--json")

    assert set(rebuilt) >= REBUILD
    assert (rebuilt["store"], rebuilt["missing"]) == (str(store), [sha256])
    assert (shown.returncode, f"missing: {sha256}" in shown.stdout) == (1, True)
    assert_one_sentence(refused, "holds no store")


def test_fetch_and_scrub_print_what_they_promise(tmp_path: Path) -> None:
    body = b"a,b\n1,2\n"
    with FaultServer() as server:
        url = server.serves("/a.csv", *whole(body))
        store = str(tmp_path / "store")
        first = result_of(run("fetch", url, "--store", store, "--json", allowed_networks="127.0.0.0/8"))
        refused = result_of(run("fetch", url, "--store", store, "--json"))

    assert set(first) == set(refused) == FETCH
    assert (first["verdict"], first["sha256"]) == ("stored", hashlib.sha256(body).hexdigest())
    assert (refused["verdict"], refused["reason"]) == ("refused", "private-address")

    blob = next((tmp_path / "store" / "blobs").rglob(first["sha256"]))
    blob.chmod(0o644)
    blob.write_bytes(b"rot")
    scrubbed = result_of(run("scrub", "--store", store, "--json"), code=1)
    assert (scrubbed["ok"], scrubbed["damaged"], scrubbed["extra"]) == (0, 1, 0)
    assert len(scrubbed["quarantined"]) == 1


def test_an_unknown_organization_is_one_sentence(shelter: Shelter) -> None:
    assert_one_sentence(shelter("rescue", "--organization", "epa-gob", "--json"), "'epa-gob'", "harvest")


def test_a_dead_database_is_one_sentence_without_its_password(shelter: Shelter, unused_port: int) -> None:
    url = f"postgresql://shelter:hunter2@127.0.0.1:{unused_port}/shelter"

    ended = shelter("status", "--json", database_url=url)

    assert_one_sentence(ended, "SHELTER_DATABASE_URL", f"127.0.0.1:{unused_port}")
    assert "hunter2" not in ended.stderr


def test_a_store_that_cannot_be_used_is_one_sentence(shelter: Shelter, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")

    ended = shelter("fetch", "http://example.invalid/", "--store", str(tmp_path / "file"), "--json")

    assert_one_sentence(ended, str(tmp_path / "file"))


def test_migrate_says_what_it_did_and_can_be_repeated(shelter: Shelter, database_url: str) -> None:
    first = shelter("migrate", database_url=database_url, dagster_database_url="")
    second = shelter("migrate", database_url=database_url, dagster_database_url="")

    assert (first.returncode, second.returncode) == (0, 0)
    assert "none" in first.stdout
    assert "up to date" in second.stdout
