"""What a catalog says, without ids and without what is only of this database: for comparing two of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog

# What a store tells of: datasets that list a file of a batch.
_TOLD = """
CREATE TEMPORARY VIEW told AS
SELECT DISTINCT resource.dataset_id
  FROM resource JOIN asset_resource ON resource_id = resource.id JOIN asset ON asset.id = asset_id
 WHERE batch_id IS NOT NULL
"""
# When a copy was stored and verified is told by captures, a moment before its row was written: it is not compared.
_ROWS = {
    "portal": """
        SELECT slug, kind, url, nightly, delay_seconds FROM portal
         WHERE id IN (SELECT portal_id FROM dataset JOIN told ON dataset_id = dataset.id)""",
    "organization": """
        SELECT portal.url, organization.slug, key, name, organization.kind
          FROM organization JOIN portal ON portal.id = portal_id
         WHERE organization.id IN (SELECT organization_id FROM dataset JOIN told ON dataset_id = dataset.id)""",
    "dataset": """
        SELECT portal.url, organization.key, identifier, dataset.slug, title, description, publisher, dataset.kind,
               keywords, themes, issued, modified, license, access_level, spatial, temporal, landing_page,
               collection, notes, raw, record_hash, state, first_seen_at, changed_at, popularity
          FROM told JOIN dataset ON dataset.id = told.dataset_id JOIN portal ON portal.id = portal_id
          JOIN organization ON organization.id = organization_id JOIN sighting ON sighting.dataset_id = dataset.id""",
    "resource": """
        SELECT identifier, key, position, role, resource.url, name, resource.description, format, media_type, size,
               checksum, listed, classified_as, rule, outcome, outcome_detail, discovered_at
          FROM told JOIN resource USING (dataset_id) JOIN dataset ON dataset.id = dataset_id""",
    "asset": """
        SELECT asset.url, url_hash, asset.host, kind, format, media_type, checksum, expected_size, asset.state,
               reason, sha256, size, etag, last_modified, attempts, next_attempt_at, found_at, batch.key
          FROM asset LEFT JOIN batch ON batch.id = batch_id""",
    "link": """
        SELECT asset.url, identifier, resource.key, via, why,
               CASE WHEN page_id IS NULL THEN path
                    ELSE (WITH RECURSIVE above AS (
                              SELECT parent_id, url, 0 AS distance FROM exploration_page WHERE id = page_id
                              UNION ALL
                              SELECT page.parent_id, page.url, distance + 1
                                FROM above JOIN exploration_page AS page ON page.id = above.parent_id)
                          SELECT coalesce(array_agg(above.url ORDER BY distance DESC)
                                              FILTER (WHERE above.url <> asset.url), '{}')
                            FROM above)
               END
          FROM asset_resource JOIN asset ON asset.id = asset_id JOIN resource ON resource.id = resource_id
          JOIN dataset ON dataset.id = dataset_id""",
    "capture": """
        SELECT asset.url, batch.key, late, verdict, capture.reason, detail, final_url, status, heads, flags,
               requests, wire_bytes, capture.sha256, capture.size, capture.started_at, capture.finished_at
          FROM capture JOIN asset ON asset.id = asset_id LEFT JOIN batch ON batch.id = capture.batch_id""",
    "blob": "SELECT sha256, size, media_type FROM blob",
    "copy": "SELECT sha256, store.name, state FROM copy JOIN store ON store.id = store_id",
    "source_record": """
        SELECT identifier, source_record.record_hash, url, reason, sha256, media_type, asked_at
          FROM source_record JOIN dataset ON dataset.id = dataset_id WHERE reason = 'stored'""",
    "batch": """
        SELECT batch.key, organization.key, host, number, files, bytes, planned_at
          FROM batch JOIN organization ON organization.id = organization_id""",
}

Snapshot = dict[str, list[tuple[Any, ...]]]


def snapshot(catalog: Catalog) -> Snapshot:
    """The rows of every kind that a store can bring back, in an order of their own."""
    with catalog.begin() as connection:
        connection.execute(sa.text(_TOLD))
        found = {
            name: sorted((tuple(row) for row in connection.execute(sa.text(query))), key=repr)
            for name, query in _ROWS.items()
        }
        connection.execute(sa.text("DROP VIEW told"))
        return found


def assert_equal(found: Snapshot, right: Snapshot) -> None:
    """No row is missing and none too many; the first that are, by kind, are the message."""
    for kind, rows in right.items():
        lacking = [row for row in rows if row not in found[kind]]
        surplus = [row for row in found[kind] if row not in rows]
        assert not lacking, f"{kind}: {len(lacking)} are missing, the first of them {lacking[:2]}"
        assert not surplus, f"{kind}: {len(surplus)} are too many, the first of them {surplus[:2]}"
        assert len(found[kind]) == len(rows), f"{kind}: some come twice"
