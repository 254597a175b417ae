"""How the report of a harvest looks in a terminal: the counts, then what changed where, then what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shelter_pipeline.commands.printing import print_result, print_rows, say

_TABLES = ("witnesses", "by_organization", "refusals", "links")
# What a person looks for even if it is nothing; of the rest only what there was.
_ALWAYS = ("expected", "seen", "new", "changed", "unchanged", "refused", "delisted", "resources", "seconds")
_CHANGES = ("new", "changed", "moved", "delisted", "recovered", "withheld")
_MOST_ROWS = 20


def print_harvest(report: Mapping[str, Any], as_json: bool) -> None:
    """The whole report as JSON, or the parts of it that a person looks for."""
    if as_json:
        print_result(dict(report), as_json)
        return
    print_result(
        {
            name: value
            for name, value in report.items()
            if name not in _TABLES and (value not in (0, None) or name in _ALWAYS)
        },
        as_json,
    )
    happened = [name for name in _CHANGES if any(row[name] for row in report["by_organization"])]
    organizations = [
        {name: row[name] for name in ("organization", "expected", "seen", *happened)}
        for row in report["by_organization"]
        if any(row[name] for name in happened)
        or (report["mode"] == "full" and row["seen"] != row["expected"])
    ]
    for title, rows in (("changes by organization", organizations), ("refusals", report["refusals"])):
        if rows:
            say(f"\n{title}")
            print_rows(title, rows[:_MOST_ROWS], as_json)
            if len(rows) > _MOST_ROWS:
                say(f"… and {len(rows) - _MOST_ROWS} more")
