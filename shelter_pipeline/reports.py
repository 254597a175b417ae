"""Reports as people read them in a terminal or a page: sizes, reasons, the table of organizations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

_STEP = 1000
_ROUNDS_UP = 999.95  # would be shown as 1000.0
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_COLOURS = {"complete": "green", "partial": "yellow", "unreachable": "red"}


def size(count: float) -> str:
    """Bytes in the unit a person would use, powers of 1000.

    >>> size(20_480_000)
    '20.5 MB'
    """
    unit = 0
    while count >= (_ROUNDS_UP if unit else _STEP) and unit < len(_UNITS) - 1:
        count /= _STEP
        unit += 1
    return f"{count:.0f} B" if unit == 0 else f"{count:.1f} {_UNITS[unit]}"


def by_reason(failed: Mapping[str, int]) -> str:
    """`not-found 3, empty 1`, most first; a dash for none."""
    ordered = sorted(failed.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {count}" for reason, count in ordered) or "–"


def organization_table(reports: Sequence[Mapping[str, Any]]) -> Table:
    """Organizations with expected against held, bytes, and what failed by reason."""
    shown = Table(show_footer=True, title_justify="left")
    files = [
        sum(report[name] for report in reports) for name in ("expected_files", "held_files", "held_bytes")
    ]
    shown.add_column("organization", "sum", no_wrap=True)
    shown.add_column("verdict")
    shown.add_column("expected", str(files[0]), justify="right")
    shown.add_column("held", str(files[1]), justify="right")
    shown.add_column("bytes", size(files[2]), justify="right", no_wrap=True)
    shown.add_column("failed by reason")
    for report in reports:
        colour = _COLOURS.get(report["verdict"], "dim")
        shown.add_row(
            escape(report["organization"]),
            f"[{colour}]{report['verdict']}[/]",
            str(report["expected_files"]),
            str(report["held_files"]),
            size(report["held_bytes"]),
            escape(by_reason(report["failed"])),
        )
    return shown
