"""Workers that die, are asked to end or lose their network: others get what they held, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from shelter_pipeline_tests.fleet.conftest import (
    DELAY_SECONDS,
    LEASE_SECONDS,
    SILENT_SECONDS,
    Site,
    assert_kept_apart,
)
from shelter_pipeline_tests.support.fleets import Fleet
from shelter_pipeline_tests.support.request_log import manners
from shelter_pipeline_tests.support.wide_web import ServedWeb, WideWeb

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
FILES, HOSTS = 240, 4  # a batch takes its hosts twelve seconds


@contextmanager
def downloading(fleet: Fleet, title: str, port: int) -> Iterator[ServedWeb]:
    """Two batches of a web under way on two workers, each with a while to go however long the workers took."""
    web = fleet.web(title, files=FILES, hosts=HOSTS, latency_seconds=0.02, port=port, free=20)
    with fleet.serving(web) as served:
        assert len(fleet.plan(web, SHELTER_BATCH_MAX_FILES="130", SHELTER_BATCH_MIN_FILES="130")) == 2
        keep_delay(fleet, web)
        fleet.wait_until(lambda: len(fleet.at_work()) == 2)
        served.open()
        fleet.await_held(web, at_least=20)
        yield served


def keep_delay(fleet: Fleet, web: WideWeb) -> None:
    """An operator's word on the hosts: how long their replies waited for the workers makes nobody ask them rarer."""
    kept = fleet.rows(
        "UPDATE host SET delay_seconds = :delay WHERE name = ANY (:names) RETURNING name",
        delay=DELAY_SECONDS,
        names=[web.host(number) for number in range(web.hosts)],
    )
    assert len(kept) == web.hosts


def assert_rescued_once(fleet: Fleet, served: ServedWeb, *, in_flight: int) -> None:
    """Every file is held and was settled once; no more was asked for again than was under way when it happened."""
    web: WideWeb = served.web

    def is_held() -> bool:
        fleet.hurry()
        return fleet.settled(web)["held"] == web.files

    fleet.wait_until(is_held, tell=lambda: str(fleet.settled(web)))
    assert {settled for settled, _late in fleet.settlements(web).values()} == {1}
    seen = manners(served.requests())
    again = sum(seen.twice.values()) - len(seen.twice)
    assert again <= in_flight, f"{again} files were asked for again"
    assert_kept_apart(seen)
    assert fleet.broken() == {}


def lose_silent_runs(fleet: Fleet, lost: str) -> None:
    """Tick the reaper until it has given up a run; every minute it does so by itself."""

    def is_given_up() -> bool:
        fleet.tick("reaper_sensor")
        return fleet.dagster.run_status(lost) == "FAILURE"

    fleet.wait_until(is_given_up, SILENT_SECONDS + 60)


def test_what_a_killed_machine_held_goes_to_others(fleet: Fleet) -> None:
    with downloading(fleet, "killed", 8101) as served:
        run, worker = fleet.a_run()
        fleet.topology.kill(worker, hold=True)
        lose_silent_runs(fleet, run)
        assert_rescued_once(fleet, served, in_flight=2 * HOSTS)
        assert worker not in fleet.at_work().values()
        fleet.topology.start_service(worker)


def test_a_run_whose_process_alone_is_killed_is_taken_up_while_its_machine_goes_on(fleet: Fleet) -> None:
    with downloading(fleet, "slot", 8102) as served:
        run, worker = fleet.a_run()
        main = psutil.Process(fleet.topology.processes[worker].pid)
        (slot,) = main.children()
        slot.kill()
        fleet.wait_until(lambda: fleet.dagster.run_status(run) == "FAILURE", 120)
        assert_rescued_once(fleet, served, in_flight=2 * HOSTS)
        assert main.is_running()


def test_a_worker_that_is_asked_to_end_gives_back_at_once_and_leaves_no_trace(fleet: Fleet) -> None:
    with downloading(fleet, "ended", 8103) as served:
        run, worker = fleet.a_run()
        fleet.topology.stop_service(worker)
        held = fleet.rows("SELECT count(*) FROM claim WHERE state = 'held' AND holder = :run", run=run)
        ended = fleet.dagster.run_status(run)
        heard = fleet.rows("SELECT name FROM worker WHERE name = :name", name=worker)
        code = fleet.topology.processes[worker].exit_code
        fleet.topology.start_service(worker)
        assert (code, heard, held) == (0, [], [{"count": 0}])
        assert ended in ("FAILURE", "CANCELED")
        assert_rescued_once(fleet, served, in_flight=0)


def test_a_run_that_a_person_ends_is_shown_as_cancelled_and_gives_back(fleet: Fleet) -> None:
    with downloading(fleet, "cancelled", 8104) as served:
        run, worker = fleet.a_run()
        fleet.terminate(run)
        fleet.wait_until(lambda: fleet.dagster.run_status(run) == "CANCELED", 60)
        held = fleet.rows("SELECT count(*) FROM claim WHERE state = 'held' AND holder = :run", run=run)
        assert held == [{"count": 0}]
        fleet.wait_until(lambda: worker not in fleet.at_work().values())
        assert_rescued_once(fleet, served, in_flight=2 * HOSTS)


def test_a_machine_that_was_cut_off_and_comes_back_settles_nothing_twice(site: Site) -> None:
    fleet = site.fleet
    with downloading(fleet, "cut", 8105) as served:
        run, worker = fleet.a_run()
        site.machines.cut(worker)
        lose_silent_runs(fleet, run)
        assert_rescued_once(fleet, served, in_flight=2 * HOSTS)
        site.machines.join(worker)
        fleet.wait_until(lambda: worker in fleet.heard_of(), LEASE_SECONDS + 60)
        # What it had begun it settled too late, if at all: that is kept, and changes nothing.
        fleet.wait_until(lambda: worker not in fleet.at_work().values())
        assert {settled for settled, _late in fleet.settlements(served.web).values()} == {1}
        assert fleet.broken() == {}
