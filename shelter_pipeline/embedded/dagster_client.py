"""What the stack asks of Dagster, by the GraphQL of its webserver: does it answer, switch this on.

Dagster is not imported here: the stack's own process stays small, and it sees what a
person at the user interface sees.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from shelter_pipeline.domain.errors import ShelterError, TransientError

LOCATION = "shelter_pipeline"
_TIMEOUT_SECONDS = 30.0
_READS = 6
_LOST_CONNECTION = "OperationalError"
_PROBE_SECONDS = 10.0

_LOCATION = """
query { workspaceOrError { ... on Workspace { locationEntries {
  name loadStatus locationOrLoadError { __typename } } } } }
"""
_DAEMONS = """
query { instance { daemonHealth { allDaemonStatuses {
  daemonType required healthy lastHeartbeatTime } } } }
"""
_LOST_RUNS = """
query ($before: Float!) { runsOrError(filter: {
  statuses: [STARTING, STARTED, CANCELING], updatedBefore: $before}) {
  ... on Runs { results { runId } } ... on PythonError { message } } }
"""
_CANCEL_RUNS = """
mutation ($ids: [String!]!) { answer: terminateRuns(
  runIds: $ids, terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY) { __typename ... on PythonError { message } } }
"""
_AUTOMATION = """
query { repositoriesOrError { ... on RepositoryConnection { nodes {
  id name location { name } origin { id } sensors { name } schedules { name } } }
  ... on PythonError { message } } }
"""
_STORED = """
query ($id: String!) { instigationStatesOrError(repositoryID: $id) {
  ... on InstigationStates { results { name instigationType } } ... on PythonError { message } } }
"""
_START_SENSOR = """
mutation ($selector: SensorSelector!) { answer: startSensor(sensorSelector: $selector) {
  __typename ... on PythonError { message } ... on UnauthorizedError { message } } }
"""
_START_SCHEDULE = """
mutation ($selector: ScheduleSelector!) { answer: startSchedule(scheduleSelector: $selector) {
  __typename ... on PythonError { message } ... on UnauthorizedError { message } } }
"""
_REPOSITORY = "__repository__"
_PARTITIONED = """
query { assetNodes { assetKey { path } partitionDefinition { name } } }
"""
_PARTITIONS = """
query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode { partitionKeys } } }
"""
_ADD_PARTITION = """
mutation ($selector: RepositorySelector!, $name: String!, $key: String!) {
  answer: addDynamicPartition(repositorySelector: $selector, partitionsDefName: $name, partitionKey: $key) {
  __typename ... on PythonError { message } ... on UnauthorizedError { message } } }
"""
_LAUNCH = """
mutation ($params: ExecutionParams!) { answer: launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on UnauthorizedError { message } ... on InvalidSubsetError { message } } }
"""
_RUN_STATUS = """
query ($id: ID!) { runOrError(runId: $id) { __typename ... on Run { status } } }
"""
_KINDS = (
    ("sensors", "SENSOR", "sensorName", _START_SENSOR),
    ("schedules", "SCHEDULE", "scheduleName", _START_SCHEDULE),
)


@dataclass(frozen=True, slots=True)
class DagsterClient:
    """The webserver at `url`."""

    url: str

    def query(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> dict[str, Any]:
        """The `data` of a GraphQL answer.

        Raises TransientError when the webserver does not answer, or has lost its database even after some
        tries at a query that changes nothing, and ShelterError when it refuses the query.
        """
        reading = query.lstrip().startswith("query")
        for _ in range(_READS if reading else 1):
            answer = self._post(query, variables, timeout_seconds)
            problem = (answer.get("errors") or [{}])[0].get("message")
            if problem is None:
                data: dict[str, Any] = answer["data"]
                return data
            # Each pool of the webserver learns only by using a connection that the server was restarted.
            if _LOST_CONNECTION not in problem:
                raise ShelterError(f"Dagster refuses the query: {problem}")
        raise TransientError(f"Dagster's webserver at {self.url} has lost its database: {problem}")

    def _post(
        self, query: str, variables: Mapping[str, Any] | None, timeout_seconds: float
    ) -> dict[str, Any]:
        try:
            with requests.Session() as session:
                session.trust_env = False  # a proxy has no business on the loopback
                reply = session.post(
                    f"{self.url}/graphql",
                    json={"query": query, "variables": dict(variables or {})},
                    timeout=timeout_seconds,
                )
            answer: dict[str, Any] = reply.json()
        except requests.JSONDecodeError:
            raise TransientError(_no_dagster(self.url, reply.status_code)) from None
        except (
            requests.exceptions.MissingSchema,
            requests.exceptions.InvalidSchema,
            requests.exceptions.InvalidURL,
        ):
            raise ShelterError(
                f"{self.url!r} is no address of a webserver, as http://127.0.0.1:3000"
            ) from None
        except requests.RequestException as error:
            raise TransientError(
                f"Dagster's webserver at {self.url} does not answer ({type(error).__name__}); check that it runs"
                " (`shelter up`, or `shelter serve webserver`) and that this is its address"
            ) from error
        return answer

    def has_location(self) -> bool:
        """Whether Shelter's definitions are loaded and ready for use."""
        entries = self._try(_LOCATION).get("workspaceOrError", {}).get("locationEntries", [])
        return any(
            entry["name"] == LOCATION
            and entry["loadStatus"] == "LOADED"
            and (entry["locationOrLoadError"] or {}).get("__typename") == "RepositoryLocation"
            for entry in entries
        )

    def has_daemons(self, since: float = 0) -> bool:
        """Whether every daemon that this instance needs has given a sign of life lately.

        Signs from before `since` (seconds since the epoch) are those of a former process.
        """
        health = self._try(_DAEMONS).get("instance", {}).get("daemonHealth", {})
        statuses = [each for each in health.get("allDaemonStatuses", []) if each["required"]]
        return bool(statuses) and all(
            each["healthy"] and (each["lastHeartbeatTime"] or 0) >= since for each in statuses
        )

    def cancel_lost_runs(self, before: float) -> int:
        """Mark the runs as cancelled that were under way before this moment; returns how many.

        For an instance whose processes of that time are all known to be gone: nobody else would ever end
        such a run, and it would keep its place among the runs at once.
        """
        answer = self.query(_LOST_RUNS, {"before": before})["runsOrError"]
        ids = [each["runId"] for each in _part(answer, "results")]
        if ids:
            ended = self.query(_CANCEL_RUNS, {"ids": ids})["answer"]
            if "message" in ended:
                raise ShelterError(f"Dagster cannot cancel lost runs: {ended['message']}")
        return len(ids)

    def switch_on_automation(self, only: Collection[str] | None = None) -> list[str]:
        """Start each sensor and schedule that nobody ever started or stopped; returns their names.

        `only` names those to consider. One that a person has stopped stays stopped. Raises ShelterError
        naming the one that cannot start.
        """
        started = []
        for repository in _part(self.query(_AUTOMATION)["repositoriesOrError"], "nodes"):
            identity = f"{repository['origin']['id']}::{repository['id']}"
            stored = _part(self.query(_STORED, {"id": identity})["instigationStatesOrError"], "results")
            touched = {(each["instigationType"], each["name"]) for each in stored}
            for plural, kind, key, mutation in _KINDS:
                names = [each["name"] for each in repository[plural] if (kind, each["name"]) not in touched]
                names = [name for name in names if only is None or name in only]
                for name in names:
                    self._start(repository, key, name, mutation)
                started += names
        return started

    def known_partitions(self, name: str) -> list[str]:
        """The keys of the dynamic partitions of this name, in their order; none if no asset has them."""
        for node in self.query(_PARTITIONED)["assetNodes"]:
            if (node["partitionDefinition"] or {}).get("name") == name:
                answer = self.query(_PARTITIONS, {"key": {"path": node["assetKey"]["path"]}})
                return list(_part(answer["assetNodeOrError"], "partitionKeys"))
        return []

    def add_partitions(self, name: str, keys: Sequence[str]) -> None:
        """Make every key a dynamic partition of this name; those that are known are not sent.

        Raises ShelterError naming the key that cannot be added.
        """
        selector = {"repositoryLocationName": LOCATION, "repositoryName": _REPOSITORY}
        known = set(self.known_partitions(name))
        for key in dict.fromkeys(key for key in keys if key not in known):
            variables = {"selector": selector, "name": name, "key": key}
            answer = self.query(_ADD_PARTITION, variables)["answer"]
            if "message" in answer:
                raise ShelterError(f"Dagster cannot add the partition {key} of {name}: {answer['message']}")

    def launch(self, job: str, tags: Mapping[str, str]) -> str:
        """Ask for a run of a job, as the Launchpad does; returns its id. Raises ShelterError saying why not."""
        params = {
            "selector": {
                "repositoryLocationName": LOCATION,
                "repositoryName": _REPOSITORY,
                "jobName": job,
            },
            "runConfigData": {},
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }
        answer = self.query(_LAUNCH, {"params": params})["answer"]
        if "run" not in answer:
            raise ShelterError(f"Dagster cannot run {job}: {answer.get('message', answer['__typename'])}")
        return str(answer["run"]["runId"])

    def run_status(self, run_id: str) -> str:
        """QUEUED, STARTED, SUCCESS, FAILURE, …; empty when there is no such run."""
        return str(self.query(_RUN_STATUS, {"id": run_id})["runOrError"].get("status", ""))

    def _start(self, repository: Mapping[str, Any], key: str, name: str, mutation: str) -> None:
        selector = {
            "repositoryLocationName": repository["location"]["name"],
            "repositoryName": repository["name"],
            key: name,
        }
        answer = self.query(mutation, {"selector": selector})["answer"]
        if "message" in answer or "NotFound" in answer["__typename"]:
            raise ShelterError(f"Dagster cannot start {name}: {answer.get('message', answer['__typename'])}")

    def _try(self, query: str) -> dict[str, Any]:
        try:
            return self.query(query, timeout_seconds=_PROBE_SECONDS)
        except ShelterError:  # not yet, or not now
            return {}


def _part(answer: Mapping[str, Any], name: str) -> list[Any]:
    """One field of an answer that may be an error instead. Raises ShelterError with its message."""
    if name not in answer:
        raise ShelterError(f"Dagster refuses the query: {answer.get('message', answer)}")
    found: list[Any] = answer[name]
    return found


def _no_dagster(url: str, status: int) -> str:
    if status == requests.codes.unauthorized:
        return f"{url} asks for a password; name the address of Dagster's webserver itself, not of a proxy before it"
    return f"{url} is no webserver of Dagster, or one that is not ready (it answered {status})"
