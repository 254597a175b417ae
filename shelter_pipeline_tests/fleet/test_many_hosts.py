"""Three machines share the hosts of one portal: each host is asked as politely as one machine would ask it."""

from __future__ import annotations

import pytest

from shelter_pipeline_tests.fleet.conftest import LONG, MOST_HOSTS, assert_kept_apart
from shelter_pipeline_tests.support.fleets import Fleet
from shelter_pipeline_tests.support.request_log import manners

pytestmark = [pytest.mark.stack, pytest.mark.timeout(3600 if LONG else 600)]


def test_three_machines_share_many_hosts_politely_and_ask_for_no_file_twice(fleet: Fleet) -> None:
    web = fleet.web(
        "shared", files=20_000 if LONG else 1500, hosts=MOST_HOSTS, latency_seconds=0.02, port=8001
    )
    with fleet.serving(web) as served:
        # Batches of many hosts, and hosts with files in several batches: most are asked by more than one machine.
        fleet.plan(web, SHELTER_BATCH_MAX_FILES="250", SHELTER_BATCH_MIN_FILES="250")
        fleet.await_held(web, seconds=3000 if LONG else 240)
        log = served.requests()

    seen = manners(log)
    assert seen.hosts == MOST_HOSTS
    assert seen.twice == {}
    assert len(seen.clients) == 3
    assert min(seen.clients.values()) > 150
    assert_kept_apart(seen)
    assert set(fleet.settlements(web).values()) == {(1, 0)}
    assert fleet.broken() == {}
