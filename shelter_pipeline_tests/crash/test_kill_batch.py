"""Workers are killed and frozen at any moment: every file is held once, whole, and by its owner's word."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.audit import audit
from shelter_pipeline.catalog.batches import find_batch, organization_batches
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import organization_id
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal, reap_lost_work
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.report import report_organization
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline.vault.scrub import scrub
from shelter_pipeline_tests.support.fault_server import FaultServer, Pause, head, whole
from shelter_pipeline_tests.support.fetching import files_in
from shelter_pipeline_tests.support.records import a_dataset, a_resource, discovered, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

KILLS = 10
LEASE_SECONDS = 1
NEVER_GIVE_UP = {"asset_max_attempts": 1000, "batch_max_attempts": 1000}
# One that was killed keeps its places at the host for half a minute, and the right to ask for robots.txt longer.
NEVER_WAIT = {"host_connections": 100, "robots": "ignore"}
BODY = b"a,b\n" + b"1,2\n" * 1000


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    with a_workplace(
        catalog_url, tmp_path / "store", lease_seconds=LEASE_SECONDS, **NEVER_GIVE_UP, **NEVER_WAIT
    ) as opened:
        yield opened


@contextmanager
def worker(workplace: Workplace, run_id: str, keys: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is ready to work on these batches, and gone at the end of the block."""
    url = workplace.settings.database_url
    assert url is not None
    settings = {
        "HOME": workplace.settings.home_path,
        "DATABASE_URL": url.get_secret_value(),
        "DAGSTER_DATABASE_URL": url.get_secret_value(),
        "STORE": workplace.settings.store,
        "ALLOWED_NETWORKS": "127.0.0.0/8",
        "LEASE_SECONDS": LEASE_SECONDS,
        "FETCH_CONNECTIONS": 2,
        "ASSET_MAX_ATTEMPTS": 1000,
        "BATCH_MAX_ATTEMPTS": 1000,
        "HOST_CONNECTIONS": NEVER_WAIT["host_connections"],
        "ROBOTS": NEVER_WAIT["robots"],
    }
    with subprocess.Popen(
        [sys.executable, "-m", "shelter_pipeline_tests.support.run_worker", run_id, *keys],
        env=os.environ | {f"SHELTER_{name}": str(value) for name, value in settings.items()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def wait_until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def scalar(workplace: Workplace, query: str) -> int:
    with workplace.catalog.begin() as connection:
        return int(connection.scalar(sa.text(query)) or 0)


def reaped(workplace: Workplace) -> bool:
    """Whether, after a look at the leases, no dead worker holds anything."""
    reap_lost_work(workplace)
    return scalar(workplace, "SELECT count(*) FROM claim WHERE state = 'held'") == 0


def open_batches(workplace: Workplace, organization: str) -> list[str]:
    identity = organization_id(workplace.catalog, organization)
    return [batch.key for batch in organization_batches(workplace.catalog, identity)]


@pytest.mark.timeout(120)
def test_a_batch_whose_workers_are_killed_again_and_again_ends_complete(workplace: Workplace) -> None:
    killed_at_work = 0
    with SamplePortal() as portal:
        slug = add_portal(workplace, f"datagov:{portal.base_url}").slug
        harvest_portal(workplace, slug)
        discover_resources(workplace, slug)
        plan_organization(workplace, "noaa-gov", urgent=True)

        for number in range(KILLS):
            with worker(workplace, f"victim-{number}", open_batches(workplace, "noaa-gov")) as victim:
                wait_until(lambda: reaped(workplace))
                begin(victim)
                time.sleep(random.uniform(0.01, 0.15))
                victim.send_signal(signal.SIGKILL)
                victim.wait()
            killed_at_work += bool(open_batches(workplace, "noaa-gov"))
        wait_until(lambda: reaped(workplace))
        for key in open_batches(workplace, "noaa-gov"):
            rescue_batch(workplace, key, run_id=f"last-{key}")
        right = portal.expectations.by_organization["noaa-gov"]

    report = report_organization(workplace, "noaa-gov")
    assert killed_at_work >= 5
    assert (report["verdict"], report["held_files"]) == ("complete", right.held_files)
    assert report["held_bytes"] == right.held_bytes
    assert set(audit(workplace.catalog).values()) == {0}
    assert settled_twice(workplace) == 0
    assert_whole(workplace)


def settled_twice(workplace: Workplace) -> int:
    """How many tokens, or files, were settled more than once."""
    return scalar(
        workplace,
        "SELECT (SELECT count(*) FROM (SELECT token FROM capture WHERE NOT late GROUP BY token HAVING count(*) > 1) t)"
        " + (SELECT count(*) FROM (SELECT asset_id FROM capture WHERE NOT late AND verdict = 'stored'"
        "                           GROUP BY asset_id HAVING count(*) > 1) a)",
    )


def assert_whole(workplace: Workplace) -> None:
    """Every blob is what its name says, every manifest is complete, and nothing half-written can stay."""
    root = workplace.store.root
    workplace.store.sweep_partials(0)

    blobs = files_in(root, "blobs")
    assert blobs
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() == path.name for path in blobs)
    assert files_in(root, "partial") == []
    report = scrub(workplace.store)
    assert (report.damaged, report.missing, report.extra, report.unlisted) == ([], [], [], 0)


def test_a_worker_that_slept_through_its_lease_leaves_only_evidence(workplace: Workplace) -> None:
    with FaultServer() as server:
        begun, rest = (head(f"Content-Length: {len(BODY)}") + BODY[:100], Pause(0.3)), BODY[100:]
        url = server.serves_in_turn("/a.csv", (*begun, rest), whole(BODY))
        portal = add_portal(workplace, "datagov:https://portal.example")
        harvested(workplace.catalog, portal, [a_dataset("1", a_resource(url))])
        discovered(workplace.catalog, portal)
        (key,) = plan_organization(workplace, "epa-gov", urgent=False)["new"]

        with worker(workplace, "sleeper", [key]) as sleeper:
            begin(sleeper)
            wait_until(lambda: server.requests("/a.csv") == 1)
            sleeper.send_signal(signal.SIGSTOP)
            wait_until(lambda: reaped(workplace))
            owner = rescue_batch(workplace, key, run_id="owner")
            sleeper.send_signal(signal.SIGCONT)
            output, _ = sleeper.communicate(timeout=30)

    assert (owner.state, owner.settled, owner.late) == ("done", 1, 0)
    assert sleeper.returncode == 0
    assert output.endswith(f"{key} done 0 1\n")
    with workplace.catalog.begin() as connection:
        captures = connection.execute(sa.text("SELECT late, verdict FROM capture ORDER BY token")).all()
        assets = connection.execute(sa.text("SELECT state, reason, attempts FROM asset")).all()
    assert [row.late for row in captures] == [True, False]
    assert [tuple(row) for row in assets] == [("held", "stored", 0)]
    assert find_batch(workplace.catalog, key).state == "done"
    assert settled_twice(workplace) == 0
    assert_whole(workplace)
