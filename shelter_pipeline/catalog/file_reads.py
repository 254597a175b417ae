"""Resources, files and captures as they are read from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.reading import Rows, read_ids, read_rows, reading, rows_of
from shelter_pipeline.catalog.tables_catalogue import dataset, resource
from shelter_pipeline.catalog.tables_rescue import asset, asset_resource

_MOST_FILES = 1000  # up to which the files of a resource are counted
_MOST_OWNERS = 100


@dataclass(frozen=True, slots=True)
class ResourceFilters:
    """Which resources are asked for: all that is not None has to hold."""

    dataset_id: int | None = None
    organization_id: int | None = None
    format: str | None = None
    outcome: str | None = None
    role: str | None = None
    listed: bool | None = None


@dataclass(frozen=True, slots=True)
class AssetFilters:
    """Which files are asked for: all that is not None has to hold. Sizes are bytes of what is held."""

    dataset_id: int | None = None
    organization_id: int | None = None
    resource_id: int | None = None
    state: str | None = None
    reason: str | None = None
    hosts: tuple[str, ...] | None = None  # any of them, as name:port
    kind: str | None = None
    sha256: str | None = None
    url_hash: bytes | None = None
    min_size: int | None = None
    max_size: int | None = None


def list_resources(catalog: Catalog, filters: ResourceFilters, *, after: int, limit: int) -> Rows:
    """Resources with ids above `after`, by id."""
    columns = (
        (resource.c.dataset_id, filters.dataset_id),
        (sa.func.upper(resource.c.format), filters.format and sa.func.upper(filters.format)),
        (resource.c.outcome, filters.outcome),
        (resource.c.role, filters.role),
        (resource.c.listed, filters.listed),
    )
    ids = sa.select(resource.c.id).where(
        resource.c.id > after, *(column == value for column, value in columns if value is not None)
    )
    if filters.organization_id is not None:
        ids = ids.where(resource.c.dataset_id.in_(_datasets(filters.organization_id)))
    with reading(catalog) as connection:
        return resource_cards(connection, read_ids(connection, ids.order_by(resource.c.id).limit(limit)))


def resource_cards(connection: Connection, ids: list[int]) -> Rows:
    """These resources, in this order."""
    return rows_of(connection, "resource_cards", ids, most=_MOST_FILES)


def read_resource(catalog: Catalog, resource_id: int) -> dict[str, Any] | None:
    """One resource; None if there is none of this id."""
    with reading(catalog) as connection:
        return next(iter(resource_cards(connection, [resource_id])), None)


def list_assets(catalog: Catalog, filters: AssetFilters, *, after: int, limit: int) -> Rows:
    """Files with ids above `after`, by id."""
    ids = sa.select(asset.c.id).where(asset.c.id > after, *_conditions(filters))
    with reading(catalog) as connection:
        return asset_cards(connection, read_ids(connection, ids.order_by(asset.c.id).limit(limit)))


def asset_cards(connection: Connection, ids: list[int]) -> Rows:
    """These files, in this order."""
    return rows_of(connection, "asset_cards", ids)


def read_asset(catalog: Catalog, asset_id: int) -> dict[str, Any] | None:
    """One file with the datasets that list it; None if there is none of this id."""
    with reading(catalog) as connection:
        cards = asset_cards(connection, [asset_id])
        if not cards:
            return None
        owners = read_rows(connection, "asset_owners", asset_id=asset_id, limit=_MOST_OWNERS)
        return {**cards[0], "datasets": owners}


def list_captures(catalog: Catalog, asset_id: int, *, before: int | None, limit: int) -> Rows | None:
    """The captures of a file, newest first; None if there is no such file."""
    with reading(catalog) as connection:
        captures = read_rows(connection, "asset_captures", asset_id=asset_id, before=before, limit=limit)
        if not captures and not asset_cards(connection, [asset_id]):
            return None
        return captures


def read_capture(catalog: Catalog, capture_id: int) -> dict[str, Any] | None:
    """One capture with the heads of its requests and replies; None if there is none of this id."""
    with reading(catalog) as connection:
        return next(iter(read_rows(connection, "capture_record", capture_id=capture_id)), None)


def files_of_dataset(
    catalog: Catalog, dataset_id: int, *, resources: int, files: int
) -> tuple[Rows, dict[int, Rows]]:
    """The first resources of a dataset, listed ones first, and the first files of each by the resource's id."""
    first = (
        sa.select(resource.c.id)
        .where(resource.c.dataset_id == dataset_id)
        .order_by(resource.c.listed.desc(), resource.c.position, resource.c.id)
        .limit(resources)
    )
    with reading(catalog) as connection:
        found = resource_cards(connection, read_ids(connection, first))
        links = rows_of(connection, "files_of_resources", [row["id"] for row in found], most=files)
        cards = asset_cards(connection, list(dict.fromkeys(link["asset_id"] for link in links)))
    by_id = {card["id"]: card for card in cards}
    of_resource: dict[int, Rows] = {}
    for link in links:
        of_resource.setdefault(link["resource_id"], []).append(by_id[link["asset_id"]])
    return found, of_resource


def _conditions(filters: AssetFilters) -> list[sa.ColumnElement[bool]]:
    columns = (
        (asset.c.state, filters.state),
        (asset.c.reason, filters.reason),
        (asset.c.kind, filters.kind),
        (asset.c.sha256, filters.sha256),
        (asset.c.url_hash, filters.url_hash),
    )
    conditions = [column == value for column, value in columns if value is not None]
    if filters.hosts is not None:
        conditions.append(asset.c.host.in_(filters.hosts))
    if filters.min_size is not None:
        conditions.append(asset.c.size >= filters.min_size)
    if filters.max_size is not None:
        conditions.append(asset.c.size <= filters.max_size)
    owned = _owned(filters)
    return conditions if owned is None else [*conditions, asset.c.id.in_(owned)]


def _owned(filters: AssetFilters) -> sa.Select[tuple[int]] | None:
    """Files of a resource, a dataset or an organization; None where none of them is asked for."""
    links = sa.select(asset_resource.c.asset_id).join(resource, resource.c.id == asset_resource.c.resource_id)
    owners = (
        (resource.c.id, filters.resource_id),
        (resource.c.dataset_id, filters.dataset_id),
    )
    conditions = [column == value for column, value in owners if value is not None]
    if filters.organization_id is not None:
        conditions.append(resource.c.dataset_id.in_(_datasets(filters.organization_id)))
    return links.where(*conditions) if conditions else None


def _datasets(organization_id: int) -> sa.Select[tuple[int]]:
    return sa.select(dataset.c.id).where(dataset.c.organization_id == organization_id)
