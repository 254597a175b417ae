"""What is run for every group of captures uses indexes, at a size at which it matters and with stale statistics."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline_tests.integration.test_query_plans import plan
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.postgres import PostgresForTests

LARGE = {"asset", "claim", "capture", "blob", "copy"}
ROWS = 100_000
FILL = (
    "SET LOCAL session_replication_role = replica",
    "INSERT INTO store (name) VALUES ('test')",
    (
        "INSERT INTO asset (url, url_hash, host, kind, state) SELECT 'https://a.example/' || n,"
        " sha256(CAST(CAST(n AS text) AS bytea)), 'a.example:443', 'file', 'pending'"
        " FROM generate_series(1, 100000) AS n"
    ),
    (
        "INSERT INTO claim (asset_id, holder, state, lease_until, ended_at)"
        " SELECT id, 'old', 'settled', now(), now() FROM asset"
    ),
    "INSERT INTO blob (sha256, size) SELECT encode(sha256(CAST(id || 'x' AS bytea)), 'hex'), 5 FROM asset",
    "INSERT INTO copy (sha256, store_id) SELECT sha256, (SELECT id FROM store) FROM blob",
    "ANALYZE",
    # What the statistics do not know of: every asset is claimed now.
    "INSERT INTO claim (asset_id, holder, lease_until) SELECT id, 'run', now() + interval '1 hour' FROM asset",
)


@pytest.fixture(scope="module")
def large(postgres: PostgresForTests) -> Iterator[Catalog]:
    with postgres.fresh_database(filled_by=_migrated) as url:
        catalog = Catalog(url)
        with catalog.begin() as connection:
            for one in FILL:
                connection.exec_driver_sql(one)
        yield catalog
        catalog.close()


def rows_of(number: int) -> str:
    return json.dumps(
        [
            {
                "token": ROWS + n,
                "asset_id": n,
                "state": "held",
                "reason": "stored",
                "attempts": 0,
                "held": True,
                "sha256": f"{n:064x}",
                "size": 5,
            }
            for n in range(1, number + 1)
        ]
    )


@pytest.mark.parametrize("number", [1, 200, 2000])
@pytest.mark.parametrize(
    ("name", "indexes"),
    [
        ("settle_claims", {"pk_claim"}),
        ("lock_assets", {"pk_asset"}),
        ("follow_ups", {"pk_asset"}),
        ("record_captures", set()),
        ("record_blobs", set()),
    ],
)
def test_what_settles_a_group_reads_no_table_whole(
    large: Catalog, name: str, indexes: set[str], number: int
) -> None:
    parameters = {
        "settle_claims": {"rows": rows_of(number)},
        "lock_assets": {"asset_ids": list(range(1, number + 1))},
        "follow_ups": {"rows": rows_of(number), "settled": list(range(ROWS + 1, ROWS + number + 1))},
        "record_captures": {"rows": rows_of(number), "settled": list(range(ROWS + 1, ROWS + number + 1))},
        "record_blobs": {"rows": rows_of(number), "store": "test"},
    }

    found = plan(large, name, **parameters[name])

    assert found.indexes >= indexes
    assert "ix_claim_lease" not in found.indexes
    assert not found.read_whole & LARGE
    assert found.rereads == set()


@pytest.mark.parametrize("number", [1, 200])
def test_leases_are_renewed_by_their_tokens(large: Catalog, number: int) -> None:
    found = plan(large, "renew_claims", tokens=list(range(ROWS + 1, ROWS + number + 1)), lease_seconds=60)

    assert found.indexes == {"pk_claim"}
    assert not found.read_whole & LARGE
