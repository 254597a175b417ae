"""`shelter doctor`: everything that Shelter stands on, looked at without changing it."""

from __future__ import annotations

from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from shelter_pipeline.commands.printing import AsJson, out, print_result, printable, say
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.settings import load_settings

FAILED = 1
_COLOURS = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


def doctor(as_json: AsJson = False) -> None:
    """Look at settings, databases, broker, store, clock, disks, workers and Dagster; exit 1 if something failed.

    Starts and changes nothing, but for a probe that is put into the store and removed.
    """
    report = _examined()
    if as_json:
        print_result(report, as_json)
    else:
        out.print(_table(report["findings"]))
        say(_sum(report["findings"]))
    if not report["sound"]:
        raise typer.Exit(FAILED)


def _examined() -> dict[str, Any]:
    try:
        settings = load_settings()
    except SetupError as error:  # everything else would be looked at with other settings than are meant
        advice = "Correct them; nothing else was looked at."
        return {
            "sound": False,
            "findings": [{"check": "settings", "verdict": "failed", "message": str(error), "advice": advice}],
        }
    from shelter_pipeline.operations.doctor.examine import examine

    return examine(settings)


def _table(findings: list[dict[str, str]]) -> Table:
    shown = Table(box=None)
    for name in ("check", "verdict"):
        shown.add_column(name, no_wrap=True)
    shown.add_column("found", overflow="fold")
    for finding in findings:
        message = escape(printable(finding["message"]))
        if finding["advice"] and finding["verdict"] != "ok":
            message += f"\n[dim]→ {escape(printable(finding['advice']))}[/dim]"
        colour = _COLOURS[finding["verdict"]]
        shown.add_row(finding["check"], f"[{colour}]{finding['verdict']}[/{colour}]", message)
    return shown


def _sum(findings: list[dict[str, str]]) -> str:
    counts = {verdict: sum(each["verdict"] == verdict for each in findings) for verdict in _COLOURS}
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
