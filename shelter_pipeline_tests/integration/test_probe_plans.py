"""What is to be probed is found by index, however many files there are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.postgres import PostgresForTests

# 300,000 files of 300 hosts: half are probed, and of these a tenth is due.
FILL = (
    "SET LOCAL session_replication_role = replica",  # no foreign key is looked up
    "INSERT INTO portal (slug, kind, url) VALUES ('big', 'datagov', 'https://a.example')",
    (
        "INSERT INTO organization (portal_id, slug, key, name)"
        " SELECT 1, 'org-' || n, 'org-' || n, 'Org' FROM generate_series(1, 100) AS n"
    ),
    (
        "INSERT INTO dataset (portal_id, organization_id, identifier, slug, title, raw, record_hash)"
        " SELECT 1, 1 + mod(n, 100), 'd' || n, 'd' || n, 'Title', '{}', sha256('')"
        " FROM generate_series(1, 20000) AS n"
    ),
    (
        "INSERT INTO resource (dataset_id, key, position, role, url, discovered_at, outcome)"
        " SELECT id, 'r', 1, 'download', 'https://a.example/' || id, now(), 'found' FROM dataset"
    ),
    "INSERT INTO host (name) SELECT 'h' || n || '.example:443' FROM generate_series(1, 300) AS n",
    (
        "INSERT INTO asset (url, url_hash, host, state, sha256, size, expected_size, probed)"
        " SELECT 'https://h' || 1 + mod(n, 300) || '.example/' || n, sha256(CAST(CAST(n AS text) AS bytea)),"
        " 'h' || 1 + mod(n, 300) || '.example:443', CASE WHEN mod(n, 4) = 0 THEN 'held' ELSE 'pending' END,"
        " CASE WHEN mod(n, 4) = 0 THEN repeat('a', 64) END, 10, CASE WHEN mod(n, 3) = 0 THEN 10 END, n > 150000"
        " FROM generate_series(1, 300000) AS n"
    ),
    (
        "INSERT INTO asset_resource (asset_id, resource_id, via)"
        " SELECT id, 1 + mod(id, 20000), 'direct' FROM asset"
    ),
    (
        "INSERT INTO probe (asset_id, host, probed_at, reason, interval_seconds, due_at)"
        " SELECT id, host, now(), 'ok', 86400, now() + make_interval(hours => CAST(mod(id, 10) AS int)) FROM asset"
        " WHERE probed"
    ),
    "ANALYZE",
)
LARGE = {"asset", "probe", "asset_resource", "resource", "dataset"}
RUN: dict[str, Any] = {"limit": 4000, "per_host": 50, "busy_hosts": []}


@pytest.fixture(scope="module")
def large(postgres: PostgresForTests) -> Iterator[Catalog]:
    """The filled catalog; no test changes it."""
    with postgres.fresh_database(filled_by=_migrated) as url:
        catalog = Catalog(url)
        with catalog.begin() as connection:
            for one in FILL:
                connection.exec_driver_sql(one)
        yield catalog
        catalog.close()


def explained(catalog: Catalog, name: str, **parameters: Any) -> list[dict[str, Any]]:
    """The nodes of what PostgreSQL did, rolled back."""
    with catalog.engine.connect() as connection:
        connection.execute(statement("plan_for_indexes"))
        text = sa.text("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement(name).text)
        found = connection.scalar(text, parameters)
        connection.rollback()
    plan = found if isinstance(found, list) else json.loads(str(found))
    return list(nodes(plan[0]["Plan"]))


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from nodes(inner)


@pytest.mark.parametrize("portal_id", [None, 1])
def test_what_to_probe_is_looked_up_host_by_host(large: Catalog, portal_id: int | None) -> None:
    found = explained(large, "due_probes", portal_id=portal_id, **RUN)

    assert whole_tables(found) <= {"host"}
    assert indexes(found) >= {"ix_asset_unprobed", "ix_probe_due"}
    assert most_rows(found) <= 300 * 2 * RUN["per_host"]


def test_the_files_of_an_organization_are_found_without_reading_all_others(large: Catalog) -> None:
    found = explained(large, "due_probes_of_organization", organization_id=7, **RUN)

    assert not whole_tables(found) & {"asset", "asset_resource", "probe"}
    assert most_rows(found) <= 20_000


def test_what_is_taken_is_found_by_its_key(large: Catalog) -> None:
    found = explained(large, "take_probes", asset_ids=list(range(1, 4001)), lease_seconds=600)

    assert not whole_tables(found) & LARGE


def whole_tables(found: list[dict[str, Any]]) -> set[str]:
    return {node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"}


def indexes(found: list[dict[str, Any]]) -> set[str]:
    return {node["Index Name"] for node in found if "Index Name" in node}


def most_rows(found: list[dict[str, Any]]) -> float:
    """What the step that gave most gave in all its rounds, of 300,000 files."""
    return max(float(node["Actual Rows"] * node["Actual Loops"]) for node in found)
