"""Tables written as CSV and Parquet side by side, in bounded memory whatever their length.

CSV is RFC 4180 in UTF-8. Spreadsheets take text for a formula when it begins with certain characters, and these texts
are strangers': such a cell gets an apostrophe before it (and so does one that begins with apostrophes before such a
character, so that taking one away restores every cell). Parquet holds every text as it is.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from shelter_pipeline.operations.report_columns import Column, Table

CSV, PARQUET = "csv", "parquet"
# What begins a formula in one spreadsheet or another (OWASP, CSV injection), wide forms included.
_ACTING = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_LOOKED_AT = _ACTING | {"'"}
_ROW_GROUP = 100_000
_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "any": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "datetime": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
}

Rows = Iterable[Sequence[Sequence[Any]]]  # some rows at a time


class _Sink(Protocol):
    def write(self, columns: Sequence[Sequence[Any]]) -> None:
        """Some more rows, column by column."""


def write_table(
    folder: Path, table: Table, rows: Rows, *, formats: Sequence[str], progress: Callable[[int], None]
) -> int:
    """Write `<table>.csv`, `<table>.parquet` or both into the folder; returns how many rows there are.

    `progress` is told the rows written so far. Raises OSError of the medium.
    """
    done = 0
    with ExitStack() as closing:
        sinks: list[_Sink] = []
        if CSV in formats:
            sinks.append(closing.enter_context(_csv(folder / f"{table.name}.csv", table)))
        if PARQUET in formats:
            sinks.append(closing.enter_context(_parquet(folder / f"{table.name}.parquet", table)))
        for batch in rows:
            columns = list(zip(*batch, strict=True))
            for sink in sinks:
                sink.write(columns)
            done += len(batch)
            progress(done)
    return done


def rows_for(
    table: Table, batches: Iterable[tuple[Sequence[str], Sequence[tuple[Any, ...]]]]
) -> Iterator[Sequence[Sequence[Any]]]:
    """What the catalog says, some rows at a time, as the cells of this table."""
    for names, rows in batches:
        if table.cells is None:
            _check(table, names)
            yield rows
        else:
            yield [table.cells(dict(zip(names, row, strict=True))) for row in rows]


def defused(text: str) -> str:
    """A cell that no spreadsheet takes for a formula.

    >>> defused("=1+1"), defused("'=1+1"), defused("rain"), defused("it's")
    ("'=1+1", "''=1+1", 'rain', "it's")
    """
    return f"'{text}" if text.lstrip("'")[:1] in _ACTING and text.lstrip("'") else text


def _check(table: Table, names: Sequence[str]) -> None:
    expected = tuple(column.name for column in table.columns)
    if tuple(names) != expected:
        raise ValueError(f"the statement of {table.name} gives {names} and not {expected}")


@dataclass(slots=True)
class _CsvSink:
    columns: Sequence[Column]
    writer: Any

    def write(self, columns: Sequence[Sequence[Any]]) -> None:
        cells = [_CELLS[column.kind](values) for column, values in zip(self.columns, columns, strict=True)]
        self.writer.writerows(zip(*cells, strict=True))


def _texts(values: Sequence[str | None]) -> list[str | None]:
    return [text if not text or text[0] not in _LOOKED_AT else defused(text) for text in values]


def _moments(values: Sequence[Any]) -> list[str | None]:
    return [None if value is None else value.isoformat() for value in values]


def _as_they_are(values: Sequence[Any]) -> Sequence[Any]:
    return values


_CELLS: Mapping[str, Callable[[Sequence[Any]], Sequence[Any]]] = {
    "string": _texts,
    "any": _as_they_are,  # begins with a bracket
    "integer": _as_they_are,
    "number": _as_they_are,
    "datetime": _moments,
    "date": _moments,
}


@contextmanager
def _csv(path: Path, table: Table) -> Iterator[_CsvSink]:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)  # CRLF, as RFC 4180 asks for
        writer.writerow([column.name for column in table.columns])
        yield _CsvSink(table.columns, writer)


@dataclass(slots=True)
class _ParquetSink:
    schema: pa.Schema
    writer: pq.ParquetWriter
    waiting: list[pa.RecordBatch] = field(default_factory=list)
    rows: int = 0

    def write(self, columns: Sequence[Sequence[Any]]) -> None:
        arrays = [pa.array(values, kind) for values, kind in zip(columns, self.schema.types, strict=True)]
        self.waiting.append(pa.record_batch(arrays, schema=self.schema))
        self.rows += self.waiting[-1].num_rows
        if self.rows >= _ROW_GROUP:
            self.end_group()

    def end_group(self) -> None:
        if self.waiting:
            self.writer.write_table(pa.Table.from_batches(self.waiting))
        self.waiting, self.rows = [], 0


@contextmanager
def _parquet(path: Path, table: Table) -> Iterator[_ParquetSink]:
    fields = [
        pa.field(column.name, _TYPES[column.kind], metadata={"description": column.says})
        for column in table.columns
    ]
    schema = pa.schema(fields, metadata={"description": table.says})
    with path.open("wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        sink = _ParquetSink(schema, writer)
        yield sink
        sink.end_group()
