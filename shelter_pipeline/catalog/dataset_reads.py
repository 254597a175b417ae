"""Datasets as they are read from outside: pages of them by filter, and one with all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.reading import Rows, read_ids, read_rows, reading, rows_of
from shelter_pipeline.catalog.tables_catalogue import dataset, organization, portal, resource
from shelter_pipeline.catalog.tables_rescue import asset, asset_resource

MOST_FILES_LISTED = 1000  # up to which the files of a dataset are counted in a list
MOST_FILES = 100_000  # and for a dataset by itself
_MOST_VERSIONS, _MOST_LOSSES = 20, 100


@dataclass(frozen=True, slots=True)
class DatasetFilters:
    """Which datasets are asked for: all that is not None has to hold. `url_hash` is of a link's normal form."""

    organization_id: int | None = None
    portal_id: int | None = None
    state: str | None = None
    kind: str | None = None
    modified_since: datetime | None = None
    slug: str | None = None
    identifier: str | None = None
    url_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """An organization or a portal that was asked for by name."""

    id: int
    name: str


def find_organization(catalog: Catalog, key: str) -> Named | None:
    """The organization of this key."""
    return _named(catalog, sa.select(organization.c.id, organization.c.name).where(organization.c.key == key))


def find_portal_named(catalog: Catalog, slug: str) -> Named | None:
    """The portal of this slug."""
    return _named(catalog, sa.select(portal.c.id, portal.c.slug.label("name")).where(portal.c.slug == slug))


def _named(catalog: Catalog, wanted: sa.Select[tuple[int, str]]) -> Named | None:
    with reading(catalog) as connection:
        found = connection.execute(wanted).mappings().one_or_none()
        return Named(**found) if found else None


def list_datasets(catalog: Catalog, filters: DatasetFilters, *, after: int, limit: int) -> Rows:
    """Datasets with ids above `after`, by id."""
    ids = sa.select(dataset.c.id).where(*_conditions(filters), dataset.c.id > after)
    with reading(catalog) as connection:
        return dataset_cards(connection, read_ids(connection, ids.order_by(dataset.c.id).limit(limit)))


def list_latest(
    catalog: Catalog, filters: DatasetFilters, *, before: tuple[datetime, int] | None, limit: int
) -> Rows:
    """Datasets that say when they were modified, latest first, before this date and id."""
    place = sa.tuple_(dataset.c.modified, dataset.c.id)
    ids = sa.select(dataset.c.id).where(*_conditions(filters), dataset.c.modified.is_not(None))
    if before is not None:
        ids = ids.where(place < sa.tuple_(*before))
    with reading(catalog) as connection:
        ids = ids.order_by(dataset.c.modified.desc(), dataset.c.id.desc()).limit(limit)
        return dataset_cards(connection, read_ids(connection, ids))


def dataset_cards(connection: Connection, ids: list[int], *, most_files: int = MOST_FILES_LISTED) -> Rows:
    """These datasets, in this order, each with how much of it is held."""
    return rows_of(connection, "dataset_cards", ids, most=most_files)


def read_dataset(catalog: Catalog, dataset_id: int) -> dict[str, Any] | None:
    """One dataset with its losses and replaced versions; None if there is none of this id."""
    with reading(catalog) as connection:
        cards = dataset_cards(connection, [dataset_id], most_files=MOST_FILES)
        if not cards:
            return None
        return {
            **cards[0],
            **read_rows(connection, "dataset_record", dataset_id=dataset_id)[0],
            "losses": read_rows(connection, "dataset_losses", dataset_id=dataset_id, limit=_MOST_LOSSES),
            "replaced": read_rows(
                connection, "dataset_versions", dataset_id=dataset_id, limit=_MOST_VERSIONS
            ),
        }


def read_card(catalog: Catalog, dataset_id: int) -> dict[str, Any] | None:
    """One dataset with how much of it is held; None if there is none of this id."""
    with reading(catalog) as connection:
        return next(iter(dataset_cards(connection, [dataset_id])), None)


def read_portal_record(catalog: Catalog, dataset_id: int) -> str | None:
    """The portal's own record, canonical JSON; None if there is no such dataset."""
    with reading(catalog) as connection:
        return connection.scalar(sa.select(dataset.c.raw).where(dataset.c.id == dataset_id))


def _conditions(filters: DatasetFilters) -> list[sa.ColumnElement[bool]]:
    columns = (
        (dataset.c.organization_id, filters.organization_id),
        (dataset.c.portal_id, filters.portal_id),
        (dataset.c.kind, filters.kind),
        (dataset.c.slug, filters.slug),
        (dataset.c.identifier, filters.identifier),
    )
    conditions = [column == value for column, value in columns if value is not None]
    if filters.state is not None:
        # Written out, so that the index of those that are absent is seen to be the right one.
        conditions.append(
            dataset.c.state == sa.literal_column("'absent'" if filters.state == "absent" else "'listed'")
        )
    if filters.modified_since is not None:
        conditions.append(dataset.c.modified >= filters.modified_since)
    if filters.url_hash is not None:
        conditions.append(dataset.c.id.in_(_datasets_of(filters.url_hash)))
    return conditions


def _datasets_of(url_hash: bytes) -> sa.Select[tuple[int]]:
    return (
        sa.select(resource.c.dataset_id)
        .join(asset_resource, asset_resource.c.resource_id == resource.c.id)
        .join(asset, asset.c.id == asset_resource.c.asset_id)
        .where(asset.c.url_hash == url_hash)
    )
