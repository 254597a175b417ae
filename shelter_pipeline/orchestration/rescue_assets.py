"""The rescue group: an organization's work cut into batches, the batches fetched, the verdict on the organization."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.report import publish_report
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.orchestration import outside_assets as outside
from shelter_pipeline.orchestration.catalog_assets import priority_scores
from shelter_pipeline.orchestration.guide import OWNERS, read_on, told
from shelter_pipeline.orchestration.links import QUEUE, links, organization_page
from shelter_pipeline.orchestration.pace import said_before
from shelter_pipeline.orchestration.partitions import add_missing, batches, organizations
from shelter_pipeline.orchestration.resources import Workplaces
from shelter_pipeline.orchestration.summaries import (
    batch_metadata,
    leftover_words,
    plan_metadata,
    rescue_metadata,
)

GROUP = "rescue"
DOWNLOAD_POOL = "downloads"
# A contiguous selection of organizations becomes few runs; starting a run costs more than planning one.
_ORGANIZATIONS_A_RUN = 100


class PlanConfig(dg.Config):
    """How to plan: `urgent` moves the organization's batches to the front of the queue."""

    urgent: bool = True


@dg.asset(
    description=told("batch_plan"),
    metadata=read_on("batch_plan"),
    owners=OWNERS,
    partitions_def=organizations,
    deps=[priority_scores],
    backfill_policy=dg.BackfillPolicy.multi_run(_ORGANIZATIONS_A_RUN),
    output_required=False,
    group_name=GROUP,
    kinds={"postgres"},
)
def batch_plan(
    context: dg.AssetExecutionContext, config: PlanConfig, workplaces: dg.ResourceParam[Workplaces]
) -> Iterator[dg.AssetMaterialization]:
    """The button "rescue this organization": choose organizations here and materialize.

    What an organization still wants is cut into batches of one host (or of several hosts
    with few files), the batches become partitions of `download_batches`, and the download
    sensor starts them, urgent ones first.
    """
    failed: dict[str, str] = {}
    open_batches: list[str] = []
    # A night in which nothing is new of an organization leaves no event: there are many nights, and many organizations.
    shown = set() if config.urgent else context.instance.get_materialized_partitions(context.asset_key)
    with workplaces.open() as workplace:
        for key in context.partition_keys:
            try:
                plan = plan_organization(workplace, key, urgent=config.urgent)
            except ShelterError as error:
                failed[key] = str(error)
                continue
            open_batches += plan["open"]
            if plan["new"] or key not in shown:
                shown_of = _pages(workplace, key) | plan_metadata(plan)
                yield dg.AssetMaterialization("batch_plan", partition=key, metadata=shown_of)
    add_missing(context.instance, batches, open_batches)
    _raise_failed(failed)


@dg.asset(
    description=told("download_batches"),
    metadata=read_on("download_batches"),
    owners=OWNERS,
    partitions_def=batches,
    deps=[dg.AssetDep(batch_plan, partition_mapping=dg.AllPartitionMapping()), outside.publishers],
    pool=DOWNLOAD_POOL,
    group_name=GROUP,
    kinds={"http", "file"},
)
def download_batches(
    context: dg.AssetExecutionContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.MaterializeResult:
    """The files of one batch: fetched, verified, stored under their SHA-256, recorded.

    Running a batch again resumes it. It succeeds when every file has a terminal verdict,
    good or bad, and fails only while files are left that another attempt may still get:
    then its error says when that is, or that its attempts are used up and what to do.
    """
    started = time.monotonic()
    with workplaces.open() as workplace:
        result = rescue_batch(workplace, context.partition_key, run_id=context.run.run_id)
        pages = _pages(workplace, context.partition_key.partition(".")[0])
    before = said_before(context.instance, "download_batches")
    metadata = pages | batch_metadata(result, time.monotonic() - started, before)
    if result.leftover and result.state != "running":
        raise dg.Failure(description=leftover_words(result), metadata=metadata)
    return dg.MaterializeResult(metadata=metadata)


@dg.asset(
    description=told("organization_rescue"),
    metadata=read_on("organization_rescue"),
    owners=OWNERS,
    partitions_def=organizations,
    deps=[dg.AssetDep(download_batches, partition_mapping=dg.AllPartitionMapping())],
    backfill_policy=dg.BackfillPolicy.multi_run(_ORGANIZATIONS_A_RUN),
    output_required=False,
    group_name=GROUP,
    kinds={"postgres"},
)
def organization_rescue(
    context: dg.AssetExecutionContext, workplaces: dg.ResourceParam[Workplaces]
) -> Iterator[dg.AssetMaterialization]:
    """The verdict on an organization: what is expected against what is held, in files and bytes.

    `complete` is only said when every expected file is held and verified.
    """
    failed: dict[str, str] = {}
    with workplaces.open() as workplace:
        for key in context.partition_keys:
            try:
                report = publish_report(workplace, key)
            except ShelterError as error:
                failed[key] = str(error)
                continue
            yield organization_event(workplace, report)
    _raise_failed(failed)


def organization_event(workplace: Workplace, report: Mapping[str, Any]) -> dg.AssetMaterialization:
    """The verdict on an organization, as its partition of `organization_rescue` shows it."""
    key = report["organization"]
    metadata = _pages(workplace, key) | rescue_metadata(report)
    return dg.AssetMaterialization("organization_rescue", partition=key, metadata=metadata)


def _pages(workplace: Workplace, organization: str) -> dict[str, dg.MetadataValue[Any]]:
    return links(workplace.settings, organization_page=organization_page(organization), queue_page=QUEUE)


def _raise_failed(failed: dict[str, str]) -> None:
    if failed:
        raise dg.Failure(
            description=f"{len(failed)} organizations failed: {', '.join(failed)}", metadata=dict(failed)
        )
