"""What the sensors and schedules ask for, from the ledger as it stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa

from shelter_pipeline.operations.ledger import add_portal, next_batches
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.orchestration.partitions import add_missing, contiguous_ranges, organizations, portals
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline_tests.support.dagster import Deployment

LIVE = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED)


@pytest.fixture
def planned(deployment: Deployment) -> Deployment:
    """The sample portal, refreshed, with every organization planned."""
    with SamplePortal() as sample:
        deployment.add_portal(sample.base_url)
        assert deployment.run("refresh_portal", "sample").success
        keys = list(deployment.instance.get_dynamic_partitions("organization"))
        assert deployment.run_range("plan_organizations", keys).success
    return deployment


def resources_of(deployment: Deployment) -> dict[str, Any]:
    return {"workplaces": (deployment.defs.resources or {})["workplaces"]}


def tick(deployment: Deployment, name: str, cursor: str | None = None) -> dg.SensorResult | dg.SkipReason:
    sensor = deployment.defs.resolve_sensor_def(name)
    context = dg.build_sensor_context(
        instance=deployment.instance, cursor=cursor, resources=resources_of(deployment)
    )
    result = sensor(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def requested(deployment: Deployment, name: str, cursor: str | None = None) -> list[dg.RunRequest]:
    result = tick(deployment, name, cursor)
    return list(result.run_requests or []) if isinstance(result, dg.SensorResult) else []


def in_flight(deployment: Deployment, request: dg.RunRequest, status: dg.DagsterRunStatus) -> None:
    """A run of this request is on its way, as the daemon leaves it."""
    deployment.instance.add_run(
        dg.DagsterRun(job_name="download", status=status, tags=dict(request.tags), run_id=dg_run_id(request))
    )


def dg_run_id(request: dg.RunRequest) -> str:
    return f"run-of-{request.run_key}"


def change(workplace: Workplace, statement: str, **parameters: Any) -> None:
    """Put the ledger into the state that a test is about."""
    with workplace.catalog.begin() as connection:
        connection.execute(sa.text(statement), parameters)


def test_the_download_sensor_asks_for_planned_batches_with_the_tags_that_limits_need(
    planned: Deployment,
) -> None:
    requests = requested(planned, "download_sensor")

    hosts = [request.tags.get("shelter/host") for request in requests]
    assert len(hosts) == len(set(hosts)) > 1  # one for each host, and one for several small ones
    first = requests[0]
    assert first.run_key == f"{first.partition_key}:1"
    assert first.tags["shelter/batch"] == first.partition_key
    assert first.tags["shelter/organization"] == str(first.partition_key).partition(".")[0]
    assert first.tags["shelter/host"].startswith("127.0.0.1:")
    assert int(first.tags["dagster/max_runtime"]) > planned.settings.fetch_total_deadline_seconds
    priorities = [int(request.tags["dagster/priority"]) for request in requests]
    assert priorities == sorted(priorities, reverse=True)


def test_batches_that_are_with_dagster_already_are_not_asked_for_again(planned: Deployment) -> None:
    first = requested(planned, "download_sensor")
    for request in first:
        in_flight(planned, request, LIVE[0])

    again = requested(planned, "download_sensor")

    assert len(again) == 2
    assert not {request.partition_key for request in first} & {request.partition_key for request in again}


def test_no_host_takes_more_than_one_run_and_one_place_in_the_queue(planned: Deployment) -> None:
    for _ in range(2):
        for request in requested(planned, "download_sensor"):
            in_flight(planned, request, LIVE[1])

    result = tick(planned, "download_sensor")

    assert isinstance(result, dg.SkipReason)
    assert "a host that is free" in str(result.skip_message)


def test_the_queue_is_not_flooded(planned: Deployment) -> None:
    for number in range(2 * planned.settings.max_concurrent_runs):
        tags = {"shelter/batch": f"other.mixed.{number}"}
        planned.instance.add_run(dg.DagsterRun(job_name="download", status=LIVE[1], tags=tags))

    result = tick(planned, "download_sensor")

    assert "enough for now" in str(result.skip_message)  # type: ignore[union-attr]


def test_a_batch_that_somebody_started_by_hand_is_not_started_twice(planned: Deployment) -> None:
    key = requested(planned, "download_sensor")[0].partition_key
    by_hand = dg.DagsterRun(job_name="__ASSET_JOB", status=LIVE[1], tags={"dagster/partition": str(key)})
    planned.instance.add_run(by_hand)

    assert key not in {request.partition_key for request in requested(planned, "download_sensor")}


@pytest.mark.parametrize(
    ("sensor", "status"),
    [
        ("lost_run_sensor", dg.DagsterRunStatus.FAILURE),
        ("cancelled_run_sensor", dg.DagsterRunStatus.CANCELED),
    ],
)
def test_a_run_that_ended_before_it_began_gives_its_batch_a_new_attempt(
    planned: Deployment, sensor: str, status: dg.DagsterRunStatus
) -> None:
    request = requested(planned, "download_sensor")[0]
    run = dg.DagsterRun(job_name="download", status=status, tags=dict(request.tags))
    planned.instance.add_run(run)
    planned.instance.report_run_canceled(run) if status is dg.DagsterRunStatus.CANCELED else (
        planned.instance.report_run_failed(run)
    )
    event = planned.instance.all_logs(run.run_id)[-1].dagster_event
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor,
        dagster_instance=planned.instance,
        dagster_run=run,
        dagster_event=event,  # type: ignore[arg-type]
        resources=resources_of(planned),
    )

    definition = planned.defs.resolve_sensor_def(sensor)
    definition(context.for_run_failure() if sensor == "lost_run_sensor" else context)

    with planned.workplace() as workplace:
        change(workplace, "UPDATE batch SET not_before = now()")
        rows = next_batches(workplace, limit=100, in_flight=[], busy_hosts=[])
    assert {row.key: row.attempt for row in rows}[str(request.partition_key)] == 2


def test_what_a_person_starts_does_not_wait_behind_downloads(planned: Deployment) -> None:
    downloads = [int(request.tags["dagster/priority"]) for request in requested(planned, "download_sensor")]

    for job in ("refresh_portal", "discover_portal", "plan_organizations", "report_organizations", "rescore"):
        assert int(planned.defs.resolve_job_def(job).tags["dagster/priority"]) > max(downloads)


def test_nothing_to_do_is_said_and_is_no_error(deployment: Deployment) -> None:
    result = tick(deployment, "download_sensor")

    assert isinstance(result, dg.SkipReason)
    assert "no planned batch" in str(result.skip_message)


def test_a_new_attempt_of_a_batch_has_a_new_run_key(planned: Deployment) -> None:
    before = requested(planned, "download_sensor")[0]
    with planned.workplace() as workplace:
        change(workplace, "UPDATE batch SET attempt = 2 WHERE key = :key", key=before.partition_key)

    after = requested(planned, "download_sensor")[0]

    assert after.partition_key == before.partition_key
    assert after.run_key != before.run_key


def test_the_reaper_brings_back_a_batch_whose_run_is_gone(planned: Deployment) -> None:
    key = requested(planned, "download_sensor")[0].partition_key
    with planned.workplace() as workplace:
        change(
            workplace,
            "UPDATE batch SET state = 'running', run_id = 'gone', started_at = now() - interval '1 hour'"
            " WHERE key = :key",
            key=key,
        )
        assert key not in {row.key for row in next_batches(workplace, limit=100, in_flight=[], busy_hosts=[])}

    result = tick(planned, "reaper_sensor")

    assert "1 batches wait again" in str(result.skip_message)  # type: ignore[union-attr]
    assert key in {request.partition_key for request in requested(planned, "download_sensor")}


@pytest.mark.parametrize("name", ["nightly_harvest", "nightly_discovery", "nightly_sources"])
def test_every_portal_has_its_turn_once_a_night(deployment: Deployment, name: str) -> None:
    with deployment.workplace() as workplace:
        add_portal(workplace, "ckan:https://ckan.example", slug="ckan-example")
        add_portal(workplace, "ckan:https://never.example", slug="never", nightly=False)

    def night(day: int) -> list[Any]:
        context = dg.build_schedule_context(
            instance=deployment.instance,
            scheduled_execution_time=dt.datetime(2026, 5, day, 2, tzinfo=dt.UTC),
            resources=resources_of(deployment),
        )
        schedule = deployment.defs.resolve_schedule_def(name)
        return list(schedule(context))  # type: ignore[arg-type]

    first, same, next_night = night(1), night(1), night(2)

    assert [request.partition_key for request in first] == ["127-0-0-1-9", "ckan-example"]
    assert [request.run_key for request in same] == [request.run_key for request in first]
    assert not {request.run_key for request in next_night} & {request.run_key for request in first}
    assert set(deployment.instance.get_dynamic_partitions("portal")) == {"127-0-0-1-9", "ckan-example"}


def test_a_portal_that_was_added_is_a_partition_at_the_next_tick(deployment: Deployment) -> None:
    with deployment.workplace() as workplace:
        add_portal(workplace, "ckan:https://ckan.example", slug="ckan-example")

    result = tick(deployment, "portal_sensor")

    assert isinstance(result, dg.SensorResult)
    (request,) = result.dynamic_partitions_requests or []
    assert list(request.partition_keys) == ["127-0-0-1-9", "ckan-example"]
    add_missing(deployment.instance, portals, list(request.partition_keys))
    assert isinstance(tick(deployment, "portal_sensor"), dg.SkipReason)


def continued(deployment: Deployment, hour: int) -> list[dg.RunRequest]:
    """What the schedule asks for at this hour."""
    context = dg.build_schedule_context(
        instance=deployment.instance,
        scheduled_execution_time=dt.datetime(2026, 5, 1, hour, 45, tzinfo=dt.UTC),
        resources=resources_of(deployment),
    )
    schedule = deployment.defs.resolve_schedule_def("continue_harvests")
    found = list(schedule(context))  # type: ignore[arg-type]
    return [request for request in found if isinstance(request, dg.RunRequest)]


@pytest.fixture
def broken_off(deployment: Deployment) -> Iterator[tuple[Deployment, SamplePortal]]:
    """A harvest that read a part of the portal before its pages stopped coming."""
    with SamplePortal() as sample:
        deployment.add_portal(sample.base_url)
        sample.misbehave("blocked", requests=100_000, after=4, paths=("/search",))
        assert not deployment.run("refresh_portal", "sample").success
        sample.behave()
        yield deployment, sample


def test_a_harvest_that_was_broken_off_is_continued_within_the_hour(
    broken_off: tuple[Deployment, SamplePortal],
) -> None:
    deployment, _ = broken_off

    first, same, later = continued(deployment, 3), continued(deployment, 3), continued(deployment, 4)

    assert [request.partition_key for request in first] == ["sample"]
    assert [request.run_key for request in same] == [request.run_key for request in first]
    assert first[0].run_key != later[0].run_key
    assert deployment.run("refresh_portal", "sample").success
    assert continued(deployment, 5) == []


def test_a_portal_that_is_being_harvested_is_not_harvested_twice(
    broken_off: tuple[Deployment, SamplePortal],
) -> None:
    deployment, _ = broken_off
    tags = {"dagster/partition": "sample"}
    deployment.instance.add_run(dg.DagsterRun(job_name="refresh_portal", status=LIVE[0], tags=tags))

    assert continued(deployment, 3) == []


def test_source_records_take_a_slot_only_when_no_download_wants_it(planned: Deployment) -> None:
    downloads = [int(request.tags["dagster/priority"]) for request in requested(planned, "download_sensor")]

    assert int(planned.defs.resolve_job_def("keep_sources").tags["dagster/priority"]) < min(downloads)


def test_the_report_sensor_asks_once_for_each_organization_that_has_ended(planned: Deployment) -> None:
    with planned.workplace() as workplace:
        change(
            workplace,
            "UPDATE batch SET state = 'done', finished_at = now() FROM organization"
            " WHERE organization.id = batch.organization_id AND organization.key IN ('hhs-gov', 'doe-gov', 'epa-gov')",
        )

    first = tick(planned, "rescue_report_sensor")

    assert isinstance(first, dg.SensorResult)
    ranges = {
        (
            request.tags["dagster/asset_partition_range_start"],
            request.tags["dagster/asset_partition_range_end"],
        )
        for request in first.run_requests or []
    }
    ordered = list(planned.instance.get_dynamic_partitions("organization"))
    assert ranges == set(contiguous_ranges(ordered, ["hhs-gov", "doe-gov", "epa-gov"]))
    assert isinstance(tick(planned, "rescue_report_sensor", cursor=first.cursor), dg.SkipReason)


def test_after_a_refresh_all_organizations_are_planned_in_one_run_and_not_as_urgent(
    planned: Deployment,
) -> None:
    instance = planned.instance
    run = planned.run("refresh_portal", "sample")  # the portal is gone by now; any finished run will do
    event = instance.all_logs(run.dagster_run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)[0]
    sensor = planned.defs.resolve_sensor_def("plan_after_refresh")
    context = dg.build_run_status_sensor_context(
        sensor_name="plan_after_refresh",
        dagster_instance=instance,
        dagster_run=run.dagster_run,
        dagster_event=event.dagster_event,  # type: ignore[arg-type]
        resources=resources_of(planned),
    )

    requests = list(sensor(context))  # type: ignore[arg-type]

    (request,) = requests
    keys = list(instance.get_dynamic_partitions("organization"))
    assert request.tags["dagster/asset_partition_range_start"] == keys[0]
    assert request.tags["dagster/asset_partition_range_end"] == keys[-1]
    assert request.run_config == {"ops": {"batch_plan": {"config": {"urgent": False}}}}


@pytest.mark.parametrize(
    ("wanted", "ranges"),
    [
        ([], []),
        (["b"], [("b", "b")]),
        (["a", "b", "c"], [("a", "c")]),
        (["d", "a", "b"], [("a", "b"), ("d", "d")]),
        (["z"], []),
    ],
)
def test_scattered_partitions_become_as_few_ranges_as_cover_them(
    wanted: list[str], ranges: list[tuple[str, str]]
) -> None:
    assert list(contiguous_ranges(["a", "b", "c", "d"], wanted)) == ranges


def test_partitions_are_only_ever_added(deployment: Deployment) -> None:
    add_missing(deployment.instance, organizations, ["b", "a"])

    assert add_missing(deployment.instance, organizations, ["c", "a"]) == ["c"]

    assert list(deployment.instance.get_dynamic_partitions("organization")) == ["b", "a", "c"]
