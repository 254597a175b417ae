"""The fleet as the skins ask for it: which machines are alive, how much they take, which runs lost theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shelter_pipeline.catalog import fleet
from shelter_pipeline.catalog.fleet import SilentRun
from shelter_pipeline.domain.fleet import DOWNLOADS, SILENT_SECONDS
from shelter_pipeline.operations.workplace import Workplace


def fleet_slots(workplace: Workplace) -> int | None:
    """Batches that the workers which are alive can take at once; None where there is no fleet."""
    if workplace.settings.broker_url is None:
        return None
    return fleet.live_slots(workplace.catalog, DOWNLOADS, silent_seconds=SILENT_SECONDS)


def workers(workplace: Workplace) -> list[Mapping[str, Any]]:
    """Every machine heard of within the day, and whether it is `alive`."""
    return [
        {**row, "alive": row["silent_seconds"] < SILENT_SECONDS}
        for row in fleet.list_workers(workplace.catalog)
    ]


def lost_runs(workplace: Workplace) -> list[SilentRun]:
    """Runs whose worker has been silent for `SHELTER_WORKER_SILENT_SECONDS`."""
    return fleet.silent_runs(workplace.catalog, silent_seconds=workplace.settings.worker_silent_seconds)


def give_up_runs(workplace: Workplace, run_ids: Sequence[str]) -> None:
    """What is known of these runs' workers is done with."""
    fleet.forget_runs(workplace.catalog, run_ids)
