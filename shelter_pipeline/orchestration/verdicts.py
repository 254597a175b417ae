"""The verdicts on organizations, renewed while a rescue goes on: one short run for all that changed."""

import dagster as dg

from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.operations.ledger import due_reports
from shelter_pipeline.operations.report import publish_report
from shelter_pipeline.orchestration.guide import about
from shelter_pipeline.orchestration.jobs import IN_FLIGHT, first_in_queue
from shelter_pipeline.orchestration.partitions import add_missing, organizations
from shelter_pipeline.orchestration.rescue_assets import organization_event
from shelter_pipeline.orchestration.resources import Workplaces

# Each takes the catalog some milliseconds, a very large one a second.
_MOST_PER_RUN = 500


@dg.op
def renew(context: dg.OpExecutionContext, workplaces: dg.ResourceParam[Workplaces]) -> None:
    """Report every organization whose last report is no longer true, as materializations of `organization_rescue`."""
    failed: dict[str, str] = {}
    with workplaces.open() as workplace:
        keys = due_reports(workplace, most=_MOST_PER_RUN)
        add_missing(context.instance, organizations, keys)
        for key in keys:
            try:
                report = publish_report(workplace, key)
            except ShelterError as error:
                failed[key] = str(error)
                continue
            context.log_event(organization_event(workplace, report))
    if failed:
        raise dg.Failure(f"{len(failed)} organizations failed: {', '.join(failed)}", metadata=dict(failed))


@dg.job(
    executor_def=dg.in_process_executor,
    tags=first_in_queue(at_most_hours=1),
    **about("renew_verdicts"),
)
def renew_verdicts() -> None:
    """One op for any number of organizations: a run for each range of them would cost seconds each."""
    renew()


# By name: a job that Dagster must not copy together with the sensor, for that warns of a beta parameter.
@dg.sensor(job_name=renew_verdicts.name, minimum_interval_seconds=60, **about("rescue_report_sensor"))
def rescue_report_sensor(
    context: dg.SensorEvaluationContext, workplaces: dg.ResourceParam[Workplaces]
) -> dg.RunRequest | dg.SkipReason:
    """Shows organizations as they grow: every few minutes while batches run, and at once when these have ended."""
    under_way = dg.RunsFilter(job_name=renew_verdicts.name, statuses=list(IN_FLIGHT))
    if context.instance.get_runs_count(under_way):
        return dg.SkipReason("the last report is not finished yet")
    with workplaces.open() as workplace:
        due = due_reports(workplace, most=1)
    if not due:
        return dg.SkipReason("no organization has changed since its last report, or not for long enough")
    return dg.RunRequest()
