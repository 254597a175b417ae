"""A report as one HTML file: everything within it, nothing fetched, nothing in it that runs.

Its policy allows the one style that it carries, by hash, and no script at all: what a portal wrote into a title stays
text even where it slipped through every other net. The pictures are SVG, so paper shows what a screen does.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

from shelter_pipeline.presentation.charts import daily, rising
from shelter_pipeline.presentation.rendering import render
from shelter_pipeline.presentation.statics import static_text
from shelter_pipeline.presentation.words import number, size

_MOST_ORGANIZATIONS = 300
_MOST_LOSSES = 200
_MOST_REASONS = 40
_MOST_TYPES = 15
_LATEST_DAYS = 31


def render_report(figures: Mapping[str, Any], files: Sequence[Mapping[str, str]]) -> str:
    """The report of these figures (`report.json`), with a list of the files beside it: `{name, says}`."""
    style = f"{static_text('style.css')}\n{static_text('report.css')}"
    days = [(_day(row["day"]), row) for row in figures["days"]]
    organizations = sorted(figures["organizations"], key=lambda row: (-row["expected_files"], row["name"]))
    return render(
        "report.html",
        figures=figures,
        totals=figures["totals"],
        style=style,
        policy=_policy(style),
        icon=_as_data("icon.svg", "image/svg+xml"),
        organizations=organizations[:_MOST_ORGANIZATIONS],
        losses=figures["losses"]["newest"][:_MOST_LOSSES],
        announced=_announced(figures["losses"]["by_state"]),
        reasons=figures["missing_by_reason"][:_MOST_REASONS],
        kinds=figures["kinds"][:_MOST_TYPES],
        formats=figures["formats"][:_MOST_TYPES],
        latest=[row for _, row in days[-_LATEST_DAYS:]],
        bytes_rising=rising([(day, row["new_bytes"]) for day, row in days], label="Bytes rescued", unit=size),
        files_daily=daily([(day, row["stored"]) for day, row in days], label="Files rescued", unit=number),
        files=files,
    )


def _policy(style: str) -> str:
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _as_data(name: str, media_type: str) -> str:
    return f"data:{media_type};base64,{b64encode(static_text(name).encode()).decode()}"


def _announced(by_state: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {state: sum(by_state.get(state, {}).values()) for state in ("confirmed", "suspected", "recovered")}


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
