"""The whole rescue at a glance, every hour: one asset whose figures can be followed over time."""

import dagster as dg

from shelter_pipeline.operations.overview import read_overview
from shelter_pipeline.operations.upkeep import refresh_counts
from shelter_pipeline.orchestration import outside_assets as outside
from shelter_pipeline.orchestration.guide import OWNERS, about, read_on, told
from shelter_pipeline.orchestration.jobs import first_in_queue
from shelter_pipeline.orchestration.links import LOSSES, ORGANIZATIONS, OVERVIEW, QUEUE, links
from shelter_pipeline.orchestration.overview_summaries import (
    overview_metadata,
    portals_seen,
    store_seen,
    volunteers_seen,
)
from shelter_pipeline.orchestration.rescue_assets import organization_rescue
from shelter_pipeline.orchestration.resources import Workplaces

GROUP = "report"


@dg.asset(
    description=told("rescue_overview"),
    metadata=read_on("rescue_overview"),
    owners=OWNERS,
    deps=[organization_rescue, outside.store, outside.volunteers],
    group_name=GROUP,
    kinds={"postgres"},
)
def rescue_overview(
    context: dg.AssetExecutionContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.MaterializeResult:
    """The rescue as last counted; counted anew where that is due and nobody else does it."""
    with workplaces.open() as workplace:
        refresh_counts(workplace)
        seen = read_overview(workplace)
        pages = links(
            workplace.settings,
            overview_page=OVERVIEW,
            organizations_page=ORGANIZATIONS,
            queue_page=QUEUE,
            losses_page=LOSSES,
        )
    if seen is None:
        raise dg.Failure(
            "The catalog is being counted for the first time; materialize this again in a minute."
        )
    for spec, told_of in (
        (outside.portals, portals_seen(seen)),
        (outside.store, store_seen(seen)),
        (outside.volunteers, volunteers_seen(seen)),
    ):
        context.log_event(outside.observed(spec, told_of))
    return dg.MaterializeResult(metadata=pages | overview_metadata(seen))


show_overview = dg.define_asset_job(
    "overview",
    selection=dg.AssetSelection.assets(rescue_overview).without_checks(),
    executor_def=dg.in_process_executor,
    **about("overview"),
    tags=first_in_queue(at_most_hours=1),
)

hourly_overview = dg.ScheduleDefinition(
    name="hourly_overview",
    job=show_overview,
    cron_schedule="50 * * * *",
    execution_timezone="UTC",
    **about("hourly_overview"),
)
