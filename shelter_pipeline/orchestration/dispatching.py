"""The download sensor: planned batches become runs, as many as the fleet can take, the most wanted first.

Every tick is derived from the ledger and from Dagster's live runs as they stand, never from
what an earlier tick did: after a pause, a crash or a lost tick the next one starts what is
missing then, and nothing that has piled up.
"""

from collections.abc import Sequence

import dagster as dg

from shelter_pipeline.catalog.batches import BatchRow
from shelter_pipeline.operations.ledger import (
    asked_for,
    catalog_era,
    download_slots,
    next_batches,
    release_run,
)
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.orchestration.flights import (
    ATTEMPT_TAG,
    BATCH_TAG,
    HOST_TAG,
    URGENT_PRIORITY,
    Flight,
    Room,
    attempt_of,
    batch_of,
    flights_of,
    full_hosts,
    pool_is_closed,
    unyielding,
)
from shelter_pipeline.orchestration.guide import about
from shelter_pipeline.orchestration.jobs import (
    IN_FLIGHT,
    MAX_RETRIES_TAG,
    MAX_RUNTIME_TAG,
    PRIORITY_TAG,
    download,
)
from shelter_pipeline.orchestration.partitions import batches
from shelter_pipeline.orchestration.rescue_assets import DOWNLOAD_POOL
from shelter_pipeline.orchestration.resources import Workplaces

REST_AFTER_CANCEL_MINUTES = 10
_RUN_KEY_TAG = "dagster/run_key"
_MARGIN_SECONDS = 1800


@dg.sensor(job=download, minimum_interval_seconds=5, **about("download_sensor"))
def download_sensor(
    context: dg.SensorEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.SensorResult | dg.SkipReason:
    """Keeps the fleet busy: planned batches become runs, urgent and high-scored ones first.

    Asks for no more than fill twice the run slots that there are now, at most 100 a tick and
    two of one host in all. What a person asks for goes before everything that waits, in
    Dagster's queue too. The run key is batch and attempt, so asking twice starts one run.
    """
    flights = flights_of(context.instance)
    with workplaces.open() as workplace:
        slots = download_slots(workplace)
        _hurry(context, workplace, flights)
        room = Room.beside(flights, slots)
        if not room.urgent:
            return dg.SkipReason(_why_not(context.instance, flights, room, slots))
        rows = room.choose(
            next_batches(
                workplace,
                limit=room.urgent,
                in_flight=[flight.batch for flight in flights],
                busy_hosts=full_hosts(flights),
                taken_hosts=full_hosts(unyielding(flights)),
            )
        )
        era = catalog_era(workplace)
        fresh = _without_ended(context, workplace, rows, era)
        longest = workplace.settings.fetch_total_deadline_seconds
    if not fresh:
        return dg.SkipReason(_why_not(context.instance, flights, room, slots))
    # Asking for a partition that is there already costs less than looking through all of them.
    context.instance.add_dynamic_partitions(str(batches.name), [row.key for row in fresh])
    return dg.SensorResult(run_requests=[batch_request(row, longest, era) for row in fresh])


def _why_not(instance: dg.DagsterInstance, flights: Sequence[Flight], room: Room, slots: int) -> str:
    if pool_is_closed(instance):
        return f"the pool {DOWNLOAD_POOL} has no room, as a person wants it: {len(flights)} batches wait in the queue"
    if not slots:
        return "no worker that downloads is alive: batches wait in the catalog"
    if not room.in_all:
        return f"{len(flights)} batches are queued or running: enough for now"
    return f"{len(flights)} batches are queued or running, and no planned batch is due at a host that is free"


def batch_request(row: BatchRow, longest_capture_seconds: float, era: int = 0) -> dg.RunRequest:
    """One attempt at one batch, with the tags that queue limits and people look at.

    `era` tells it from an attempt of the same number that Dagster knows of a catalog which was lost since.
    """
    tags = {
        "shelter/organization": row.organization,
        BATCH_TAG: row.key,
        ATTEMPT_TAG: str(row.attempt),
        PRIORITY_TAG: str(round(row.share * 100) + (URGENT_PRIORITY if row.urgent else 0)),
        # Long enough for the slowest file that is allowed: its size is seldom known before.
        MAX_RUNTIME_TAG: str(round(longest_capture_seconds) + _MARGIN_SECONDS),
        # The ledger says when there is another attempt, under a run key of its own.
        MAX_RETRIES_TAG: "0",
    }
    if row.host is not None:
        tags[HOST_TAG] = row.host
    return dg.RunRequest(run_key=_run_key(row, era), partition_key=row.key, tags=tags)


def _run_key(row: BatchRow, era: int) -> str:
    return f"{row.key}:{row.attempt}" + (f":{era}" if era else "")


def _hurry(context: dg.SensorEvaluationContext, workplace: Workplace, flights: Sequence[Flight]) -> None:
    """Runs that were queued before a person asked for their batch go to the front of the queue as well."""
    waiting = {flight.batch: flight for flight in flights if flight.queued and not flight.is_urgent}
    for key in asked_for(workplace, list(waiting)):
        flight = waiting[key]
        priority = str(flight.priority + URGENT_PRIORITY)
        context.instance.add_run_tags(flight.run_id, {PRIORITY_TAG: priority})


def _without_ended(
    context: dg.SensorEvaluationContext, workplace: Workplace, rows: Sequence[BatchRow], era: int
) -> list[BatchRow]:
    """The batches whose attempt was not made yet.

    A run that ended without the ledger knowing, because the sensor that tells it was stopped or its
    tick was lost, has used up its run key: its batch would be asked for in vain for ever. It gets its
    next attempt here.
    """
    by_key = {_run_key(row, era): row for row in rows}
    if not by_key:
        return []
    runs = context.instance.get_runs(dg.RunsFilter(tags={_RUN_KEY_TAG: list(by_key)}))
    for run in runs:
        if by_key.pop(run.tags[_RUN_KEY_TAG], None) is not None and run.status not in IN_FLIGHT:
            give_back(workplace, run)
    return list(by_key.values())


def give_back(workplace: Workplace, run: dg.DagsterRun) -> list[str]:
    """Free what a run held that has ended; returns the batches that wait for another attempt.

    After a run that a person ended its batch rests for a while.
    """
    cancelled = run.status is dg.DagsterRunStatus.CANCELED
    return release_run(
        workplace,
        run.run_id,
        key=batch_of(run),
        attempt=attempt_of(run),
        rest_minutes=REST_AFTER_CANCEL_MINUTES if cancelled else 0,
    )
