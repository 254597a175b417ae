"""What a fleet costs beside fetching, and what a second and a third worker bring.

Everything that compose.yaml starts runs here as processes, the workers on machines of their own
(network namespaces) with one slot each, against hosts that wait before they answer and are asked as
politely as in production. Each batch is of one host, so it takes as long as its host wants, and not
as long as this machine's cores do. Run it as root as `python -m benchmarks.fleet`;
`benchmarks/README.md` says what each number means.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measuring import machine
from benchmarks.report import Goal, table
from shelter_pipeline_tests.support.fleets import DOWNLOADING, Fleet, running_fleet
from shelter_pipeline_tests.support.machines import machines, namespaces_forbidden
from shelter_pipeline_tests.support.postgres import reachable_folder
from shelter_pipeline_tests.support.request_log import manners
from shelter_pipeline_tests.support.wide_web import CATALOGUE, ServedWeb, WideWeb

DOMAIN, DELAY_SECONDS, LATENCY_SECONDS = "web.test", 0.5, 0.05
TEN_MINUTES = 600.0
MOST_OVERHEAD, LEAST_GAIN_OF_TWO = 0.05, 1.8
_SERVICES = ("postgres", "redis", "objects", "code-server", "webserver", "daemon")
_BATCHES = """
SELECT batch.key, asset.url FROM batch JOIN asset ON asset.batch_id = batch.id
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch: seconds of each part of its way."""

    files: int
    waited: float  # planned, until its run began
    beginning: float  # of the run, until the first request
    fetching: float  # first request to last answer
    ending: float  # after it, until the run had ended
    between: float | None  # its end, until the next one began on the same worker

    @property
    def overhead(self) -> float:
        """What the slot was taken for beside fetching."""
        return self.beginning + self.ending + (self.between or 0.0)


def settings_of(workers: int, files_a_batch: int) -> dict[str, str]:
    """What every contestant is told."""
    return {
        "SHELTER_WORKER_SLOTS": "1",
        # The pool of downloads has one place less than there are runs at once.
        "SHELTER_MAX_CONCURRENT_RUNS": str(workers + 1),
        "SHELTER_HOST_DELAY_SECONDS": str(DELAY_SECONDS),
        "SHELTER_BATCH_MAX_FILES": str(files_a_batch),
        "SHELTER_BATCH_MIN_FILES": "1",
    }


def measure_workers(
    folder: Path, workers: int, web: WideWeb, *, files_a_batch: int, broker: bool
) -> dict[str, Any]:
    """One fleet of so many workers, one web; without a broker, Dagster's default launcher with as many runs."""
    names = [f"worker-{number}" for number in range(1, workers + 1)] if broker else []
    hosts = [f"h{number:03d}.{DOMAIN}" for number in range(web.hosts)]
    with ExitStack() as ended:
        found = ended.enter_context(machines(folder, names, hosts))
        ended.enter_context(found.inside())
        chosen = settings_of(workers, files_a_batch)
        fleet = ended.enter_context(
            running_fleet(
                folder / f"fleet-{workers}-{broker}",
                workers=workers if broker else 0,
                settings=chosen if broker else chosen | {"SHELTER_BROKER_URL": ""},
                network=found.services,
                wrap=found.wrap or {"code-server": found.with_names},
                domain=DOMAIN,
                sensors=(),
            )
        )
        served = ended.enter_context(fleet.serving(web))
        batches = fleet.plan(web)
        before, began = cpu_seconds(fleet), time.monotonic()
        fleet.dagster.switch_on_automation(only=DOWNLOADING)
        fleet.await_held(web, seconds=3600)
        fleet.wait_until(lambda: len(fleet.runs("SUCCESS")) >= len(batches), 120)
        seconds = time.monotonic() - began
        after = cpu_seconds(fleet)
        seen = manners(served.requests())
        return {
            "workers": workers,
            "broker": broker,
            "batches": len(batches),
            "files": web.files,
            "seconds": seconds,
            "fetching_seconds": seen.seconds,
            "twice": len(seen.twice),
            "most_at_once": seen.most_at_once,
            "short_gaps": seen.share_of_gaps_below(DELAY_SECONDS),
            "clients": len(seen.clients),
            "parts": [asdict(batch) | {"overhead": batch.overhead} for batch in parts_of(fleet, served)],
            "cpu": {name: after[name] - before[name] for name in after},
        }


def parts_of(fleet: Fleet, served: ServedWeb) -> list[Batch]:
    """How long each part of each batch took; the server's word for what it was asked, Dagster's for the rest."""
    # Dagster tells the time of day, the server the seconds since this machine was started.
    offset = time.time() - time.monotonic()
    asked = {
        f"http://{one.host}{one.path}": (one.began + offset, one.ended + offset)
        for one in served.requests()
        if one.path != CATALOGUE
    }
    urls: dict[str, list[str]] = {}
    for row in fleet.rows(_BATCHES):
        urls.setdefault(row["key"], []).append(row["url"])
    runs = sorted(fleet.runs("SUCCESS"), key=lambda run: run.started or 0.0)
    clients = {f"http://{one.host}{one.path}": one.client for one in served.requests()}
    last_end: dict[str, float] = {}
    between: dict[str, float] = {}
    found = []
    for run in runs:
        key = run.tags.get("shelter/batch", "")
        times = [asked[url] for url in urls.get(key, ()) if url in asked]
        if not times or None in (run.created, run.started, run.ended):
            continue
        client = clients[urls[key][0]]
        began, ended = run.started or 0.0, run.ended or 0.0
        if client in last_end:
            between[key] = max(began - last_end[client], 0.0)
        last_end[client] = ended
        first, last = min(one[0] for one in times), max(one[1] for one in times)
        waited = began - (run.created or 0.0)
        found.append(Batch(len(times), waited, first - began, last - first, ended - last, between.get(key)))
    return found


def cpu_seconds(fleet: Fleet) -> dict[str, float]:
    """CPU seconds so far of the workers and of each service, with all that they started."""
    spent: dict[str, float] = {}
    for name, process in fleet.topology.processes.items():
        if name in _SERVICES or name in fleet.workers:
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            times = [one.cpu_times() for one in family]
            group = "workers" if name in fleet.workers else name
            spent[group] = spent.get(group, 0.0) + sum(
                one.user + one.system + one.children_user + one.children_system for one in times
            )
    return spent


def show(results: dict[str, Any]) -> list[Goal]:
    """Print everything; the goals."""
    print("\n" + ", ".join(f"{name} {value}" for name, value in results["machine"].items()))
    runs = results["runs"]
    one = next(
        run for run in runs if run["broker"] and run["workers"] == min(each["workers"] for each in runs)
    )
    rows = [
        (
            f"{run['workers']} {'workers' if run['broker'] else 'at once, default launcher'}",
            f"{run['batches']}",
            f"{run['files']:,}",
            f"{run['seconds']:.1f}",
            f"{run['files'] / run['fetching_seconds']:.1f}",
            f"{one['fetching_seconds'] / run['fetching_seconds'] * one['workers']:.2f}",
            *(
                f"{_median(run, part):.1f}"
                for part in ("waited", "beginning", "fetching", "ending", "between")
            ),
            f"{_median(run, 'overhead'):.1f}",
            f"{sum(run['cpu'].values()) / run['batches']:.1f}",
        )
        for run in runs
    ]
    head = (
        "contestant,batches,files,seconds,files/s,times one,queued s,to first byte s,fetching s,"
        "to success s,to the next s,overhead a batch s,CPU s a batch"
    )
    print("\n".join(table(head.split(","), rows)) + "\n")
    for run in runs:
        shares = ", ".join(f"{name} {seconds / run['batches']:.2f}" for name, seconds in run["cpu"].items())
        print(f"{run['workers']} {'workers' if run['broker'] else 'default'}: CPU s a batch: {shares}")
    goals = list(goals_of(runs))
    for goal in goals:
        print(f"{'met' if goal.met else 'NOT met':>12}: {goal.promise} ({goal.measured})")
    return goals


def goals_of(runs: Sequence[dict[str, Any]]) -> list[Goal]:
    """What was promised of these runs."""
    fleets = {run["workers"]: run for run in runs if run["broker"]}
    least = fleets[min(fleets)]
    overhead = _median(least, "overhead")
    share = overhead / (TEN_MINUTES + overhead)
    goals = [
        Goal(
            f"beside fetching at most {MOST_OVERHEAD:.0%} of a batch of ten minutes",
            f"{overhead:.1f} s a batch of {least['parts'][0]['files']} files, measured in batches of"
            f" {_median(least, 'fetching'):.0f} s: {share:.1%} of ten minutes",
            share <= MOST_OVERHEAD,
        )
    ]
    if {1, 2} <= set(fleets):
        # From the first request to the last answer, as hosts see it; a rescue that lasts months begins once.
        gain = fleets[1]["fetching_seconds"] / fleets[2]["fetching_seconds"]
        goals.append(
            Goal(
                f"two workers at least {LEAST_GAIN_OF_TWO} times one",
                f"{gain:.2f}",
                gain >= LEAST_GAIN_OF_TWO,
            )
        )
    goals.append(
        Goal(
            "no file asked for twice, no host by more than two at once",
            f"{max(run['twice'] for run in runs)} files, {max(run['most_at_once'] for run in runs)} at once",
            all(run["twice"] == 0 and run["most_at_once"] <= 2 for run in runs),
        )
    )
    return goals


def _median(run: dict[str, Any], part: str) -> float:
    values = [batch[part] for batch in run["parts"] if batch[part] is not None]
    return statistics.median(values) if values else float("nan")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """What is to be run, at which size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", default="1,2,3", help="sizes of the fleet, as 1,2,3")
    parser.add_argument("--hosts", type=int, default=12, help="as many batches")
    parser.add_argument("--batch", type=int, default=60, help="files of a batch, two a second")
    parser.add_argument("--no-peer", action="store_true", help="leave Dagster's default launcher out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the results here")
    options = parser.parse_args(arguments)
    options.workers = [int(number) for number in options.workers.split(",")]
    return options


def main() -> int:
    """Measure, print, write down; 1 if a goal is missed."""
    options = parse()
    reason = namespaces_forbidden()
    if reason is not None:
        sys.exit(f"network namespaces cannot be made here: {reason}")
    contestants = [(number, True) for number in options.workers]
    if not options.no_peer:
        contestants.append((max(options.workers), False))
    runs = []
    for workers, broker in contestants:
        web = WideWeb(
            files=options.hosts * options.batch,
            hosts=options.hosts,
            latency_seconds=LATENCY_SECONDS,
            port=8080,
            domain=DOMAIN,
            title="bench",
            spread=False,
        )
        with reachable_folder() as folder:
            run = measure_workers(folder, workers, web, files_a_batch=options.batch, broker=broker)
        print(f"{workers} {'workers' if broker else 'default'}: {run['seconds']:.1f} s", file=sys.stderr)
        runs.append(run)
    results = {"machine": machine("18"), "delay": DELAY_SECONDS, "latency": LATENCY_SECONDS, "runs": runs}
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if all(goal.met for goal in show(results)) else 1


if __name__ == "__main__":
    sys.exit(main())
