"""One fleet for all tests of this tier: three machines behind cables, and everything that compose.yaml starts.

It takes a minute to start, so every test uses it, with a web of its own, and leaves it healthy and idle.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from docker.native.stand_ins import check_programs
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.orchestration.jobs import IN_FLIGHT
from shelter_pipeline_tests.support.fleets import Fleet, running_fleet
from shelter_pipeline_tests.support.machines import Machines, machines
from shelter_pipeline_tests.support.postgres import reachable_folder
from shelter_pipeline_tests.support.request_log import Manners

# The long form takes a quarter of an hour: FLEET_LONG_TESTS=1, or `make fleet-long`.
LONG = bool(os.environ.get("FLEET_LONG_TESTS"))
WORKERS, DOMAIN, MOST_HOSTS = 3, "web.test", 300 if LONG else 60
DELAY_SECONDS, SILENT_SECONDS, LEASE_SECONDS, GRACE_SECONDS = 0.2, 12, 9, 2
SETTINGS = {
    "SHELTER_WORKER_SLOTS": "1",
    "SHELTER_RUN_START_TIMEOUT_SECONDS": "180",  # for messages that a killed broker forgot
    "SHELTER_MAX_CONCURRENT_RUNS": "4",
    "SHELTER_HOST_DELAY_SECONDS": str(DELAY_SECONDS),
    "SHELTER_LEASE_SECONDS": str(LEASE_SECONDS),
    "SHELTER_WORKER_SILENT_SECONDS": str(SILENT_SECONDS),
    "SHELTER_WORKER_GRACE_SECONDS": str(GRACE_SECONDS),
    "SHELTER_FETCH_STOP_SECONDS": "1",
    "SHELTER_FETCH_RETRY_DELAY_SECONDS": "0.2",
}


@dataclass(frozen=True, slots=True)
class Site:
    """The fleet and the machines that it runs on."""

    fleet: Fleet
    machines: Machines


@pytest.fixture(scope="session")
def started() -> Iterator[Site]:
    try:
        check_programs(["redis", "seaweedfs"])
    except SetupError as error:
        pytest.skip(f"NO FLEET WAS TESTED: {error}")
    names = [f"worker-{number}" for number in range(1, WORKERS + 1)]
    hosts = [f"h{number:03d}.{DOMAIN}" for number in range(MOST_HOSTS)]
    with reachable_folder() as folder, machines(folder, names, hosts) as found, ExitStack() as ended:
        with found.inside():
            fleet = ended.enter_context(
                running_fleet(
                    folder / "fleet",
                    workers=WORKERS,
                    settings=SETTINGS,
                    network=found.services,
                    wrap=found.wrap,
                    domain=DOMAIN,
                )
            )
        yield Site(fleet, found)


@pytest.fixture
def site(started: Site) -> Iterator[Site]:
    """The fleet, healthy and idle, with the calling thread in its hub."""
    with started.machines.inside():
        _await_idle(started.fleet)
        yield started
        _await_idle(started.fleet)


@pytest.fixture
def fleet(site: Site) -> Fleet:
    return site.fleet


def _await_idle(fleet: Fleet) -> None:
    fleet.wait_until(lambda: fleet.heard_of() == fleet.workers, 120)
    fleet.wait_until(lambda: not fleet.runs(*(status.value for status in IN_FLIGHT)), 120)


def assert_kept_apart(seen: Manners) -> None:
    """Every host was asked by all machines together as the settings have it.

    A busy machine may carry a request some milliseconds late to the server; two that a rule let go together would
    arrive together.
    """
    assert seen.most_at_once <= 2
    assert seen.share_of_gaps_below(0.9 * DELAY_SECONDS) <= 0.01, seen.gaps[:30]
    assert seen.least_gap_seconds >= DELAY_SECONDS / 2, seen.gaps[:30]
