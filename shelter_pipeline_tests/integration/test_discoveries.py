"""What discovery leaves in the catalog: each URL once, every path to it kept, nothing held forgotten."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.batches import plannable_assets, write_batches
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.discoveries import (
    Discovery,
    Finding,
    discovery_summary,
    due_resources,
    record_discoveries,
    seed_asset_kinds,
)
from shelter_pipeline.catalog.harvests import open_harvest, record_group
from shelter_pipeline.catalog.portals import PortalRow, organization_id
from shelter_pipeline.dispatch.planning import BatchLimits, plan_batches
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.support.records import (
    a_dataset,
    a_portal,
    a_resource,
    discovered,
    harvested,
)

A, B, C = (f"https://files.example/{name}.csv" for name in "abc")


@pytest.fixture
def portal(catalog: Catalog) -> PortalRow:
    """A portal with two datasets of one resource each."""
    seed_asset_kinds(catalog, [("csv", "CSV", "table")])
    added = a_portal(catalog)
    harvested(catalog, added, [a_dataset("1", a_resource(A)), a_dataset("2", a_resource(A))])
    return added


def resources(catalog: Catalog) -> list[int]:
    with catalog.begin() as connection:
        return list(connection.scalars(sa.text("SELECT id FROM resource ORDER BY id")))


def leads(
    resource_id: int, *urls: str, via: str = "directory", size: int | None = None, checksum: str | None = None
) -> Discovery:
    findings = tuple(
        Finding(parse_url(url), "csv", via, ("https://files.example/",), size=size, checksum=checksum)
        for url in urls
    )
    return Discovery(resource_id, "directory", "rule", "found" if urls else "empty", "", findings)


def links(catalog: Catalog) -> list[tuple[int, str]]:
    with catalog.begin() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT resource_id, url FROM asset_resource JOIN asset ON asset.id = asset_id ORDER BY 1, 2"
            )
        )
        return [(row.resource_id, row.url) for row in rows]


def count(catalog: Catalog, table: str) -> int:
    with catalog.begin() as connection:
        return int(connection.scalar(sa.text(f"SELECT count(*) FROM {table}")))  # noqa: S608 - our own


def hold(catalog: Catalog, url: str) -> None:
    sha256 = "a" * 64
    with catalog.begin() as connection:
        connection.execute(sa.text("INSERT INTO blob (sha256, size) VALUES (:sha256, 1)"), {"sha256": sha256})
        connection.execute(
            sa.text("INSERT INTO store (name) VALUES ('test')"),
        )
        connection.execute(
            sa.text("INSERT INTO copy (sha256, store_id) SELECT :sha256, id FROM store"), {"sha256": sha256}
        )
        connection.execute(
            sa.text("UPDATE asset SET state = 'held', sha256 = :sha256, size = 1 WHERE url = :url"),
            {"sha256": sha256, "url": url},
        )


def plan(catalog: Catalog) -> Sequence[str]:
    identity = organization_id(catalog, "epa-gov")
    batches = plan_batches(plannable_assets(catalog, identity), BatchLimits(500, 10**12, 1))
    return write_batches(catalog, identity, "epa-gov", batches, urgent=False)


def test_a_url_that_two_resources_share_is_one_asset_of_both(catalog: Catalog, portal: PortalRow) -> None:
    first, second = resources(catalog)

    assert record_discoveries(catalog, [leads(first, A), leads(second, A)]) == 1

    assert links(catalog) == [(first, A), (second, A)]
    assert count(catalog, "asset") == 1


def test_recording_the_same_again_changes_nothing(catalog: Catalog, portal: PortalRow) -> None:
    found = [leads(number, A, B) for number in resources(catalog)]
    record_discoveries(catalog, found)
    before = links(catalog)

    assert record_discoveries(catalog, found) == 0

    assert links(catalog) == before


def test_no_discoveries_are_nothing_to_do(catalog: Catalog) -> None:
    assert record_discoveries(catalog, []) == 0


def test_what_a_resource_no_longer_leads_to_is_unlinked(catalog: Catalog, portal: PortalRow) -> None:
    first, second = resources(catalog)
    record_discoveries(catalog, [leads(first, A, B), leads(second, A)])

    record_discoveries(catalog, [leads(first, C)])

    assert links(catalog) == [(first, C), (second, A)]


def test_what_is_held_stays_linked_though_it_is_gone_from_the_page(
    catalog: Catalog, portal: PortalRow
) -> None:
    first, _ = resources(catalog)
    record_discoveries(catalog, [leads(first, A, B)])
    hold(catalog, A)

    record_discoveries(catalog, [leads(first)])

    assert links(catalog) == [(first, A)]


def test_what_nothing_leads_to_waits_in_no_batch_until_it_is_found_again(
    catalog: Catalog, portal: PortalRow
) -> None:
    first, second = resources(catalog)
    record_discoveries(catalog, [leads(first, A, B), leads(second, A)])
    assert len(plan(catalog)) == 1

    record_discoveries(catalog, [leads(first), leads(second, A)])
    assert plan(catalog) == []
    with catalog.begin() as connection:
        waiting = connection.scalars(sa.text("SELECT url FROM asset WHERE batch_id IS NOT NULL")).all()
    record_discoveries(catalog, [leads(first, B)])

    assert waiting == [A]
    assert len(plan(catalog)) == 1


def test_what_was_known_of_a_file_is_not_overwritten(catalog: Catalog, portal: PortalRow) -> None:
    first, second = resources(catalog)
    record_discoveries(catalog, [leads(first, A, size=7)])

    record_discoveries(catalog, [leads(second, A, size=9)])

    with catalog.begin() as connection:
        assert connection.scalars(sa.text("SELECT expected_size FROM asset")).all() == [7]


def test_a_url_that_a_page_names_twice_is_linked_once(catalog: Catalog, portal: PortalRow) -> None:
    first, _ = resources(catalog)

    record_discoveries(catalog, [leads(first, A, A, "HTTPS://FILES.example:443/a.csv#x")])

    assert links(catalog) == [(first, A)]


@pytest.mark.parametrize(
    "text", ["a\tb\\N\n\\.", "Robert'); DROP TABLE asset;--", "\u202e\U0001f600", "nul\x00"]
)
def test_any_words_about_an_outcome_are_kept(catalog: Catalog, portal: PortalRow, text: str) -> None:
    first, _ = resources(catalog)

    record_discoveries(catalog, [Discovery(first, "directory", "rule", "found", text)])

    with catalog.begin() as connection:
        kept = connection.scalar(sa.text("SELECT outcome_detail FROM resource WHERE id = :id"), {"id": first})
    assert kept == text.replace("\x00", "\ufffd")


def test_what_was_looked_at_is_not_due_again_until_its_address_changes(
    catalog: Catalog, portal: PortalRow
) -> None:
    discovered(catalog, portal)
    assert due_resources(catalog, portal.id, after_dataset=0, limit=10) == []

    harvested(catalog, portal, [a_dataset("1", a_resource(B)), a_dataset("2", a_resource(A))])

    assert [row.url for row in due_resources(catalog, portal.id, after_dataset=0, limit=10)] == [B]


def test_due_resources_come_with_the_rest_of_their_dataset(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, [a_dataset("1", a_resource(A), a_resource(B, key="r2", position=1))])
    record_discoveries(catalog, [Discovery(resources(catalog)[0], "file", "rule", "found")])

    rows = due_resources(catalog, portal.id, after_dataset=0, limit=10)

    assert [(row.url, row.due) for row in rows] == [(A, False), (B, True)]


def test_due_resources_are_read_dataset_by_dataset_without_loss(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(
        catalog, portal, [a_dataset(str(n), a_resource(f"https://x.example/{n}.csv")) for n in range(25)]
    )
    seen: list[int] = []
    after = 0

    while rows := due_resources(catalog, portal.id, after_dataset=after, limit=4):
        seen += [row.id for row in rows]
        after = rows[-1].dataset_id

    assert sorted(seen) == resources(catalog)


def test_the_summary_counts_resources_by_kind_and_outcome(catalog: Catalog, portal: PortalRow) -> None:
    first, _ = resources(catalog)

    record_discoveries(catalog, [leads(first, A)])

    assert discovery_summary(catalog, portal.id) == [
        {"kind": "directory", "outcome": "found", "resources": 1},
        {"kind": "not looked at", "outcome": "", "resources": 1},
    ]


def test_many_recorders_of_the_same_things_neither_deadlock_nor_disagree(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    seed_asset_kinds(catalog, [("csv", "CSV", "table")])
    harvested(catalog, portal, [a_dataset(str(n), a_resource(A)) for n in range(60)])
    everything = [
        leads(number, *(f"https://host{n % 7}.example/{n}.csv" for n in range(at % 5, 30)))
        for at, number in enumerate(resources(catalog))
    ]

    def record(seed: int) -> int:
        mine = list(everything)
        random.Random(seed).shuffle(mine)
        return record_discoveries(catalog, mine)

    with ThreadPoolExecutor(8) as pool:
        new = list(pool.map(record, range(40)))

    assert sum(new) == 30
    assert len(links(catalog)) == sum(len(discovery.findings) for discovery in everything)


def test_a_harvest_and_a_discovery_of_the_same_portal_do_not_deadlock(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    seed_asset_kinds(catalog, [("csv", "CSV", "table")])
    harvested(catalog, portal, [a_dataset(str(n), a_resource(A)) for n in range(200)])
    everything = [leads(number, A, B) for number in resources(catalog)]

    def merge(turn: int) -> int:
        records = [a_dataset(str(n), a_resource(A, format=f"v{turn}")) for n in reversed(range(200))]
        harvest = open_harvest(catalog, portal)
        return record_group(catalog, portal, harvest, records, cursor=None, requests=1).changed

    with ThreadPoolExecutor(4) as pool:
        recorded = [pool.submit(record_discoveries, catalog, everything) for _ in range(12)]
        merged = [merge(turn) for turn in range(8)]

    assert sum(future.result() for future in recorded) == 2
    assert merged == [200] * 8


def test_a_corrected_checksum_makes_a_file_wanted_again(catalog: Catalog, portal: PortalRow) -> None:
    first, _ = resources(catalog)
    record_discoveries(catalog, [leads(first, A, checksum="sha256:" + "0" * 64)])
    with catalog.begin() as connection:
        connection.execute(
            sa.text("UPDATE asset SET state = 'failed', reason = 'mismatch', next_attempt_at = NULL")
        )

    new = record_discoveries(catalog, [leads(first, A, checksum="sha256:" + "1" * 64)])

    with catalog.begin() as connection:
        row = connection.execute(sa.text("SELECT state, checksum, next_attempt_at <= now() FROM asset")).one()
    assert new == 0
    assert tuple(row) == ("pending", "sha256:" + "1" * 64, True)
