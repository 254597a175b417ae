"""What became of a dataset, a record or a file in the course of time, for people who want to see for themselves."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.reading import Rows, read_rows, reading

_MOST_FILES = 10_000
_MOST_BATCHES, _MOST_VERSIONS, _MOST_RULINGS = 10, 50, 20


def batches_of_dataset(catalog: Catalog, dataset_id: int) -> Rows:
    """The newest ten batches with files of a dataset; `of_this` says how many of their files are its own."""
    with reading(catalog) as connection:
        return read_rows(
            connection, "dataset_batches", dataset_id=dataset_id, most=_MOST_FILES, limit=_MOST_BATCHES
        )


def captures_with_heads(catalog: Catalog, asset_id: int, *, before: int | None, limit: int) -> Rows:
    """The captures of a file, newest first, with heads, node and batch; none where there is no such file."""
    with reading(catalog) as connection:
        return read_rows(connection, "asset_histories", asset_id=asset_id, before=before, limit=limit)


def versions_of_bytes(catalog: Catalog, asset_id: int) -> Rows:
    """Up to fifty distinct bytes that were received for a file, the last seen first."""
    with reading(catalog) as connection:
        return read_rows(connection, "asset_versions", asset_id=asset_id, limit=_MOST_VERSIONS)


def rulings_on(catalog: Catalog, asset_id: int) -> Rows:
    """Up to twenty words of people on a file against the rules, newest first, revoked ones included."""
    with reading(catalog) as connection:
        return read_rows(connection, "asset_rulings", asset_id=asset_id, limit=_MOST_RULINGS)


def version_of_record(catalog: Catalog, dataset_id: int, version_id: int) -> dict[str, Any] | None:
    """One replaced version with its raw record; None if the dataset has none of this id."""
    with reading(catalog) as connection:
        rows = read_rows(connection, "dataset_version_record", dataset_id=dataset_id, version_id=version_id)
        return next(iter(rows), None)
