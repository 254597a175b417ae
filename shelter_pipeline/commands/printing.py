"""How results look in a terminal: tables, sentences, progress bars; or JSON and nothing else."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TransferSpeedColumn
from rich.table import Table

from shelter_pipeline.logs import logs_as_json

if TYPE_CHECKING:
    from shelter_pipeline.catalog.batches import AtWork

_log = logging.getLogger(__name__)
out = Console()
err = Console(stderr=True)

_SHORT_ENOUGH = 16  # characters: a date with its time

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON and nothing else.")]


def print_result(result: dict[str, Any], as_json: bool) -> None:
    """One result: a line a field, or one line of JSON."""
    if as_json:
        sys.stdout.write(json.dumps(result, default=_plain) + "\n")
        return
    shown = Table(show_header=False, box=None)
    for name, value in result.items():
        if value not in (None, [], {}):
            shown.add_row(name.replace("_", " "), escape(_text(value)))
    out.print(shown)


def print_rows(name: str, rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Rows of the same fields as a table; as JSON they are the list `name`."""
    if as_json:
        print_result({name: list(rows)}, as_json)
        return
    if not rows:
        say(f"no {name}")
        return
    out.print(rows_table(rows))


def rows_table(rows: Sequence[Mapping[str, Any]], *columns: str) -> Table:
    """These columns of the rows, or all: numbers to the right, nothing as a dash, what is short on one line."""
    shown = Table(box=None)
    names = columns or tuple(rows[0])
    cells = [[_cell(row[name]) for name in names] for row in rows]
    for place, column in enumerate(names):
        longest = max((len(line[place]) for line in cells), default=0)
        shown.add_column(
            column.replace("_", " "),
            justify="right" if any(isinstance(row[column], int | float) for row in rows) else "left",
            overflow="fold",
            # What a row is about stays on one line as well, for it is what a person copies.
            no_wrap=place == 0 or longest <= _SHORT_ENOUGH,
        )
    for line in cells:
        shown.add_row(*(escape(cell) for cell in line))
    return shown


def say(line: str) -> None:
    """One sentence, as it is written."""
    out.print(escape(printable(line)), highlight=False, soft_wrap=True)


def announce(sentence: str) -> None:
    """One sentence on standard error, as a record where records are JSON."""
    if logs_as_json():
        _log.info("%s", sentence)
    else:
        err.print(escape(printable(sentence)), highlight=False, soft_wrap=True)


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}".removesuffix(" 00:00")
    return _text(value)


def _text(value: object) -> str:
    text = json.dumps(value, default=_plain) if isinstance(value, dict | list) else str(value)
    return printable(text)


def printable(text: str) -> str:
    """What a terminal may be shown of text from outside: no control character moves its cursor or its colours."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def bars() -> Progress:
    """Progress bars on standard error; nothing to see where that is no terminal."""
    return Progress(
        *Progress.get_default_columns()[:2], TextColumn("{task.completed}"), TimeElapsedColumn(), console=err
    )


def bytes_bar() -> Progress:
    """A bar of bytes and their rate on standard error; nothing to see where that is no terminal."""
    return Progress(
        *Progress.get_default_columns()[:2],
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeElapsedColumn(),
        console=err,
    )


def counted(shown: Progress, name: str) -> Callable[[int, int | None], None]:
    """One bar, moved by calling the result with what is done and the whole, as far as it is known."""
    task = shown.add_task(name, total=None)
    return lambda done, total: shown.update(task, completed=done, total=total)


def named(shown: Progress) -> Callable[[str, int, int], None]:
    """A bar for each name that the result is called with."""
    tasks: dict[str, Any] = {}

    def show(name: str, done: int, total: int) -> None:
        if name not in tasks:
            tasks[name] = shown.add_task(name, total=total)
        shown.update(tasks[name], completed=done)

    return show


def tell_of_others() -> Callable[[Sequence[AtWork]], None]:
    """Says on standard error whom a command waits for, once for as long as they are the same."""
    told: set[tuple[str, str]] = set()

    def tell(others: Sequence[AtWork]) -> None:
        now = {(each.key, each.holder) for each in others}
        if now - told:
            told.update(now)
            names = ", ".join(f"{each.key} ({each.files} files, run {each.holder})" for each in others)
            line = f"waiting for what others have in hand: {names}; Ctrl-C ends the waiting and loses nothing"
            err.print(escape(printable(line)), highlight=False, soft_wrap=True)

    return tell
