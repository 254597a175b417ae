"""Batches that are with Dagster already, and how much more the fleet should be given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from shelter_pipeline.catalog.batches import BatchRow
from shelter_pipeline.orchestration.jobs import IN_FLIGHT, PRIORITY_TAG
from shelter_pipeline.orchestration.rescue_assets import DOWNLOAD_POOL

BATCH_TAG, ATTEMPT_TAG, HOST_TAG = "shelter/batch", "shelter/attempt", "shelter/host"
URGENT_PRIORITY = 1000
MOST_PER_TICK = 100
_BATCHES_PER_HOST = 2
_IN_QUEUE = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED)


@dataclass(frozen=True, slots=True)
class Flight:
    """A batch that Dagster has a live run of, however that was started."""

    run_id: str
    batch: str
    host: str | None
    priority: int
    queued: bool

    @property
    def is_urgent(self) -> bool:
        """Whether its run goes before all that nobody has asked for."""
        return self.priority >= URGENT_PRIORITY


def flights_of(instance: dg.DagsterInstance) -> list[Flight]:
    """Every batch that is queued or running. Only batch keys hold a dot, so a run by hand is known by its partition."""
    runs = instance.get_runs(dg.RunsFilter(statuses=list(IN_FLIGHT)))
    return [
        Flight(run.run_id, batch, run.tags.get(HOST_TAG), _priority(run), run.status in _IN_QUEUE)
        for run in runs
        if (batch := batch_of(run)) is not None
    ]


def pool_is_closed(instance: dg.DagsterInstance) -> bool:
    """Whether a person has set the pool of downloads to 0, which is how they are paused."""
    limits = {pool.name: pool.limit for pool in instance.event_log_storage.get_pool_limits()}
    return limits.get(DOWNLOAD_POOL) == 0


def batch_of(run: dg.DagsterRun) -> str | None:
    """The batch a run works on; None for a run of anything else."""
    partition = run.tags.get("dagster/partition", "")
    return run.tags.get(BATCH_TAG) or (partition if "." in partition else None)


def attempt_of(run: dg.DagsterRun) -> int | None:
    """The attempt that a run was asked for; None for a run by hand."""
    text = run.tags.get(ATTEMPT_TAG, "")
    return int(text) if text.isdecimal() else None


def _priority(run: dg.DagsterRun) -> int:
    text = run.tags.get(PRIORITY_TAG, "0")
    return int(text) if text.removeprefix("-").isdecimal() else 0


@dataclass(frozen=True, slots=True)
class Room:
    """How many more runs there should be: in all, and of batches that somebody has asked for.

    Twice as many as run at once, so that a slot which falls free is filled within a second; what is
    urgent does not wait until the others have left the queue, and counts only itself.
    """

    in_all: int
    urgent: int

    @classmethod
    def beside(cls, flights: Sequence[Flight], slots: int) -> Room:
        """The room beside these flights, at most a hundred runs a tick."""
        urgent = sum(flight.is_urgent for flight in flights)
        return cls(_bounded(2 * slots - len(flights)), _bounded(2 * slots - urgent))

    def choose(self, rows: Sequence[BatchRow]) -> list[BatchRow]:
        """The batches to start, of rows in their order: urgent ones, and others while there is room in all."""
        urgent = [row for row in rows if row.urgent][: self.urgent]
        others = [row for row in rows if not row.urgent]
        return urgent + others[: max(self.in_all - len(urgent), 0)]


def _bounded(number: int) -> int:
    return min(max(number, 0), MOST_PER_TICK)


def full_hosts(flights: Sequence[Flight]) -> list[str]:
    """Hosts with one batch that runs and one that waits: a third would only stand in the way of other hosts."""
    count = Counter(flight.host for flight in flights if flight.host is not None)
    return [host for host, number in count.items() if number >= _BATCHES_PER_HOST]


def unyielding(flights: Sequence[Flight]) -> list[Flight]:
    """Flights that an urgent batch cannot overtake: those that run, and those that are urgent themselves."""
    return [flight for flight in flights if not flight.queued or flight.is_urgent]
