"""When things happen by themselves. Off by default; `shelter up` and production switch them on."""

from collections.abc import Iterator

import dagster as dg

from shelter_pipeline.operations.ledger import portal_keys
from shelter_pipeline.orchestration.checks import audit_job
from shelter_pipeline.orchestration.jobs import discover_portal, fixity, refresh_portal, rescore
from shelter_pipeline.orchestration.partitions import add_missing, portals
from shelter_pipeline.orchestration.resources import Workplaces


@dg.schedule(job=refresh_portal, cron_schedule="0 2 * * *", execution_timezone="UTC")
def nightly_harvest(
    context: dg.ScheduleEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> Iterator[dg.RunRequest]:
    """Every portal, every night: harvest, discovery, scores. Planning follows each success."""
    yield from _nightly(context, workplaces)


@dg.schedule(job=discover_portal, cron_schedule="0 5 * * *", execution_timezone="UTC")
def nightly_discovery(
    context: dg.ScheduleEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> Iterator[dg.RunRequest]:
    """Every portal, every night, whatever became of its harvest: a portal that dies is when we must go on."""
    yield from _nightly(context, workplaces)


def _nightly(context: dg.ScheduleEvaluationContext, workplaces: Workplaces) -> Iterator[dg.RunRequest]:
    with workplaces.open() as workplace:
        keys = portal_keys(workplace, nightly_only=True)
    add_missing(context.instance, portals, keys)
    # The night is part of the key: one run a portal and a night, and another one tomorrow.
    night = context.scheduled_execution_time.date().isoformat()
    for key in keys:
        yield dg.RunRequest(run_key=f"{key}:{night}", partition_key=key, tags={"shelter/portal": key})


hourly_rescore = dg.ScheduleDefinition(
    name="hourly_rescore", job=rescore, cron_schedule="30 * * * *", execution_timezone="UTC"
)
daily_audit = dg.ScheduleDefinition(
    name="daily_audit", job=audit_job, cron_schedule="0 7 * * *", execution_timezone="UTC"
)
weekly_fixity = dg.ScheduleDefinition(
    name="weekly_fixity", job=fixity, cron_schedule="0 8 * * 0", execution_timezone="UTC"
)

schedules = (nightly_harvest, nightly_discovery, hourly_rescore, daily_audit, weekly_fixity)
