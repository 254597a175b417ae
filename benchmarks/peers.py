"""The other ways to load the same rows into the same tables, each as its documentation shows it.

A contestant is a function that stores one group of rows and has committed it when it
returns. All get rows in the same order, in groups of the same size; those that work in
smaller pages cut the group themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session, registry, relationship

from benchmarks.rows import DATASET_COLUMNS, RESOURCE_COLUMNS, SIGHTING_COLUMNS, Row, Rows
from shelter_pipeline.catalog.tables_catalogue import dataset, resource, sighting

PAGE = 1000
Store = Callable[[Rows], None]
_TABLES = (("dataset", DATASET_COLUMNS), ("resource", RESOURCE_COLUMNS), ("sighting", SIGHTING_COLUMNS))
_DIALECT: sa.Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
# PostgreSQL's own names of our columns' types, as the driver knows them.
_NAMES = {"BIGINT": "int8", "INTEGER": "int4", "TIMESTAMP WITH TIME ZONE": "timestamptz"}
_TYPES = {
    table.name: {
        column.name: _NAMES.get(kind := str(column.type.compile(_DIALECT)), kind.lower())
        for column in table.columns
    }
    for table in (dataset, resource, sighting)
}


@dataclass(frozen=True, slots=True)
class Peer:
    """A way to load rows: how it is called, what is said of it, and how it begins."""

    name: str
    title: str
    begin: Callable[[sa.Engine], Store]
    full_size: bool = False  # fast enough for every row there is


def _driver(engine: sa.Engine) -> psycopg.Connection:
    return psycopg.connect(engine.url.set(drivername="postgresql").render_as_string(hide_password=False))


def _by_table(rows: Rows) -> Iterator[tuple[str, Sequence[str], list[Row]]]:
    for (table, columns), found in zip(_TABLES, (rows.datasets, rows.resources, rows.sightings), strict=True):
        yield table, columns, found


def copy(engine: sa.Engine) -> Store:
    """COPY into the catalog's own tables: the limit for whoever keeps its indexes and constraints."""
    return _copy(engine, binary=False)


def copy_binary(engine: sa.Engine) -> Store:
    """The same in PostgreSQL's binary format, each value by the type of its column."""
    return _copy(engine, binary=True)


def _copy(engine: sa.Engine, *, binary: bool) -> Store:
    connection = _driver(engine)
    how = " WITH (FORMAT binary)" if binary else ""
    statements = {table: f"COPY {table} ({', '.join(columns)}) FROM STDIN{how}" for table, columns in _TABLES}

    def store(rows: Rows) -> None:
        with connection.transaction(), connection.cursor() as cursor:
            for table, columns, found in _by_table(rows):
                with cursor.copy(statements[table]) as sink:
                    if binary:
                        sink.set_types([_TYPES[table][name] for name in columns])
                    for row in found:
                        sink.write_row(row)

    return store


def copy_bare(engine: sa.Engine) -> Store:
    """COPY into tables without any index or constraint: the limit of PostgreSQL itself."""
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA bare"))
        for table, _ in _TABLES:
            connection.execute(
                sa.text(
                    f"CREATE TABLE bare.{table} (LIKE public.{table} INCLUDING DEFAULTS INCLUDING IDENTITY)"
                )
            )
        name = connection.scalar(sa.text("SELECT quote_ident(current_database())"))
        connection.execute(sa.text(f"ALTER DATABASE {name} SET search_path = bare"))
    engine.dispose()  # its connections look in the old place
    return copy(engine)


def executemany(engine: sa.Engine) -> Store:
    """Upsert by psycopg's executemany of INSERT ... ON CONFLICT DO UPDATE, a page at a time."""
    connection = _driver(engine)
    keys = {"dataset": "portal_id, identifier", "resource": "dataset_id, key", "sighting": "dataset_id"}
    statements = {table: _upsert(table, columns, keys[table]) for table, columns in _TABLES}

    def store(rows: Rows) -> None:
        with connection.cursor() as cursor:
            for table, _, found in _by_table(rows):
                for page in _pages(found):
                    cursor.executemany(statements[table], page)
        connection.commit()

    return store


def _upsert(table: str, columns: Sequence[str], key: str) -> str:
    changes = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key.split(", "))
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"
        f" ON CONFLICT ({key}) DO UPDATE SET {changes}"
    )


class _Mapped:
    """A row as an object."""

    def __init__(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)


class _Dataset(_Mapped):
    resources: list[_Resource]
    sighting: _Sighting


class _Resource(_Mapped):
    pass


class _Sighting(_Mapped):
    pass


def orm(engine: sa.Engine) -> Store:
    """SQLAlchemy's ORM: objects with relationships, Session.add_all and commit, a page of datasets at a time."""
    mapper = registry()
    mapper.map_imperatively(_Resource, resource)
    mapper.map_imperatively(_Sighting, sighting)
    mapper.map_imperatively(
        _Dataset,
        dataset,
        properties={"resources": relationship(_Resource), "sighting": relationship(_Sighting, uselist=False)},
    )

    def store(rows: Rows) -> None:
        by_dataset: dict[int, list[Row]] = {}
        for row in rows.resources:
            by_dataset.setdefault(row[0], []).append(row)
        for page in _pages(list(zip(rows.datasets, rows.sightings, strict=True))):
            with Session(engine) as session:
                session.add_all(_object(row, seen, by_dataset.get(seen[0], [])) for row, seen in page)
                session.commit()

    return store


def _object(row: Row, seen: Row, resources: list[Row]) -> _Dataset:
    values = dict(zip(DATASET_COLUMNS, row, strict=True))
    values["notes"] = values["notes"].obj
    return _Dataset(
        **values,
        resources=[_Resource(**dict(zip(RESOURCE_COLUMNS[1:], one[1:], strict=True))) for one in resources],
        sighting=_Sighting(**dict(zip(SIGHTING_COLUMNS[1:], seen[1:], strict=True))),
    )


def pandas(engine: sa.Engine) -> Store:
    """pandas.DataFrame.to_sql as it comes."""
    return _pandas(engine, None)


def pandas_multi(engine: sa.Engine) -> Store:
    """pandas.DataFrame.to_sql(method="multi"): many rows in one INSERT."""
    return _pandas(engine, "multi")


def _pandas(engine: sa.Engine, method: Any) -> Store:
    from pandas import DataFrame

    # Without the types pandas takes lists, documents and bytes for text.
    types: dict[str, Any] = {
        table.name: {column.name: column.type for column in table.columns}
        for table in (dataset, resource, sighting)
    }

    def store(rows: Rows) -> None:
        with engine.begin() as connection:
            for table, columns, found in _by_table(rows):
                frame = DataFrame(found, columns=list(columns), dtype=object)
                if table == "dataset":
                    frame["notes"] = frame["notes"].map(attrgetter("obj"))
                frame.to_sql(
                    table,
                    connection,
                    if_exists="append",
                    index=False,
                    chunksize=PAGE,
                    method=method,
                    dtype={name: types[table][name] for name in columns},
                )

    return store


def _pages(items: list[Any]) -> Iterator[list[Any]]:
    for at in range(0, len(items), PAGE):
        yield items[at : at + PAGE]


PEERS = (
    Peer("copy", "raw COPY, same tables", copy, full_size=True),
    Peer("copy-binary", "raw COPY in binary, same tables", copy_binary, full_size=True),
    Peer("copy-bare", "raw COPY, no index, no constraint", copy_bare, full_size=True),
    Peer("executemany", "psycopg executemany upsert", executemany),
    Peer("orm", "SQLAlchemy ORM, Session.add_all", orm),
    Peer("pandas", "pandas to_sql", pandas),
    Peer("pandas-multi", "pandas to_sql, method='multi'", pandas_multi),
)
