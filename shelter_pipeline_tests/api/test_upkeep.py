"""Work that requests ask for: once at a time, waited for by who began it, and harmless when it fails."""

from __future__ import annotations

import threading
import time

from shelter_pipeline.api.housekeeping import keeping_house
from shelter_pipeline.api.upkeep import Upkeep
from shelter_pipeline.catalog.summaries import read_summary
from shelter_pipeline.domain.errors import CatalogAwayError
from shelter_pipeline_tests.support.api import ApiUnderTest


def test_who_begins_the_work_waits_for_it_and_others_do_not() -> None:
    release, runs = threading.Event(), []
    upkeep = Upkeep(lambda: (runs.append(1), release.wait(20)), again_seconds=0)

    upkeep.ask(wait_seconds=0)  # begins it
    upkeep.ask(wait_seconds=1000)  # would hang if it waited
    release.set()
    upkeep.ask(wait_seconds=1000, for_others=True)

    assert len(runs) <= 2
    assert release.is_set()


def test_work_is_not_begun_again_before_its_rest_is_over() -> None:
    runs: list[int] = []
    upkeep = Upkeep(lambda: runs.append(1), again_seconds=1000)

    for _ in range(3):
        upkeep.ask(wait_seconds=20, for_others=True)

    assert runs == [1]


def test_work_that_fails_harms_nobody_and_is_tried_again() -> None:
    runs: list[int] = []

    def work() -> None:
        runs.append(1)
        raise CatalogAwayError("it is away")

    upkeep = Upkeep(work, again_seconds=0)

    upkeep.ask(wait_seconds=20)
    upkeep.ask(wait_seconds=20)

    assert runs == [1, 1]


def test_counts_are_made_though_nobody_asks_for_them(api: ApiUnderTest) -> None:
    catalog, deadline = api.workplace.catalog, time.monotonic() + 60
    assert read_summary(catalog, "overview") is None

    with keeping_house(api.workplace, count_seconds=0.1):
        while read_summary(catalog, "overview") is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
