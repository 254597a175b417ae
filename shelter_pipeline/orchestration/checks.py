"""What must be true of the catalog, whoever wrote it: checked by a job of its own, never in a batch."""

import dagster as dg

from shelter_pipeline.domain.fleet import QUEUE_TAG, UPKEEP
from shelter_pipeline.operations.ledger import audit_catalog
from shelter_pipeline.orchestration.catalog_assets import resource_metadata
from shelter_pipeline.orchestration.guide import about
from shelter_pipeline.orchestration.rescue_assets import download_batches
from shelter_pipeline.orchestration.resources import Workplaces


def _result(workplaces: Workplaces, *invariants: str) -> dg.AssetCheckResult:
    with workplaces.open() as workplace:
        counts = audit_catalog(workplace)
    broken = {name: counts[name] for name in invariants}
    return dg.AssetCheckResult(passed=not any(broken.values()), metadata=broken)


@dg.asset_check(asset=resource_metadata, **about("every_file_has_a_resource"))
def every_file_has_a_resource(workplaces: dg.ResourceParam[Workplaces]) -> dg.AssetCheckResult:
    """No file is wanted that no resource leads to."""
    return _result(workplaces, "assets_without_resource")


@dg.asset_check(asset=download_batches, **about("every_settled_capture_has_its_blob"))
def every_settled_capture_has_its_blob(workplaces: dg.ResourceParam[Workplaces]) -> dg.AssetCheckResult:
    """What is recorded as stored is a blob of that hash and size, with a copy somewhere."""
    return _result(workplaces, "captures_without_blob", "blobs_without_copy", "settled_without_capture")


@dg.asset_check(asset=download_batches, **about("no_batch_is_left_failed"))
def no_batch_is_left_failed(workplaces: dg.ResourceParam[Workplaces]) -> dg.AssetCheckResult:
    """No batch has used up its attempts with files left over."""
    return _result(workplaces, "failed_batches", "unexplained_files")


@dg.asset_check(asset=download_batches, **about("no_node_is_believed_without_proof"))
def no_node_is_believed_without_proof(workplaces: dg.ResourceParam[Workplaces]) -> dg.AssetCheckResult:
    """No copy of a volunteer's node counts that was not proved."""
    return _result(workplaces, "copies_without_proof", "unproved_copies_that_count")


checks = (
    every_file_has_a_resource,
    every_settled_capture_has_its_blob,
    no_batch_is_left_failed,
    no_node_is_believed_without_proof,
)

audit_job = dg.define_asset_job(
    "audit",
    selection=dg.AssetSelection.checks(*checks),
    executor_def=dg.in_process_executor,
    **about("audit"),
    tags={QUEUE_TAG: UPKEEP},
)
