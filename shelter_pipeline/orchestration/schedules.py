"""When things happen by themselves. Off by default; `shelter up` and production switch them on."""

from collections.abc import Iterator

import dagster as dg

from shelter_pipeline.domain.nightly import HARVEST_HOUR
from shelter_pipeline.operations.ledger import broken_harvests, portal_keys
from shelter_pipeline.orchestration.checks import audit_job
from shelter_pipeline.orchestration.guide import about
from shelter_pipeline.orchestration.jobs import (
    IN_FLIGHT,
    discover_portal,
    fixity,
    keep_sources,
    refresh_portal,
    rescore,
)
from shelter_pipeline.orchestration.node_proofs import node_proofs
from shelter_pipeline.orchestration.overview_asset import hourly_overview
from shelter_pipeline.orchestration.partitions import add_missing, portals
from shelter_pipeline.orchestration.resources import Workplaces
from shelter_pipeline.orchestration.retention import daily_retention
from shelter_pipeline.orchestration.weekly_report import weekly_report


@dg.schedule(
    job=refresh_portal,
    cron_schedule=f"0 {HARVEST_HOUR} * * *",
    execution_timezone="UTC",
    **about("nightly_harvest"),
)
def nightly_harvest(
    context: dg.ScheduleEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> Iterator[dg.RunRequest]:
    """Every portal, every night: harvest, discovery, scores. Planning follows each success."""
    yield from _nightly(context, workplaces)


@dg.schedule(
    job=discover_portal, cron_schedule="0 5 * * *", execution_timezone="UTC", **about("nightly_discovery")
)
def nightly_discovery(
    context: dg.ScheduleEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> Iterator[dg.RunRequest]:
    """Every portal, every night, whatever became of its harvest: a portal that dies is when we must go on."""
    yield from _nightly(context, workplaces)


@dg.schedule(
    job=keep_sources, cron_schedule="0 6 * * *", execution_timezone="UTC", **about("nightly_sources")
)
def nightly_sources(
    context: dg.ScheduleEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> Iterator[dg.RunRequest]:
    """Every portal, every night, when its harvest is mostly over: some more source records, the most popular first."""
    yield from _nightly(context, workplaces)


@dg.schedule(
    job=refresh_portal, cron_schedule="45 * * * *", execution_timezone="UTC", **about("continue_harvests")
)
def continue_harvests(
    context: dg.ScheduleEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Harvests that were broken off go on within the hour, where they stopped, without a person."""
    with workplaces.open() as workplace:
        keys = broken_harvests(workplace)
    add_missing(context.instance, portals, keys)
    under_way = _partitions_under_way(context.instance)
    waiting = [key for key in keys if key not in under_way]
    if not waiting:
        yield dg.SkipReason("no harvest was broken off that could be continued now")
    hour = context.scheduled_execution_time.isoformat(timespec="hours")
    for key in waiting:
        yield dg.RunRequest(run_key=f"{key}:{hour}", partition_key=key, tags={"shelter/portal": key})


def _partitions_under_way(instance: dg.DagsterInstance) -> set[str]:
    """Portals that are being refreshed, by whomever: a second harvest beside the first would do its work twice."""
    runs = instance.get_runs(dg.RunsFilter(statuses=list(IN_FLIGHT)))
    refreshes = (run for run in runs if run.job_name in (refresh_portal.name, "__ASSET_JOB"))
    return {run.tags.get("dagster/partition", "") for run in refreshes}


def _nightly(context: dg.ScheduleEvaluationContext, workplaces: Workplaces) -> Iterator[dg.RunRequest]:
    with workplaces.open() as workplace:
        keys = portal_keys(workplace, nightly_only=True)
    add_missing(context.instance, portals, keys)
    # The night is part of the key: one run a portal and a night, and another one tomorrow.
    night = context.scheduled_execution_time.date().isoformat()
    for key in keys:
        yield dg.RunRequest(run_key=f"{key}:{night}", partition_key=key, tags={"shelter/portal": key})


hourly_rescore = dg.ScheduleDefinition(
    name="hourly_rescore",
    job=rescore,
    cron_schedule="30 * * * *",
    execution_timezone="UTC",
    **about("hourly_rescore"),
)
hourly_proofs = dg.ScheduleDefinition(
    name="hourly_proofs",
    job=node_proofs,
    cron_schedule="15 * * * *",
    execution_timezone="UTC",
    **about("hourly_proofs"),
)
daily_audit = dg.ScheduleDefinition(
    name="daily_audit",
    job=audit_job,
    cron_schedule="0 7 * * *",
    execution_timezone="UTC",
    **about("daily_audit"),
)
weekly_fixity = dg.ScheduleDefinition(
    name="weekly_fixity",
    job=fixity,
    cron_schedule="0 8 * * 0",
    execution_timezone="UTC",
    **about("weekly_fixity"),
)

schedules = (
    nightly_harvest,
    continue_harvests,
    nightly_discovery,
    nightly_sources,
    hourly_rescore,
    hourly_proofs,
    daily_audit,
    weekly_fixity,
    daily_retention,
    hourly_overview,
    weekly_report,
)
