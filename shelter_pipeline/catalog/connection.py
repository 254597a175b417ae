"""The one way to the Rescue DB: connections that heal, statements read from files, errors that name the cause."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.rows import dict_row, tuple_row
from sqlalchemy.engine import Connection

from shelter_pipeline.catalog.impatience import Impatience
from shelter_pipeline.domain.errors import CatalogAwayError, CatalogOutdatedError, RefusedError, SetupError

_PATIENT: dict[str, Any] = {"connect_args": {"connect_timeout": 10, "application_name": "shelter"}}
_INCLUDE = "-- include "
# A COPY speaks to the driver itself, so that its errors come as they are.
_AWAY = (
    sa.exc.OperationalError,
    sa.exc.InterfaceError,
    sa.exc.TimeoutError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
)
# What our statements name and the schema does not have: a migration has not come to it yet, or has taken it away.
_NOT_THERE = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedObject,
)


@cache
def statement(name: str) -> sa.TextClause:
    """The statement of `statements/<name>.sql`; its header comment states what it guarantees.

    It is sent without comments and indentation: the driver remembers how it has understood a
    statement only up to 4,096 letters, and thinks anew about each longer one, every time. A line
    `-- include <part>` stands for `statements/parts/<part>.sql`.
    """
    return sa.text("\n".join(_lines(f"{name}.sql")))


def _lines(*place: str) -> Iterator[str]:
    text = files(__package__).joinpath("statements", *place).read_text(encoding="utf-8")
    for line in (line.strip() for line in text.splitlines()):
        if line.startswith(_INCLUDE):
            yield from _lines("parts", f"{line.removeprefix(_INCLUDE)}.sql")
        elif not line.startswith("--"):
            yield line


class Catalog:
    """A pool of connections to one Rescue DB; safe to share between threads, not between processes."""

    def __init__(self, url: str, *, pool_size: int = 5, impatience: Impatience | None = None) -> None:
        try:
            self.url = sa.make_url(url).set(drivername="postgresql+psycopg")
        except sa.exc.ArgumentError as error:
            raise SetupError(f"SHELTER_DATABASE_URL is not a database URL: {error}") from error
        self.engine = sa.create_engine(
            self.url,
            pool_pre_ping=True,  # a restarted server costs one ping, not one failed statement
            pool_size=pool_size,
            max_overflow=pool_size,
            **(impatience.engine_arguments if impatience else _PATIENT),
        )
        if impatience:
            impatience.rule(self.engine)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed whole at the end, rolled back on any error.

        Raises CatalogAwayError when the server cannot be reached, went away meanwhile or takes too long,
        CatalogOutdatedError where the schema lacks what a statement names, and RefusedError for a value that no
        column can hold.
        """
        try:
            with self.engine.begin() as connection:
                yield connection
        except _AWAY as error:
            raise CatalogAwayError(
                f"the catalog at {self.place} did not answer: {_first_line(getattr(error, 'orig', None) or error)}",
            ) from error
        except sa.exc.ProgrammingError as error:
            if not isinstance(error.orig, _NOT_THERE):
                raise
            raise CatalogOutdatedError(
                f"the catalog at {self.place} is not of this release, run `shelter migrate`: {_first_line(error.orig)}"
            ) from error
        except (sa.exc.DataError, psycopg.DataError) as error:
            raise RefusedError(
                f"the catalog cannot hold a value: {_first_line(getattr(error, 'orig', None) or error)}",
                reason="bad-value",
            ) from error

    @property
    def place(self) -> str:
        """Where the server is, without any password."""
        host = self.url.host or self.url.query.get("host") or "the default socket"
        return f"{host}/{self.url.database}"

    def rows(self, name: str, /, **parameters: Any) -> list[Mapping[str, Any]]:
        """All rows of one statement file, as mappings."""
        with self.begin() as connection:
            return [dict(row) for row in connection.execute(statement(name), parameters).mappings()]

    def count(self, name: str, /, **parameters: Any) -> int:
        """How many rows one statement file affected."""
        with self.begin() as connection:
            return connection.execute(statement(name), parameters).rowcount

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


def quick_rows(connection: Connection, name: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All rows of one statement file within the transaction, asked for at the driver itself.

    For what is asked hundreds of times a second: it takes half of our part of the time.
    """
    with _driver(connection).cursor(row_factory=dict_row) as cursor:
        cursor.execute(_driver_text(name), parameters)
        return cursor.fetchall() if cursor.description else []


def streamed_rows(
    connection: Connection, name: str, parameters: Mapping[str, Any], *, at_once: int
) -> Generator[tuple[Sequence[str], list[tuple[Any, ...]]], None, None]:
    """The rows of one statement file, `at_once` at a time, with the names of their columns.

    A cursor of the server holds the rest, so memory is bounded whatever their number. To be read to the end or closed.
    """
    with _driver(connection).cursor(name=name, row_factory=tuple_row) as cursor:
        cursor.execute(_driver_text(name), parameters)
        names = tuple(column.name for column in cursor.description or ())
        while rows := cursor.fetchmany(at_once):
            yield names, rows


@cache
def _driver_text(name: str) -> bytes:
    dialect = sa.make_url("postgresql+psycopg://").get_dialect()
    return str(statement(name).compile(dialect=dialect())).encode()


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        raise SetupError(f"the catalog needs the psycopg driver, not {type(driver).__name__}")
    return driver


def copy_rows(
    connection: Connection, target: str, rows: Iterable[tuple[Any, ...]], *, types: Sequence[str] = ()
) -> None:
    """Load rows by COPY within the transaction; `target` is a table with its columns, and never outside text.

    With the PostgreSQL `types` of the columns they are sent in binary, which is faster.
    """
    driver = _driver(connection)
    how = " WITH (FORMAT binary)" if types else ""
    with driver.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN{how}") as copy:
        if types:
            copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def storable(text: str) -> str:
    """`text` as PostgreSQL can keep it: what is no character there is marked, the rest stands."""
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()


def storable_moment(moment: datetime | None) -> datetime | None:
    """The moment in UTC; None for the first and last days there are, in zones in which they are none any more."""
    try:
        return moment.astimezone(UTC) if moment else None
    except OverflowError:
        return None


def _first_line(error: object) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
