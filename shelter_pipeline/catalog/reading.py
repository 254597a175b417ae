"""Reads for people and programs outside: read-only, bounded in time, page by page from where the last one ended.

A page goes on after the sort values of the last row of the page before, and skips by no
count: rows that come or go meanwhile neither double nor hide the rows that stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.domain.errors import CatalogAwayError, RefusedError

LONGEST_SECONDS = 5.0
_FOR_LOCKS = 0.5  # of the time: nothing but a migration makes a reader wait for any
Rows = list[dict[str, Any]]


class TooBroadError(RefusedError):
    """A question that would keep the catalog busy for too long."""

    default_reason = "too-broad"


@contextmanager
def reading(catalog: Catalog, *, seconds: float = LONGEST_SECONDS) -> Iterator[Connection]:
    """A transaction that only reads; TooBroadError for a statement that takes longer than `seconds`.

    CatalogAwayError where a migration keeps a table locked for more than half of that.
    """
    try:
        with catalog.begin() as connection:
            limits = {
                "milliseconds": str(int(seconds * 1000)),
                "lock_milliseconds": str(int(seconds * _FOR_LOCKS * 1000)),
            }
            connection.execute(statement("begin_reading"), limits)
            yield connection
    except CatalogAwayError as error:
        if isinstance(getattr(error.__cause__, "orig", None), psycopg.errors.QueryCanceled):
            raise TooBroadError(
                f"this question was given up after {seconds:g} seconds; name an organization, a dataset or a host as"
                " well, or fewer and rarer words"
            ) from error
        raise


def read_rows(connection: Connection, name: str, /, **parameters: Any) -> Rows:
    """All rows of one statement file."""
    return [dict(row) for row in connection.execute(statement(name), parameters).mappings()]


def read_ids(connection: Connection, ids: sa.Select[tuple[int]]) -> list[int]:
    """The ids that a page consists of."""
    return list(connection.scalars(ids))


def rows_of(connection: Connection, name: str, ids: Sequence[int], **parameters: Any) -> Rows:
    """What a statement file says of these ids, in their order; nothing is asked for nothing."""
    return read_rows(connection, name, ids=list(ids), **parameters) if ids else []
