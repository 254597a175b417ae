"""What the sensors and schedules ask for, from the ledger as it stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pytest

from shelter_pipeline.catalog.standing import leap_numbers
from shelter_pipeline.domain.fleet import CATALOG, DOWNLOADS, QUEUE_TAG, UPKEEP
from shelter_pipeline.operations.ledger import add_portal, next_batches
from shelter_pipeline.orchestration.partitions import add_missing, contiguous_ranges, organizations, portals
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline_tests.support.dagster import Deployment, change, requested, resources_of, tick

LIVE = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED)


def test_what_a_person_starts_does_not_wait_behind_downloads(planned: Deployment) -> None:
    downloads = [int(request.tags["dagster/priority"]) for request in requested(planned, "download_sensor")]

    for job in ("refresh_portal", "discover_portal", "plan_organizations", "report_organizations", "rescore"):
        assert int(planned.defs.resolve_job_def(job).tags["dagster/priority"]) > max(downloads)


def test_every_job_goes_to_a_queue_of_its_kind(deployment: Deployment) -> None:
    jobs = [job for job in deployment.defs.resolve_all_job_defs() if not job.name.startswith("__")]

    assert jobs
    assert {job.name for job in jobs if job.tags.get(QUEUE_TAG) not in {DOWNLOADS, CATALOG, UPKEEP}} == set()


def test_a_restored_catalog_asks_dagster_for_runs_that_it_has_never_heard_of(planned: Deployment) -> None:
    before = {request.run_key for request in requested(planned, "download_sensor")}
    with planned.workplace() as workplace:
        leap_numbers(workplace.catalog)

    after = {request.run_key for request in requested(planned, "download_sensor")}

    assert len(after) == len(before)
    assert not after & before


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
