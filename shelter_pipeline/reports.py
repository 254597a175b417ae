"""Reports as people read them in a terminal: the table of organizations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from shelter_pipeline.presentation.words import by_reason, size

_COLOURS = {"complete": "green", "partial": "yellow", "unreachable": "red"}


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
