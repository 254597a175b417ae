"""A whole fleet under test: the services of compose.yaml as processes, its workers on machines of their own.

with running_fleet(folder, workers=2) as fleet, fleet.serving(WideWeb(...)) as served:
    fleet.plan(served.web)
    fleet.download_until_settled(served.web)
    assert fleet.broken() == {}
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from docker.native.topology import Topology
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.embedded.dagster_client import LOCATION, DagsterClient
from shelter_pipeline_tests.support.invariants import broken_rows
from shelter_pipeline_tests.support.wide_web import ServedWeb, WideWeb, running_wide_web

DOWNLOADING = ("download_sensor", "lost_run_sensor", "cancelled_run_sensor", "reaper_sensor")
_PATIENCE_SECONDS = 240.0
_LOOK_SECONDS = 0.5
_PORTS = {"dagster": 3000}
# What a rescue came to: files by state; of each file how often it was stored, and how many results came too late.
_ASSETS = """
SELECT asset.state, count(*) AS files
  FROM asset
 WHERE asset.url LIKE :urls
 GROUP BY asset.state
"""
_SETTLED = """
SELECT asset.url,
       count(*) FILTER (WHERE NOT capture.late AND capture.verdict = 'stored') AS stored,
       count(*) FILTER (WHERE capture.late) AS late
  FROM asset
  LEFT JOIN capture ON capture.asset_id = asset.id
 WHERE asset.url LIKE :urls
 GROUP BY asset.url
"""
_RUNS = """
query ($statuses: [RunStatus!]) { runsOrError(filter: {statuses: $statuses}) {
  ... on Runs { results { runId jobName status startTime endTime creationTime updateTime tags { key value } } }
  ... on PythonError { message } } }
"""
_TICK = """
mutation ($selector: SensorSelector!) { answer: sensorDryRun(selectorData: $selector, cursor: "") {
  __typename ... on PythonError { message } ... on DryRunInstigationTick { evaluationResult {
    skipReason error { message } runRequests { runKey } } } } }
"""
_SCHEDULED = """
mutation ($selector: ScheduleSelector!, $at: Float) { answer: scheduleDryRun(selectorData: $selector, timestamp: $at) {
  __typename ... on PythonError { message } ... on DryRunInstigationTick { evaluationResult {
    skipReason error { message } runRequests { runKey tags { key value } jobName } } } } }
"""
_TERMINATE = """
mutation ($id: String!) { answer: terminateRun(runId: $id) { __typename ... on PythonError { message } } }
"""


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the user interface shows it; times in seconds since the epoch, None before they are."""

    id: str
    job: str
    status: str
    created: float | None
    started: float | None
    ended: float | None
    tags: Mapping[str, str]


class Fleet:
    """A topology that runs, and what a person would ask of it."""

    def __init__(self, topology: Topology, wrap: Mapping[str, tuple[str, ...]], domain: str) -> None:
        self.topology = topology
        self.dagster = DagsterClient(f"http://{topology.address('webserver')}:{_PORTS['dagster']}")
        self._home = "worker-1" if "worker-1" in topology.processes else "code-server"
        self.catalog = Catalog(topology.environment(self._home)["SHELTER_DATABASE_URL"], pool_size=2)
        self._wrap = wrap
        self._domain = domain

    @property
    def workers(self) -> list[str]:
        """The names of the worker processes."""
        return sorted(name for name in self.topology.processes if name.startswith("worker-"))

    def web(self, title: str, **chosen: Any) -> WideWeb:
        """A web that this fleet can reach."""
        return WideWeb(title=title, domain=self._domain, **chosen)

    @contextmanager
    def serving(self, web: WideWeb) -> Iterator[ServedWeb]:
        """The web's server for the length of a block."""
        with running_wide_web(self.topology.folder, web) as served:
            yield served

    def command(self, *arguments: str, seconds: float = 120, **more: str) -> str:
        """What a Python module prints that is run where work is done. Fails with its errors."""
        ended = subprocess.run(
            [*self._wrap.get(self._home, ()), sys.executable, "-m", *arguments],
            env=self.topology.environment(self._home) | more,
            cwd=self.topology.folder,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if ended.returncode:
            raise AssertionError(f"{arguments}: {ended.stderr[-3000:]}")
        return ended.stdout

    def plan(self, web: WideWeb, **settings: str) -> list[str]:
        """Harvest, discover, score and plan a web; the keys of its batches."""
        module = "shelter_pipeline_tests.support.run_plan"
        return self.command(module, web.portal, *web.organizations, **settings).split()

    def settled(self, web: WideWeb) -> Counter[str]:
        """The files of a web by their state in the catalog."""
        return Counter({row["state"]: row["files"] for row in self.rows(_ASSETS, urls=self._urls(web))})

    def settlements(self, web: WideWeb) -> dict[str, tuple[int, int]]:
        """Of each file how often it was settled as stored, and how many results came too late."""
        return {row["url"]: (row["stored"], row["late"]) for row in self.rows(_SETTLED, urls=self._urls(web))}

    def await_held(
        self, web: WideWeb, at_least: int | None = None, seconds: float = _PATIENCE_SECONDS
    ) -> None:
        """Return when so many files of a web, all unless said, are held."""
        count = web.files if at_least is None else at_least
        self.wait_until(lambda: self.settled(web)["held"] >= count, seconds, lambda: f"{self.settled(web)}")

    def hurry(self) -> None:
        """Let batches that rest after a failed attempt begin now."""
        self.rows("UPDATE batch SET not_before = now() WHERE not_before > now() RETURNING id")

    def wait_until(
        self,
        is_so: Callable[[], bool],
        seconds: float = _PATIENCE_SECONDS,
        tell: Callable[[], str] = lambda: "",
    ) -> None:
        """Return when it is so; the catalog and Dagster may be away meanwhile."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if is_so():
                    return
            except ShelterError:
                if time.monotonic() > deadline:
                    raise
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:g} s: {tell()}; runs: {self.told_runs()}")
            time.sleep(_LOOK_SECONDS)

    def heard_of(self) -> list[str]:
        """The workers whose machine has said a moment ago that it takes runs."""
        heard = self.rows(
            "SELECT name FROM worker WHERE NOT ending AND beat_at > now() - interval '10 seconds'"
        )
        return sorted(row["name"] for row in heard)

    def at_work(self) -> dict[str, str]:
        """The runs that workers say they are at: run id and the worker's name."""
        return {row["run_id"]: row["worker"] for row in self.rows("SELECT run_id, worker FROM run_beat")}

    def a_run(self) -> tuple[str, str]:
        """A run that Dagster knows to be started and a worker says it is at, and the worker's name."""
        found: list[tuple[str, str]] = []

        def is_found() -> bool:
            started = (
                item for item in self.at_work().items() if self.dagster.run_status(item[0]) == "STARTED"
            )
            found.extend(started)
            return bool(found)

        self.wait_until(is_found)
        return found[0]

    def run_at(self, worker: str) -> str | None:
        """A batch that this worker is at."""
        return next((run_id for run_id, name in self.at_work().items() if name == worker), None)

    @contextmanager
    def told(self, worker: str, **variables: str) -> Iterator[None]:
        """A worker with further variables in its environment for the length of a block."""
        program = self.topology.processes[worker].program
        before = program.environment
        self.topology.stop_service(worker)
        program.environment = {**before, **variables}
        self.topology.start_service(worker)
        try:
            yield
        finally:
            self.topology.kill(worker, hold=True)
            program.environment = before
            self.topology.start_service(worker)

    def rows(self, statement: str, **bound: Any) -> list[dict[str, Any]]:
        """What the catalog answers."""
        with self.catalog.begin() as connection:
            return [dict(row) for row in connection.execute(sa.text(statement), bound).mappings()]

    def broken(self) -> dict[str, int]:
        """The invariants of the catalog that do not hold."""
        return broken_rows(self.catalog)

    def runs(self, *statuses: str) -> list[Run]:
        """Runs, the newest first; all, unless statuses are named."""
        answer = self.dagster.query(_RUNS, {"statuses": list(statuses) or None})["runsOrError"]
        if "results" not in answer:
            raise ShelterError(answer["message"])
        return [
            Run(
                each["runId"],
                each["jobName"],
                each["status"],
                each["creationTime"],
                each["startTime"],
                each["endTime"],
                {tag["key"]: tag["value"] for tag in each["tags"]},
            )
            for each in answer["results"]
        ]

    def told_runs(self) -> str:
        """The runs in a line, for the message of a failure."""
        try:
            return str(dict(Counter(f"{run.job} {run.status}" for run in self.runs())))
        except ShelterError as error:
            return str(error)

    def tick(self, sensor: str) -> dict[str, Any]:
        """Evaluate a sensor now, as its window in the user interface does; what it said."""
        return self._evaluated(_TICK, {"selector": _selector("sensorName", sensor)})

    def scheduled(self, schedule: str, at: float) -> dict[str, Any]:
        """Evaluate a schedule for the next of its times after this one; what it said."""
        return self._evaluated(_SCHEDULED, {"selector": _selector("scheduleName", schedule), "at": at})

    def terminate(self, run_id: str) -> None:
        """End a run, as its button in the user interface does."""
        answer = self.dagster.query(_TERMINATE, {"id": run_id})["answer"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def _evaluated(self, mutation: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        answer = self.dagster.query(mutation, variables)["answer"]
        assert "evaluationResult" in answer, answer
        said: dict[str, Any] = answer["evaluationResult"]
        assert said["error"] is None, said["error"]
        return said

    @staticmethod
    def _urls(web: WideWeb) -> str:
        first = web.host(0)
        return f"http://%:{web.port}/%" if ":" in first else f"http://%.{web.domain}/%"


def _selector(key: str, name: str) -> dict[str, str]:
    return {"repositoryLocationName": LOCATION, "repositoryName": "__repository__", key: name}


@contextmanager
def running_fleet(
    folder: Path,
    *,
    workers: int,
    settings: Mapping[str, str],
    variables: Mapping[str, Mapping[str, str]] | None = None,
    network: str | None = None,
    wrap: Mapping[str, tuple[str, ...]] | None = None,
    domain: str = "",
    sensors: tuple[str, ...] | None = DOWNLOADING,
    say: Callable[[str], None] = lambda _: None,
) -> Iterator[Fleet]:
    """Everything but the API and the proxy, healthy, with these sensors on (None: all automation)."""
    with Topology(
        folder,
        scale={"worker": workers},
        settings=settings,
        variables=variables,
        wrap=wrap,
        network=network,
        only=("worker", "webserver", "daemon"),
        say=say,
    ) as topology:
        topology.start()
        fleet = Fleet(topology, wrap or {}, domain)
        fleet.wait_until(fleet.dagster.has_location, 60)
        fleet.dagster.switch_on_automation(only=sensors)
        try:
            yield fleet
        finally:
            fleet.catalog.close()
