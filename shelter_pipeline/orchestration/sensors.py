"""What happens when something changed: lost work is taken back, what is new becomes partitions and plans.

Every tick is derived from the catalog's ledger as it stands, never from what an earlier
tick did: a tick that failed or was lost is made good by the next one.
"""

from collections.abc import Iterator, Sequence

import dagster as dg

from shelter_pipeline.operations.ledger import organization_keys, portal_keys, reap_lost_work
from shelter_pipeline.orchestration.dispatching import download_sensor, give_back
from shelter_pipeline.orchestration.flights import batch_of
from shelter_pipeline.orchestration.guide import about
from shelter_pipeline.orchestration.jobs import discover_portal, plan_organizations, refresh_portal
from shelter_pipeline.orchestration.lost_runs import fail_lost_runs
from shelter_pipeline.orchestration.partitions import (
    contiguous_ranges,
    in_partition_order,
    organizations,
    portals,
)
from shelter_pipeline.orchestration.resources import Workplaces
from shelter_pipeline.orchestration.verdicts import rescue_report_sensor

_RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


@dg.sensor(minimum_interval_seconds=60, **about("reaper_sensor"))
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


@dg.sensor(minimum_interval_seconds=60, **about("portal_sensor"))
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
    **about("plan_after_refresh"),
)
def plan_after_refresh(
    context: dg.RunStatusSensorContext, workplaces: dg.ResourceParam[Workplaces]
) -> Iterator[dg.RunRequest]:
    """After a portal was refreshed, its organizations are planned: what is new or due joins the queue."""
    with workplaces.open() as workplace:
        keys = organization_keys(workplace, context.dagster_run.tags.get("dagster/partition"))
    shown = in_partition_order(context.instance, organizations, keys)
    config: dict[str, object] = {"ops": {"batch_plan": {"config": {"urgent": False}}}}
    yield from range_requests(shown, keys, run_key=context.dagster_run.run_id, run_config=config)


@dg.run_failure_sensor(minimum_interval_seconds=15, **about("lost_run_sensor"))
def lost_run_sensor(
    context: dg.RunFailureSensorContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.SkipReason:
    """What a failed run still held is free at once, and its batch waits for the next attempt."""
    return _give_back(context.dagster_run, workplaces)


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.CANCELED,
    minimum_interval_seconds=15,
    **about("cancelled_run_sensor"),
)
def cancelled_run_sensor(
    context: dg.RunStatusSensorContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.SkipReason:
    """A batch whose run a person ended rests for a while; to stop downloads, set the pool `downloads` to 0."""
    return _give_back(context.dagster_run, workplaces)


def _give_back(run: dg.DagsterRun, workplaces: Workplaces) -> dg.SkipReason:
    if batch_of(run) is None:
        return dg.SkipReason(f"run {run.run_id} held no batch")
    with workplaces.open() as workplace:
        waiting = give_back(workplace, run)
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
