"""What each materialization shows in the UI: counts, rates, tables, failures by reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shelter_pipeline.operations.probe_assets import SIZE_CLASSES
from shelter_pipeline.operations.rescue_batch import BatchResult
from shelter_pipeline.orchestration.tables import bar, progress_table, short_table, table
from shelter_pipeline.presentation.words import by_reason, size

Metadata = dict[str, Any]
_MOST_SHOWN = 50


def probing_metadata(result: Mapping[str, Any]) -> Metadata:
    """A run of probes: how they ended, what the files weigh, what changed of what we hold."""
    seen = sum(result["sizes"].values())
    rate = result["probed"] / max(result["seconds"], 0.001)
    return {
        "probed": result["probed"],
        "requests": result["requests"],
        "rate": f"{rate:.1f} files/s",
        "by reason": table(_pairs(result["by_reason"], "files")),
        "sizes": table(
            [
                {"size": name, "files": result["sizes"][name], "share": bar(result["sizes"][name], seen)}
                for name in SIZE_CLASSES
                if name in result["sizes"]
            ]
        ),
        "known bytes": size(result["known_bytes"]),
        "of these parts may be asked for": bar(result["with_ranges"], seen),
        "held and changed upstream": result["changed"],
        "held and gone upstream": result["gone"],
    }


def score_metadata(result: Mapping[str, Any]) -> Metadata:
    """A scoring: how the files spread over the levels, and what comes first and why."""
    levels = [
        {
            "level": row["level"],
            "files": row["files"],
            "held": bar(row["held"], row["files"]),
            "known bytes": size(row["bytes"]),
        }
        for row in result["levels"]
    ]
    top = [
        {
            "url": row["url"],
            "level": row["level"],
            "score": row["score"],
            "because": by_part(row["reasons"]),
        }
        for row in result["top"]
    ]
    return {"scores changed": result["changed"], "levels": table(levels), "first in line": table(top)}


def by_part(reasons: Mapping[str, Any]) -> str:
    """The parts of a score, greatest first."""
    parts = [(name, value) for name, value in reasons.items() if isinstance(value, int | float) and value]
    return ", ".join(f"{name} {value:.2f}" for name, value in sorted(parts, key=lambda part: -part[1]))


def source_metadata(result: Mapping[str, Any]) -> Metadata:
    """A run for source records: how many were kept, why others were not, and how many wait."""
    return {
        "asked": result["asked"],
        "stored": result["stored"],
        "waiting": result["left"],
        "not had, by reason": table(_pairs(result["failed"], "records")),
    }


def plan_metadata(plan: Mapping[str, Any]) -> Metadata:
    """A plan of one organization: its new batches and those still to run."""
    new = set(plan["new"])
    return {
        "new batches": len(plan["new"]),
        "open batches": len(plan["open"]),
        "files planned": plan["files"],
        "bytes expected": size(plan["bytes"]),
        "batches": short_table([{"batch": key, "new": key in new} for key in plan["open"][:_MOST_SHOWN]]),
    }


def batch_metadata(result: BatchResult, seconds: float) -> Metadata:
    """A batch: what was fetched how fast, and every file by its verdict."""
    return {
        "state": result.state,
        "files settled": result.settled,
        "stored": size(result.stored_bytes),
        "stored bytes": result.stored_bytes,
        "transferred": size(result.wire_bytes),
        "requests": result.requests,
        "rate": _rate(result, seconds),
        "left over": result.leftover,
        "late results, kept as evidence": result.late,
        "this run by reason": by_reason(result.reasons),
        "files by verdict": table([{**row, "bytes": size(row["bytes"])} for row in result.files]),
        "manifest": result.manifest or "nothing new to record",
    }


def leftover_words(result: BatchResult) -> str:
    """Why a batch with files left over failed, and what happens next: by itself, or by whom."""
    files = sum(row["files"] for row in result.files)
    left = f"{result.leftover} of {files} files are left; everything else of the batch is settled"
    if result.state == "failed":
        organization = result.batch.partition(".")[0]
        return (
            f"{left}. It has used up its {result.attempt} attempts and is not started again: materialize batch_plan of"
            f" {organization} to put these files into a new batch, or wait for the night, which does so too"
        )
    when = f" after {result.due_at:%Y-%m-%d %H:%M} UTC" if result.due_at else ""
    return f"{left}. Attempt {result.attempt} follows by itself{when}"


def _rate(result: BatchResult, seconds: float) -> str:
    seconds = max(seconds, 0.001)
    return f"{size(result.wire_bytes / seconds)}/s, {result.settled / seconds:.1f} files/s"


def rescue_metadata(report: Mapping[str, Any]) -> Metadata:
    """An organization: its verdict, expected against held, failures by reason."""
    return {
        "verdict": report["verdict"],
        "datasets": report["datasets"],
        "expected files": report["expected_files"],
        "held files": report["held_files"],
        "held bytes": report["held_bytes"],
        "progress": progress_table([report]),
        "failed by reason": table(_pairs(report["failed"], "files")),
        "links that are no files": table(_pairs(report["not_files"], "links")),
    }


def _pairs(counts: Mapping[str, int], unit: str) -> Sequence[dict[str, Any]]:
    return [{"reason": reason, unit: count} for reason, count in sorted(counts.items())]
