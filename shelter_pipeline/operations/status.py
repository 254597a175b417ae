"""The system at a glance: how much is rescued, what is going on, whether a person is needed."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.domain.nightly import next_harvest
from shelter_pipeline.operations.workplace import Workplace

_ACTIVE_LEASES = 1.5  # a node that has been silent for longer than this is not at work


def count_totals(workplace: Workplace) -> dict[str, Any]:
    """The size of the rescue. A second or so at full size: whoever asks often should remember it."""
    return dict(workplace.catalog.rows("status_totals")[0])


def look_around(workplace: Workplace) -> dict[str, Any]:
    """What is going on as of now; quick at any size."""
    return dict(workplace.catalog.rows("status_now", active_seconds=active_seconds(workplace))[0])


def active_seconds(workplace: Workplace) -> float:
    """How long a node may have been silent and still counts as at work."""
    return _ACTIVE_LEASES * workplace.settings.lease_seconds


def system_status(workplace: Workplace, now: dict[str, Any], totals: dict[str, Any]) -> dict[str, Any]:
    """What `look_around` saw, beside totals that may be somewhat older.

    The first five are those of the original system: `total_priority_score` is the sum of the
    priorities, 1 to 10, of all files.
    """
    troubles = _troubles(workplace, totals)
    return {
        "ckan_datasets": totals["datasets"],
        "active_allocations": now["claims"],
        "next_auto_update": next_harvest(now["now"]),
        "total_priority_score": totals["total_level"],
        "system_health": "degraded" if troubles else "healthy",
        "troubles": troubles,
        "files": {
            "known": totals["files"],
            "held": totals["held_files"],
            "held_bytes": totals["held_bytes"],
            "waiting": totals["pending_files"],
            "failed": totals["failed_files"],
            "dead": totals["dead_files"],
        },
        "copies": {
            "good": totals["copies_good"],
            "counted": totals["copies_counted"],
            "on_nodes": totals["copies_on_nodes"],
        },
        "nodes": {"known": now["nodes"], "active": now["active_nodes"], "blocked": now["blocked_nodes"]},
        "queue": {
            "planned_batches": totals["planned_batches"],
            "running_batches": totals["running_batches"],
            "failed_batches": totals["failed_batches"],
            "allocations_of_nodes": now["node_claims"],
        },
    }


def _troubles(workplace: Workplace, totals: dict[str, Any]) -> list[str]:
    """What a person should look at, in sentences."""
    troubles = []
    if not workplace.has_room():
        troubles.append("there is no room where files arrive; no file is begun until there is")
    if totals["failed_batches"]:
        troubles.append(f"{totals['failed_batches']} batches used up their attempts and wait for a person")
    return troubles
