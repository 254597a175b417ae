"""A record as rows for COPY: each column with its PostgreSQL type, values in the same order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import copy_rows, storable, storable_moment
from shelter_pipeline.domain.records import DatasetRecord, Json, Note

# Columns that are not of the record itself, but stand before it in one table or another.
_OWN = {
    "id": "int8",
    "dataset_id": "int8",
    "portal_id": "int8",
    "identifier": "text",
    "changes": "jsonb",
    "substantive": "bool",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one kind of row, with their types."""

    columns: Mapping[str, str]

    def load(
        self, connection: Connection, table: str, own: Sequence[str], rows: Iterable[tuple[Any, ...]]
    ) -> None:
        """COPY rows into `table`: its `own` columns first, then those of the layout."""
        names = ", ".join((*own, *self.columns))
        types = (*(_OWN[name] for name in own), *self.columns.values())
        copy_rows(connection, f"{table} ({names})", rows, types=types)


DATASET = Layout(
    {
        "organization_id": "int8",
        "slug": "text",
        "title": "text",
        "description": "text",
        "publisher": "text",
        "kind": "text",
        "keywords": "text[]",
        "themes": "text[]",
        "issued": "timestamptz",
        "modified": "timestamptz",
        "license": "text",
        "access_level": "text",
        "spatial": "text",
        "temporal": "text",
        "landing_page": "text",
        "collection": "text",
        "notes": "jsonb",
        "raw": "text",
        "record_hash": "bytea",
    }
)
RESOURCE = Layout(
    {
        "key": "text",
        "position": "int4",
        "role": "text",
        "url": "text",
        "name": "text",
        "description": "text",
        "format": "text",
        "media_type": "text",
        "size": "int8",
        "checksum": "text",
    }
)


def dataset_values(record: DatasetRecord, organizations: Mapping[str, int]) -> tuple[Any, ...]:
    """The columns of `DATASET`."""
    return (
        organizations[record.organization.slug],
        record.slug,
        record.title,
        record.description,
        record.publisher,
        record.kind,
        list(record.keywords),
        list(record.themes),
        storable_moment(record.issued),
        storable_moment(record.modified),
        record.license,
        record.access_level,
        record.spatial,
        record.temporal,
        record.landing_page,
        record.collection,
        [_note(note) for note in record.notes],
        record.raw.decode(),
        record.record_hash,
    )


def _note(note: Note) -> Json:
    """A note names the field as the portal does, whatever is in that name."""
    return {name: storable(text) for name, text in msgspec.to_builtins(note).items()}


def resource_values(record: DatasetRecord) -> Iterator[tuple[Any, ...]]:
    """The columns of `RESOURCE`, a row for each."""
    for resource in record.resources:
        yield (
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
