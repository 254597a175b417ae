"""The machines of the fleet as the catalog hears of them, and the runs they are at. The database's clock decides."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shelter_pipeline.catalog.connection import Catalog


@dataclass(frozen=True, slots=True)
class Machine:
    """A worker's word about itself: how many runs at once, of which kinds."""

    name: str
    host: str
    release: str
    slots: int
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SilentRun:
    """A run whose worker has not been heard of for `silent_seconds`."""

    run_id: str
    worker: str
    silent_seconds: float


def beat_worker(catalog: Catalog, machine: Machine, *, ending: bool = False) -> float:
    """Say that the machine is there; with `ending`, that it takes nothing.

    Returns by how many seconds its clock is ahead.
    """
    rows = catalog.rows(
        "beat_worker",
        name=machine.name,
        host=machine.host,
        release=machine.release,
        slots=machine.slots,
        queues=list(machine.queues),
        clock=time.time(),
        ending=ending,
    )
    return float(rows[0]["clock_offset_seconds"])


def forget_worker(catalog: Catalog, name: str) -> None:
    """The machine has ended its work."""
    catalog.count("forget_worker", name=name)


def list_workers(catalog: Catalog) -> list[Mapping[str, Any]]:
    """Every machine heard of within the day: its row, `silent_seconds` and the number of its `runs`."""
    return catalog.rows("workers")


def live_slots(catalog: Catalog, queue: str, *, silent_seconds: float) -> int:
    """How many runs of this kind the machines that are alive can take at once."""
    return int(catalog.rows("live_slots", queue=queue, silent_seconds=silent_seconds)[0]["slots"])


def beat_run(catalog: Catalog, run_id: str, worker: str) -> None:
    """Say that the worker is at the run."""
    catalog.count("beat_run", run_id=run_id, worker=worker)


def end_run(catalog: Catalog, run_id: str, worker: str) -> None:
    """Say that the worker is no longer at the run, however that ended."""
    catalog.count("end_run", run_id=run_id, worker=worker)


def silent_runs(catalog: Catalog, *, silent_seconds: float) -> list[SilentRun]:
    """Runs that have lost their worker, the longest silent first; none while the database was away itself."""
    return [SilentRun(**row) for row in catalog.rows("silent_runs", silent_seconds=silent_seconds)]


def forget_runs(catalog: Catalog, run_ids: Sequence[str]) -> None:
    """These runs have been given up."""
    catalog.count("forget_runs", run_ids=list(run_ids))
