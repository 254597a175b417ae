"""The statements that run for every group of records use indexes, at a size at which it matters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.postgres import PostgresForTests

LARGE = {"dataset", "resource", "sighting", "dataset_version", "listing_entry", "harvest_organization"}
PORTAL, BEFORE, NOW = 1, 1, 2

# A portal of 100,000 datasets that was harvested before; the harvest of now has seen half of it.
FILL = (
    "SET LOCAL session_replication_role = replica",  # no foreign key is looked up
    (
        "INSERT INTO portal (slug, kind, url) VALUES ('big', 'datagov', 'https://a.example'),"
        " ('small', 'ckan', 'https://b.example')"
    ),
    "INSERT INTO harvest (portal_id, verdict) SELECT 1, 'complete' FROM generate_series(1, 5000)",
    (
        "INSERT INTO organization (portal_id, slug, key, name)"
        " SELECT 1, 'org-' || n, 'org-' || n, 'Org' FROM generate_series(1, 150) AS n"
    ),
    (
        "INSERT INTO dataset (portal_id, organization_id, identifier, slug, title, raw, record_hash)"
        " SELECT 1 + CAST(mod(n, 10) = 0 AS integer), 1 + mod(n, 150), 'dataset-' || n, 'dataset-' || n, 'Title',"
        " repeat('record ', 60), sha256(CAST(CAST(n AS text) AS bytea)) FROM generate_series(1, 100000) AS n"
    ),
    (
        "INSERT INTO resource (dataset_id, key, position, role, url, discovered_at, outcome)"
        " SELECT id, 'r' || n, n, 'download', 'https://a.example/' || id || n,"
        " CASE WHEN mod(id, 100) > 0 THEN now() END, CASE WHEN mod(id, 100) > 0 THEN 'found' END"
        " FROM dataset, generate_series(1, 2) AS n"
    ),
    "INSERT INTO sighting (dataset_id, harvest_id) SELECT id, 1 + mod(id, 2) FROM dataset",
    (
        "INSERT INTO harvest_organization (harvest_id, organization_id, seen)"
        " SELECT harvest.id, organization.id, 1 FROM harvest, organization WHERE harvest.id <= 100"
    ),
    (
        "INSERT INTO listing_entry (harvest_id, identifier)"
        " SELECT 1 + mod(n, 2), 'dataset-' || n FROM generate_series(1, 100000) AS n"
    ),
    "ANALYZE",
)


@pytest.fixture(scope="module")
def large(postgres: PostgresForTests) -> Iterator[Catalog]:
    """The filled catalog; a test that would change it only asks for the plan."""
    with postgres.fresh_database(filled_by=_migrated) as url:
        catalog = Catalog(url)
        with catalog.begin() as connection:
            for one in FILL:
                connection.exec_driver_sql(one)
        yield catalog
        catalog.close()


class Plan:
    """What PostgreSQL is going to do."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.nodes = list(_nodes(root))
        self.indexes = {node["Index Name"] for node in self.nodes if "Index Name" in node}
        self.read_whole = {node["Relation Name"] for node in self.nodes if node["Node Type"] == "Seq Scan"}
        self.rereads = {
            name
            for node in self.nodes
            if node["Node Type"] == "Nested Loop"
            for name in _read_whole(node["Plans"][1])
        }


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


def _read_whole(node: dict[str, Any]) -> set[str]:
    """Large tables of which the inner side of a loop reads all, once for every round."""
    if node["Node Type"] in ("Hash", "Materialize", "CTE Scan"):
        return set()  # read once and remembered
    here = {node["Relation Name"]} & LARGE if node["Node Type"] == "Seq Scan" else set()
    return here.union(*(_read_whole(inner) for inner in node.get("Plans", ())))


def plan_of(connection: Connection, name: str, **parameters: Any) -> Plan:
    explained = connection.scalar(sa.text("EXPLAIN (FORMAT JSON) " + statement(name).text), parameters)
    found = explained if isinstance(explained, list) else json.loads(str(explained))
    return Plan(found[0]["Plan"])


def plan(catalog: Catalog, name: str, **parameters: Any) -> Plan:
    with catalog.begin() as connection:
        return plan_of(connection, name, **parameters)


def plan_of_merge(catalog: Catalog, name: str, **parameters: Any) -> Plan:
    with catalog.begin() as connection:
        connection.execute(statement("plan_for_indexes"))
        return plan_of(connection, name, **parameters)


def test_known_records_are_looked_up_by_their_identifiers(large: Catalog) -> None:
    names = [f"dataset-{number}" for number in range(1000)]

    found = plan_of_merge(large, "known_records", portal_id=PORTAL, identifiers=names)

    assert found.indexes >= {"uq_dataset_portal_id_identifier"}
    assert "dataset" not in found.read_whole
    assert found.rereads == set()


@pytest.mark.parametrize("records", [1, 1000, 5000])
def test_sightings_are_noted_by_index_however_many(large: Catalog, records: int) -> None:
    found = plan_of_merge(
        large,
        "note_sightings",
        portal_id=PORTAL,
        harvest_id=NOW,
        identifiers=[f"dataset-{number}" for number in range(records)],
        popularities=[None] * records,
        hashes=bytes(32 * records),
    )

    assert found.indexes >= {"uq_dataset_portal_id_identifier", "pk_sighting"}
    assert not found.read_whole & LARGE
    assert found.rereads == set()


@pytest.mark.parametrize("records", [1, 50, 5000])
@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("lock_datasets", "pk_dataset"),
        ("keep_versions", "pk_dataset"),
        ("merge_datasets", "pk_dataset"),
        ("lock_resources", "uq_resource_dataset_id_key"),
        ("reset_resources", "uq_resource_dataset_id_key"),
        ("unlist_resources", "uq_resource_dataset_id_key"),
    ],
)
def test_changed_records_are_found_by_index(large: Catalog, name: str, index: str, records: int) -> None:
    parameters = {"harvest_id": NOW} if name == "keep_versions" else {}
    with large.begin() as connection:
        stage(connection, records)

        found = plan_of(connection, name, **parameters)

    assert index in found.indexes
    assert not found.read_whole & LARGE
    assert found.rereads == set()


@pytest.mark.parametrize("records", [50, 5000])
def test_resources_are_merged_by_the_key_within_their_dataset(large: Catalog, records: int) -> None:
    with large.begin() as connection:
        stage(connection, records)

        found = plan_of(connection, "merge_resources")

    (insert,) = [node for node in found.nodes if node["Node Type"] == "ModifyTable"]
    assert insert["Conflict Arbiter Indexes"] == ["uq_resource_dataset_id_key"]
    assert found.read_whole == {"staged_resource"}


def stage(connection: Connection, records: int) -> None:
    for name in ("plan_for_indexes", "stage_datasets", "stage_resources"):
        connection.execute(statement(name))
    connection.execute(
        sa.text(
            "INSERT INTO staged_dataset (id, record_hash, raw)"
            " SELECT n * 7, sha256(''), repeat('record ', 60) FROM generate_series(1, :records) AS n"
        ),
        {"records": records},
    )
    connection.execute(
        sa.text(
            "INSERT INTO staged_resource (dataset_id, key)"
            " SELECT n * 7, 'r' || r FROM generate_series(1, :records) AS n, generate_series(1, 2) AS r"
        ),
        {"records": records},
    )
    connection.execute(statement("analyze_staged"))


def test_resources_that_are_due_are_found_among_those_nobody_looked_at(large: Catalog) -> None:
    found = plan(
        large, "due_resources", portal_id=PORTAL, organization_id=None, again=False, after=0, limit=200
    )

    assert "ix_resource_undiscovered" in found.indexes
    assert not found.read_whole & LARGE
    assert found.rereads == set()


def test_the_changes_of_a_harvest_are_found_by_its_id(large: Catalog) -> None:
    found = plan(large, "changes_by_organization", harvest_id=NOW, limit=200)

    assert "pk_harvest_organization" in found.indexes
    assert "harvest_organization" not in found.read_whole
    assert found.rereads == set()


def test_a_listing_is_compared_in_one_pass(large: Catalog) -> None:
    found = plan(large, "compare_listing", portal_id=PORTAL, harvest_id=NOW, limit=500)

    joins = {node["Node Type"] for node in found.nodes if "Join Type" in node}
    assert joins <= {"Hash Join", "Merge Join"}
    assert found.rereads == set()


@pytest.mark.parametrize("name", ["unseen_identifiers", "recover_seen"])
def test_what_a_harvest_did_not_see_is_found_in_one_pass(large: Catalog, name: str) -> None:
    limit = {"limit": 500} if name == "unseen_identifiers" else {}

    found = plan(large, name, portal_id=PORTAL, harvest_id=NOW, **limit)

    assert found.rereads == set()


def test_the_newest_harvest_of_a_portal_is_found_without_reading_the_others(large: Catalog) -> None:
    found = plan(large, "resumable_harvest", portal_id=PORTAL, resume_seconds=3600)

    assert "pk_harvest" in found.indexes
    assert "harvest" not in found.read_whole
