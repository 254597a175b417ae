"""The machines of the fleet, as they last said of themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shelter_pipeline.catalog.fleet import list_workers
from shelter_pipeline.domain.findings import Finding, ok, skipped, warning
from shelter_pipeline.domain.fleet import MOST_CLOCK_OFFSET_SECONDS, QUEUES
from shelter_pipeline.operations.doctor.databases import current_catalog
from shelter_pipeline.release import RELEASE
from shelter_pipeline.settings import Settings

_CHECK = "workers"
_WRONG_SECONDS = 30
_DAY_SECONDS = 24 * 3600


def check_workers(settings: Settings) -> Iterator[Finding]:
    """Silent ones, those of another release, those whose clock is wrong, and work that none of them takes."""
    with current_catalog(settings) as catalog:
        if isinstance(catalog, str):
            yield skipped(_CHECK, catalog)
            return
        found = [
            {**row, "silent": not row["ending"] and row["silent_seconds"] > settings.worker_silent_seconds}
            for row in list_workers(catalog)
            if row["silent_seconds"] < _DAY_SECONDS
        ]
    alive = [row for row in found if not row["silent"] and not row["ending"]]
    if alive:
        yield ok(_CHECK, f"{len(alive)} workers are alive: {', '.join(row['name'] for row in alive[:10])}")
        taken = {queue for row in alive for queue in row["queues"]}
        if left := [queue for queue in QUEUES if queue not in taken]:
            yield warning(
                _CHECK,
                f"no worker that is alive takes {', '.join(left)}: runs of that kind wait, and then fail",
                "Let a worker take it: SHELTER_WORKER_QUEUES, empty for all.",
            )
        slots = sum(row["slots"] for row in alive)
        if settings.broker_url is not None and slots > settings.max_concurrent_runs:
            yield warning(
                _CHECK,
                f"they have {slots} slots together, and {settings.max_concurrent_runs} runs may go on at once",
                f"Set SHELTER_MAX_CONCURRENT_RUNS={slots} for all of Dagster's processes, and restart them.",
            )
    elif settings.broker_url is not None:
        yield warning(
            _CHECK, "no worker is alive, and there is a broker", "Start `shelter worker` on a machine."
        )
    else:
        yield skipped(_CHECK, "there is no fleet")
    for row in found:
        yield from _machine(row)


def _machine(row: Mapping[str, Any]) -> Iterator[Finding]:
    where = f"{row['name']} on {row['host']}"
    if row["silent"]:
        yield warning(
            _CHECK,
            f"{where} is silent for {row['silent_seconds'] / 60:,.0f} minutes",
            "Look at the machine, or start its worker again; its runs are taken back.",
        )
        return
    if not row["ending"] and row["release"] != RELEASE:
        yield warning(
            _CHECK,
            f"{where} is of release {row['release']}, not {RELEASE}",
            "Upgrade it, and restart it.",
        )
    # One whose clock is far off takes nothing, as one does that ends.
    if abs(row["clock_offset_seconds"]) > (MOST_CLOCK_OFFSET_SECONDS if row["ending"] else _WRONG_SECONDS):
        yield warning(
            _CHECK,
            f"the clock of {where} differs by {row['clock_offset_seconds']:,.0f} s from the database's",
            "Switch on a time service (NTP) there.",
        )
