"""`shelter rescue` beside a fleet: work is shared, nothing is fetched twice, and whoever is waited for is named."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from shelter_pipeline.catalog.batches import AtWork, begin_batch, find_batch
from shelter_pipeline.catalog.claims import claim_batch
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.portals import add_portal
from shelter_pipeline.commands.printing import tell_of_others
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.rescue_organization import rescue_organization
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.dagster import change
from shelter_pipeline_tests.support.fault_server import FaultServer, Pause, head, whole
from shelter_pipeline_tests.support.records import a_dataset, a_resource, discovered, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

FILES = 30  # of each host, so that each has a batch of its own
BODY = b"a,b\n1,2\n"


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    with a_workplace(catalog_url, tmp_path / "store", fetch_connections=4) as opened:
        yield opened


def planned(workplace: Workplace, urls: Sequence[str]) -> list[str]:
    """The batches of these files, all of one organization."""
    portal = add_portal(workplace.catalog, "datagov", "https://portal.example")
    resources = [a_resource(url, key=str(at), position=at) for at, url in enumerate(urls)]
    harvested(workplace.catalog, portal, [a_dataset("1", *resources)])
    discovered(workplace.catalog, portal)
    return list(plan_organization(workplace, "epa-gov", urgent=False)["new"])


@pytest.mark.timeout(120)
def test_no_file_is_fetched_twice_and_the_other_run_is_waited_for_by_name(workplace: Workplace) -> None:
    with FaultServer() as slow, FaultServer() as quick:
        slowly = (head(f"Content-Length: {len(BODY)}", "Content-Type: text/csv"), Pause(0.5), BODY)
        urls = [slow.serves(f"/{n}.csv", *slowly) for n in range(FILES)]
        urls += [quick.serves(f"/{n}.csv", *whole(BODY)) for n in range(FILES)]
        keys = planned(workplace, urls)
        theirs = next(key for key in keys if str(slow.port) in key)
        told: list[AtWork] = []
        begun = threading.Event()
        fleet = threading.Thread(
            target=rescue_batch,
            args=(workplace, theirs),
            kwargs={"run_id": "run-of-the-fleet", "progress": lambda *_: begun.set()},
        )
        fleet.start()
        assert begun.wait(30)

        report = rescue_organization(workplace, "epa-gov", waiting=told.extend)

        fleet.join()
        asked = [server.requests(f"/{n}.csv") for server in (slow, quick) for n in range(FILES)]

    assert (report["verdict"], report["held_files"]) == ("complete", 2 * FILES)
    assert asked == [1] * 2 * FILES
    assert {(each.key, each.holder) for each in told} == {(theirs, "run-of-the-fleet")}


@pytest.mark.timeout(120)
def test_what_a_dead_run_holds_is_waited_for_until_its_lease_is_over_and_then_done(
    workplace: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    with FaultServer() as server:
        (key,) = planned(workplace, [server.serves(f"/{n}.csv", *whole(BODY)) for n in range(FILES)])
        batch = find_batch(workplace.catalog, key)
        begin_batch(workplace.catalog, batch.id, "dead-run")
        claim_batch(workplace.catalog, batch.id, holder="dead-run", limit=FILES, lease_seconds=3)

        report = rescue_organization(workplace, "epa-gov", waiting=tell_of_others())

    assert report["verdict"] == "complete"
    said = capsys.readouterr().err
    assert said.count("waiting for what others have in hand") == 1
    assert f"{key} ({FILES} files, run dead-run)" in said


@pytest.mark.timeout(120)
def test_who_holds_files_since_an_earlier_batch_of_theirs_is_waited_for_too(workplace: Workplace) -> None:
    with FaultServer() as server:
        (key,) = planned(workplace, [server.serves(f"/{n}.csv", *whole(BODY)) for n in range(FILES)])
        batch = find_batch(workplace.catalog, key)
        claim_batch(workplace.catalog, batch.id, holder="elder-run", limit=FILES, lease_seconds=3)
        change(workplace, "UPDATE batch SET state = 'failed'")  # its attempts are used up meanwhile
        told: list[AtWork] = []

        report = rescue_organization(workplace, "epa-gov", waiting=told.extend)

        asked = [server.requests(f"/{n}.csv") for n in range(FILES)]

    assert report["verdict"] == "complete"
    assert asked == [1] * FILES
    assert {(each.holder, each.files) for each in told} == {("elder-run", FILES)}
