"""Ten minutes in which everything dies: `python -m shelter_pipeline_tests.support.chaos`, and a short form for CI.

While a rescue goes on, one process after another is killed with SIGKILL and started again by its restart policy,
in an order and at moments that follow from a seed. What must hold afterwards is said by `judge`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.orchestration.jobs import IN_FLIGHT
from shelter_pipeline_tests.support.fleets import Fleet, running_fleet
from shelter_pipeline_tests.support.machines import machines
from shelter_pipeline_tests.support.postgres import reachable_folder
from shelter_pipeline_tests.support.request_log import Manners, manners
from shelter_pipeline_tests.support.wide_web import ServedWeb, WideWeb

SERVICES = ("daemon", "webserver", "code-server", "redis", "postgres", "objects")
_RECOVERY_SECONDS = 600.0
_QUIET_SECONDS = 300.0


def say(line: str) -> None:
    """One line for whoever watches."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@dataclass(slots=True)
class Judgement:
    """What was found when the kills were over."""

    seed: int
    kills: list[tuple[float, str]]  # seconds since the first moment, who
    recovered_seconds: float = 0.0
    files: int = 0
    not_settled_once: dict[str, tuple[int, int]] = field(default_factory=dict)
    asked_again: int = 0
    manners: dict[str, Any] = field(default_factory=dict)
    scrub: dict[str, int] = field(default_factory=dict)
    broken: dict[str, int] = field(default_factory=dict)
    runs: dict[str, int] = field(default_factory=dict)
    hanging: list[str] = field(default_factory=list)
    nightly: str = ""

    @property
    def faults(self) -> list[str]:
        """A sentence for each promise that was broken."""
        return [
            sentence
            for sentence, is_so in (
                (f"{len(self.not_settled_once)} files were not settled once", bool(self.not_settled_once)),
                (f"the store is damaged: {self.scrub}", bool(self.scrub["damaged"] or self.scrub["missing"])),
                (f"the store holds {self.scrub['ok']} blobs", self.scrub["ok"] < self.files),
                (f"invariants of the catalog are broken: {self.broken}", bool(self.broken)),
                (f"runs hang: {self.hanging}", bool(self.hanging)),
                (f"the nightly harvest ended with {self.nightly}", self.nightly != "SUCCESS"),
                (
                    f"hosts were asked by {self.manners['most_at_once']} at once",
                    self.manners["most_at_once"] > 2,
                ),
            )
            if is_so
        ]


def kill_at_random(
    fleet: Fleet, *, seed: int, seconds: float, pause: tuple[float, float], say: Callable[[str], None]
) -> list[tuple[float, str]]:
    """Kill one process after another for so long; returns when each died, and who."""
    kills = []
    began = time.monotonic()
    for wait, victim in _moments(fleet, random.Random(seed), pause):
        time.sleep(wait)
        moment = time.monotonic() - began
        if moment > seconds:
            return kills
        if fleet.topology.processes[victim].is_alive():
            fleet.topology.kill(victim)
            kills.append((round(moment, 2), victim))
            say(f"{moment:6.1f} s: killed {victim}")
    raise AssertionError("the moments never end")


def _moments(fleet: Fleet, dice: random.Random, pause: tuple[float, float]) -> Iterator[tuple[float, str]]:
    """Pauses and victims without an end: everybody in each round, in another order."""
    while True:
        victims = [*fleet.workers, *SERVICES]
        dice.shuffle(victims)
        yield from ((dice.uniform(*pause), victim) for victim in victims)


def judge(fleet: Fleet, served: ServedWeb, seed: int, kills: list[tuple[float, str]]) -> Judgement:
    """Wait until the rescue has ended and nothing runs, each for a bounded time, and look at everything."""
    web, found = served.web, Judgement(seed, kills, files=served.web.files)
    began = time.monotonic()
    fleet.wait_until(partial(_is_held, fleet, web), _RECOVERY_SECONDS, lambda: str(fleet.settled(web)))
    found.recovered_seconds = round(time.monotonic() - began, 1)
    found.not_settled_once = {url: told for url, told in fleet.settlements(web).items() if told[0] != 1}
    found.hanging = _hanging(fleet)
    found.runs = dict(Counter(f"{run.job} {run.status}" for run in fleet.runs()))
    seen = manners(served.requests())
    found.asked_again = sum(seen.twice.values()) - len(seen.twice)
    found.manners = _told(seen)
    found.broken = fleet.broken()
    found.scrub = _scrub(fleet)
    found.nightly = _next_night(fleet, web)
    return found


def _is_held(fleet: Fleet, web: WideWeb) -> bool:
    fleet.hurry()  # a batch whose run was lost rests for minutes, for it may be to blame
    return fleet.settled(web)["held"] == web.files


def _told(seen: Manners) -> dict[str, Any]:
    told = asdict(seen)
    gaps = told.pop("gaps")
    return told | {"least_gaps": [round(gap, 4) for gap in gaps[:10]], "twice": len(seen.twice)}


def _hanging(fleet: Fleet) -> list[str]:
    """Runs that the user interface shows as under way although there is nothing left to do."""
    statuses = [status.value for status in IN_FLIGHT]
    try:
        fleet.wait_until(lambda: not fleet.runs(*statuses), _QUIET_SECONDS)
    except AssertionError:
        return [f"{run.job} {run.status} {run.id}" for run in fleet.runs(*statuses)]
    return []


def _scrub(fleet: Fleet) -> dict[str, int]:
    said = json.loads(fleet.command("shelter_pipeline.cli", "scrub", "--json", seconds=600))
    return {name: said[name] for name in ("ok", "damaged", "missing", "extra")}


def _next_night(fleet: Fleet, web: WideWeb) -> str:
    """Have tonight's schedule ask for its runs, and see that of this web's portal through."""
    fleet.wait_until(lambda: fleet.dagster.has_daemons(time.time() - 120), 120)
    (portal,) = fleet.rows("SELECT slug FROM portal WHERE url = :url", url=web.portal.partition(":")[2])
    asked = fleet.scheduled("nightly_harvest", time.time())["runRequests"]
    every = [{tag["key"]: tag["value"] for tag in request["tags"]} for request in asked]
    (tags,) = (tags for tags in every if tags["shelter/portal"] == portal["slug"])
    run = fleet.dagster.launch("refresh_portal", tags)
    status = ""

    def has_ended() -> bool:
        nonlocal status
        status = fleet.dagster.run_status(run)
        return status in ("SUCCESS", "FAILURE", "CANCELED")

    fleet.wait_until(has_ended, _QUIET_SECONDS)
    return status


def main(arguments: list[str] | None = None) -> int:
    """The long form. Exit code 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="how long the kills go on")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(10**6), help="what to repeat"
    )
    parser.add_argument("--files", type=int, default=12_000)
    parser.add_argument("--hosts", type=int, default=300)
    parser.add_argument("--workers", type=int, default=3)
    chosen = parser.parse_args(arguments)
    domain, names = "web.test", [f"worker-{number}" for number in range(1, chosen.workers + 1)]
    hosts = [f"h{number:03d}.{domain}" for number in range(chosen.hosts)]
    say(f"seed {chosen.seed}")
    with ExitStack() as ended:
        folder = ended.enter_context(reachable_folder())
        found = ended.enter_context(machines(folder, names, hosts))
        ended.enter_context(found.inside())
        fleet = ended.enter_context(
            running_fleet(
                folder / "fleet",
                workers=chosen.workers,
                settings=SETTINGS,
                network=found.services,
                wrap=found.wrap,
                domain=domain,
                sensors=None,
                say=say,
            )
        )
        web = fleet.web("chaos", files=chosen.files, hosts=chosen.hosts, latency_seconds=0.05, port=8080)
        served = ended.enter_context(fleet.serving(web))
        say(f"{len(fleet.plan(web, SHELTER_BATCH_MIN_FILES='200', SHELTER_BATCH_MAX_FILES='200'))} batches")
        kills = kill_at_random(fleet, seed=chosen.seed, seconds=chosen.seconds, pause=(2, 12), say=say)
        try:
            judgement = judge(fleet, served, chosen.seed, kills)
        except (AssertionError, ShelterError) as error:
            say(f"NOT RECOVERED: {error}")
            return 1
    say(json.dumps(asdict(judgement) | {"kills": len(kills)}, indent=2))
    for fault in judgement.faults:
        say(f"BROKEN: {fault}")
    return 1 if judgement.faults else 0


SETTINGS = {
    "SHELTER_WORKER_SLOTS": "1",
    "SHELTER_RUN_START_TIMEOUT_SECONDS": "180",  # for messages that a killed broker forgot
    "SHELTER_MAX_CONCURRENT_RUNS": "6",
    "SHELTER_HOST_DELAY_SECONDS": "0.2",
    "SHELTER_LEASE_SECONDS": "30",
    "SHELTER_WORKER_SILENT_SECONDS": "30",
    "SHELTER_FETCH_RETRY_DELAY_SECONDS": "0.5",
}


if __name__ == "__main__":
    sys.exit(main())
