"""The overview as its page shows it: shares, colours and words made of counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shelter_pipeline.domain.verdict_words import VERDICTS
from shelter_pipeline.presentation.pace_words import estimate_words, rate_words, unknown_words

# Colour classes of static/style.css, in the order in which they stand side by side.
_VERDICTS = {
    "complete": "good",
    "partial": "partly",
    "in-progress": "busy",
    "waiting": "idle",
    "unreachable": "bad",
    "landing-page-only": "idle",
    "service": "idle",
    "empty": "idle",
}
_FILES = (
    ("held", "held", "good"),
    ("waiting for their turn", "waiting", "busy"),
    ("to be tried again", "resting", "busy2"),
    ("failed for now", "failed", "partly"),
    ("given up", "dead", "bad"),
    ("left out on purpose", "excluded", "idle"),
)
_MOST_REASONS = 6
_LEVELS = 10


def overview_values(whole: Mapping[str, Any]) -> dict[str, Any]:
    """What the templates `overview.html` and its parts are made of, from `operations.overview.read_overview`."""
    pace = whole["pace"]
    return {
        "whole": whole,
        "file_segments": [(name, whole["files"][state], colour) for name, state, colour in _FILES],
        "verdict_segments": _verdict_segments(whole["verdicts"]),
        "verdicts_in_words": _verdicts_in_words(whole["verdicts"]),
        "reasons": list(whole["reasons"].items())[:_MOST_REASONS],
        "rate": rate_words(pace),
        "estimate": estimate_words(pace),
        "unknown": unknown_words(pace),
        "levels": _levels(whole["levels"]),
        "lost": {state: sum(kinds.values()) for state, kinds in whole["losses"].items()},
        "chart": timeline_chart(whole["days"], whole["hours"]),
    }


def timeline_chart(days: Iterable[Mapping[str, Any]], hours: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What `static/charts.js` draws: for each span the moments (seconds since 1970) and a line for each figure."""
    return {
        "spans": [
            {"name": "90 days", "each": "day", **_columns(days)},
            {"name": "48 hours", "each": "hour", **_columns(hours)},
        ],
        "figures": [
            {"name": "Files stored", "key": "files", "unit": "count"},
            {"name": "Bytes stored", "key": "bytes", "unit": "bytes"},
        ],
    }


def _columns(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[int]]:
    known = list(rows)
    return {
        "at": [int(row["begins"].timestamp()) for row in known],
        "files": [row["files"] for row in known],
        "bytes": [row["bytes"] for row in known],
    }


def _verdict_segments(verdicts: Mapping[str, int]) -> list[tuple[str, int, str]]:
    return [(verdict, verdicts.get(verdict, 0), colour) for verdict, colour in _VERDICTS.items()]


def _verdicts_in_words(verdicts: Mapping[str, int]) -> list[tuple[str, str]]:
    return [(verdict, VERDICTS[verdict]) for verdict in _VERDICTS if verdicts.get(verdict)]


def _levels(levels: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    by_level = {row["level"]: row for row in levels}
    return [by_level[level] for level in range(_LEVELS, 0, -1) if level in by_level]
