"""What a crawl asks of the catalog for every portion of its work is found by index, however much there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from functools import reduce
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.postgres import PostgresForTests

PLACES, HOSTS, LINKS = 60_000, 300, 180_000
# A portal of 200 organizations, of which one has few places; each place has one page, which gives three files. A
# fifth of the places waits to be read, and some resources are not attached yet.
FILL = (
    "SET LOCAL session_replication_role = replica",  # no foreign key is looked up
    (
        "INSERT INTO portal (slug, kind, url) VALUES ('big', 'datagov', 'https://a.example'),"
        " ('other', 'ckan', 'https://b.example')"
    ),
    (
        "INSERT INTO organization (portal_id, slug, key, name)"
        " SELECT 1, 'org-' || n, 'org-' || n, 'Org' FROM generate_series(1, 200) AS n"
    ),
    (
        "INSERT INTO dataset (portal_id, organization_id, identifier, slug, title, raw, record_hash)"
        " SELECT 1, 1 + mod(n, 200), 'd' || n, 'd' || n, 'Title', '{}', sha256('')"
        " FROM generate_series(1, :places) AS n"
    ),
    "INSERT INTO host (name) SELECT 'h' || n || '.example:443' FROM generate_series(1, :hosts) AS n",
    (
        "INSERT INTO exploration (url, url_hash, host, dataset_id, kind, rule, state, outcome, due_at)"
        " SELECT 'https://h' || 1 + mod(n, :hosts) || '.example/' || n || '/', sha256(CAST(CAST(n AS text) AS bytea)),"
        " 'h' || 1 + mod(n, :hosts) || '.example:443', n, 'directory', 'trailing-slash',"
        " CASE WHEN mod(n, 5) = 0 THEN 'open' ELSE 'ended' END, CASE WHEN mod(n, 5) > 0 THEN 'found' END,"
        " now() + CASE WHEN mod(n, 5) = 0 THEN interval '-1 hour' ELSE interval '7 days' END"
        " FROM generate_series(1, :places) AS n"
    ),
    (
        "INSERT INTO exploration_page (exploration_id, url, url_hash, round, depth, hops, why, state, what, files)"
        " SELECT id, url, url_hash, 1, 0, 0, 'resource', 'read', 'listing', 3 FROM exploration"
    ),
    (
        "INSERT INTO resource (dataset_id, key, position, role, url, exploration_id, classified_as, rule, outcome,"
        " discovered_at)"
        " SELECT dataset_id, 'r1', 1, 'download', url, id, 'directory', 'trailing-slash', outcome,"
        " CASE WHEN outcome IS NOT NULL THEN now() END FROM exploration"
    ),
    (
        "INSERT INTO resource (dataset_id, key, position, role, url, classified_as, rule, outcome, discovered_at)"
        " SELECT id, 'r2', 2, 'download', 'https://a.example/' || id || '.csv', 'file', 'extension', 'found', now()"
        " FROM dataset"
    ),
    "UPDATE resource SET discovered_at = NULL WHERE key = 'r2' AND dataset_id > :places - 500",
    (
        "INSERT INTO asset (url, url_hash, host)"
        " SELECT 'https://h' || 1 + mod(n, :hosts) || '.example/f/' || n, sha256(CAST('f' || n AS bytea)),"
        " 'h' || 1 + mod(n, :hosts) || '.example:443' FROM generate_series(1, :links) AS n"
    ),
    (
        "INSERT INTO asset_resource (asset_id, resource_id, via, why, page_id)"
        " SELECT id, 1 + mod(id, :places), 'directory', 'listing', 1 + mod(id, :places) FROM asset"
    ),
    "ANALYZE",
)
LARGE = {"asset", "asset_resource", "resource", "dataset", "exploration", "exploration_page"}
TAKE: dict[str, Any] = {
    "portal_id": 1,
    "organization_id": None,
    "limit": 600,
    "each": 6,
    "full_hosts": [],
    "lease": timedelta(minutes=10),
}
# What a run writes at once: 100 places of one page, ended, each with another file than before beside the known.
PORTION = (
    (
        "INSERT INTO staged_exploration"
        " SELECT id, token, true, 'found', '', true, interval '0' FROM exploration WHERE id <= 100"
    ),
    (
        "INSERT INTO staged_page SELECT id, exploration_id, url, url_hash, parent_id, round, depth, hops, why, label,"
        " reader, headers, state, what, reason, detail, files, data_files, known_bytes, left_behind, digest, attempts,"
        " interval '0' FROM exploration_page WHERE exploration_id <= 100"
    ),
    (
        "INSERT INTO staged_finding (exploration_id, page_id, url, url_hash, host, estimated_size, via, why)"
        " SELECT page_id, page_id, asset.url, asset.url_hash, asset.host, 7, 'directory', 'listing'"
        " FROM asset_resource JOIN asset ON asset.id = asset_id WHERE page_id <= 100 AND mod(asset_id, 2) = 0"
    ),
    (
        "INSERT INTO staged_finding (exploration_id, page_id, url, url_hash, host, estimated_size, via, why)"
        " SELECT n, n, 'https://h1.example/new/' || n, sha256(CAST('new' || n AS bytea)), 'h1.example:443', 7,"
        " 'directory', 'listing' FROM generate_series(1, 100) AS n"
    ),
)
COMERS = (
    "INSERT INTO staged_place SELECT resource.id, resource.dataset_id, exploration.url, exploration.url_hash,"
    " exploration.host, 'directory', 'trailing-slash', NULL"
    " FROM resource JOIN exploration ON exploration.id = mod(resource.id, :places) + 1"
    " WHERE key = 'r2' AND mod(resource.id, 50) = 0"
)
WRITES = (
    "lock_explorations",
    "lock_explored",
    "merge_pages",
    "merge_hosts",
    "lock_found",
    "merge_assets",
    "note_listed",
    "link_found",
    "unlink_unlisted",
    "unlink_left",
    "leave_batches",
    "conclude_explorations",
)


@pytest.fixture(scope="module")
def large(postgres: PostgresForTests) -> Iterator[Catalog]:
    """The filled catalog; no test changes it."""
    with postgres.fresh_database(filled_by=_migrated) as url:
        catalog = Catalog(url)
        with catalog.begin() as connection:
            for one in FILL:
                connection.exec_driver_sql(_sized(one))
        yield catalog
        catalog.close()


def _sized(text: str) -> str:
    sizes = {":places": PLACES, ":hosts": HOSTS, ":links": LINKS}
    return reduce(lambda sized, name: sized.replace(name, str(sizes[name])), sizes, text)


@pytest.fixture
def connection(large: Catalog) -> Iterator[Connection]:
    """A transaction of the filled catalog, as a crawl opens one; rolled back."""
    with large.engine.connect() as opened:
        opened.execute(statement("plan_for_indexes"))
        yield opened
        opened.rollback()


def explained(connection: Connection, name: str, **parameters: Any) -> list[dict[str, Any]]:
    """The nodes of what PostgreSQL did."""
    text = sa.text("EXPLAIN (ANALYZE, FORMAT JSON) " + statement(name).text)
    found = connection.scalar(text, parameters)
    plan = found if isinstance(found, list) else json.loads(str(found))
    return list(nodes(plan[0]["Plan"]))


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from nodes(inner)


def whole_tables(found: list[dict[str, Any]]) -> set[str]:
    return {node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"} & LARGE


def most_rows(found: list[dict[str, Any]]) -> float:
    """What the step that gave most gave in all its rounds."""
    return max(float(node["Actual Rows"] * node["Actual Loops"]) for node in found)


def test_places_are_taken_host_by_host(connection: Connection) -> None:
    found = explained(connection, "take_explorations", **TAKE)

    assert not whole_tables(found)
    assert most_rows(found) <= 2 * HOSTS * TAKE["each"]


@pytest.mark.parametrize(("portal_id", "organization_id"), [(1, 7), (2, None)])
def test_places_of_few_among_many_are_taken_without_reading_pages_or_files(
    connection: Connection, portal_id: int, organization_id: int | None
) -> None:
    asked = TAKE | {"portal_id": portal_id, "organization_id": organization_id}
    found = explained(connection, "take_explorations", **asked)

    assert not whole_tables(found) & {"asset", "asset_resource", "exploration_page"}
    assert most_rows(found) <= PLACES


def test_pages_of_what_was_taken_are_found_by_their_place(connection: Connection) -> None:
    found = explained(connection, "exploration_pages", exploration_ids=list(range(1, 601)))

    assert not whole_tables(found)


def test_a_portion_is_written_without_reading_a_table_whole(connection: Connection) -> None:
    connection.execute(statement("stage_pages"))
    for one in PORTION:
        connection.exec_driver_sql(one)
    parameters: dict[str, Any] = {
        "conclude_explorations": {
            "lease": timedelta(minutes=10),
            "shortest_hours": 12,
            "longest_hours": 720,
        }
    }

    found = {name: explained(connection, name, **parameters.get(name, {})) for name in WRITES}

    assert {name: tables for name, one in found.items() if (tables := whole_tables(one))} == {}
    assert max(most_rows(one) for one in found.values()) <= 5_000


def test_who_comes_to_known_places_has_their_files_without_reading_a_table_whole(
    connection: Connection,
) -> None:
    connection.execute(statement("stage_places"))
    connection.exec_driver_sql(_sized(COMERS))
    names = (
        "open_explorations",
        "lock_places",
        "wake_places",
        "lock_attached",
        "share_findings",
        "attach_resources",
    )

    found = {name: explained(connection, name) for name in names}

    assert {name: tables for name, one in found.items() if (tables := whole_tables(one))} == {}


def test_what_nobody_looked_at_is_found_without_what_waits_for_its_place(connection: Connection) -> None:
    found = explained(connection, "due_resources", portal_id=1, organization_id=None, after=0, limit=500)

    assert not whole_tables(found)
    of_resources = [node for node in found if node.get("Relation Name") == "resource"]
    assert most_rows(of_resources) <= 2_000


def test_what_is_reconsidered_is_found_in_one_look(connection: Connection) -> None:
    found = explained(
        connection,
        "reconsidered_resources",
        portal_id=1,
        organization_id=None,
        after=0,
        limit=2000,
        places=["directory", "web-page"],
        longest=timedelta(days=30),
    )

    assert not whole_tables(found) & {"exploration_page"}
    assert most_rows(found) <= LINKS


@pytest.mark.parametrize("name", ["waiting_places", "discovery_files", "discovery_summary"])
def test_how_a_portal_stands_is_told_in_one_look(connection: Connection, name: str) -> None:
    found = explained(connection, name, portal_id=1)

    assert not whole_tables(found) & {"exploration_page"}
