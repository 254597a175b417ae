"""The weekly report: off until somebody switches it on, watched, and in the store when its run has ended."""

from __future__ import annotations

import dagster as dg

from shelter_pipeline.definitions import build_defs
from shelter_pipeline.operations.kept_reports import list_reports
from shelter_pipeline.orchestration.alerts import WATCHED
from shelter_pipeline.orchestration.resources import Workplaces
from shelter_pipeline_tests.support.dagster import Deployment


def test_the_job_keeps_a_report_and_says_where(deployment: Deployment) -> None:
    defs = build_defs(workplaces=Workplaces(lambda: deployment.settings))
    schedule = defs.resolve_schedule_def("weekly_report")

    result = defs.resolve_job_def("rescue_report").execute_in_process(instance=deployment.instance)

    (event,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    metadata = event.step_output_data.metadata
    with Workplaces(lambda: deployment.settings).open() as workplace:
        (report,) = list_reports(workplace)
    assert metadata["place in the store"].value == f"reports/{report.name}/"
    assert metadata["summary"].value == report.summary
    assert schedule.job_name == "rescue_report"
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    assert "rescue_report" in WATCHED
