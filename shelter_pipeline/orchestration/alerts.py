"""What Dagster alone can tell of troubles, and the sensor that has people told of all of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from shelter_pipeline.domain.troubles import Trouble
from shelter_pipeline.operations.alerts import EngineSigns, look_and_tell
from shelter_pipeline.orchestration.every_job import EVERY_JOB
from shelter_pipeline.orchestration.flights import pool_is_closed
from shelter_pipeline.orchestration.guide import about
from shelter_pipeline.orchestration.jobs import download
from shelter_pipeline.orchestration.resources import Workplaces

# A failed batch is the ledger's business, and told when it has used up its attempts.
WATCHED = tuple(job.name for job in EVERY_JOB if job is not download)
_ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)
_WINDOW = timedelta(days=2)
_MOST_RUNS = 200  # of one job, the latest
_WILL_RETRY = "dagster/will_retry"


def failed_runs(instance: dg.DagsterInstance) -> Iterator[Trouble]:
    """Of each watched job, and each of its partitions, the last run of two days if it failed and is not retried."""
    since = datetime.now(UTC) - _WINDOW
    for job in WATCHED:
        runs = instance.get_runs(
            dg.RunsFilter(job_name=job, statuses=list(_ENDED), updated_after=since), limit=_MOST_RUNS
        )
        last: dict[str, dg.DagsterRun] = {}
        for run in runs:  # the latest first
            last.setdefault(run.tags.get("dagster/partition", ""), run)
        for partition, run in last.items():
            if run.status is dg.DagsterRunStatus.FAILURE and run.tags.get(_WILL_RETRY) != "true":
                yield Trouble("run-failed", f"{job} {partition}".rstrip(), f"run {run.run_id}")


def downloads_paused(instance: dg.DagsterInstance, sensor: str) -> bool:
    """Whether a person stopped downloads: the pool has no room, or the sensor that starts them does not run."""
    running = {state.name for state in instance.all_instigator_state() if state.is_running}
    return pool_is_closed(instance) or sensor not in running


@dg.sensor(minimum_interval_seconds=60, **about("alert_sensor"))
def alert_sensor(
    context: dg.SensorEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.SkipReason:
    """Tells people what is wrong, once; again after a day; and when it is over. Channels are set by SHELTER_ALERT_*."""
    signs = EngineSigns(
        failed_runs=tuple(failed_runs(context.instance)),
        downloads_paused=downloads_paused(context.instance, "download_sensor"),
    )
    with workplaces.open() as workplace:
        outcomes = look_and_tell(workplace, signs)
    told = "; ".join(f"{name} {outcome}" for name, outcome in outcomes.items())
    return dg.SkipReason(told or "no channel is set (SHELTER_ALERT_WEBHOOK_URL, …): see `shelter alerts`")
