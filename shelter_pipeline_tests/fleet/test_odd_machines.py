"""Machines that are not as they should be: a disk without room, a clock that is two hours wrong."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shelter_pipeline_tests.fleet.conftest import Site, assert_kept_apart
from shelter_pipeline_tests.support.fleets import Fleet
from shelter_pipeline_tests.support.request_log import manners
from shelter_pipeline_tests.support.small_disk import small_disk
from shelter_pipeline_tests.support.wide_web import ServedWeb

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
ODD = "worker-2"
FAKETIME = Path(f"/usr/lib/{platform.machine()}-linux-gnu/faketime/libfaketimeMT.so.1")


@contextmanager
def three_batches(fleet: Fleet, title: str, port: int) -> Iterator[ServedWeb]:
    """A web whose files are planned as a batch for each machine."""
    web = fleet.web(title, files=180, hosts=12, latency_seconds=0.02, port=port)
    with fleet.serving(web) as served:
        assert len(fleet.plan(web, SHELTER_BATCH_MAX_FILES="60", SHELTER_BATCH_MIN_FILES="60")) >= 3
        yield served


def assert_rescued(fleet: Fleet, served: ServedWeb) -> None:
    def is_held() -> bool:
        fleet.hurry()
        return fleet.settled(served.web)["held"] == served.web.files

    fleet.wait_until(is_held, tell=lambda: str(fleet.settled(served.web)))
    assert {stored for stored, _late in fleet.settlements(served.web).values()} == {1}
    assert fleet.broken() == {}
    assert_kept_apart(manners(served.requests()))


def test_what_a_machine_without_room_cannot_take_others_take(site: Site, tmp_path: Path) -> None:
    fleet = site.fleet
    with (
        small_disk(tmp_path / "scratch", "size=3m") as disk,
        fleet.told(ODD, SHELTER_SCRATCH=str(disk.path)),
        three_batches(fleet, "full", 8301) as served,
    ):
        disk.fill()
        assert_rescued(fleet, served)
        asked_by = manners(served.requests()).clients

    assert site.machines.address(ODD) not in asked_by


@pytest.mark.skipif(not FAKETIME.exists(), reason="A WRONG CLOCK WAS NOT TESTED: libfaketime is missing")
@pytest.mark.parametrize(("hours", "port"), [("+2h", 8302), ("-2h", 8303)])
def test_a_machine_whose_clock_is_wrong_takes_nothing_and_others_do(
    site: Site, hours: str, port: int
) -> None:
    fleet = site.fleet
    wrong = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": hours, "DONT_FAKE_MONOTONIC": "1"}
    with fleet.told(ODD, **wrong), three_batches(fleet, f"clock{port}", port) as served:
        fleet.wait_until(lambda: abs(clock_offset(fleet)) > 7000)
        assert_rescued(fleet, served)
        asked_by = manners(served.requests()).clients

    assert site.machines.address(ODD) not in asked_by


def clock_offset(fleet: Fleet) -> float:
    """How far the odd machine's clock is ahead, as the catalog has heard."""
    rows = fleet.rows("SELECT clock_offset_seconds FROM worker WHERE name = :name", name=ODD)
    return rows[0]["clock_offset_seconds"] if rows else 0.0
