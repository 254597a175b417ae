"""A run whose machine is gone does not hang: it fails, says why, and its work is given to others."""

from __future__ import annotations

import dagster as dg
import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.fleet import beat_run
from shelter_pipeline.orchestration.lost_runs import fail_lost_runs
from shelter_pipeline_tests.support.dagster import Deployment

STARTED = dg.DagsterRunStatus.STARTED
SUCCESS = dg.DagsterRunStatus.SUCCESS


def a_run(deployment: Deployment, name: str, status: dg.DagsterRunStatus = STARTED) -> str:
    run = dg.DagsterRun(job_name="download", status=status)
    deployment.instance.add_run(run)
    with deployment.workplace() as workplace:
        beat_run(workplace.catalog, run.run_id, name)
    return run.run_id


def silent_for(deployment: Deployment, run_id: str, minutes: int) -> None:
    with deployment.workplace() as workplace, workplace.catalog.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE run_beat SET beat_at = now() - make_interval(mins => :minutes) WHERE run_id = :run_id"
            ),
            {"minutes": minutes, "run_id": run_id},
        )


def give_up(deployment: Deployment) -> int:
    with deployment.workplace() as workplace:
        return fail_lost_runs(deployment.instance, workplace)


def status(deployment: Deployment, run_id: str) -> dg.DagsterRunStatus:
    run = deployment.instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


@pytest.fixture
def patient(deployment: Deployment) -> Deployment:
    """Its patience is shorter than the test's database has been up."""
    settings = deployment.settings.model_copy(update={"worker_silent_seconds": 0.5})
    return Deployment(settings, deployment.instance, deployment.defs)


def test_a_run_whose_worker_fell_silent_fails_and_names_it(patient: Deployment) -> None:
    lost = a_run(patient, "ada.7")
    silent_for(patient, lost, minutes=20)

    assert give_up(patient) == 1
    assert status(patient, lost) is dg.DagsterRunStatus.FAILURE
    messages = [entry.user_message or entry.message for entry in patient.instance.all_logs(lost)]
    assert any("The worker ada.7 has not been heard of for 1200 seconds" in message for message in messages)


def test_it_is_given_up_once(patient: Deployment) -> None:
    lost = a_run(patient, "ada.7")
    silent_for(patient, lost, minutes=20)

    assert [give_up(patient), give_up(patient)] == [1, 0]


def test_a_run_that_is_heard_of_goes_on(deployment: Deployment) -> None:
    heard = a_run(deployment, "ada.7")

    assert give_up(deployment) == 0
    assert status(deployment, heard) is STARTED


def test_a_run_that_ended_stays_as_it_ended(patient: Deployment) -> None:
    ended = a_run(patient, "ada.7", SUCCESS)
    silent_for(patient, ended, minutes=20)

    assert give_up(patient) == 0
    assert status(patient, ended) is SUCCESS


def test_nobody_is_given_up_for_a_silence_in_which_the_database_was_away(deployment: Deployment) -> None:
    """Its server has been up for less than this patience, as after a restart."""
    settings = deployment.settings.model_copy(update={"worker_silent_seconds": 10.0 * 24 * 3600})
    restarted = Deployment(settings, deployment.instance, deployment.defs)
    heard = a_run(restarted, "ada.7")
    silent_for(restarted, heard, minutes=30 * 24 * 60)

    assert give_up(restarted) == 0
    assert status(restarted, heard) is STARTED
