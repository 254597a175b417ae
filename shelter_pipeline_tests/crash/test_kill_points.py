"""Row G1 of the fault list: two hundred kills at random and eighty at named points lose, tear and double nothing."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.records import OrganizationRecord
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.scrub import scrub
from shelter_pipeline_tests.support.behaviours import noise, ranged
from shelter_pipeline_tests.support.fault_server import KEEP, FaultServer, Pause, Step
from shelter_pipeline_tests.support.fetching import files_in
from shelter_pipeline_tests.support.invariants import assert_invariants
from shelter_pipeline_tests.support.kill_points import POINTS
from shelter_pipeline_tests.support.records import a_dataset, a_resource, discovered, harvested
from shelter_pipeline_tests.support.victims import Nursery
from shelter_pipeline_tests.support.workplaces import a_workplace

LEASE_SECONDS = 0.8
LANES = 4
SETTINGS = {
    "lease_seconds": LEASE_SECONDS,
    "allowed_networks": "127.0.0.0/8",
    # One that was killed keeps its places at the host for half a minute, and the right to ask for robots.txt longer.
    "host_connections": 500,
    "robots": "ignore",
    "fetch_retry_delay_seconds": 0.01,
    "asset_max_attempts": 1000,
    "batch_max_attempts": 1000,
}
_LIVE_CLAIMS = (
    "SELECT count(*) FROM claim JOIN batch ON batch.id = claim.batch_id"
    " WHERE batch.key = :key AND claim.state = 'held' AND claim.lease_until > now()"
)
_LEFT = (
    "SELECT count(*) FROM asset JOIN batch ON batch.id = asset.batch_id"
    " WHERE batch.key = :key AND asset.state <> 'held'"
)
_EXPIRED = "SELECT count(DISTINCT holder) FROM claim WHERE state = 'expired'"


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    with a_workplace(catalog_url, tmp_path / "store", **SETTINGS) as opened:
        yield opened


def body_of(path: str) -> bytes:
    """Small ones that stay in memory until they are published, and large ones that do not."""
    number = int(path.rpartition("/")[2].partition(".")[0])
    return noise(20_000 if number % 8 else 300_000, number)


def serves_files(server: FaultServer, count: int, pause: float = 0.005) -> list[str]:
    """So many files, none like another, each sent in two parts so that there is a middle, and a rest to ask for."""

    def answer(request: str) -> tuple[Step, ...]:
        path = request.split(" ", 2)[1]
        reply = ranged(body_of(path), f'"{path}"')(request)[0]
        assert isinstance(reply, bytes)
        return (reply[: len(reply) // 2], Pause(pause), reply[len(reply) // 2 :], KEEP)

    return [server.serves_in_turn(f"/{number}.bin", answer) for number in range(count)]


def planned(workplace: Workplace, urls: list[str]) -> list[str]:
    """One batch a lane, over these files; returns their keys."""
    portal = add_portal(workplace, "datagov:https://portal.example")
    datasets = []
    for lane in range(LANES):
        own = urls[lane::LANES]
        resources = [a_resource(url, key=f"r{number}", position=number) for number, url in enumerate(own)]
        organization = OrganizationRecord(f"lane-{lane}", f"Lane {lane}", "Federal")
        datasets.append(a_dataset(f"d{lane}", *resources, organization=organization))
    harvested(workplace.catalog, portal, datasets)
    discovered(workplace.catalog, portal)
    return [plan_organization(workplace, f"lane-{lane}", urgent=False)["new"][0] for lane in range(LANES)]


def count(workplace: Workplace, query: str, **parameters: str) -> int:
    with workplace.catalog.begin() as connection:
        return int(connection.scalar(sa.text(query), parameters) or 0)


def wait_until_free(workplace: Workplace, key: str) -> None:
    """Until the dead worker's leases are over."""
    deadline = time.monotonic() + 20
    while count(workplace, _LIVE_CLAIMS, key=key):
        assert time.monotonic() < deadline, "a dead worker's lease is renewed by somebody"
        time.sleep(0.03)


def killed_in_lane(workplace: Workplace, key: str, kills: int, point: str | None = None) -> int:
    """Start a worker and kill it, again and again; how many were at work when they were killed."""
    url = workplace.settings.database_url
    assert url is not None
    settings = SETTINGS | {
        "home": workplace.settings.home_path,
        "database_url": url.get_secret_value(),
        "dagster_database_url": url.get_secret_value(),
        "store": workplace.settings.store,
        "fetch_connections": 2,
    }
    killed = 0
    with Nursery(settings) as nursery:
        while killed < kills and count(workplace, _LEFT, key=key):
            wait_until_free(workplace, key)
            victim = nursery.start(key, f"{key}-{point}-{killed}", point=point, nth=random.randint(1, 3))
            arrived = victim.wait_for(f"at {point}" if point else "claimed")
            if not point:
                time.sleep(random.uniform(0, 0.1))
            killed += victim.kill() if arrived else False
    return killed


def finish(workplace: Workplace, keys: list[str]) -> float:
    """Seconds until everything is done, once nobody is killed any more."""
    began = time.monotonic()

    def work(key: str) -> None:
        wait_until_free(workplace, key)
        assert rescue_batch(workplace, key, run_id=f"last-{key}").state == "done"

    with ThreadPoolExecutor(LANES) as pool:
        list(pool.map(work, keys))
    return time.monotonic() - began


def assert_all_held_once_and_whole(workplace: Workplace, files: int) -> None:
    with workplace.catalog.begin() as connection:
        held = connection.execute(sa.text("SELECT url, sha256, state FROM asset")).all()
        doubled = connection.scalar(
            sa.text(
                "SELECT count(*) FROM (SELECT asset_id FROM capture WHERE NOT late AND verdict = 'stored'"
                " GROUP BY asset_id HAVING count(*) > 1) AS twice"
            )
        )
    digests = {row.url: hashlib.sha256(body_of(row.url)).hexdigest() for row in held}
    lost = [row.url for row in held if (row.state, row.sha256) != ("held", digests[row.url])]
    workplace.store.sweep_partials(0)
    assert (len(held), lost, doubled) == (files, [], 0)
    assert files_in(workplace.store.root, "partial") == []
    assert_invariants(workplace.catalog, workplace.store)
    report = scrub(workplace.store)
    assert (report.ok, report.damaged, report.missing, report.extra) == (files, [], [], [])


@pytest.mark.timeout(240)
def test_two_hundred_kills_at_random_lose_tear_and_double_nothing(workplace: Workplace) -> None:
    files = 1600
    with FaultServer() as server:
        keys = planned(workplace, serves_files(server, files))
        with ThreadPoolExecutor(LANES) as pool:
            killed = sum(pool.map(lambda key: killed_in_lane(workplace, key, 200 // LANES), keys))
        seconds = finish(workplace, keys)

    assert killed == 200
    assert count(workplace, _EXPIRED) >= 150  # most of them had work in hand
    assert seconds <= LEASE_SECONDS + 10
    assert_all_held_once_and_whole(workplace, files)


@pytest.mark.timeout(240)
def test_twenty_kills_at_each_named_point_lose_tear_and_double_nothing(workplace: Workplace) -> None:
    files = 2000
    with FaultServer() as server:
        # Slowly, and many: a worker settles all that came within a tenth of a second before it is killed.
        keys = planned(workplace, serves_files(server, files, pause=0.02))
        with ThreadPoolExecutor(LANES) as pool:
            killed = list(
                pool.map(lambda key, point: killed_in_lane(workplace, key, 20, point), keys, POINTS)
            )
        seconds = finish(workplace, keys)

    assert dict(zip(POINTS, killed, strict=True)) == dict.fromkeys(POINTS, 20)
    assert seconds <= LEASE_SECONDS + 10
    assert_all_held_once_and_whole(workplace, files)
