"""What nodes ask for again and again is answered by indexes, whatever the statistics say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.claims_catalog import fill
from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.catalog.nodes import know_node
from shelter_pipeline.catalog.work_queue import QueueRules, rebuild_queue
from shelter_pipeline_tests.integration.test_query_plans import Plan, plan_of
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.node_work import run
from shelter_pipeline_tests.support.postgres import PostgresForTests

FILES = 40_000
LARGE = {"asset", "claim", "capture", "work", "priority", "asset_resource", "lane", "host", "host_slot"}
IDS = list(range(1, 201))
RULES = {"wanted": 3, "fetches": 1}


@pytest.fixture(scope="module")
def large(postgres: PostgresForTests) -> Iterator[Catalog]:
    """A catalog of which the statistics do not know that half of it has been claimed since."""
    with postgres.fresh_database(filled_by=_migrated) as url:
        catalog = Catalog(url)
        fill(catalog, FILES, settled_of_thousand=500)
        rebuild_queue(catalog, QueueRules(3, 1))
        know_node(catalog, "a")
        run(
            catalog,
            "INSERT INTO claim (asset_id, node_id, holder, lease_until) SELECT id, 1, 'node:a',"
            " now() + interval '1 hour' FROM asset WHERE state = 'pending' AND id % 3 = 0",
        )
        run(
            catalog,
            "INSERT INTO host_slot (host, number, holder, lease_until)"
            " SELECT name, 1, 'others', now() + interval '1 hour' FROM host",
        )
        yield catalog
        catalog.close()


def plan_in_allocation(catalog: Catalog, name: str, **parameters: Any) -> Plan:
    """The plan in a transaction that has begun as an allocation does."""
    said = {
        "free_bytes": 1,
        "bandwidth_mbps": None,
        "uptime_hours": None,
        "max_claims": 9,
        "new_max_claims": 9,
    }
    with catalog.begin() as connection:
        connection.execute(statement("admit_node"), {"node_id": 1} | said)
        return plan_of(connection, name, node_id=1, holder="node:a", connections=2, **RULES, **parameters)


@pytest.mark.parametrize("lanes", [1, 3, 48])
def test_lanes_and_files_are_found_by_index_whatever_is_at_their_head(large: Catalog, lanes: int) -> None:
    found = plan_in_allocation(
        large,
        "open_lanes",
        robots="obey",
        barren=[],
        lanes=lanes,
        offers=20,
        begin=0,
        most_bytes=10**12,
        from_store=[True, False],
    )

    assert found.indexes >= {"ix_lane_turn", "ix_work_lane", "pk_asset", "uq_claim_live"}
    assert not found.read_whole & LARGE


@pytest.mark.parametrize("files", [1, 100])
def test_files_are_claimed_by_index(large: Catalog, files: int) -> None:
    found = plan_in_allocation(
        large,
        "hand_out",
        asset_ids=IDS[:files],
        asset_lanes=[1] * files,
        others=[False] * files,
        lane_ids=[1],
        done=[],
        lease_seconds=600,
    )

    assert found.indexes >= {"pk_lane", "pk_work", "pk_asset", "uq_claim_live", "ix_work_lane"}
    assert not found.read_whole & LARGE


@pytest.mark.parametrize(
    ("name", "parameters", "index"),
    [
        (
            "renew_node_claims",
            {
                "node_id": 1,
                "tokens": IDS,
                "begun": [],
                "lease_seconds": 60,
                "longest_seconds": 60,
                "bytes_per_second": 1,
            },
            "pk_claim",
        ),
        ("lock_reported", {"node_id": 1, "tokens": IDS}, "pk_claim"),
        ("expire_claims", {"max_attempts": 3}, "ix_claim_lease"),
        ("newly_due", {"due_until": "infinity", "capture_id": 0, "most": 20_000}, "ix_asset_pending"),
    ],
)
def test_what_runs_every_few_seconds_reads_no_table_whole(
    large: Catalog, name: str, parameters: dict[str, Any], index: str
) -> None:
    with large.begin() as connection:
        found = plan_of(connection, name, **parameters)

    assert index in found.indexes
    assert not found.read_whole & (LARGE - {"capture"})  # which is empty here
