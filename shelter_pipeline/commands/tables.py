"""Rows of one shape as a table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.markup import escape
from rich.table import Table

from shelter_pipeline.commands.printing import printable


def rows_table(rows: Sequence[Mapping[str, Any]], *columns: str) -> Table:
    """These columns of the rows: numbers to the right, moments as their day, nothing as a dash."""
    shown = Table()
    for name in columns:
        numbers = any(isinstance(row[name], int | float) for row in rows)
        shown.add_column(name.replace("_", " "), justify="right" if numbers else "left")
    for row in rows:
        shown.add_row(*(escape(_cell(row[name])) for name in columns))
    return shown


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return value.date().isoformat() if isinstance(value, datetime) else printable(str(value))
