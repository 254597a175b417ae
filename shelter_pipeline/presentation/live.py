"""Figures and activity as they stand on a page and as they change on it: the same words both times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shelter_pipeline.presentation.pace_words import estimate_words, rate_words, unknown_words
from shelter_pipeline.presentation.rendering import render
from shelter_pipeline.presentation.words import iso, number, percent, size

Figures = dict[str, Any]
_FOUND_SINCE = "Files are being fetched; those that wait are counted within minutes."


def live_figures(figures: Mapping[str, Any]) -> Figures:
    """`{texts, bars, counted_at}`: texts by the id of what shows them, bars as (value, most); empty before a count."""
    texts = {
        "live-fetching": number(figures["fetching"] + figures["at_nodes"]),
        "live-batches": number(figures["running_batches"]),
        "live-nodes": number(figures["active_nodes"]),
    }
    if figures["held_files"] is None:
        return {"texts": texts, "bars": {}, "counted_at": ""}
    held, files, pace = figures["held_files"], figures["files"], figures["pace"]
    texts |= {
        "live-held": number(held),
        "live-files": number(files),
        "live-held-tile": number(held),
        "live-held-tile-note": f"of {number(files)} known",
        "live-share": percent(held, files),
        "live-bytes": size(figures["held_bytes"]),
        "live-bytes-tile": size(figures["held_bytes"]),
        "live-bytes-tile-note": _expected(figures["expected_bytes"], figures["unsized_files"]),
        "live-waiting": number(figures["waiting_files"]),
        "live-rate": rate_words(pace),
        "live-estimate": _FOUND_SINCE
        if _busy(figures) and not pace["left"]["files"]
        else estimate_words(pace),
        "live-unknown": unknown_words(pace),
    }
    return {
        "texts": texts,
        "bars": {"live-bar": (held, max(files, 1))},
        "counted_at": iso(figures["counted_at"]),
    }


def _busy(figures: Mapping[str, Any]) -> bool:
    return bool(figures["running_batches"] or figures["fetching"] or figures["at_nodes"])


def _expected(known: int, unsized: int) -> str:
    more = f", and {number(unsized)} file{'' if unsized == 1 else 's'} of unknown size" if unsized else ""
    return f"of {size(known)} expected{more}"


def activity_entries(captures: Iterable[Mapping[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """`(number, {id, html})` of each capture, as the list on the page has it."""
    return [
        (one["id"], {"id": one["id"], "html": render("activity-entry.html", one=one).strip()})
        for one in captures
    ]
