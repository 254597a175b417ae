"""A group of records becomes catalog rows in one transaction, whatever was there before.

One statement notes the sighting of what is known as it is, and tells what is not: of most
records nothing else is read or written. New ones are loaded by COPY with ids drawn beforehand, at the cost of the rows
themselves. Changed ones go through staging tables and set-based statements: the record
before is kept as a version, resources are updated in place, and what the portal no longer
lists is marked, never deleted. Merging the same group again changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import copy_rows, statement
from shelter_pipeline.catalog.merge_rows import (
    DATASET,
    RESOURCE,
    dataset_values,
    resource_values,
)
from shelter_pipeline.catalog.refusals import record_refusals
from shelter_pipeline.catalog.versions import changes_of
from shelter_pipeline.domain.records import DatasetRecord, Refusal

# Raw records and what differs between them are large: those of few are in memory at a time.
_CHANGED_AT_ONCE = 500
_CHANGED_RECORDS = (
    "lock_datasets",
    "keep_versions",
    "merge_datasets",
    "lock_resources",
    "reset_resources",
    "merge_resources",
    "unlist_resources",
)


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """What one group brought. `seen` counts distinct records kept, refusals apart; `moved` ones are changed too."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    moved: int = 0
    refused: int = 0
    duplicates: int = 0
    resources: int = 0


@dataclass(frozen=True, slots=True)
class _Known:
    """What the catalog had of a record before this group."""

    id: int
    record_hash: bytes
    organization_id: int
    harvest_id: int | None  # that saw it last


@dataclass(slots=True)
class _Sorted:
    """The records of a group by what has to be done with them."""

    new: list[DatasetRecord] = field(default_factory=list)
    changed: list[tuple[DatasetRecord, _Known]] = field(default_factory=list)
    unchanged: list[DatasetRecord] = field(default_factory=list)
    unseen: list[tuple[DatasetRecord, _Known]] = field(default_factory=list)  # unchanged, without a sighting
    duplicates: int = 0

    def records(self) -> Iterable[DatasetRecord]:
        """Every record that counts."""
        yield from self.new
        yield from self.unchanged
        for record, _ in self.changed:
            yield record


def merge_group(
    connection: Connection,
    portal_id: int,
    harvest_id: int,
    organizations: Mapping[str, int],
    records: Sequence[DatasetRecord | Refusal],
) -> GroupCounts:
    """Merge a group within the caller's transaction, which must be the only one that merges this portal.

    `organizations` has the id of each organization by its slug. A record that this harvest
    has seen or refused already is a duplicate; of one that comes twice the first counts.
    """
    connection.execute(statement("plan_for_indexes"))
    refusals = [record for record in records if isinstance(record, Refusal)]
    found = _sort(connection, portal_id, harvest_id, [r for r in records if isinstance(r, DatasetRecord)])
    if found.new:
        _load_new(connection, portal_id, harvest_id, organizations, found.new)
    if found.changed:
        _replace_changed(connection, harvest_id, organizations, found.changed)
    _renew_sightings(connection, harvest_id, found.changed + found.unseen)
    _count_organizations(connection, harvest_id, organizations, found)
    refused = record_refusals(connection, harvest_id, refusals)
    return GroupCounts(
        seen=len(found.new) + len(found.changed) + len(found.unchanged),
        new=len(found.new),
        changed=len(found.changed),
        unchanged=len(found.unchanged),
        moved=sum(_has_moved(record, known, organizations) for record, known in found.changed),
        refused=refused,
        duplicates=found.duplicates + len(refusals) - refused,
        resources=sum(len(record.resources) for record in found.records()),
    )


def _sort(
    connection: Connection, portal_id: int, harvest_id: int, records: Sequence[DatasetRecord]
) -> _Sorted:
    fresh: dict[str, DatasetRecord] = {}
    for record in records:
        fresh.setdefault(record.identifier, record)  # of two the first stays, and all in their order
    found = _Sorted(duplicates=len(records) - len(fresh))
    others = _note_sightings(connection, portal_id, harvest_id, list(fresh.values())) if fresh else {}
    found.unchanged = [record for identifier, record in fresh.items() if identifier not in others]
    known = _known(connection, portal_id, list(others)) if others else {}
    for identifier, record in others.items():
        before = known.get(identifier)
        if before is None:
            found.new.append(record)
        elif before.harvest_id == harvest_id:
            found.duplicates += 1
        elif before.record_hash != record.record_hash:
            found.changed.append((record, before))
        else:
            found.unchanged.append(record)
            found.unseen.append((record, before))
    return found


def _note_sightings(
    connection: Connection, portal_id: int, harvest_id: int, records: list[DatasetRecord]
) -> dict[str, DatasetRecord]:
    """Note what is known as it is; returns the rest, by identifier."""
    places = connection.scalars(
        statement("note_sightings"),
        {
            "portal_id": portal_id,
            "harvest_id": harvest_id,
            "identifiers": [record.identifier for record in records],
            "popularities": [record.popularity for record in records],
            "hashes": b"".join(record.record_hash for record in records),
        },
    )
    return {records[place - 1].identifier: records[place - 1] for place in sorted(places)}


def _known(connection: Connection, portal_id: int, identifiers: list[str]) -> dict[str, _Known]:
    rows = connection.execute(
        statement("known_records"), {"portal_id": portal_id, "identifiers": identifiers}
    )
    return {
        identifier: _Known(dataset_id, bytes(record_hash), organization_id, seen_by)
        for identifier, dataset_id, record_hash, organization_id, seen_by in rows
    }


def _has_moved(record: DatasetRecord, known: _Known, organizations: Mapping[str, int]) -> bool:
    return organizations[record.organization.slug] != known.organization_id


def _load_new(
    connection: Connection,
    portal_id: int,
    harvest_id: int,
    organizations: Mapping[str, int],
    records: list[DatasetRecord],
) -> None:
    ids = list(connection.scalars(statement("new_dataset_ids"), {"count": len(records)}))
    DATASET.load(
        connection,
        "dataset",
        ("id", "portal_id", "identifier"),
        (
            (identity, portal_id, record.identifier, *dataset_values(record, organizations))
            for identity, record in zip(ids, records, strict=True)
        ),
    )
    RESOURCE.load(
        connection,
        "resource",
        ("dataset_id",),
        (
            (identity, *values)
            for identity, record in zip(ids, records, strict=True)
            for values in resource_values(record)
        ),
    )
    copy_rows(
        connection,
        "sighting (dataset_id, harvest_id, popularity)",
        (
            (dataset_id, harvest_id, record.popularity)
            for dataset_id, record in zip(ids, records, strict=True)
        ),
        types=("int8", "int8", "int8"),
    )


def _replace_changed(
    connection: Connection,
    harvest_id: int,
    organizations: Mapping[str, int],
    changed: list[tuple[DatasetRecord, _Known]],
) -> None:
    connection.execute(statement("stage_datasets"))
    connection.execute(statement("stage_resources"))
    for start in range(0, len(changed), _CHANGED_AT_ONCE):
        part = changed[start : start + _CHANGED_AT_ONCE]
        changes = changes_of(connection, [(known.id, record.raw) for record, known in part])
        DATASET.load(
            connection,
            "staged_dataset",
            ("id", "changes", "substantive"),
            (
                (known.id, *changes[known.id], *dataset_values(record, organizations))
                for record, known in part
            ),
        )
    RESOURCE.load(
        connection,
        "staged_resource",
        ("dataset_id",),
        ((known.id, *values) for record, known in changed for values in resource_values(record)),
    )
    # Whether few or many are staged decides between an index and a whole table.
    connection.execute(statement("analyze_staged"))
    for name in _CHANGED_RECORDS:
        connection.execute(statement(name), {"harvest_id": harvest_id} if name == "keep_versions" else {})


def _renew_sightings(
    connection: Connection, harvest_id: int, seen: list[tuple[DatasetRecord, _Known]]
) -> None:
    if seen:
        connection.execute(
            statement("renew_sightings"),
            {
                "harvest_id": harvest_id,
                "dataset_ids": [known.id for _, known in seen],
                "popularities": [record.popularity for record, _ in seen],
            },
        )


def _count_organizations(
    connection: Connection, harvest_id: int, organizations: Mapping[str, int], found: _Sorted
) -> None:
    """A dataset counts for the organization it is in now."""
    seen = Counter(organizations[record.organization.slug] for record in found.records())
    new = Counter(organizations[record.organization.slug] for record in found.new)
    changed = Counter(organizations[record.organization.slug] for record, _ in found.changed)
    moved = Counter(
        organizations[record.organization.slug]
        for record, known in found.changed
        if _has_moved(record, known, organizations)
    )
    if seen:
        ids = sorted(seen)
        counts = {"seen": seen, "new": new, "changed": changed, "moved": moved}
        connection.execute(
            statement("count_organizations"),
            {"harvest_id": harvest_id, "organization_ids": ids}
            | {name: [counter[one] for one in ids] for name, counter in counts.items()},
        )
