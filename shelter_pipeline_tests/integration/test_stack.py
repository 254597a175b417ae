"""What the embedded system promises when parts of it are killed: one stack, run as `shelter up` runs it."""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest
import requests

from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.embedded.dagster_client import DagsterClient
from shelter_pipeline.embedded.postmaster import find_postmaster
from shelter_pipeline_tests.support.postgres import reachable_folder

pytestmark = pytest.mark.stack

PARTS = ("code-server", "webserver", "daemon", "api")
PATIENCE_SECONDS = 60
LAUNCH = """
mutation { answer: launchRun(executionParams: {mode: "default", runConfigData: "{}", selector: {
  repositoryLocationName: "shelter_pipeline", repositoryName: "__repository__", jobName: "tiny_job"}}) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
RUN = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
MATERIALIZATIONS = """
query { assetOrError(assetKey: {path: ["tiny"]}) { ... on Asset { assetMaterializations { runId } } } }
"""
STATES = """
query { repositoriesOrError { ... on RepositoryConnection { nodes {
  sensors { name sensorState { id selectorId status } } schedules { name scheduleState { status } } } } } }
"""
STOP_SENSOR = """
mutation ($id: String!) { answer: stopSensor(id: $id) { __typename ... on PythonError { message } } }
"""


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class RunningStack:
    """The stack as a process, and what it has said so far."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        self.home = home
        self.environment = {
            **os.environ,
            "SHELTER_HOME": str(home),
            # A proxy that is not there: nothing of the stack may go through one.
            "http_proxy": "http://127.0.0.1:9",
            **environment,
        }
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.process: subprocess.Popen[str] | None = None
        self.dagster = DagsterClient(f"http://127.0.0.1:{environment['SHELTER_DAGSTER_PORT']}")

    def up(self) -> None:
        self.begin()
        self.await_line("^up$")

    def begin(self) -> None:
        self.said, self._lines = [], queue.Queue()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "shelter_pipeline_tests.support.run_stack"],
            env=self.environment,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._listen, args=(self.process, self._lines), daemon=True).start()

    def await_line(self, pattern: str) -> str:
        while (line := self._lines.get(timeout=PATIENCE_SECONDS)) is not None:
            self.said.append(line)
            if re.search(pattern, line):
                return line
        pytest.fail(f"the stack ended without saying {pattern!r}; it said {self.said}")

    def signal_and_wait(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_SECONDS)

    def processes(self) -> dict[str, psutil.Process]:
        """Every process of this home, by what it is."""
        found = {}
        for process in psutil.process_iter():
            try:
                mark = process.environ().get("DAGSTER_HOME", "")
            except psutil.Error:
                continue
            if mark == str(self.home / "dagster"):
                found[f"{' '.join(process.cmdline()[:5])} {process.pid}"] = process
        if running := find_postmaster(self.home / "postgres" / "data"):
            found["postgres"] = running.process
        return found

    def leader(self, part: str) -> int:
        # For a moment there may be one of a former leader beside it.
        record = max((self.home / "run").glob(f"{part}-*.json"), key=lambda path: path.stat().st_mtime)
        return int(record.stem.rpartition("-")[2])

    @staticmethod
    def _listen(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
        with process.stdout:
            for line in process.stdout:
                lines.put(line.rstrip())
        lines.put(None)


def eventually(question: Callable[[], Any]) -> Any:
    """The first answer that is not empty."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.2)
    return pytest.fail("it did not happen")


def materialize(stack: RunningStack) -> str:
    """Run the tiny job through queue, daemon and code server; returns its run once it has succeeded."""

    def launched() -> str:
        answer = stack.dagster.query(LAUNCH)["answer"]
        if answer["__typename"] == "LaunchRunSuccess":
            return answer["run"]["runId"]
        # The webserver notices at the first use that a connection in its pool is dead.
        assert "OperationalError" in answer["message"], answer
        return ""

    run_id = eventually(launched)

    def ended() -> str:
        status = status_of(stack, run_id)
        return status if status in {"SUCCESS", "FAILURE", "CANCELED"} else ""

    assert eventually(ended) == "SUCCESS"
    return run_id


def is_healthy(stack: RunningStack) -> bool:
    url = f"http://127.0.0.1:{stack.environment['SHELTER_API_PORT']}/health"
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, timeout=10).status_code == 200


def status_of(stack: RunningStack, run_id: str) -> str:
    return stack.dagster.query(RUN, {"id": run_id})["runOrError"]["status"]


def materialized_runs(stack: RunningStack) -> set[str]:
    asset = stack.dagster.query(MATERIALIZATIONS)["assetOrError"]
    return {each["runId"] for each in asset["assetMaterializations"]}


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    with reachable_folder() as folder:
        web, code, api = free_ports(3)
        running = RunningStack(
            folder / "home",
            {
                "SHELTER_DAGSTER_PORT": str(web),
                "SHELTER_CODE_SERVER_PORT": str(code),
                "SHELTER_API_PORT": str(api),
            },
        )
        try:
            running.up()
            yield running
        finally:
            running.signal_and_wait(signal.SIGTERM)
            for process in running.processes().values():
                process.kill()


@pytest.fixture
def up(stack: RunningStack) -> RunningStack:
    """The stack, started again if a former test ended it."""
    if stack.process.poll() is not None:
        stack.up()
    return stack


def test_a_run_goes_through_the_queue_and_its_events_are_written(up: RunningStack) -> None:
    run_id = materialize(up)

    assert run_id in materialized_runs(up)


def test_the_instance_takes_its_limits_from_the_settings(up: RunningStack) -> None:
    written = (up.home / "dagster" / "dagster.yaml").read_text()

    assert "max_concurrent_runs: 4" in written
    assert "psycopg" not in written


class CountingClient(DagsterClient):
    """The real client, which remembers what it asked for."""

    asked: ClassVar[list[str]] = []

    def query(
        self, query: str, variables: Mapping[str, Any] | None = None, *, timeout_seconds: float = 30
    ) -> dict[str, Any]:
        self.asked.append(query)
        return super().query(query, variables, timeout_seconds=timeout_seconds)


def test_only_partitions_that_are_missing_are_sent(up: RunningStack) -> None:
    keys = [f"key-{number}" for number in range(30)]
    up.dagster.add_partitions("tiny_parts", keys)
    client = CountingClient(up.dagster.url)

    client.add_partitions("tiny_parts", [*keys, "one more", "one more"])

    assert sum("mutation" in query for query in client.asked) == 1
    assert len(client.asked) <= 3
    assert client.known_partitions("tiny_parts") == [*keys, "one more"]


def test_a_partition_of_nothing_is_refused_by_name(up: RunningStack) -> None:
    with pytest.raises(ShelterError, match="the partition a of no_such_thing"):
        up.dagster.add_partitions("no_such_thing", ["a"])


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_killed_is_started_again(up: RunningStack, part: str) -> None:
    former = up.leader(part)

    os.kill(former, signal.SIGKILL)
    up.await_line(f"^{part} answers again$")

    assert up.leader(part) != former
    assert eventually(up.dagster.has_location)


def test_a_postgresql_that_is_killed_is_started_again_and_events_are_written(up: RunningStack) -> None:
    running = find_postmaster(up.home / "postgres" / "data")

    running.process.kill()
    up.await_line("^PostgreSQL answers again$")
    eventually(up.dagster.has_location)

    assert materialize(up) in materialized_runs(up)
    assert eventually(lambda: is_healthy(up))


def test_a_second_stack_on_the_same_home_is_told_who_is_there(up: RunningStack) -> None:
    second = RunningStack(up.home, up.environment)

    second.begin()
    line = second.await_line("^error: ")

    assert f"already running as process {up.process.pid} (shelter up)" in line
    assert second.process.wait(timeout=PATIENCE_SECONDS) == 2
    assert up.dagster.has_location()


def test_a_taken_port_is_named_with_its_setting(up: RunningStack, tmp_path: Path) -> None:
    port = up.environment["SHELTER_DAGSTER_PORT"]
    other = RunningStack(
        tmp_path / "other",
        {
            "SHELTER_DAGSTER_PORT": port,
            "SHELTER_CODE_SERVER_PORT": str(free_ports(1)[0]),
            "SHELTER_API_PORT": str(free_ports(1)[0]),
        },
    )

    other.begin()

    assert other.await_line("^error: ") == f"error: port {port} (SHELTER_DAGSTER_PORT) is taken; set another"
    assert other.process.wait(timeout=PATIENCE_SECONDS) == 2
    assert not (tmp_path / "other" / "postgres").exists()


def test_kill_9_of_the_supervisor_loses_nothing_and_what_a_person_stopped_stays_stopped(
    up: RunningStack,
) -> None:
    run_id = materialize(up)
    (repository,) = up.dagster.query(STATES)["repositoriesOrError"]["nodes"]
    (sensor,) = repository["sensors"]
    stopped = up.dagster.query(STOP_SENSOR, {"id": sensor["sensorState"]["id"]})
    assert stopped["answer"] == {"__typename": "StopSensorMutationResult"}
    before = set(up.processes())
    up.signal_and_wait(signal.SIGKILL)

    up.up()

    assert any("left running" in line for line in up.said), up.said
    assert not before & set(up.processes()) - {"postgres"}
    assert run_id in materialized_runs(up)
    (repository,) = up.dagster.query(STATES)["repositoriesOrError"]["nodes"]
    assert [each["sensorState"]["status"] for each in repository["sensors"]] == ["STOPPED"]
    assert [each["scheduleState"]["status"] for each in repository["schedules"]] == ["RUNNING"]


def test_a_run_that_was_lost_with_everything_else_does_not_keep_its_place(up: RunningStack) -> None:
    run_id = up.dagster.query(LAUNCH.replace("tiny_job", "slow_job"))["answer"]["run"]["runId"]
    eventually(lambda: status_of(up, run_id) == "STARTED")
    up.process.kill()
    for process in up.processes().values():
        process.kill()
    up.process.wait(timeout=PATIENCE_SECONDS)

    up.up()

    assert status_of(up, run_id) == "CANCELED"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything_and_leaves_no_process(up: RunningStack, number: signal.Signals) -> None:
    assert len(up.processes()) >= len(PARTS) + 1

    status = up.signal_and_wait(number)

    assert status == 0
    assert up.processes() == {}
    assert list((up.home / "run").iterdir()) == []


def test_a_signal_during_the_start_leaves_no_process(stack: RunningStack) -> None:
    if stack.process.poll() is None:
        stack.signal_and_wait(signal.SIGTERM)
    stack.begin()
    eventually(lambda: list((stack.home / "run").glob("code-server-*.json")))

    stack.signal_and_wait(signal.SIGTERM)

    assert stack.processes() == {}
