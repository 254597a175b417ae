"""What each materialization shows in the UI: counts, rates, tables, failures by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from shelter_pipeline.domain.verdict_words import VERDICTS
from shelter_pipeline.operations.probe_assets import SIZE_CLASSES
from shelter_pipeline.operations.rescue_batch import BatchResult
from shelter_pipeline.orchestration.charts import stacked_bars
from shelter_pipeline.orchestration.pace import BYTES_A_SECOND, FILES_A_SECOND, Said, usual
from shelter_pipeline.orchestration.tables import bar, progress_table, share, short_table, table
from shelter_pipeline.presentation.words import by_reason, size

Metadata = dict[str, Any]
_MOST_PARTS = 3
_STATES = ("held", "pending", "failed", "dead")
_STANDINGS = ("held", "waiting", "not had")


def probing_metadata(result: Mapping[str, Any]) -> Metadata:
    """A run of probes: how they ended, what the files weigh, what changed of what we hold."""
    seen = sum(result["sizes"].values())
    rate = result["probed"] / max(result["seconds"], 0.001)
    sizes = [{"size": name, "files": result["sizes"].get(name, 0)} for name in SIZE_CLASSES]
    return {
        "probed": result["probed"],
        "requests": result["requests"],
        "rate": f"{rate:.1f} files/s",
        FILES_A_SECOND: round(rate, 2),
        "sizes of files": stacked_bars("Files by size", sizes, label="size", parts=("files",), in_order=True),
        "by reason": table(_pairs(result["by_reason"], "files")),
        "sizes": table(
            [row | {"share": bar(row["files"], seen)} for row in sizes if row["size"] in result["sizes"]]
        ),
        "known bytes": size(result["known_bytes"]),
        "bytes known": result["known_bytes"],
        "of these parts may be asked for": share(result["with_ranges"], seen),
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
    drawn = [
        {"level": f"priority {row['level']}", "held": row["held"], "still wanted": row["files"] - row["held"]}
        for row in result["levels"]
    ]
    return {
        "scores changed": result["changed"],
        "files": sum(row["files"] for row in result["levels"]),
        "held files": sum(row["held"] for row in result["levels"]),
        "progress by priority": stacked_bars(
            "Files by priority", drawn, label="level", parts=("held", "still wanted"), in_order=True
        ),
        "levels": table(levels),
        "first in line": short_table(top),
    }


def by_part(reasons: Mapping[str, Any]) -> str:
    """The weightiest parts of a score, greatest first; `shelter explain` says all of them."""
    parts = [(name, value) for name, value in reasons.items() if isinstance(value, int | float) and value]
    weightiest = sorted(parts, key=lambda part: -part[1])[:_MOST_PARTS]
    return ", ".join(f"{name} {value:.2f}" for name, value in weightiest)


def source_metadata(result: Mapping[str, Any]) -> Metadata:
    """A run for source records: how many were kept, why others were not, and how many wait."""
    return {
        "asked": result["asked"],
        "stored": result["stored"],
        "waiting": result["left"],
        "answered": share(result["stored"], result["asked"]),
        "not had, by reason": table(_pairs(result["failed"], "records")),
    }


def plan_metadata(plan: Mapping[str, Any]) -> Metadata:
    """A plan of one organization: its new batches and those still to run."""
    new = set(plan["new"])
    batches = [
        {
            "batch": row["key"],
            "host": row["host"] or "several",
            "state": "new" if row["key"] in new else row["state"],
            "files": row["files"],
            "expected": size(row["bytes"]),
        }
        for row in plan["batches"]
    ]
    return {
        "new batches": len(plan["new"]),
        "open batches": len(plan["open"]),
        "files planned": plan["files"],
        "bytes expected": size(plan["bytes"]),
        "bytes planned": plan["bytes"],
        "what comes next": _next_of(plan),
        "files by host": stacked_bars(
            "Files of batches by host", _by_host(batches), label="host", parts=("files",)
        ),
        "batches": short_table(batches),
    }


def _by_host(batches: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    files: Counter[str] = Counter()
    for row in batches:
        files[row["host"]] += row["files"]
    return [{"host": host, "files": count} for host, count in files.items()]


def _next_of(plan: Mapping[str, Any]) -> str:
    if not plan["open"]:
        return "nothing: no file of this organization is due"
    first = plan["batches"][0]
    asked = ", before all that nobody asked for" if first["urgent"] else ", in their turn"
    return f"download_sensor starts {len(plan['open'])} batches{asked}, beginning with {first['key']}"


def batch_metadata(result: BatchResult, seconds: float, before: Sequence[Said] = ()) -> Metadata:
    """A batch: what was fetched how fast, also beside the batches `before` it, and every file by its verdict."""
    rates = {
        FILES_A_SECOND: result.settled / max(seconds, 0.001),
        BYTES_A_SECOND: result.wire_bytes / max(seconds, 0.001),
    }
    drawn = [
        {"verdict": row["reason"]} | dict.fromkeys(_STATES, 0) | {row["state"]: row["files"]}
        for row in result.files
    ]
    return {
        "state": result.state,
        "files settled": result.settled,
        "stored": size(result.stored_bytes),
        "stored bytes": result.stored_bytes,
        "transferred": size(result.wire_bytes),
        "requests": result.requests,
        "rate": f"{size(rates[BYTES_A_SECOND])}/s, {rates[FILES_A_SECOND]:.1f} files/s",
        "beside the batches before": _beside(rates, before),
        **{name: round(rate, 2) for name, rate in rates.items()},
        "seconds": round(seconds, 1),
        "left over": result.leftover,
        "late results, kept as evidence": result.late,
        "this run by reason": by_reason(result.reasons),
        "verdicts": stacked_bars("Files by verdict", drawn, label="verdict", parts=_STATES),
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


def _beside(rates: Mapping[str, float], before: Sequence[Said]) -> str:
    """`twice as fast` would say more than is known: hosts differ, so the figures stand side by side."""
    files, received = usual(before, FILES_A_SECOND), usual(before, BYTES_A_SECOND)
    if files is None or received is None:
        return "this is the first batch that told how fast it was"
    return (
        f"{rates[FILES_A_SECOND]:.1f} files/s and {size(rates[BYTES_A_SECOND])}/s; the median of the last"
        f" {len(before)} batches is {files:.1f} files/s and {size(received)}/s"
    )


def rescue_metadata(report: Mapping[str, Any]) -> Metadata:
    """An organization: its verdict and what that means, expected against held, failures by reason."""
    return {
        "verdict": report["verdict"],
        "which means": VERDICTS[report["verdict"]],
        "files": stacked_bars(
            "Files by what became of them", _standings(report), label="what", parts=_STANDINGS
        ),
        "datasets": report["datasets"],
        "expected files": report["expected_files"],
        "held files": report["held_files"],
        "held bytes": report["held_bytes"],
        "waiting files": report["waiting_files"],
        "failed files": sum(report["failed"].values()),
        "held share": round(report["held_files"] / report["expected_files"], 4)
        if report["expected_files"]
        else 0.0,
        "progress": progress_table([report]),
        "failed by reason": table(_pairs(report["failed"], "files")),
        "links that are no files": table(_pairs(report["not_files"], "links")),
    }


def _standings(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for what is held, one for what waits, and one for each reason of what is not had."""
    rows = [("held", "held", report["held_files"]), ("not tried yet", "waiting", report["waiting_files"])]
    rows += [(reason, "not had", files) for reason, files in report["failed"].items()]
    return [{"what": what} | dict.fromkeys(_STANDINGS, 0) | {part: files} for what, part, files in rows]


def _pairs(counts: Mapping[str, int], unit: str) -> Sequence[dict[str, Any]]:
    return [{"reason": reason, unit: count} for reason, count in sorted(counts.items())]
