"""Runs of the system: refresh a portal, keep its sources, plan organizations, download a batch, report, audit.

Every job runs its steps in one process: a second process a step costs more than the
work of most steps.
"""

import dagster as dg

from shelter_pipeline.domain.fleet import CATALOG, DOWNLOADS, QUEUE_TAG, UPKEEP
from shelter_pipeline.operations.mend_store import mend_store
from shelter_pipeline.orchestration.catalog_assets import (
    asset_probes,
    package_list,
    priority_scores,
    resource_metadata,
    source_records,
)
from shelter_pipeline.orchestration.guide import about
from shelter_pipeline.orchestration.rescue_assets import batch_plan, download_batches, organization_rescue
from shelter_pipeline.orchestration.resources import Workplaces
from shelter_pipeline.orchestration.tables import table

MAX_RUNTIME_TAG = "dagster/max_runtime"
PRIORITY_TAG = "dagster/priority"
MAX_RETRIES_TAG = "dagster/max_retries"
ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
IN_FLIGHT = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)


def _assets(*assets: dg.AssetsDefinition) -> dg.AssetSelection:
    """The assets alone: the audit's checks run in their own job."""
    return dg.AssetSelection.assets(*assets).without_checks()


def first_in_queue(at_most_hours: int, queue: str = CATALOG) -> dict[str, str]:
    """Before any download in the queue, which is long for weeks; and with an end, for a machine may be lost."""
    return {MAX_RUNTIME_TAG: str(at_most_hours * 3600), PRIORITY_TAG: "5000", QUEUE_TAG: queue}


refresh_portal = dg.define_asset_job(
    "refresh_portal",
    # The harvest answers its checks itself, in the same step.
    selection=dg.AssetSelection.assets(package_list) | _assets(resource_metadata, priority_scores),
    executor_def=dg.in_process_executor,
    **about("refresh_portal"),
    tags=first_in_queue(at_most_hours=12),
)
discover_portal = dg.define_asset_job(
    "discover_portal",
    selection=_assets(resource_metadata, asset_probes, priority_scores),
    executor_def=dg.in_process_executor,
    **about("discover_portal"),
    tags=first_in_queue(at_most_hours=12),
)
keep_sources = dg.define_asset_job(
    "keep_sources",
    selection=_assets(source_records),
    executor_def=dg.in_process_executor,
    **about("keep_sources"),
    # Hours of waiting between requests to one host: it takes a slot that nobody else wants.
    tags={MAX_RUNTIME_TAG: str(6 * 3600), PRIORITY_TAG: "-1000", QUEUE_TAG: UPKEEP},
)
rescore = dg.define_asset_job(
    "rescore",
    selection=_assets(priority_scores),
    executor_def=dg.in_process_executor,
    **about("rescore"),
    tags=first_in_queue(at_most_hours=1),
)
plan_organizations = dg.define_asset_job(
    "plan_organizations",
    selection=_assets(batch_plan),
    executor_def=dg.in_process_executor,
    **about("plan_organizations"),
    tags=first_in_queue(at_most_hours=2),
)
download = dg.define_asset_job(
    "download",
    selection=_assets(download_batches),
    executor_def=dg.in_process_executor,
    **about("download"),
    # The sensor sets priority and end of each batch. Its next attempt is planned by the ledger, never by Dagster.
    tags={MAX_RUNTIME_TAG: str(8 * 3600), QUEUE_TAG: DOWNLOADS, MAX_RETRIES_TAG: "0"},
)
report_organizations = dg.define_asset_job(
    "report_organizations",
    selection=_assets(organization_rescue),
    executor_def=dg.in_process_executor,
    **about("report_organizations"),
    tags=first_in_queue(at_most_hours=1),
)


@dg.op
def scrub(context: dg.OpExecutionContext, workplaces: dg.ResourceParam[Workplaces]) -> None:
    """Read every blob of the store again and compare it with its name; what is lost is wanted again."""
    with workplaces.open() as workplace:
        result = mend_store(workplace, sure=False)
    lists = {name: value for name, value in result.items() if isinstance(value, list)}
    context.add_output_metadata(
        {name: value for name, value in result.items() if isinstance(value, int)}
        | {name: table([{"file": str(item)} for item in value[:50]]) for name, value in lists.items()}
    )
    if result["withheld"]:
        raise dg.Failure(
            description=f"{result['withheld']} blobs are missing at once, so they are not wanted again: see that the"
            " store is mounted; if they are lost indeed, say so with `shelter scrub --mend`"
        )
    if result["damaged"] or result["missing"]:
        raise dg.Failure(
            description=f"{result['damaged']} damaged and {result['missing']} missing blobs; damaged ones are in"
            f" quarantine, nothing was deleted, and {result['wanted_again']} files are wanted again"
        )


@dg.job(
    executor_def=dg.in_process_executor,
    tags=first_in_queue(at_most_hours=48, queue=UPKEEP),
    **about("fixity"),
)
def fixity() -> None:
    """One op: a scrub of the whole store."""
    scrub()


asset_jobs = (
    refresh_portal,
    discover_portal,
    keep_sources,
    rescore,
    plan_organizations,
    download,
    report_organizations,
)
