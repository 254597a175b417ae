"""What a store says of catalogues, back in the catalog: portals, organizations, datasets, resources, batches.

A dataset that the catalog does not know comes back from its kept record; one it knows is
replaced only by a record that is newer by the moment it became what it is. No harvest is
made up for it: the next one finds restored datasets unchanged, and misses those that went.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, copy_rows, statement
from shelter_pipeline.catalog.merge_rows import DATASET, RESOURCE, dataset_values, resource_values
from shelter_pipeline.catalog.portals import PortalRow, add_portal, ensure_organizations, list_portals
from shelter_pipeline.domain.records import DatasetRecord, OrganizationRecord

NO_HARVEST = 0  # of a sighting: earlier than any harvest of this catalog
_REPLACING = (
    "analyze_staged",
    "lock_datasets",
    "merge_datasets",
    "lock_resources",
    "reset_resources",
    "merge_resources",
    "unlist_resources",
)
_LOOK = ("classified_as", "rule", "outcome", "outcome_detail", "discovered_at", "links")
_PROMISE = ("position", "role", "url", "name", "description", "format", "media_type", "size", "checksum")

ToldResource = tuple[int, Any]  # the id of a dataset, and the line of a manifest about one of its resources


@dataclass(frozen=True, slots=True)
class KnownDataset:
    """A dataset of the catalog, and since when it is as it is."""

    id: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class RestoredDataset:
    """A record with what a manifest says of it."""

    record: DatasetRecord
    first_seen_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class RestoredBatch:
    """A batch that was run."""

    key: str
    organization: str
    host: str | None
    number: int
    attempt: int
    files: int
    bytes: int
    planned_at: datetime


@dataclass(frozen=True, slots=True)
class RestoredSource:
    """A publisher's own record of a known dataset; `record_hash` is that of the portal's record of the moment."""

    dataset_id: int
    record_hash: bytes
    url: str
    sha256: str
    media_type: str | None
    asked_at: datetime


def restore_portal(
    catalog: Catalog, kind: str, url: str, *, slug: str | None, nightly: bool, delay_seconds: float | None
) -> PortalRow:
    """The portal of this kind and URL, with these habits if it is new; a known one keeps its own."""
    for row in list_portals(catalog):
        if (row.kind, row.url) == (kind, url):
            return row
    return add_portal(catalog, kind, url, slug=slug, nightly=nightly, delay_seconds=delay_seconds)


def restore_organizations(
    catalog: Catalog, portal: PortalRow, wanted: Mapping[str, OrganizationRecord]
) -> tuple[dict[str, int], int]:
    """Ids of a portal's organizations by slug, and how many are new; `wanted` has them by their partition keys.

    One whose key another portal has taken meanwhile gets a free one.
    """
    with catalog.begin() as connection:
        new = 0
        for key, record in sorted(wanted.items()):
            new += connection.execute(
                statement("restore_organization"),
                {
                    "portal_id": portal.id,
                    "slug": record.slug,
                    "key": key,
                    "name": record.name,
                    "kind": record.kind,
                },
            ).rowcount
        ids = ensure_organizations(connection, portal, [])
        left = [record for record in wanted.values() if record.slug not in ids]
        return ensure_organizations(connection, portal, left), new + len(left)


def known_datasets(catalog: Catalog, portal_id: int, identifiers: Sequence[str]) -> dict[str, KnownDataset]:
    """The datasets of a portal that the catalog has, by identifier."""
    rows = catalog.rows("known_datasets", portal_id=portal_id, identifiers=list(identifiers))
    return {row["identifier"]: KnownDataset(row["id"], row["changed_at"]) for row in rows}


def restore_datasets(
    catalog: Catalog, portal_id: int, organizations: Mapping[str, int], datasets: Sequence[RestoredDataset]
) -> int:
    """Load the datasets that are new and replace those that are older, in one transaction; returns how many are new."""
    with catalog.begin() as connection:
        connection.execute(statement("plan_for_indexes"))
        identifiers = [one.record.identifier for one in datasets]
        rows = connection.execute(
            statement("known_datasets"), {"portal_id": portal_id, "identifiers": identifiers}
        )
        known = {row.identifier: KnownDataset(row.id, row.changed_at) for row in rows}
        new = [one for one in datasets if one.record.identifier not in known]
        later = [
            (known[one.record.identifier].id, one)
            for one in datasets
            if one.record.identifier in known and one.changed_at > known[one.record.identifier].changed_at
        ]
        ids = list(connection.scalars(statement("new_dataset_ids"), {"count": len(new)}))
        loaded = list(zip(ids, new, strict=True))
        if loaded:
            _load(connection, portal_id, organizations, loaded)
        if later:
            _replace(connection, organizations, later)
        _date(connection, loaded + later)
        return len(new)


def restore_unlisted(catalog: Catalog, told: Iterable[ToldResource]) -> None:
    """Resources that their datasets do not list any more but that led to a file. Safe to repeat."""
    _restore_resources(catalog, told, "restore_unlisted")


def restore_outcomes(catalog: Catalog, told: Iterable[ToldResource]) -> None:
    """What discovery made of resources, once the files that they led to are linked. Safe to repeat."""
    _restore_resources(catalog, told, "restore_outcomes")


def _restore_resources(catalog: Catalog, told: Iterable[ToldResource], name: str) -> None:
    with catalog.begin() as connection:
        connection.execute(statement("plan_for_indexes"))
        connection.execute(statement("stage_resource_facts"))
        copy_rows(
            connection,
            f"restored_resource (dataset_id, key, {', '.join(_LOOK)}, is_unlisted, {', '.join(_PROMISE)})",
            (
                (
                    dataset_id,
                    line.key,
                    *(getattr(line, name) for name in _LOOK),
                    line.unlisted is not None,
                    *(getattr(line.unlisted, name, None) for name in _PROMISE),
                )
                for dataset_id, line in told
            ),
        )
        connection.execute(statement("analyze_resource_facts"))
        connection.execute(statement(name))


def restore_batches(
    catalog: Catalog, organizations: Mapping[str, int], batches: Sequence[RestoredBatch]
) -> None:
    """Make ended batches known under their keys and numbers."""
    with catalog.begin() as connection:
        for batch in batches:
            connection.execute(
                statement("restore_batch"),
                {
                    "key": batch.key,
                    "organization_id": organizations[batch.organization],
                    "host": batch.host,
                    "number": batch.number,
                    "attempt": batch.attempt,
                    "files": batch.files,
                    "bytes": batch.bytes,
                    "planned_at": batch.planned_at,
                },
            )


def restore_sources(catalog: Catalog, sources: Sequence[RestoredSource], *, store: str) -> None:
    """Make publishers' own records known again, where a good copy is, in one transaction. Safe to repeat."""
    with catalog.begin() as connection:
        for source in sources:
            connection.execute(statement("restore_source"), asdict(source))
            proof = {name: getattr(source, name) for name in ("sha256", "media_type", "asked_at")}
            connection.execute(statement("restore_source_proof"), {**proof, "store": store})


def _load(
    connection: Connection,
    portal_id: int,
    organizations: Mapping[str, int],
    loaded: Sequence[tuple[int, RestoredDataset]],
) -> None:
    DATASET.load(
        connection,
        "dataset",
        ("id", "portal_id", "identifier"),
        (
            (identity, portal_id, one.record.identifier, *dataset_values(one.record, organizations))
            for identity, one in loaded
        ),
    )
    RESOURCE.load(connection, "resource", ("dataset_id",), _resources(loaded))
    copy_rows(
        connection,
        "sighting (dataset_id, harvest_id, popularity)",
        ((identity, NO_HARVEST, one.record.popularity) for identity, one in loaded),
        types=("int8", "int8", "int8"),
    )


def _replace(
    connection: Connection,
    organizations: Mapping[str, int],
    later: Sequence[tuple[int, RestoredDataset]],
) -> None:
    connection.execute(statement("stage_datasets"))
    connection.execute(statement("stage_resources"))
    DATASET.load(
        connection,
        "staged_dataset",
        ("id",),
        ((identity, *dataset_values(one.record, organizations)) for identity, one in later),
    )
    RESOURCE.load(connection, "staged_resource", ("dataset_id",), _resources(later))
    for name in _REPLACING:
        connection.execute(statement(name))


def _resources(datasets: Sequence[tuple[int, RestoredDataset]]) -> Iterable[tuple[Any, ...]]:
    return ((identity, *values) for identity, one in datasets for values in resource_values(one.record))


def _date(connection: Connection, datasets: Sequence[tuple[int, RestoredDataset]]) -> None:
    connection.execute(
        statement("restore_dates"),
        {
            "dataset_ids": [identity for identity, _ in datasets],
            "first_seen": [one.first_seen_at for _, one in datasets],
            "changed": [one.changed_at for _, one in datasets],
        },
    )
