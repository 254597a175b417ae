"""The verdict on an organization is renewed as it grows, in one run for all that changed."""

from __future__ import annotations

import dagster as dg

from shelter_pipeline.operations.ledger import due_reports, organization_keys
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.orchestration.partitions import add_missing, organizations
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline_tests.support.dagster import Deployment, change, skipped, tick


def due(deployment: Deployment) -> list[str]:
    with deployment.workplace() as workplace:
        return due_reports(workplace, most=1000)


def shown(deployment: Deployment, organization: str) -> dict[str, object]:
    """The newest verdict that the UI shows."""
    wanted = dg.AssetRecordsFilter(dg.AssetKey("organization_rescue"), asset_partitions=[organization])
    record = deployment.instance.fetch_materializations(wanted, limit=1).records[0]
    assert record.asset_materialization is not None
    return {name: value.value for name, value in record.asset_materialization.metadata.items()}


def an_hour_later(deployment: Deployment) -> None:
    with deployment.workplace() as workplace:
        change(workplace, "UPDATE organization SET reported_at = reported_at - interval '1 hour'")
        change(
            workplace,
            "UPDATE batch SET planned_at = planned_at - interval '1 hour',"
            " finished_at = finished_at - interval '1 hour'",
        )


def test_every_planned_organization_is_reported_in_one_run_and_then_there_is_rest(
    planned: Deployment,
) -> None:
    assert isinstance(tick(planned, "rescue_report_sensor"), dg.RunRequest)

    assert planned.run("renew_verdicts").success

    with planned.workplace() as workplace:
        keys = organization_keys(workplace)
    reported = planned.instance.get_materialized_partitions(dg.AssetKey("organization_rescue"))
    assert reported == set(keys)
    assert "no organization has changed" in skipped(planned, "rescue_report_sensor")
    assert not due(planned)


def test_a_report_that_is_on_its_way_is_not_asked_for_twice(planned: Deployment) -> None:
    planned.instance.add_run(dg.DagsterRun(job_name="renew_verdicts", status=dg.DagsterRunStatus.STARTED))

    assert "not finished" in skipped(planned, "rescue_report_sensor")


def test_while_batches_run_a_report_is_due_every_few_minutes_and_at_once_when_they_have_ended(
    planned: Deployment,
) -> None:
    assert planned.run("renew_verdicts").success
    with planned.workplace() as workplace:
        change(
            workplace,
            "UPDATE batch SET state = 'running', run_id = 'r', started_at = now() FROM organization"
            " WHERE organization.id = batch.organization_id AND organization.key = 'hhs-gov'",
        )

    assert due(planned) == []
    an_hour_later(planned)
    assert due(planned) == ["hhs-gov"]

    assert planned.run("renew_verdicts").success
    assert due(planned) == []
    with planned.workplace() as workplace:
        change(workplace, "UPDATE batch SET state = 'done', finished_at = now() WHERE state = 'running'")
    assert due(planned) == ["hhs-gov"]


def test_what_a_person_asks_for_is_reported_at_once_even_if_there_is_nothing_to_fetch(
    planned: Deployment,
) -> None:
    assert planned.run("renew_verdicts").success

    with planned.workplace() as workplace:
        plan_organization(workplace, "hhs-gov", urgent=True)

    assert due(planned) == ["hhs-gov"]


def test_a_verdict_grows_batch_by_batch_and_is_complete_only_at_the_end(deployment: Deployment) -> None:
    with SamplePortal() as sample:
        deployment.add_portal(sample.base_url)
        assert deployment.run("refresh_portal", "sample").success
        add_missing(deployment.instance, organizations, ["noaa-gov", "hhs-gov"])
        assert deployment.run_range("plan_organizations", ["hhs-gov"]).success
        verdicts = []
        for key in [None, *deployment.instance.get_dynamic_partitions("batch")]:
            assert key is None or deployment.run("download", key).success
            an_hour_later(deployment)
            assert deployment.run("renew_verdicts").success
            verdicts.append(
                (shown(deployment, "hhs-gov")["held files"], shown(deployment, "hhs-gov")["verdict"])
            )
        expected = sample.expectations.by_organization["hhs-gov"].held_files

    assert verdicts == sorted(verdicts, key=lambda pair: int(str(pair[0])))
    assert verdicts[0] == (0, "waiting")
    assert verdicts[-1] == (expected, "complete")
    assert "complete" not in [verdict for _, verdict in verdicts[:-1]]
