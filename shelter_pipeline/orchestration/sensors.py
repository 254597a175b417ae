"""What happens when something changed: batches are started, lost work is taken back, reports are renewed.

Every tick is derived from the catalog's ledger as it stands, never from what an earlier
tick did: a tick that failed or was lost is made good by the next one.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from shelter_pipeline.catalog.batches import BatchRow
from shelter_pipeline.operations.ledger import (
    next_batches,
    organization_keys,
    portal_keys,
    reap_lost_work,
    release_run,
    settled_organizations,
)
from shelter_pipeline.orchestration.jobs import (
    IN_FLIGHT,
    MAX_RUNTIME_TAG,
    PRIORITY_TAG,
    discover_portal,
    download,
    plan_organizations,
    refresh_portal,
    report_organizations,
)
from shelter_pipeline.orchestration.lost_runs import fail_lost_runs
from shelter_pipeline.orchestration.partitions import (
    batches,
    contiguous_ranges,
    in_partition_order,
    organizations,
    portals,
)
from shelter_pipeline.orchestration.resources import Workplaces

BATCH_TAG, ATTEMPT_TAG, HOST_TAG = "shelter/batch", "shelter/attempt", "shelter/host"
_MOST_PER_TICK = 100
_RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
_MARGIN_SECONDS = 1800
_BATCHES_PER_HOST = 2
_REST_AFTER_CANCEL_MINUTES = 10


@dg.sensor(job=download, minimum_interval_seconds=5)
def download_sensor(
    context: dg.SensorEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.SensorResult | dg.SkipReason:
    """Keeps the fleet busy: planned batches become runs, urgent and high-scored ones first.

    Asks for no more than fill twice the run slots, at most 100 a tick and two of one host
    in all. The run key is batch and attempt, so asking twice starts one run.
    """
    flights = flights_of(context.instance)
    with workplaces.open() as workplace:
        settings = workplace.settings
        room = min(2 * settings.max_concurrent_runs - len(flights), _MOST_PER_TICK)
        if room <= 0:
            return dg.SkipReason(f"{len(flights)} batches are queued or running: enough for now")
        rows = next_batches(
            workplace,
            limit=room,
            in_flight=[flight.batch for flight in flights],
            busy_hosts=busy_hosts(flights),
        )
    if not rows:
        return dg.SkipReason("no planned batch is due at a host that is free")
    known = set(context.instance.get_dynamic_partitions(str(batches.name)))
    new = [row.key for row in rows if row.key not in known]
    return dg.SensorResult(
        run_requests=[batch_request(row, settings.fetch_total_deadline_seconds) for row in rows],
        dynamic_partitions_requests=[batches.build_add_request(new)] if new else [],
    )


def batch_request(row: BatchRow, longest_capture_seconds: float) -> dg.RunRequest:
    """One attempt at one batch, with the tags that queue limits and people look at."""
    tags = {
        "shelter/organization": row.organization,
        BATCH_TAG: row.key,
        ATTEMPT_TAG: str(row.attempt),
        PRIORITY_TAG: str(round(row.share * 100) + (1000 if row.urgent else 0)),
        # Long enough for the slowest file that is allowed: its size is seldom known before.
        MAX_RUNTIME_TAG: str(round(longest_capture_seconds) + _MARGIN_SECONDS),
    }
    if row.host is not None:
        tags[HOST_TAG] = row.host
    return dg.RunRequest(run_key=f"{row.key}:{row.attempt}", partition_key=row.key, tags=tags)


@dataclass(frozen=True, slots=True)
class Flight:
    """A batch that Dagster has a live run of, however that was started."""

    batch: str
    host: str | None


def flights_of(instance: dg.DagsterInstance) -> list[Flight]:
    """Every batch that is queued or running. Only batch keys hold a dot, so a run by hand is known by its partition."""
    runs = instance.get_runs(dg.RunsFilter(statuses=list(IN_FLIGHT)))
    flights = (Flight(batch_of(run) or "", run.tags.get(HOST_TAG)) for run in runs)
    return [flight for flight in flights if flight.batch]


def batch_of(run: dg.DagsterRun) -> str | None:
    """The batch a run works on; None for a run of anything else."""
    partition = run.tags.get("dagster/partition", "")
    return run.tags.get(BATCH_TAG) or (partition if "." in partition else None)


def busy_hosts(flights: Sequence[Flight]) -> list[str]:
    """Hosts with one batch that runs and one that waits: a third would only stand in the way of other hosts."""
    count = Counter(flight.host for flight in flights if flight.host is not None)
    return [host for host, number in count.items() if number >= _BATCHES_PER_HOST]


@dg.sensor(minimum_interval_seconds=60)
def reaper_sensor(
    context: dg.SensorEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.SkipReason:
    """Takes back what machines that are gone held: their runs, leases and batches; the download sensor goes on."""
    with workplaces.open() as workplace:
        lost = fail_lost_runs(context.instance, workplace)
        taken = reap_lost_work(workplace)
    return dg.SkipReason(
        f"{lost} runs had lost their worker, {taken['expired_claims']} leases had run out,"
        f" {taken['requeued_batches']} batches wait again"
    )


@dg.sensor(minimum_interval_seconds=60)
def portal_sensor(
    context: dg.SensorEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.SensorResult | dg.SkipReason:
    """Portals that were added on the command line become partitions, for people to choose."""
    with workplaces.open() as workplace:
        keys = portal_keys(workplace)
    known = set(context.instance.get_dynamic_partitions(str(portals.name)))
    new = [key for key in keys if key not in known]
    if not new:
        return dg.SkipReason(f"all {len(keys)} portals are partitions")
    return dg.SensorResult(dynamic_partitions_requests=[portals.build_add_request(new)])


@dg.sensor(job=report_organizations, minimum_interval_seconds=60)
def rescue_report_sensor(
    context: dg.SensorEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.SensorResult | dg.SkipReason:
    """Renews the verdict on every organization whose batches have ended since the last tick."""
    with workplaces.open() as workplace:
        settled = settled_organizations(workplace, since=context.cursor)
        keys = organization_keys(workplace)
    if not settled:
        return dg.SkipReason("no organization has ended its batches since the last report")
    newest = settled[-1][1]
    shown = in_partition_order(context.instance, organizations, keys)
    requests = range_requests(shown, [key for key, _ in settled], run_key=newest)
    return dg.SensorResult(run_requests=list(requests), cursor=newest)


def range_requests(
    ordered: Sequence[str],
    wanted: Sequence[str],
    *,
    run_key: str,
    run_config: dict[str, object] | None = None,
) -> Iterator[dg.RunRequest]:
    """As few runs as cover the wanted partitions: one for each unbroken range."""
    for first, last in contiguous_ranges(ordered, wanted):
        yield dg.RunRequest(
            run_key=f"{first}..{last}:{run_key}",
            tags=dict(zip(_RANGE_TAGS, (first, last), strict=True)),
            run_config=run_config or {},
        )


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitored_jobs=[refresh_portal, discover_portal],
    request_job=plan_organizations,
    minimum_interval_seconds=30,
)
def plan_after_refresh(
    context: dg.RunStatusSensorContext, workplaces: dg.ResourceParam[Workplaces]
) -> Iterator[dg.RunRequest]:
    """After a portal was refreshed, every organization is planned: what is new or due joins the queue."""
    with workplaces.open() as workplace:
        keys = organization_keys(workplace)
    shown = in_partition_order(context.instance, organizations, keys)
    config: dict[str, object] = {"ops": {"batch_plan": {"config": {"urgent": False}}}}
    yield from range_requests(shown, keys, run_key=context.dagster_run.run_id, run_config=config)


@dg.run_failure_sensor(minimum_interval_seconds=15)
def lost_run_sensor(
    context: dg.RunFailureSensorContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.SkipReason:
    """What a failed run still held is free at once, and its batch waits for the next attempt."""
    return _give_back(context.dagster_run, workplaces, rest_minutes=0)


@dg.run_status_sensor(run_status=dg.DagsterRunStatus.CANCELED, minimum_interval_seconds=15)
def cancelled_run_sensor(
    context: dg.RunStatusSensorContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.SkipReason:
    """A batch whose run a person ended rests for a while; to stop downloads, set the pool `downloads` to 0."""
    return _give_back(context.dagster_run, workplaces, rest_minutes=_REST_AFTER_CANCEL_MINUTES)


def _give_back(run: dg.DagsterRun, workplaces: Workplaces, *, rest_minutes: int) -> dg.SkipReason:
    batch = batch_of(run)
    if batch is None:
        return dg.SkipReason(f"run {run.run_id} held no batch")
    attempt = run.tags.get(ATTEMPT_TAG, "")
    with workplaces.open() as workplace:
        waiting = release_run(
            workplace,
            run.run_id,
            key=batch,
            attempt=int(attempt) if attempt.isdecimal() else None,
            rest_minutes=rest_minutes,
        )
    return dg.SkipReason(f"run {run.run_id} has ended; waiting again: {', '.join(waiting) or 'nothing'}")


sensors = (
    download_sensor,
    reaper_sensor,
    portal_sensor,
    rescue_report_sensor,
    plan_after_refresh,
    lost_run_sensor,
    cancelled_run_sensor,
)
