"""What goes on just now, as everybody may see it: captures, batches, harvests, machines, troubles by their kind."""

from __future__ import annotations

from typing import Any

from shelter_pipeline.catalog import browsing
from shelter_pipeline.catalog.alerts import open_alerts
from shelter_pipeline.domain.troubles import KINDS
from shelter_pipeline.domain.verdicts import REASONS
from shelter_pipeline.operations.fleet import workers
from shelter_pipeline.operations.workplace import Workplace

CAPTURES_A_PAGE = 40
_BATCHES = 12
_HARVESTS = 12


def captures_page(workplace: Workplace, *, before: int | None) -> dict[str, Any]:
    """`{captures, next}`: what was fetched, newest first, each with its reason in words; `next` goes back in time."""
    rows = browsing.recent_captures(workplace.catalog, before=before, limit=CAPTURES_A_PAGE + 1)
    items = rows[:CAPTURES_A_PAGE]
    return {
        "captures": [{**row, "sentence": _sentence(row["reason"])} for row in items],
        "next": items[-1]["id"] if len(rows) > CAPTURES_A_PAGE else None,
    }


def _sentence(reason: str) -> str:
    return REASONS[reason].sentence if reason in REASONS else reason


def goings_on(workplace: Workplace) -> dict[str, Any]:
    """`{running, harvests, machines, troubles}`, as of now.

    Machines are counted and not named, and of a trouble its kind is told and not the thing: names of both tell of
    the operators' house.
    """
    machines = [row for row in workers(workplace) if row["alive"]]
    troubles: dict[str, Any] = {}
    for row in open_alerts(workplace.catalog):
        troubles.setdefault(row["kind"], row["since"])
    return {
        "running": browsing.running_batches(workplace.catalog, limit=_BATCHES),
        "harvests": browsing.recent_harvests(workplace.catalog, limit=_HARVESTS),
        "machines": {
            "alive": len(machines),
            "slots": sum(row["slots"] for row in machines),
            "runs": sum(row["runs"] for row in machines),
        },
        "troubles": [
            {"title": KINDS[kind].title if kind in KINDS else kind, "since": since}
            for kind, since in troubles.items()
        ],
    }
