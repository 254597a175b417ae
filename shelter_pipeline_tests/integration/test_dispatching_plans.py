"""What the sensors ask every few seconds reads neither files nor claims whole, of which there are millions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.dispatching_catalog import Scale, fill_catalog
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline_tests.integration.test_query_plans import plan_of
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.node_work import run
from shelter_pipeline_tests.support.postgres import PostgresForTests

LARGE = {"asset", "claim"}


@pytest.fixture(scope="module")
def large(postgres: PostgresForTests) -> Iterator[Catalog]:
    """A catalog in which a machine was lost with its batches: they run, and nobody holds a claim on them."""
    with postgres.fresh_database(filled_by=_migrated) as url:
        catalog = Catalog(url)
        fill_catalog(catalog, Scale(100, 3_000, 0))
        run(catalog, "UPDATE asset SET sha256 = NULL, state = 'failed', reason = 'gone' WHERE state = 'held'")
        run(
            catalog,
            "INSERT INTO claim (asset_id, batch_id, holder, state, lease_until, ended_at, outcome)"
            " SELECT id, batch_id, 'r' || batch_id, 'settled', now(), now() - interval '1 day', 'gone'"
            "   FROM asset, generate_series(1, 8)",
        )
        run(
            catalog,
            "UPDATE batch SET state = 'running', run_id = 'x', started_at = now() - interval '1 hour'"
            " WHERE id IN (SELECT id FROM batch WHERE state = 'planned' LIMIT 30)",
        )
        run(catalog, "ANALYZE")
        yield catalog
        catalog.close()


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("planned_batches", {"limit": 8, "exclude": [], "busy_hosts": [], "taken_hosts": []}),
        ("urgent_among", {"keys": ["org-1.mixed.1"]}),
        ("others_at_work", {"organization_id": 1}),
        ("due_reports", {"rest_seconds": 300, "most": 500}),
        ("requeue_batches", {"max_attempts": 20}),
        (
            "release_run",
            {"run_id": "x", "key": None, "attempt": None, "rest_minutes": 0, "max_attempts": 20},
        ),
    ],
)
def test_no_tick_reads_files_or_claims_whole(large: Catalog, name: str, parameters: dict[str, Any]) -> None:
    with large.begin() as connection:
        found = plan_of(connection, name, **parameters)

    assert not found.read_whole & LARGE
