"""Old runs go, and what a batch brought stays to be seen."""

from __future__ import annotations

import datetime as dt

import dagster as dg
import pytest

from shelter_pipeline.definitions import build_defs
from shelter_pipeline.orchestration import retention
from shelter_pipeline.orchestration.resources import Workplaces
from shelter_pipeline.orchestration.retention import outdated_runs
from shelter_pipeline_tests.support.dagster import Deployment

SUCCESS, FAILURE, STARTED = (
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.STARTED,
)


def a_run(deployment: Deployment, job: str, status: dg.DagsterRunStatus, batch: str | None = None) -> str:
    tags = {"dagster/partition": batch} if batch else {}
    run = dg.DagsterRun(job_name=job, status=status, tags=tags)
    deployment.instance.add_run(run)
    return run.run_id


def outdated(deployment: Deployment, *, hours: int) -> set[str]:
    before = dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)
    return {run.run_id for run in outdated_runs(deployment.instance, before)}


def test_what_ended_long_ago_is_outdated_but_for_the_batch_that_succeeded(deployment: Deployment) -> None:
    harvest = a_run(deployment, "refresh_portal", SUCCESS)
    failed = a_run(deployment, "download", FAILURE, batch="epa-gov.mixed.1")
    a_run(deployment, "download", SUCCESS, batch="epa-gov.mixed.1")
    a_run(deployment, "download", STARTED, batch="epa-gov.mixed.2")

    assert outdated(deployment, hours=1) == {harvest, failed}


def test_what_ended_lately_is_kept(deployment: Deployment) -> None:
    a_run(deployment, "refresh_portal", SUCCESS)

    assert outdated(deployment, hours=-1) == set()


def test_more_than_a_page_of_them_are_all_found(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_PAGE", 5)
    runs = {a_run(deployment, "rescore", SUCCESS) for _ in range(12)}

    assert outdated(deployment, hours=1) == runs


def test_what_shows_how_something_stands_is_kept_until_a_later_run_shows_it(planned: Deployment) -> None:
    rescue, listing = dg.AssetKey("organization_rescue"), dg.AssetKey("package_list")
    organizations = set(planned.instance.get_dynamic_partitions("organization"))
    first, *others = sorted(organizations)
    overtaken = planned.run("report_organizations", first).run_id
    shown = {planned.run("report_organizations", key).run_id for key in (*others, first)}

    found = outdated(planned, hours=1)
    for run_id in found:
        planned.instance.delete_run(run_id)

    assert overtaken in found
    assert not shown & found
    assert planned.instance.get_materialized_partitions(rescue) == organizations
    assert planned.instance.get_materialized_partitions(listing) == {"sample"}


def test_the_job_removes_them_with_their_logs(deployment: Deployment) -> None:
    old, shown = (deployment.run("rescore").run_id for _ in range(2))
    settings = deployment.settings.model_copy(update={"run_retention_days": 0})
    impatient = Deployment(
        settings,
        deployment.instance,
        build_defs(workplaces=Workplaces(lambda: settings)),
    )

    assert impatient.run("retention").success
    assert deployment.instance.get_run_by_id(old) is None
    assert not deployment.instance.all_logs(old)
    assert deployment.instance.all_logs(shown)
