"""Years of nights: ended runs and their logs are removed when they are old, so that Dagster's database stays small.

A run whose materialization is the last of an asset, or of one of its partitions, is what shows
how that stands: it stays until a later one does, and so does every run that rescued a batch.
The state of every file is in the catalog, which forgets nothing.
"""

import datetime as dt
from collections.abc import Iterator

import dagster as dg

from shelter_pipeline.domain.fleet import UPKEEP
from shelter_pipeline.orchestration.flights import batch_of
from shelter_pipeline.orchestration.guide import about
from shelter_pipeline.orchestration.jobs import ENDED, first_in_queue
from shelter_pipeline.orchestration.rescue_assets import download_batches
from shelter_pipeline.orchestration.resources import Workplaces

# Deleting takes tens of milliseconds a run; a run of this job stays within its hour, and the next one goes on.
_MOST_A_RUN = 20_000
_PAGE = 500


def outdated_runs(instance: dg.DagsterInstance, before: dt.datetime) -> Iterator[dg.DagsterRun]:
    """Runs that ended before this moment and are the last word on nothing, oldest first."""
    shown = _last_words(instance)
    cursor: str | None = None
    while True:
        records = instance.get_run_records(
            dg.RunsFilter(statuses=list(ENDED), updated_before=before),
            limit=_PAGE,
            cursor=cursor,
            ascending=True,
        )
        for record in records:
            run = record.dagster_run
            rescued = run.status == dg.DagsterRunStatus.SUCCESS and batch_of(run) is not None
            if not rescued and run.run_id not in shown:
                yield run
        if len(records) < _PAGE:
            return
        cursor = records[-1].dagster_run.run_id


def _last_words(instance: dg.DagsterInstance) -> set[str]:
    """The runs that made the last materialization of an asset or a partition, but for batches, which are many."""
    runs: set[str] = set()
    for key in instance.get_asset_keys():
        if key == download_batches.key:
            continue
        last = instance.get_latest_materialization_event(key)
        by_partition = instance.event_log_storage.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        events = list(by_partition.values())
        runs |= {last.run_id} if last is not None else set()
        for first in range(0, len(events), _PAGE):
            some = dg.AssetRecordsFilter(key, storage_ids=events[first : first + _PAGE])
            runs |= {record.run_id for record in instance.fetch_materializations(some, limit=_PAGE).records}
    return runs


@dg.op
def purge_runs(context: dg.OpExecutionContext, workplaces: dg.ResourceParam[Workplaces]) -> None:
    """Remove ended runs that are older than `SHELTER_RUN_RETENTION_DAYS`."""
    with workplaces.open() as workplace:
        days = workplace.settings.run_retention_days
    before = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    outdated = [
        run.run_id
        for _, run in zip(range(_MOST_A_RUN), outdated_runs(context.instance, before), strict=False)
    ]
    for run_id in outdated:
        context.instance.delete_run(run_id)
    context.add_output_metadata(
        {"removed_runs": len(outdated), "older_than": before.isoformat(timespec="seconds")}
    )


@dg.job(
    executor_def=dg.in_process_executor,
    tags=first_in_queue(at_most_hours=2, queue=UPKEEP),
    **about("retention"),
)
def retention() -> None:
    """One op."""
    purge_runs()


daily_retention = dg.ScheduleDefinition(
    name="daily_retention",
    job=retention,
    cron_schedule="0 9 * * *",
    execution_timezone="UTC",
    **about("daily_retention"),
)
