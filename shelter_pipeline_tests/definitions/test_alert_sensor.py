"""What Dagster tells of troubles: runs that failed and are not retried, and whether a person paused downloads."""

from __future__ import annotations

from typing import Any

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from shelter_pipeline.orchestration.alerts import WATCHED, downloads_paused, failed_runs
from shelter_pipeline_tests.support.dagster import Deployment

FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


def add_run(deployment: Deployment, job: str, status: dg.DagsterRunStatus, **tags: str) -> str:
    names = {name.replace("_", "/", 1): value for name, value in tags.items()}
    return deployment.instance.add_run(dg.DagsterRun(job_name=job, status=status, tags=names)).run_id


def switch_on(deployment: Deployment, sensor: str) -> None:
    """What a person does in the user interface."""
    location = InProcessCodeLocationOrigin(
        LoadableTargetOrigin(module_name="shelter_pipeline.definitions"), "shelter_pipeline"
    )
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), sensor)
    deployment.instance.add_instigator_state(
        InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING)
    )


def seen(deployment: Deployment) -> list[str]:
    return sorted(trouble.thing for trouble in failed_runs(deployment.instance))


def test_the_last_run_of_each_job_and_partition_decides(deployment: Deployment) -> None:
    add_run(deployment, "fixity", FAILURE)
    add_run(deployment, "refresh_portal", FAILURE, dagster_partition="a")
    add_run(deployment, "refresh_portal", FAILURE, dagster_partition="b")
    add_run(deployment, "refresh_portal", SUCCESS, dagster_partition="b")
    add_run(deployment, "rescore", FAILURE, dagster_will_retry="true")
    add_run(deployment, "download", FAILURE, dagster_partition="a.mixed.1")

    assert seen(deployment) == ["fixity", "refresh_portal a"]
    add_run(deployment, "fixity", SUCCESS)
    assert seen(deployment) == ["refresh_portal a"]


def test_every_job_but_the_downloads_is_watched(deployment: Deployment) -> None:
    jobs = {job.name for job in deployment.defs.resolve_all_job_defs() if not job.name.startswith("__")}

    assert set(WATCHED) == jobs - {"download"}


def test_a_pool_without_room_or_a_sensor_that_does_not_run_is_a_pause(deployment: Deployment) -> None:
    instance = deployment.instance
    assert downloads_paused(instance, "download_sensor")

    switch_on(deployment, "download_sensor")
    assert not downloads_paused(instance, "download_sensor")
    instance.event_log_storage.set_concurrency_slots("downloads", 0)
    assert downloads_paused(instance, "download_sensor")
    instance.event_log_storage.set_concurrency_slots("downloads", 2)
    assert not downloads_paused(instance, "download_sensor")


def test_a_tick_says_what_was_told_or_that_nobody_is(deployment: Deployment) -> None:
    sensor: Any = deployment.defs.resolve_sensor_def("alert_sensor")
    resources = {"workplaces": (deployment.defs.resources or {})["workplaces"]}

    result = sensor(dg.build_sensor_context(instance=deployment.instance, resources=resources))

    assert "no channel is set" in result.skip_message
