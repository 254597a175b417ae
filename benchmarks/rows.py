"""The rows that all contestants store: made from our own records, by our own driver, in one order.

A fresh database numbers datasets from 1 in the order in which peers write them, so a
dataset's id is its position plus one, and resources can name it beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from benchmarks.editions import Edition
from shelter_pipeline.domain.records import DatasetRecord
from shelter_pipeline.portals.assembling import assemble
from shelter_pipeline.portals.datagov_record import datagov_record

DATASET_COLUMNS = (
    *("portal_id", "organization_id", "identifier", "slug", "title", "description", "publisher", "kind"),
    *("keywords", "themes", "issued", "modified", "license", "access_level", "spatial", "temporal"),
    *("landing_page", "collection", "notes", "raw", "record_hash"),
)
RESOURCE_COLUMNS = (
    *("dataset_id", "key", "position", "role", "url", "name", "description", "format", "media_type"),
    *("size", "checksum"),
)
SIGHTING_COLUMNS = ("dataset_id", "harvest_id", "popularity")
_of_resource = attrgetter(*RESOURCE_COLUMNS[1:])
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose rows they are: ids of the portal, the harvest, and of the organizations by slug."""

    portal_id: int
    harvest_id: int
    organizations: dict[str, int]


@dataclass(slots=True)
class Rows:
    """One group's rows, by table."""

    datasets: list[Row]
    resources: list[Row]
    sightings: list[Row]


def records_of(edition: Edition, first: int, last: int, *, changed: bool = False) -> list[DatasetRecord]:
    """The records at these positions as our data.gov driver reads them. ValueError if it refuses one."""
    hits = msgspec.json.decode(b"[" + edition.read(first, last, changed=changed) + b"]")
    found = [assemble(datagov_record, hit, first + at) for at, hit in enumerate(hits)]
    refused = [one for one in found if not isinstance(one, DatasetRecord)]
    if refused:
        raise ValueError(f"a generated record was refused: {refused[0]}")
    return [one for one in found if isinstance(one, DatasetRecord)]


def rows_of(records: list[DatasetRecord], first: int, owner: Owner) -> Rows:
    """The rows of records that begin at a position."""
    rows = Rows([], [], [])
    for dataset_id, record in enumerate(records, first + 1):
        rows.datasets.append(_dataset(record, owner))
        rows.resources.extend((dataset_id, *_of_resource(one)) for one in record.resources)
        rows.sightings.append((dataset_id, owner.harvest_id, record.popularity))
    return rows


def _dataset(record: DatasetRecord, owner: Owner) -> Row:
    return (
        owner.portal_id,
        owner.organizations[record.organization.slug],
        record.identifier,
        record.slug,
        record.title,
        record.description,
        record.publisher,
        record.kind,
        list(record.keywords),
        list(record.themes),
        record.issued,
        record.modified,
        record.license,
        record.access_level,
        record.spatial,
        record.temporal,
        record.landing_page,
        record.collection,
        Jsonb(msgspec.to_builtins(record.notes)),
        record.raw.decode(),
        record.record_hash,
    )
