"""The catalog group: what portals publish, which files it leads to, what comes first."""

from enum import Enum

import dagster as dg

from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import organization_keys
from shelter_pipeline.operations.losses import loss_summary
from shelter_pipeline.operations.probe_assets import probe_assets
from shelter_pipeline.operations.score_assets import score_all
from shelter_pipeline.operations.source_records import keep_source_records
from shelter_pipeline.orchestration import outside_assets as outside
from shelter_pipeline.orchestration.discovery_summaries import discovery_metadata
from shelter_pipeline.orchestration.guide import OWNERS, read_on, told
from shelter_pipeline.orchestration.harvest_summaries import (
    harvest_check_specs,
    harvest_checks,
    harvest_metadata,
)
from shelter_pipeline.orchestration.links import DATASETS, LOSSES, ORGANIZATIONS, QUEUE, links
from shelter_pipeline.orchestration.partitions import add_missing, organizations, portals
from shelter_pipeline.orchestration.resources import Workplaces
from shelter_pipeline.orchestration.summaries import (
    probing_metadata,
    score_metadata,
    source_metadata,
)

GROUP = "catalog"


class HarvestMode(Enum):
    """How much of a portal is read."""

    auto = "auto"  # what changed, and everything when the last full harvest is old
    full = "full"
    increment = "increment"


class HarvestConfig(dg.Config):
    """How to harvest: `auto`, `full` or `increment`."""

    mode: HarvestMode = HarvestMode.auto


@dg.asset(
    description=told("package_list"),
    metadata=read_on("package_list"),
    owners=OWNERS,
    deps=[outside.portals],
    partitions_def=portals,
    group_name=GROUP,
    kinds={"postgres", "json"},
    check_specs=list(harvest_check_specs),
)
def package_list(
    context: dg.AssetExecutionContext, config: HarvestConfig, workplaces: dg.ResourceParam[Workplaces]
) -> dg.MaterializeResult:
    """Every dataset the portal lists, as it lists it now.

    Reads the portal page by page through its own API, keeps each record with the portal's
    raw JSON, keeps the previous version of every record that changed, and says whether
    all was seen and what is missing. A harvest that was broken off goes on where it
    stopped. Each organization found becomes a partition of the assets downstream.
    """
    with workplaces.open() as workplace:
        report = harvest_portal(workplace, context.partition_key, mode=config.mode.value)
        losses = loss_summary(workplace, context.partition_key)
        keys = organization_keys(workplace)
        pages = links(workplace.settings, organizations_page=ORGANIZATIONS, losses_page=LOSSES)
    add_missing(context.instance, organizations, keys)
    # Whatever the verdict, what was found is recorded; the check stops what builds on it.
    return dg.MaterializeResult(
        metadata=pages | harvest_metadata(report), check_results=list(harvest_checks(report, losses))
    )


@dg.asset(
    description=told("source_records"),
    metadata=read_on("source_records"),
    owners=OWNERS,
    partitions_def=portals,
    deps=[package_list],
    group_name=GROUP,
    kinds={"postgres", "http", "file"},
)
def source_records(
    context: dg.AssetExecutionContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.MaterializeResult:
    """The records of rescued datasets as their publishers wrote them, before the portal rewrote them.

    What data.gov shows of a record is not all of it; the agency's own, JSON or ISO 19115
    XML, is fetched for datasets with files that are held or in a batch, and kept as a
    blob with a manifest. Each run asks for some, the most popular first.
    """
    with workplaces.open() as workplace:
        return dg.MaterializeResult(
            metadata=source_metadata(keep_source_records(workplace, context.partition_key))
        )


@dg.asset(
    description=told("resource_metadata"),
    metadata=read_on("resource_metadata"),
    owners=OWNERS,
    partitions_def=portals,
    deps=[package_list, outside.publishers],
    group_name=GROUP,
    kinds={"postgres", "http"},
)
def resource_metadata(
    context: dg.AssetExecutionContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.MaterializeResult:
    """What each listed link really is, and the files it leads to.

    A link may be a file, a directory, a page about the data, a web service, or nothing.
    Directories and landing pages are read within a budget; every file found becomes an
    asset of the catalog, with the path that led to it.
    """
    with workplaces.open() as workplace:
        summary = discover_resources(workplace, context.partition_key)
        pages = links(workplace.settings, datasets_page=DATASETS)
    return dg.MaterializeResult(metadata=pages | discovery_metadata(summary))


@dg.asset(
    description=told("asset_probes"),
    metadata=read_on("asset_probes"),
    owners=OWNERS,
    partitions_def=portals,
    deps=[resource_metadata, outside.publishers],
    group_name=GROUP,
    kinds={"postgres", "http"},
)
def asset_probes(
    context: dg.AssetExecutionContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.MaterializeResult:
    """What servers say of files that wait, and of files we hold: size, type, version.

    Files are asked for by their heads alone, at the pace that each host is owed. Sizes make
    batches and priorities better; a file we hold that is another one upstream, or gone, is
    due for a download at once. Each is asked about again sooner the more it changes.
    """
    with workplaces.open() as workplace:
        return dg.MaterializeResult(metadata=probing_metadata(probe_assets(workplace, context.partition_key)))


@dg.asset(
    description=told("priority_scores"),
    metadata=read_on("priority_scores"),
    owners=OWNERS,
    deps=[resource_metadata, asset_probes],
    group_name=GROUP,
    kinds={"postgres"},
)
def priority_scores(workplaces: dg.ResourceParam[Workplaces]) -> dg.MaterializeResult:
    """Which file to save first, from 1 to 10, with the reasons.

    Popularity, threat, climate relevance, scarcity of copies, age of our capture, value for
    the byte and nearly complete datasets are weighed by the file of SHELTER_PRIORITY_WEIGHTS,
    or the one that comes with Shelter; each file keeps the part that every signal gave it.
    `shelter explain` puts them into words.
    """
    with workplaces.open() as workplace:
        pages = links(workplace.settings, queue_page=QUEUE)
        return dg.MaterializeResult(metadata=pages | score_metadata(score_all(workplace)))
