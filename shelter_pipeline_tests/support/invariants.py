"""What must hold whatever happened: the catalog's rows by one SQL file, and the store's files by those rows."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.vault.local import LocalStore

_SQL = Path(__file__).with_name("invariants.sql")
_GOOD_COPIES = """
SELECT blob.sha256, blob.size
  FROM copy
  JOIN store ON store.id = copy.store_id AND store.name = :store
  JOIN blob ON blob.sha256 = copy.sha256
 WHERE copy.state = 'good'
"""


@cache
def _statement() -> sa.TextClause:
    return sa.text(_SQL.read_text(encoding="utf-8"))


def broken_rows(catalog: Catalog) -> dict[str, int]:
    """The invariants of the catalog that do not hold, and how often."""
    with catalog.begin() as connection:
        counts = connection.execute(_statement()).mappings().one()
    return {name: count for name, count in counts.items() if count}


def broken_files(catalog: Catalog, store: LocalStore) -> list[str]:
    """Good copies of this store without a file of their size, and blobs that are not what they are named."""
    with catalog.begin() as connection:
        copies = connection.execute(sa.text(_GOOD_COPIES), {"store": store.name}).all()
    missing = [f"{row.sha256} is missing" for row in copies if store.size_of(row.sha256) != row.size]
    return missing + torn_blobs(store)


def torn_blobs(store: LocalStore) -> list[str]:
    """Files under a final name that are not the bytes they are named by."""
    torn = []
    for blob in store.blobs():
        with store.open(blob.sha256) as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != blob.sha256:
                torn.append(f"{blob.location} is torn")
    return torn


def assert_invariants(catalog: Catalog, store: LocalStore) -> None:
    rows, files = broken_rows(catalog), broken_files(catalog, store)
    assert rows == {}, f"invariants are broken: {rows}"
    assert files == [], f"{len(files)} files are not what the catalog says: {files[:5]}"
