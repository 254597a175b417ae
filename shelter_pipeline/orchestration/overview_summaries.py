"""What the whole rescue shows in the UI: how far, how fast, what is lost, what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shelter_pipeline.orchestration.charts import columns, stacked_bars
from shelter_pipeline.orchestration.tables import bar, share, short_table, table
from shelter_pipeline.presentation.pace_words import estimate_words, rate_words, unknown_words
from shelter_pipeline.presentation.words import moment, number, size

Metadata = dict[str, Any]
_PARTS = ("held", "waiting", "not had")
_LEVEL_PARTS = ("held", "waiting", "failed")
_HOUR = 3600
_WINDOWS = ("day", "hour", "week")  # the steadiest of those that there are


def overview_metadata(seen: Mapping[str, Any]) -> Metadata:
    """The rescue as `read_overview` tells it: in words and pictures, and in numbers that can be followed over time."""
    files, losses = seen["files"], seen["losses"]
    verdicts = [{"verdict": name, "organizations": count} for name, count in seen["verdicts"].items()]
    levels = [{**row, "level": f"priority {row['level']}"} for row in seen["levels"]]
    return {
        "rescued": share(files["held"], files["expected"]),
        "in words": (
            f"{number(files['held'])} of {number(files['expected'])} known files are held,"
            f" {size(seen['bytes']['held'])};"
            f" {number(seen['contents']['proved'])} of {number(seen['contents']['blobs'])} contents are proved"
        ),
        "pace": rate_words(seen["pace"]) or "–",
        "what comes next": _next(seen),
        "files by hour": columns(
            "Files stored an hour, the last two days", [row["files"] for row in seen["hours"]]
        ),
        "organizations": stacked_bars(
            "Files by organization",
            [_standing(row) for row in seen["largest"]],
            label="organization",
            parts=_PARTS,
        ),
        "verdicts": stacked_bars(
            "Organizations by verdict", verdicts, label="verdict", parts=("organizations",)
        ),
        "priorities": stacked_bars(
            "Files by priority", levels, label="level", parts=_LEVEL_PARTS, in_order=True
        ),
        "largest organizations": short_table([_progress(row) for row in seen["largest"]]),
        "why files are not held": short_table(
            [{"reason": reason, "files": count} for reason, count in seen["reasons"].items()]
        ),
        "lost": table(
            [{"state": state, **kinds} for state, kinds in losses.items()], ["state", *_kinds(losses)]
        ),
        "datasets": seen["datasets"],
        "datasets gone from portals": seen["absent_datasets"],
        "expected files": files["expected"],
        "held files": files["held"],
        "waiting files": files["waiting"] + files["resting"],
        "failed files": files["failed"] + files["dead"],
        "expected bytes": seen["bytes"]["expected"],
        "held bytes": seen["bytes"]["held"],
        "organizations complete": seen["verdicts"].get("complete", 0),
        "contents without a second copy": seen["at_risk"]["single"],
        "urgent files not held": seen["at_risk"]["urgent"],
        **{f"{state} losses": sum(losses.get(state, {}).values()) for state in ("suspected", "confirmed")},
        **_rates(seen["pace"]["rates"]),
        "counted": moment(seen["counted_at"]),
    }


def portals_seen(seen: Mapping[str, Any]) -> Metadata:
    """What there is to read, and when it last was read."""
    rows = [
        {
            "portal": row["portal"],
            "kind": row["kind"],
            "datasets": row["datasets"],
            "read": moment(row["harvested_at"]),
            "read completely": moment(row["complete_at"]),
        }
        for row in seen["portal_list"]
    ]
    return {"portals": len(rows), "datasets": seen["datasets"], "by portal": short_table(rows)}


def store_seen(seen: Mapping[str, Any]) -> Metadata:
    """What is kept, and how sure that is."""
    contents, copies = seen["contents"], seen["copies"]
    return {
        "contents": contents["blobs"],
        "bytes": contents["bytes"],
        "proved": share(contents["proved"], contents["blobs"]),
        f"proved in the last {contents['proof_days']} days": share(contents["recent"], contents["blobs"]),
        "copies in our stores": copies["in_stores"],
        "damaged copies": copies["damaged"],
        "missing copies": copies["missing"],
        "contents by copies": table(copies["spread"], ["copies", "contents", "bytes"]),
    }


def volunteers_seen(seen: Mapping[str, Any]) -> Metadata:
    """Who helps, by nickname."""
    return {
        "nodes": seen["nodes"]["known"],
        "active nodes": seen["nodes"]["active"],
        "copies at nodes": seen["copies"]["at_nodes"],
        "bytes at nodes": seen["copies"]["bytes_at_nodes"],
        "who holds most": short_table(seen["volunteers"], ["name", "copies", "bytes"]),
    }


def _rates(rates: Mapping[str, Mapping[str, float]]) -> Metadata:
    """Of the last day where there is one, so that a quiet hour is no trough."""
    rate = next((rates[window] for window in _WINDOWS if window in rates), None)
    if rate is None:
        return {}
    return {
        "files per hour": round(rate["files_per_second"] * _HOUR, 1),
        "bytes per hour": round(rate["bytes_per_second"] * _HOUR),
    }


def _next(seen: Mapping[str, Any]) -> str:
    files = number(seen["pace"]["left"]["files"])
    waiting = f"{files} files wait, in {number(seen['batches']['planned'])} planned batches and those still to plan."
    return " ".join(filter(None, (waiting, estimate_words(seen["pace"]), unknown_words(seen["pace"]))))


def _standing(row: Mapping[str, Any]) -> dict[str, Any]:
    others = row["expected_files"] - row["held_files"] - row["waiting_files"]
    return {
        "organization": row["organization"],
        "held": row["held_files"],
        "waiting": row["waiting_files"],
        "not had": max(others, 0),
    }


def _progress(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "organization": row["organization"],
        "verdict": row["verdict"],
        "progress": bar(row["held_files"], row["expected_files"]),
        "held": f"{row['held_files']} of {row['expected_files']}",
        "bytes": size(row["held_bytes"]),
    }


def _kinds(losses: Mapping[str, Mapping[str, int]]) -> Sequence[str]:
    return sorted({kind for kinds in losses.values() for kind in kinds})
