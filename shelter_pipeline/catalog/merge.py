"""A page of records becomes catalog rows in one transaction, whatever was there before.

Records whose hash is known are not touched but for their sighting. The others go
through a staging table by COPY and set-based statements: the previous record is kept as
a version, resources are updated in place, and what the portal no longer lists is marked,
never deleted. Merging the same page again changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import copy_rows, statement
from shelter_pipeline.catalog.portals import PortalRow, ensure_organizations
from shelter_pipeline.catalog.tables_catalogue import dataset, refusal
from shelter_pipeline.domain.records import DatasetRecord, Refusal

_DATASET_COLUMNS = (
    "portal_id",
    "organization_id",
    "identifier",
    "slug",
    "title",
    "description",
    "publisher",
    "kind",
    "keywords",
    "themes",
    "popularity",
    "issued",
    "modified",
    "license",
    "access_level",
    "spatial",
    "temporal",
    "landing_page",
    "collection",
    "notes",
    "raw",
    "record_hash",
)
_RESOURCE_COLUMNS = (
    "identifier",
    "key",
    "position",
    "role",
    "url",
    "name",
    "description",
    "format",
    "media_type",
    "size",
    "checksum",
)
_RAW_SHOWN = 2000


@dataclass(slots=True)
class PageCounts:
    """What one page changed. `seen` counts distinct records kept, refusals apart."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    duplicates: int = 0
    resources: int = 0


def merge_page(
    connection: Connection,
    portal: PortalRow,
    harvest_id: int,
    records: Sequence[DatasetRecord | Refusal],
    already_seen: set[str],
) -> PageCounts:
    """Merge one page; `already_seen` holds the identifiers of earlier pages and grows by this one's."""
    counts = PageCounts()
    refusals = [record for record in records if isinstance(record, Refusal)]
    fresh: dict[str, DatasetRecord] = {}
    for record in records:
        if isinstance(record, DatasetRecord):
            if record.identifier in already_seen:
                counts.duplicates += 1
            else:
                already_seen.add(record.identifier)
                fresh[record.identifier] = record
    counts.refused = len(refusals)
    counts.seen = len(fresh)
    counts.resources = sum(len(record.resources) for record in fresh.values())
    known = _known_hashes(connection, portal.id, list(fresh))
    moved = [record for record in fresh.values() if known.get(record.identifier) != record.record_hash]
    counts.new = sum(record.identifier not in known for record in moved)
    counts.changed = len(moved) - counts.new
    counts.unchanged = counts.seen - len(moved)
    if moved:
        _write_records(connection, portal, harvest_id, moved)
    _record_refusals(connection, harvest_id, refusals)
    connection.execute(
        statement("note_sightings"),
        {"harvest_id": harvest_id, "portal_id": portal.id, "identifiers": list(fresh)},
    )
    return counts


def _known_hashes(connection: Connection, portal_id: int, identifiers: list[str]) -> dict[str, bytes]:
    rows = connection.execute(
        sa.select(dataset.c.identifier, dataset.c.record_hash).where(
            dataset.c.portal_id == portal_id,
            dataset.c.identifier == sa.any_(sa.literal(identifiers, sa.ARRAY(sa.Text))),
        )
    )
    return {identifier: bytes(record_hash) for identifier, record_hash in rows}


def _write_records(
    connection: Connection, portal: PortalRow, harvest_id: int, records: list[DatasetRecord]
) -> None:
    organizations = ensure_organizations(connection, portal, [record.organization for record in records])
    connection.execute(statement("stage_tables"))
    copy_rows(
        connection,
        f"staged_dataset ({', '.join(_DATASET_COLUMNS)})",
        (_dataset_row(record, portal.id, organizations[record.organization.slug]) for record in records),
    )
    copy_rows(
        connection,
        f"staged_resource ({', '.join(_RESOURCE_COLUMNS)})",
        (row for record in records for row in _resource_rows(record)),
    )
    parameters = {"portal_id": portal.id, "harvest_id": harvest_id}
    for name in (
        "keep_versions",
        "merge_datasets",
        "lock_resources",
        "reset_resources",
        "merge_resources",
        "unlist_resources",
    ):
        connection.execute(statement(name), parameters)


def _dataset_row(record: DatasetRecord, portal_id: int, organization_id: int) -> tuple[Any, ...]:
    return (
        portal_id,
        organization_id,
        record.identifier,
        record.slug,
        record.title,
        record.description,
        record.publisher,
        record.kind,
        list(record.keywords),
        list(record.themes),
        record.popularity,
        record.issued,
        record.modified,
        record.license,
        record.access_level,
        record.spatial,
        record.temporal,
        record.landing_page,
        record.collection,
        msgspec.json.encode(record.notes).decode(),
        record.raw.decode(),
        record.record_hash,
    )


def _resource_rows(record: DatasetRecord) -> list[tuple[Any, ...]]:
    return [
        (
            record.identifier,
            resource.key,
            resource.position,
            resource.role,
            resource.url,
            resource.name,
            resource.description,
            resource.format,
            resource.media_type,
            resource.size,
            resource.checksum,
        )
        for resource in record.resources
    ]


def _record_refusals(connection: Connection, harvest_id: int, refusals: list[Refusal]) -> None:
    if refusals:
        connection.execute(
            sa.insert(refusal),
            [
                {
                    "harvest_id": harvest_id,
                    "position": item.position,
                    "identifier": item.identifier,
                    "field": item.field,
                    "problem": item.problem,
                    "raw": item.raw[:_RAW_SHOWN],
                }
                for item in refusals
            ],
        )
