"""The catalog as it stood at one moment, read whole and in bounded memory: what reports are made of."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.connection import Catalog, statement, streamed_rows
from shelter_pipeline.catalog.progress import OrganizationProgress

_ROWS_AT_ONCE = 5000
_FEW = 20  # organizations


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One read-only transaction that sees one moment, `at`, however long it is read. Not for several threads."""

    connection: Connection
    at: datetime

    def rows(self, name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        """All rows of one statement file."""
        return [dict(row) for row in self.connection.execute(statement(name), parameters).mappings()]

    def batches(
        self, name: str, /, **parameters: Any
    ) -> Generator[tuple[Sequence[str], list[tuple[Any, ...]]], None, None]:
        """The rows of one statement file, some thousands at a time, with the names of their columns; to be closed."""
        return streamed_rows(self.connection, name, parameters, at_once=_ROWS_AT_ONCE)

    def progress(self, organizations: Mapping[int, str] | None) -> list[OrganizationProgress]:
        """The progress of these organizations, keys by id, or of all, in the order they were found."""
        # One by one each is read by index; many together cost less in one pass over everything.
        few = organizations is not None and len(organizations) <= _FEW
        wanted = None if organizations is None else set(organizations.values())
        return [
            OrganizationProgress(**row)
            for organization_id in (organizations if organizations and few else (None,))
            for row in self.rows("organization_progress", organization_id=organization_id)
            if wanted is None or row["organization"] in wanted
        ]


@contextmanager
def snapshot(catalog: Catalog) -> Iterator[Snapshot]:
    """The catalog as it stands now, for a block. CatalogAwayError as `Catalog.begin`, also when it goes away within."""
    with catalog.begin() as connection:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        at = connection.execute(statement("begin_snapshot")).one().at
        yield Snapshot(connection, at)
