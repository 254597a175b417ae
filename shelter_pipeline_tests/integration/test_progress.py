"""The numbers every report shows, and the one word that sums them up."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.batches import plannable_assets, planned_batches, reap, write_batches
from shelter_pipeline.catalog.claims import claim_batch
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.discoveries import Discovery, due_resources, record_discoveries
from shelter_pipeline.catalog.portals import PortalRow, organization_id
from shelter_pipeline.catalog.progress import (
    OrganizationProgress,
    organization_progress,
    run_progress,
    totals,
)
from shelter_pipeline.dispatch.planning import BatchLimits, plan_batches
from shelter_pipeline.domain.records import OrganizationRecord
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, discovered, harvested

NOAA = OrganizationRecord("noaa-gov", "NOAA")


def url(name: str) -> str:
    return f"https://files.example/{name}.csv"


@pytest.fixture
def portal(catalog: Catalog) -> PortalRow:
    """A portal with one organization, which has two files."""
    added = a_portal(catalog)
    harvested(
        catalog, added, [a_dataset("1", a_resource(url("a")), a_resource(url("b"), key="r2", position=1))]
    )
    return added


def run(catalog: Catalog, statement: str, **parameters: Any) -> None:
    with catalog.begin() as connection:
        connection.execute(sa.text(statement), parameters)


def ends(catalog: Catalog, name: str, reason: str, state: str = "failed") -> None:
    run(
        catalog,
        "UPDATE asset SET state = :state, reason = :reason WHERE url = :url",
        state=state,
        reason=reason,
        url=url(name),
    )


def hold(catalog: Catalog, name: str, size: int = 5) -> None:
    sha256 = name.encode().hex().ljust(64, "0")
    run(catalog, "INSERT INTO blob (sha256, size) VALUES (:sha256, :size)", sha256=sha256, size=size)
    run(catalog, "INSERT INTO store (name) VALUES ('test') ON CONFLICT DO NOTHING")
    run(catalog, "INSERT INTO copy (sha256, store_id) SELECT :sha256, id FROM store", sha256=sha256)
    run(
        catalog,
        "UPDATE asset SET state = 'held', reason = 'stored', sha256 = :sha256, size = :size WHERE url = :url",
        sha256=sha256,
        size=size,
        url=url(name),
    )


def progress(catalog: Catalog, key: str = "epa-gov") -> OrganizationProgress:
    return organization_progress(catalog, organization_id(catalog, key))[0]


def test_before_discovery_an_organization_is_waiting(catalog: Catalog, portal: PortalRow) -> None:
    now = progress(catalog)

    assert (now.verdict, now.undiscovered, now.expected_files) == ("waiting", 2, 0)


def test_before_the_first_capture_an_organization_is_waiting(catalog: Catalog, portal: PortalRow) -> None:
    discovered(catalog, portal)

    now = progress(catalog)

    assert (now.verdict, now.expected_files, now.waiting_files) == ("waiting", 2, 2)


@pytest.mark.parametrize("held", [True, False])
def test_while_files_wait_the_rescue_is_in_progress(
    catalog: Catalog, portal: PortalRow, *, held: bool
) -> None:
    discovered(catalog, portal)
    if held:
        hold(catalog, "a")
    else:
        ends(catalog, "a", "not-found")

    assert progress(catalog).verdict == "in-progress"


def test_an_organization_is_complete_when_every_file_is_held(catalog: Catalog, portal: PortalRow) -> None:
    discovered(catalog, portal)
    hold(catalog, "a", 5)
    hold(catalog, "b", 7)

    now = progress(catalog)

    assert (now.verdict, now.held_files, now.held_bytes, now.failed) == ("complete", 2, 12, {})


def test_an_organization_is_partial_when_some_files_cannot_be_had(
    catalog: Catalog, portal: PortalRow
) -> None:
    discovered(catalog, portal)
    hold(catalog, "a")
    ends(catalog, "b", "not-found")

    now = progress(catalog)

    assert (now.verdict, now.failed) == ("partial", {"not-found": 1})


def test_an_organization_is_unreachable_when_no_file_can_be_had(catalog: Catalog, portal: PortalRow) -> None:
    discovered(catalog, portal)
    ends(catalog, "a", "dns-failed", "dead")
    ends(catalog, "b", "connect-failed", "pending")

    now = progress(catalog)

    assert (now.verdict, now.failed) == ("unreachable", {"connect-failed": 1, "dns-failed": 1})


def test_an_organization_without_files_is_empty(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, [a_dataset("1")])

    now = progress(catalog)

    assert (now.verdict, now.datasets) == ("empty", 1)


def test_links_that_can_be_no_file_are_told_by_their_outcome(catalog: Catalog, portal: PortalRow) -> None:
    rows = due_resources(catalog, portal.id, after_dataset=0, limit=10)
    record_discoveries(catalog, [Discovery(row.id, "service", "rule", "service") for row in rows])

    now = progress(catalog)

    assert (now.verdict, now.not_files, now.expected_files) == ("service", {"service": 2}, 0)


def test_a_file_that_rests_is_neither_held_nor_waiting(catalog: Catalog, portal: PortalRow) -> None:
    discovered(catalog, portal)
    hold(catalog, "a")
    ends(catalog, "b", "server-error", "pending")

    now = progress(catalog)

    assert (now.held_files, now.waiting_files, now.resting_files) == (1, 0, 1)
    assert (now.verdict, now.failed) == ("partial", {"server-error": 1})


def test_a_file_of_two_organizations_counts_once_in_each_and_once_in_all(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(
        catalog,
        portal,
        [
            a_dataset("1", a_resource(url("shared"))),
            a_dataset("2", a_resource(url("shared")), a_resource(url("own"), key="r2", position=1)),
            a_dataset("3", a_resource(url("shared")), organization=NOAA),
        ],
    )
    discovered(catalog, portal)
    hold(catalog, "shared")

    epa, noaa = organization_progress(catalog)

    assert (epa.expected_files, epa.held_files, epa.verdict) == (2, 1, "in-progress")
    assert (noaa.expected_files, noaa.held_files, noaa.verdict) == (1, 1, "complete")
    assert (totals(catalog)["files"], totals(catalog)["held_files"], totals(catalog)["held_bytes"]) == (
        2,
        1,
        5,
    )


def test_a_file_that_killed_every_worker_is_counted_with_a_reason(
    catalog: Catalog, portal: PortalRow
) -> None:
    discovered(catalog, portal)
    identity = organization_id(catalog, "epa-gov")
    plan = plan_batches(plannable_assets(catalog, identity), BatchLimits(500, 10**12, 1))
    write_batches(catalog, identity, "epa-gov", plan, urgent=False)
    (batch,) = planned_batches(catalog, limit=1)

    claim_batch(catalog, batch.id, holder="run", limit=2, lease_seconds=60)
    run(catalog, "UPDATE claim SET lease_until = now() - interval '1 second'")
    reap(catalog, max_asset_attempts=1, max_batch_attempts=5)

    now = progress(catalog)
    assert (now.verdict, now.failed) == ("unreachable", {"interrupted": 2})


def test_numbers_always_add_up(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    names = [f"f{n}" for n in range(8)]
    harvested(catalog, portal, [a_dataset(name, a_resource(url(name))) for name in names])
    discovered(catalog, portal)
    for name, (reason, state) in zip(
        names,
        [("not-found", "failed"), ("empty", "failed"), ("deadline", "dead"), ("too-slow", "pending")],
        strict=False,
    ):
        ends(catalog, name, reason, state)
    hold(catalog, "f7")

    now = progress(catalog)

    assert now.expected_files == now.held_files + now.waiting_files + sum(now.failed.values()) == 8


def test_an_empty_catalog_has_totals_and_no_organizations(catalog: Catalog) -> None:
    assert organization_progress(catalog) == []
    assert set(totals(catalog).values()) == {0}
    assert set(run_progress(catalog).values()) == {0}


def test_progress_counts_what_is_done_of_what_is_known(catalog: Catalog, portal: PortalRow) -> None:
    discovered(catalog, portal)
    hold(catalog, "a")

    now = run_progress(catalog)

    assert (now["read"], now["resources"], now["discovered"]) == (1, 2, 2)
    assert (now["files"], now["settled_files"], now["held_bytes"]) == (2, 1, 5)


def test_nothing_is_complete_while_a_changed_link_has_not_been_looked_at(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, [a_dataset("1", a_resource(url("old")))])
    discovered(catalog, portal)
    hold(catalog, "old")
    assert progress(catalog).verdict == "complete"

    harvested(catalog, portal, [a_dataset("1", a_resource(url("new")))])

    assert progress(catalog).verdict == "in-progress"


@pytest.mark.parametrize("outcome", ["found-in-part", "connect-failed"])
def test_nothing_is_complete_while_a_link_was_not_read_to_its_end(catalog: Catalog, outcome: str) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, [a_dataset("1", a_resource(url("a"))), a_dataset("2", a_resource(url("b")))])
    discovered(catalog, portal)
    hold(catalog, "a")
    hold(catalog, "b")
    run(
        catalog,
        "UPDATE resource SET outcome = :outcome WHERE id = (SELECT max(id) FROM resource)",
        outcome=outcome,
    )

    assert progress(catalog).verdict == "partial"


def test_links_none_of_which_can_be_read_make_an_organization_unreachable(
    catalog: Catalog, portal: PortalRow
) -> None:
    rows = due_resources(catalog, portal.id, after_dataset=0, limit=10)
    record_discoveries(catalog, [Discovery(row.id, "web-page", "rule", "not-found") for row in rows])

    assert progress(catalog).verdict == "unreachable"
