"""What compose.yaml describes, started natively: it comes up, rescues through the fleet, and comes back when killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from docker.native.stand_ins import check_programs
from docker.native.topology import Topology
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.fleet import list_workers
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.dagster_client import DagsterClient
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline_tests.support.ports import free_port_row

pytestmark = [pytest.mark.stack, pytest.mark.timeout(420)]
PATIENCE_SECONDS = 120
ORGANIZATIONS = ("doe-gov", "usda-gov")


@pytest.fixture(scope="module")
def sample() -> Iterator[SamplePortal]:
    port = free_port_row(4)
    with SamplePortal(port, port + 1, more_ports=(port + 2, port + 3)) as portal:
        yield portal


@pytest.fixture(scope="module")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    try:
        check_programs(["redis", "nginx", "chrislusf/seaweedfs"])
    except SetupError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("topology")
    settings = {"SHELTER_ALLOWED_NETWORKS": "127.0.0.0/8", "SHELTER_BATCH_MAX_ATTEMPTS": "1"}
    # All but what switches the nights' work on.
    topology = Topology(folder, scale={"worker": 2}, settings=settings, only=("proxy", "daemon", "worker"))
    try:
        topology.start()
        yield topology
    finally:
        topology.stop(grace_seconds=3)


def get(url: str, **arguments: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=30, **arguments)


def wait(ended: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not ended():
        assert time.monotonic() < deadline, what
        time.sleep(0.5)


def shelter(topology: Topology, *arguments: str) -> Any:
    ended = subprocess.run(
        ["shelter", *arguments, "--json"],
        env=topology.environment("worker-1"),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_only_the_proxy_shows_the_api_and_asks_before_it_shows_the_user_interface(topology: Topology) -> None:
    api, dagster = topology.urls["api"], topology.urls["dagster"]

    assert get(f"{api}/health").json()["status"] == "healthy"
    assert get(f"{api}/metrics").status_code == 404
    assert get(f"{dagster}/server_info").status_code == 401
    assert get(f"{dagster}/server_info", auth=("shelter", "guess")).status_code == 401
    assert "dagster_version" in get(f"{dagster}/server_info", auth=topology.login).json()


def test_no_password_is_in_a_list_of_processes_or_in_a_log(topology: Topology) -> None:
    commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    said = "".join(topology.log(name) for name in topology.processes)

    hidden = topology.secrets.keys() - {"SHELTER_S3_KEY"}  # a name, to which the secret belongs
    assert not [name for name in hidden if topology.secrets[name] in commands + said]


def test_the_stores_open_to_nobody_without_a_password(topology: Topology) -> None:
    environment = topology.environment("worker-1")
    redis = subprocess.run(
        ["redis-cli", "-h", topology.address("redis"), "ping"], capture_output=True, text=True, check=False
    )

    assert "NOAUTH" in redis.stdout
    assert get(environment["SHELTER_S3_ENDPOINT_URL"]).status_code == 403
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            host=topology.address("postgres"),
            user="shelter",
            dbname="shelter",
            password="guess",
            connect_timeout=5,
        )


def test_organizations_are_rescued_through_the_fleet(topology: Topology, sample: SamplePortal) -> None:
    dagster = DagsterClient(f"http://{topology.address('webserver')}:3000")
    portal = shelter(
        topology, "portal", "add", f"datagov:{sample.base_url}", "--name", "sample", "--no-nightly"
    )
    dagster.add_partitions("portal", ["sample"])

    def follow(job: str, partition: str) -> None:
        run = dagster.launch(job, {"dagster/partition": partition})
        wait(lambda: dagster.run_status(run) in {"SUCCESS", "FAILURE", "CANCELED"}, f"{job} of {partition}")
        assert dagster.run_status(run) == "SUCCESS", topology.log("worker-1") + topology.log("worker-2")

    follow("refresh_portal", "sample")
    for organization in ORGANIZATIONS:
        follow("plan_organizations", organization)
    dagster.switch_on_automation({"download_sensor"})

    def progress() -> dict[str, Mapping[str, Any]]:
        with closing(Catalog(topology.environment("api")["SHELTER_DATABASE_URL"], pool_size=1)) as catalog:
            rows = catalog.rows("organization_progress", organization_id=None)
        return {row["organization"]: row for row in rows}

    wait(lambda: all(progress()[each]["waiting_files"] == 0 for each in ORGANIZATIONS), "the downloads")
    rescued = progress()
    for organization in ORGANIZATIONS:
        right = sample.expectations.by_organization[organization]
        assert (rescued[organization]["held_files"], rescued[organization]["held_bytes"]) == (
            right.held_files,
            right.held_bytes,
        )
    assert portal


def test_what_is_killed_comes_back_and_finds_its_state(topology: Topology) -> None:
    victims = ("redis", "postgres", "objects", "worker-2", "code-server")
    before = {name: topology.processes[name].pid for name in victims}

    for name in victims:
        topology.kill(name)
    topology.wait_until_healthy()

    assert all(topology.processes[name].pid != pid for name, pid in before.items())
    assert get(f"{topology.urls['api']}/health").json()["status"] == "healthy"
    with closing(Catalog(topology.environment("api")["SHELTER_DATABASE_URL"], pool_size=1)) as catalog:
        assert {row["name"] for row in list_workers(catalog)} == {"worker-1", "worker-2"}


def test_what_is_held_down_stays_down_until_it_is_started(topology: Topology) -> None:
    topology.kill("daemon", hold=True)
    assert not topology.is_healthy("daemon")

    topology.start_service("daemon")
    topology.wait_until_healthy("daemon")


def test_a_process_that_ends_by_itself_takes_its_children_along_and_is_started_again(
    topology: Topology,
) -> None:
    process = topology.processes["worker-1"]
    former = process.pid

    os.kill(former, signal.SIGKILL)
    wait(lambda: process.pid != former and process.is_alive(), "the worker's restart")

    listed = subprocess.run(["ps", "-eo", "sess=,stat="], capture_output=True, text=True, check=True).stdout
    assert str(former) not in [line.split()[0] for line in listed.splitlines() if line.split()[1][0] != "Z"]


def test_a_folder_has_one_topology_at_a_time(topology: Topology) -> None:
    with pytest.raises(SetupError, match=f"is running in {topology.folder} as process"):
        Topology(topology.folder).start()

    assert topology.is_healthy("redis")


def test_a_name_that_is_none_is_told_with_those_that_are(topology: Topology, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"no process 'reddis'; there are .*redis"):
        topology.kill("reddis")
    with pytest.raises(SetupError, match="names no service"):
        Topology(tmp_path, scale={"wroker": 2})
