"""What a tick of each sensor and a page of the Dagster UI cost, as batches, partitions and organizations grow.

For each size a stack of its own is started (PostgreSQL, code server, webserver) and filled
half-way through a rescue. Ticks are evaluated in this process against that catalog and that
instance; pages are the GraphQL that the UI sends for them, answered by the real webserver.
Run it as `python -m benchmarks.dispatching`; `benchmarks/README.md` says what each number
means.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import dagster as dg

from benchmarks.dispatching_catalog import Scale, batch_keys, fill_catalog, fill_dagster
from benchmarks.report import Goal, table
from shelter_pipeline.definitions import build_defs
from shelter_pipeline.embedded.stack import CODE_SERVER, WEBSERVER, Stack
from shelter_pipeline.operations.ledger import next_batches
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.prepare import settings_of
from shelter_pipeline.operations.report import report_organization
from shelter_pipeline.operations.workplace import Workplace, open_workplace
from shelter_pipeline.orchestration.resources import Workplaces
from shelter_pipeline.settings import Settings, load_settings
from shelter_pipeline_tests.support.ports import free_ports

_SIZES = {
    "look": Scale(20, 200, 50),
    "1k": Scale(100, 1_000, 500),
    "20k": Scale(1_500, 20_000, 6_000),
    "100k": Scale(1_500, 100_000, 30_000),
}
_PROMISED = "20k"
_SENSORS = ("download_sensor", "rescue_report_sensor", "reaper_sensor", "portal_sensor")
_MOST_TICK, _MOST_PAGE = 0.5, 1.0  # seconds, at 20k
_TIMES = 5
_OTHER_RUNS = 500  # of a scattered backfill, in flight meanwhile
_STATUSES = """
query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode { partitionKeys
  assetPartitionStatuses { ... on DefaultPartitionStatuses { materializedPartitions failedPartitions
    unmaterializedPartitions materializingPartitions } } } } }
"""
_PAGES = {
    "asset graph": (
        "query { assetNodes { id assetKey { path } groupName dependencyKeys { path } jobNames } }",
        {},
    ),
    "partition counts of all assets": (
        "query { assetNodes { partitionStats { numPartitions numMaterialized numFailed numMaterializing } } }",
        {},
    ),
    "partitions of download_batches": (
        _STATUSES,
        {"key": {"path": ["download_batches"]}},
    ),
    "runs": (
        "query { runsOrError(limit: 25) { ... on Runs { results { runId status tags { key value } } } } }",
        {},
    ),
}
_BACKFILL = """
mutation ($params: LaunchBackfillParams!) { answer: launchPartitionBackfill(backfillParams: $params) {
  __typename ... on PythonError { message } } }
"""
Costs = dict[str, float]


def timed(work: Callable[[], object]) -> float:
    """The median of the seconds that it takes."""
    took = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return median(took)


def measure(settings: Settings, scale: Scale) -> Costs:
    """Seconds by what was done, at this size."""
    with Stack(settings, (CODE_SERVER, WEBSERVER), purpose="a benchmark") as stack:
        stack.start(lambda _: None)
        own = settings_of(stack, settings)
        where = {
            "DAGSTER_HOME": str(settings.home_path / "dagster"),
            "SHELTER_DAGSTER_DATABASE_URL": stack.databases.dagster,
        }
        with (
            mock.patch.dict(os.environ, where),
            open_workplace(own) as workplace,
            dg.DagsterInstance.get() as instance,
        ):
            fill_catalog(workplace.catalog, scale)
            fill_dagster(instance, stack.databases.dagster, scale, batch_keys(workplace.catalog))
            run_others(instance, scale)
            print(filled(stack))
            return (
                statements(workplace)
                | ticks(instance, own)
                | pages(stack)
                | {"launch a backfill": launch(stack, scale)}
            )


def filled(stack: Stack) -> str:
    """What the UI sees of the batches, so that nobody measures an empty page."""
    stats = "query { assetNodes { assetKey { path } partitionStats { numPartitions numMaterialized } } }"
    nodes = {node["assetKey"]["path"][0]: node for node in stack.dagster.query(stats)["assetNodes"]}
    counts = nodes["download_batches"]["partitionStats"]
    return f"of {counts['numPartitions']:,} partitions {counts['numMaterialized']:,} are materialized"


def run_others(instance: dg.DagsterInstance, scale: Scale) -> None:
    """Runs of a backfill of scattered organizations are in flight, as a person may have launched them."""
    for number in range(min(_OTHER_RUNS, scale.organizations)):
        instance.add_run(
            dg.DagsterRun(
                job_name="plan_organizations",
                status=dg.DagsterRunStatus.STARTING,
                tags={"dagster/partition": f"org-{number + 1}"},
            )
        )


def statements(workplace: Workplace) -> Costs:
    """What the catalog alone takes, for an organization with a quarter of all batches and for a usual one."""
    return {
        "choose 8 batches": timed(lambda: next_batches(workplace, limit=8)),
        "report the largest organization": timed(lambda: report_organization(workplace, "org-1")),
        "report a usual organization": timed(lambda: report_organization(workplace, "org-7")),
        "plan the largest organization": timed(lambda: plan_organization(workplace, "org-1", urgent=False)),
        "plan a usual organization": timed(lambda: plan_organization(workplace, "org-7", urgent=False)),
    }


def ticks(instance: dg.DagsterInstance, settings: Settings) -> Costs:
    """What each sensor's function takes; the daemon adds some tenths of a second, and one for each run it makes."""
    workplaces = Workplaces(lambda: settings)
    defs = build_defs(workplaces=workplaces)

    def tick(name: str) -> object:
        context = dg.build_sensor_context(instance=instance, resources={"workplaces": workplaces})
        return defs.resolve_sensor_def(name)(context)

    tick(_SENSORS[0])  # the first one migrates
    return {f"tick of {name}": timed(lambda name=name: tick(name)) for name in _SENSORS}  # type: ignore[misc]


def pages(stack: Stack) -> Costs:
    """What the webserver takes to answer for each page."""
    return {
        f"page: {name}": timed(lambda query=query, variables=variables: stack.dagster.query(query, variables))  # type: ignore[misc]
        for name, (query, variables) in _PAGES.items()
    }


def launch(stack: Stack, scale: Scale) -> float:
    """The click that launches a backfill of every seventh organization."""
    params = {
        "assetSelection": [{"path": ["batch_plan"]}],
        "partitionNames": [f"org-{number}" for number in range(1, scale.organizations + 1, 7)],
    }
    begun = time.perf_counter()
    answer = stack.dagster.query(_BACKFILL, {"params": params})["answer"]
    if answer["__typename"] != "LaunchBackfillSuccess":
        raise SystemExit(answer)
    return time.perf_counter() - begun


def show(results: dict[str, Costs]) -> None:
    """Milliseconds, a column a size; then what was promised."""
    names = list(next(iter(results.values())))
    rows = [(name, *(f"{costs[name] * 1000:,.0f}" for costs in results.values())) for name in names]
    print("\n".join(table(("milliseconds", *results), rows)))
    for goal in goals(results):
        print(f"{'met' if goal.met else 'NOT met':>12}: {goal.promise} ({goal.measured})")


def goals(results: dict[str, Costs]) -> list[Goal]:
    """What was promised of 20,000 batches and 1,500 organizations, where they were measured."""
    costs = results.get(_PROMISED, {})
    return (
        [
            _at_most(f"no tick takes more than {_MOST_TICK} s", costs, "tick", _MOST_TICK),
            _at_most(f"no page takes more than {_MOST_PAGE} s", costs, "page", _MOST_PAGE),
        ]
        if costs
        else []
    )


def _at_most(promise: str, costs: Costs, kind: str, most: float) -> Goal:
    worst = max((name for name in costs if name.startswith(kind)), key=costs.__getitem__)
    return Goal(f"{promise} at {_PROMISED}", f"{worst}: {costs[worst]:.2f} s", costs[worst] <= most)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each size, print the table, keep the numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", default="1k,20k", help=f"of {', '.join(_SIZES)}")
    parser.add_argument("--json", type=Path, help="keep every number in this file")
    chosen = parser.parse_args(arguments)
    results: dict[str, Any] = {}
    for size in chosen.sizes.split(","):
        with tempfile.TemporaryDirectory(prefix="shelter-bench-") as folder:
            Path(folder).chmod(0o755)
            web, code = free_ports(2)
            settings = load_settings(home=Path(folder) / "home", dagster_port=web, code_server_port=code)
            results[size] = measure(settings, _SIZES[size])
    show(results)
    if chosen.json:
        chosen.json.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
