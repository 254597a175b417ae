"""What happens when something changed: batches are started, lost work is taken back, reports are renewed.

Every tick is derived from the catalog's ledger as it stands, never from what an earlier
tick did: a tick that failed or was lost is made good by the next one.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from shelter_pipeline.catalog.batches import BatchRow
from shelter_pipeline.operations.ledger import (
    next_batches,
    organization_keys,
    reap_lost_work,
    release_run,
    settled_organizations,
)
from shelter_pipeline.orchestration.jobs import (
    MAX_RUNTIME_TAG,
    download,
    plan_organizations,
    refresh_portal,
    report_organizations,
)
from shelter_pipeline.orchestration.partitions import add_missing, batches, contiguous_ranges, organizations
from shelter_pipeline.orchestration.resources import Workplaces

BATCH_TAG = "shelter/batch"
_MOST_PER_TICK = 100
_RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
_IN_FLIGHT = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
# A batch is cut for 5 to 20 minutes of work; what takes longer than this has lost its machine.
_SHORTEST_LIMIT_SECONDS = 1800
_SLOWEST_BYTES_PER_SECOND = 1_000_000


@dg.sensor(job=download, minimum_interval_seconds=10)
def download_sensor(
    context: dg.SensorEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.SensorResult | dg.SkipReason:
    """Keeps the fleet busy: planned batches become runs, urgent and high-scored ones first.

    Asks for no more than fill twice the run slots, and at most 100 a tick. The run key is
    batch and attempt, so asking twice starts one run.
    """
    with workplaces.open() as workplace:
        in_flight = _batches_in_flight(context.instance)
        room = min(2 * workplace.settings.max_concurrent_runs - len(in_flight), _MOST_PER_TICK)
        if room <= 0:
            return dg.SkipReason(f"{len(in_flight)} batches are queued or running: enough for now")
        rows = next_batches(workplace, limit=room, in_flight=in_flight)
    if not rows:
        return dg.SkipReason("no planned batch is due")
    known = set(context.instance.get_dynamic_partitions(str(batches.name)))
    new = [row.key for row in rows if row.key not in known]
    return dg.SensorResult(
        run_requests=[batch_request(row) for row in rows],
        dynamic_partitions_requests=[batches.build_add_request(new)] if new else [],
    )


def batch_request(row: BatchRow) -> dg.RunRequest:
    """One attempt at one batch, with the tags that queue limits and people look at."""
    limit = max(_SHORTEST_LIMIT_SECONDS, 3 * row.bytes // _SLOWEST_BYTES_PER_SECOND)
    tags = {
        "shelter/organization": row.organization,
        BATCH_TAG: row.key,
        "shelter/attempt": str(row.attempt),
        "dagster/priority": str(round(row.score * 100) + (1000 if row.urgent else 0)),
        MAX_RUNTIME_TAG: str(limit),
    }
    if row.host is not None:
        tags["shelter/host"] = row.host
    return dg.RunRequest(run_key=f"{row.key}:{row.attempt}", partition_key=row.key, tags=tags)


def _batches_in_flight(instance: dg.DagsterInstance) -> list[str]:
    runs = instance.get_runs(dg.RunsFilter(job_name=download.name, statuses=list(_IN_FLIGHT)))
    return [key for run in runs if (key := run.tags.get(BATCH_TAG) or run.tags.get("dagster/partition"))]


@dg.sensor(minimum_interval_seconds=60)
def reaper_sensor(
    context: dg.SensorEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.SkipReason:
    """Takes back claims whose lease ran out and batches whose run is gone; the download sensor starts them again."""
    with workplaces.open() as workplace:
        taken = reap_lost_work(workplace)
    return dg.SkipReason(
        f"{taken['expired_claims']} leases had run out, {taken['requeued_batches']} batches wait again"
    )


@dg.sensor(job=report_organizations, minimum_interval_seconds=60)
def rescue_report_sensor(
    context: dg.SensorEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.SensorResult | dg.SkipReason:
    """Renews the verdict on every organization whose batches have ended since the last tick."""
    with workplaces.open() as workplace:
        settled = settled_organizations(workplace, since=context.cursor)
        ordered = organization_keys(workplace)
    if not settled:
        return dg.SkipReason("no organization has ended its batches since the last report")
    add_missing(context.instance, organizations, ordered)
    newest = settled[-1][1]
    known = context.instance.get_dynamic_partitions(str(organizations.name))
    requests = range_requests(known, [key for key, _ in settled], run_key=newest)
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
    monitored_jobs=[refresh_portal],
    request_job=plan_organizations,
    minimum_interval_seconds=30,
)
def plan_after_refresh(
    context: dg.RunStatusSensorContext, workplaces: dg.ResourceParam[Workplaces]
) -> Iterator[dg.RunRequest]:
    """After a portal was refreshed, every organization is planned: what is new or due joins the queue."""
    with workplaces.open() as workplace:
        keys = organization_keys(workplace)
    add_missing(context.instance, organizations, keys)
    known = context.instance.get_dynamic_partitions(str(organizations.name))
    config: dict[str, object] = {"ops": {"batch_plan": {"config": {"urgent": False}}}}
    yield from range_requests(list(known), keys, run_key=context.dagster_run.run_id, run_config=config)


@dg.run_failure_sensor(monitored_jobs=[download], minimum_interval_seconds=15)
def lost_run_sensor(context: dg.RunFailureSensorContext, workplaces: dg.ResourceParam[Workplaces]) -> None:
    """What a failed run still held is free at once, and its batch waits for the next attempt."""
    with workplaces.open() as workplace:
        waiting = release_run(workplace, context.dagster_run.run_id)
    context.log.info("run %s failed; waiting again: %s", context.dagster_run.run_id, waiting or "nothing")


sensors = (download_sensor, reaper_sensor, rescue_report_sensor, plan_after_refresh, lost_run_sensor)
