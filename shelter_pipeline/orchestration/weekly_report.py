"""Once a week: the state of the rescue as a report in the store, for whoever asks later how it stood."""

import dagster as dg

from shelter_pipeline.domain.fleet import UPKEEP
from shelter_pipeline.operations.kept_reports import store_report
from shelter_pipeline.orchestration.guide import about
from shelter_pipeline.orchestration.jobs import first_in_queue
from shelter_pipeline.orchestration.links import REPORTS, links
from shelter_pipeline.orchestration.resources import Workplaces
from shelter_pipeline.orchestration.tables import table


@dg.op
def write_report(context: dg.OpExecutionContext, workplaces: dg.ResourceParam[Workplaces]) -> None:
    """Count everything in one moment, and keep the report in the store: HTML, JSON, Parquet, PDF where a browser is."""
    with workplaces.open() as workplace:
        report = store_report(workplace)
        pages = links(workplace.settings, report=f"{REPORTS}/{report.name}/report.html")
    context.add_output_metadata(
        {
            **pages,
            "place in the store": f"reports/{report.name}/",
            "counted at": dg.MetadataValue.timestamp(report.counted_at),
            "summary": report.summary,
            **report.totals,
            "files": table(
                [{"file": file.name, "bytes": file.bytes, "SHA-256": file.sha256} for file in report.files]
            ),
        }
    )


@dg.job(
    executor_def=dg.in_process_executor,
    tags=first_in_queue(at_most_hours=6, queue=UPKEEP),
    **about("rescue_report"),
)
def rescue_report() -> None:
    """One op."""
    write_report()


weekly_report = dg.ScheduleDefinition(
    name="weekly_report",
    job=rescue_report,
    cron_schedule="0 10 * * 1",
    execution_timezone="UTC",
    **about("weekly_report"),
)
