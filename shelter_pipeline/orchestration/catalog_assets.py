"""The catalog group: what portals publish, which files it leads to, what comes first."""

import dagster as dg

from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import organization_keys
from shelter_pipeline.operations.score_assets import score_all
from shelter_pipeline.orchestration.partitions import add_missing, organizations, portals
from shelter_pipeline.orchestration.resources import Workplaces
from shelter_pipeline.orchestration.summaries import discovery_metadata, harvest_metadata, score_metadata

GROUP = "catalog"
HARVEST_CHECK = "harvest_is_complete"
BREAKER_CHECK = "losses_within_breaker"


@dg.asset(
    partitions_def=portals,
    group_name=GROUP,
    kinds={"postgres", "json"},
    owners=["team:rescue"],
    check_specs=[
        dg.AssetCheckSpec(
            HARVEST_CHECK,
            asset="package_list",
            blocking=True,
            description="The harvest read as many records as the portal itself says it has.",
        ),
        dg.AssetCheckSpec(
            BREAKER_CHECK,
            asset="package_list",
            description="No more datasets vanished at once than could be true.",
        ),
    ],
)
def package_list(
    context: dg.AssetExecutionContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.MaterializeResult:
    """Every dataset the portal lists, as it lists it now.

    Reads the portal page by page through its own API, keeps each record with the portal's
    raw JSON, keeps the previous version of every record that changed, and says whether
    all was seen. Each organization found becomes a partition of the assets downstream.
    """
    with workplaces.open() as workplace:
        report = harvest_portal(workplace, context.partition_key)
        keys = organization_keys(workplace)
    add_missing(context.instance, organizations, keys)
    if report["verdict"] == "unreachable":
        raise dg.Failure(description=report["message"], metadata={"verdict": "unreachable"})
    return dg.MaterializeResult(
        metadata=harvest_metadata(report),
        check_results=[
            dg.AssetCheckResult(
                passed=report["verdict"] in ("complete", "plausible"),
                check_name=HARVEST_CHECK,
                metadata={"expected": str(report["expected"]), "seen": report["seen"]},
            ),
            dg.AssetCheckResult(
                passed=report["verdict"] != "complete" or report["message"] is None,
                check_name=BREAKER_CHECK,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"message": report["message"] or "no mass drop"},
            ),
        ],
    )


@dg.asset(
    partitions_def=portals,
    deps=[package_list],
    group_name=GROUP,
    kinds={"postgres", "http"},
    owners=["team:rescue"],
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
    return dg.MaterializeResult(metadata=discovery_metadata(summary))


@dg.asset(deps=[resource_metadata], group_name=GROUP, kinds={"postgres"}, owners=["team:rescue"])
def priority_scores(workplaces: dg.ResourceParam[Workplaces]) -> dg.MaterializeResult:
    """Which file to save first, from 1 to 10, with the reasons.

    Popularity, threat, climate relevance, scarcity of copies, value for the byte and
    nearly complete datasets are weighed by `priorities/weights.toml`; each file keeps the
    part that every signal gave it.
    """
    with workplaces.open() as workplace:
        return dg.MaterializeResult(metadata=score_metadata(score_all(workplace)))
