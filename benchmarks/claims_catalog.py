"""A catalog full of files that wait, for the benchmark of claims: filled by SQL, in a minute or two for two million."""

from __future__ import annotations

import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog

HOSTS, ORGANIZATIONS = 3000, 300

# Organization 1 has half of the files. `:settled` of each thousand are done with, and have a claim that says so.
_FILL = (
    "SET LOCAL session_replication_role = replica",
    "SET LOCAL synchronous_commit = off",
    "INSERT INTO portal (slug, kind, url) VALUES ('big', 'datagov', 'https://a.example')",
    (
        "INSERT INTO organization (portal_id, slug, key, name)"
        " SELECT 1, 'org-' || n, 'org-' || n, 'Organization ' || n FROM generate_series(1, :organizations) AS n"
    ),
    "INSERT INTO host (name) SELECT 'h' || n || '.example:443' FROM generate_series(1, :hosts) AS n",
    (
        "INSERT INTO dataset (portal_id, organization_id, identifier, slug, title, raw, record_hash)"
        " SELECT 1, n, 'd' || n, 'd' || n, 'Dataset ' || n, '{}', sha256(CAST(CAST(n AS text) AS bytea))"
        " FROM generate_series(1, :organizations) AS n"
    ),
    (
        "INSERT INTO resource (dataset_id, key, position, role, url)"
        " SELECT n, 'r', 0, 'download', 'https://a.example/' FROM generate_series(1, :organizations) AS n"
    ),
    (
        "INSERT INTO asset (url, url_hash, host, kind, state, reason, expected_size, next_attempt_at)"
        " SELECT 'https://h' || 1 + mod(n * 7919, :hosts) || '.example/' || n || '.csv',"
        " sha256(CAST(CAST(n AS text) AS bytea)), 'h' || 1 + mod(n * 7919, :hosts) || '.example:443', NULL,"
        " CASE WHEN mod(n, 1000) < :settled THEN 'failed' ELSE 'pending' END,"
        " CASE WHEN mod(n, 1000) < :settled THEN 'not-found' END,"
        " 1000 + mod(n * 104729, 50000000),"
        " CASE WHEN mod(n, 1000) < :settled THEN NULL ELSE now() - interval '1 hour' END"
        " FROM generate_series(CAST(1 AS bigint), :assets) AS n"
    ),
    (
        "INSERT INTO asset_resource (asset_id, resource_id, via)"
        " SELECT id, CASE WHEN mod(id, 2) = 0 THEN 1 ELSE 1 + mod(id / 2, :organizations) END, 'direct' FROM asset"
    ),
    (
        "INSERT INTO priority (asset_id, organization_id, score, level)"
        " SELECT asset_id, resource_id, score, least(10, 1 + CAST(floor(score * 10) AS int))"
        " FROM (SELECT asset_id, resource_id, mod(asset_id * 15485863, 1000003) / 1000003.0 AS score"
        "         FROM asset_resource) AS scored"
    ),
    (
        "INSERT INTO claim (asset_id, holder, state, lease_until, ended_at, outcome)"
        " SELECT id, 'old', 'settled', now(), now(), 'not-found' FROM asset WHERE state = 'failed'"
    ),
)
# The hundred thousand best files are with batches: what the queue has at its head is not to be had.
_CLAIM_THE_HEAD = """
INSERT INTO claim (asset_id, holder, lease_until)
SELECT asset_id, 'run', now() + interval '1 hour'
  FROM work ORDER BY need DESC, place DESC LIMIT :head
"""
# Hosts that bear one request at a time, and whose place is taken.
_TAKE_THE_HOSTS = (
    "UPDATE host SET connections = 1 WHERE name IN (SELECT name FROM host ORDER BY name LIMIT :busy)",
    "DELETE FROM host_slot",
    (
        "INSERT INTO host_slot (host, number, holder, lease_until)"
        " SELECT name, 1, 'others', now() + interval '1 hour' FROM host WHERE connections = 1"
    ),
)


def fill(catalog: Catalog, assets: int, *, settled_of_thousand: int = 0) -> None:
    """Fill an empty, migrated catalog."""
    numbers = {
        "assets": assets,
        "hosts": HOSTS,
        "organizations": ORGANIZATIONS,
        "settled": settled_of_thousand,
    }
    with catalog.begin() as connection:
        for one in _FILL:
            text = sa.text(one)
            connection.execute(text, {name: numbers[name] for name in numbers if f":{name}" in one})
    with catalog.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def claim_the_head(catalog: Catalog, files: int) -> None:
    """Let batches have claimed the best files, without the queue knowing of it."""
    with catalog.begin() as connection:
        connection.execute(sa.text(_CLAIM_THE_HEAD), {"head": files})


def take_the_hosts(catalog: Catalog, hosts: int) -> None:
    """Let others have the only place at so many hosts."""
    with catalog.begin() as connection:
        for one in _TAKE_THE_HOSTS:
            connection.execute(sa.text(one), {"busy": hosts} if ":busy" in one else {})
