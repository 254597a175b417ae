"""What the download sensor asks for: enough to keep the fleet busy, the most wanted first, and never too much."""

from __future__ import annotations

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from shelter_pipeline.catalog.batches import BatchRow
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.operations.ledger import next_batches
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.orchestration.flights import URGENT_PRIORITY, Flight, Room
from shelter_pipeline_tests.support.dagster import (
    Deployment,
    change,
    in_flight,
    requested,
    resources_of,
    skipped,
    tick,
)

QUEUED, STARTED = dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED


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
    assert first.tags["dagster/max_retries"] == "0"  # its next attempt is the ledger's business
    assert int(first.tags["dagster/max_runtime"]) > planned.settings.fetch_total_deadline_seconds
    priorities = [int(request.tags["dagster/priority"]) for request in requests]
    assert priorities == sorted(priorities, reverse=True)


def test_batches_that_are_with_dagster_already_are_not_asked_for_again(planned: Deployment) -> None:
    first = requested(planned, "download_sensor")
    for request in first:
        in_flight(planned, request, QUEUED)

    again = requested(planned, "download_sensor")

    assert len(again) == 2
    assert not {request.partition_key for request in first} & {request.partition_key for request in again}


def test_no_host_takes_more_than_one_run_and_one_place_in_the_queue(planned: Deployment) -> None:
    for _ in range(2):
        for request in requested(planned, "download_sensor"):
            in_flight(planned, request, STARTED)

    assert "a host that is free" in skipped(planned, "download_sensor")


def test_the_queue_is_not_flooded(planned: Deployment) -> None:
    for number in range(2 * planned.settings.max_concurrent_runs):
        tags = {"shelter/batch": f"other.mixed.{number}"}
        planned.instance.add_run(dg.DagsterRun(job_name="download", status=STARTED, tags=tags))

    assert "enough for now" in skipped(planned, "download_sensor")


def test_a_pause_by_the_pool_is_named(planned: Deployment) -> None:
    planned.instance.event_log_storage.set_concurrency_slots("downloads", 0)
    fill_queue(planned, QUEUED)

    assert "the pool downloads has no room, as a person wants it" in skipped(planned, "download_sensor")


def test_a_batch_that_somebody_started_by_hand_is_not_started_twice(planned: Deployment) -> None:
    key = requested(planned, "download_sensor")[0].partition_key
    by_hand = dg.DagsterRun(job_name="__ASSET_JOB", status=STARTED, tags={"dagster/partition": str(key)})
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


def test_nothing_to_do_is_said_and_is_no_error(deployment: Deployment) -> None:
    assert "no planned batch" in skipped(deployment, "download_sensor")


def test_a_new_attempt_of_a_batch_has_a_new_run_key(planned: Deployment) -> None:
    before = requested(planned, "download_sensor")[0]
    with planned.workplace() as workplace:
        change(workplace, "UPDATE batch SET attempt = 2 WHERE key = :key", key=before.partition_key)

    after = requested(planned, "download_sensor")[0]

    assert after.partition_key == before.partition_key
    assert after.run_key != before.run_key


def ask_for(deployment: Deployment, organization: str) -> list[str]:
    """A person materializes the plan of this organization; the keys of its batches."""
    with deployment.workplace() as workplace:
        return list(plan_organization(workplace, organization, urgent=True)["open"])


def fill_queue(deployment: Deployment, status: dg.DagsterRunStatus) -> list[dg.RunRequest]:
    """As many batches as there may be are with Dagster."""
    asked = []
    while found := requested(deployment, "download_sensor"):
        for request in found:
            in_flight(deployment, request, status)
        asked += found
    return asked


def test_what_a_person_asks_for_does_not_wait_until_the_queue_is_shorter(planned: Deployment) -> None:
    waiting = fill_queue(planned, QUEUED)
    organizations = {request.tags["shelter/organization"] for request in waiting}
    with planned.workplace() as workplace:
        rest = next_batches(workplace, limit=100, in_flight=[str(one.partition_key) for one in waiting])
    late = next(row.organization for row in rest if row.organization not in organizations)
    keys = ask_for(planned, late)

    requests = requested(planned, "download_sensor")

    assert requests
    assert {str(request.partition_key) for request in requests} <= set(keys)
    most = max(int(request.tags["dagster/priority"]) for request in waiting)
    assert all(int(request.tags["dagster/priority"]) > most for request in requests)


def test_a_run_that_was_queued_before_a_person_asked_for_it_goes_to_the_front(planned: Deployment) -> None:
    waiting = fill_queue(planned, QUEUED)
    wanted = waiting[-1]

    ask_for(planned, wanted.tags["shelter/organization"])
    for _ in range(2):  # the second time there is nothing left to change
        requested(planned, "download_sensor")

    priorities = {
        run.tags["shelter/batch"]: int(run.tags["dagster/priority"])
        for run in planned.instance.get_runs()
        if "shelter/batch" in run.tags
    }
    before = int(wanted.tags["dagster/priority"])
    assert priorities[str(wanted.partition_key)] == before + URGENT_PRIORITY
    assert {key for key, value in priorities.items() if value >= URGENT_PRIORITY} == {
        str(one.partition_key)
        for one in waiting
        if one.tags["shelter/organization"] == wanted.tags["shelter/organization"]
    }


def test_what_a_person_asks_for_does_not_make_its_host_busier_than_a_run_and_a_place_in_the_queue(
    planned: Deployment,
) -> None:
    for organization in list(planned.instance.get_dynamic_partitions("organization")):
        ask_for(planned, organization)

    asked = fill_queue(planned, QUEUED)

    assert len(asked) <= 2 * planned.settings.max_concurrent_runs
    hosts = [request.tags["shelter/host"] for request in asked if "shelter/host" in request.tags]
    assert max(hosts.count(host) for host in hosts) <= 2


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS])
def test_a_run_that_ended_unnoticed_does_not_stop_its_batch_for_ever(
    planned: Deployment, status: dg.DagsterRunStatus
) -> None:
    request = requested(planned, "download_sensor")[0]
    in_flight(planned, request, status)  # and the sensor that tells the ledger was off

    assert request.run_key not in {one.run_key for one in requested(planned, "download_sensor")}

    with planned.workplace() as workplace:
        change(workplace, "UPDATE batch SET not_before = now()")
    again = {one.partition_key: one.run_key for one in requested(planned, "download_sensor")}
    assert again[request.partition_key] == f"{request.partition_key}:2"


def test_after_a_long_pause_there_is_no_storm(planned: Deployment) -> None:
    asked = fill_queue(planned, QUEUED)

    # The pool is at 0 for a day: every tick of it finds the same runs in the queue.
    said = {skipped(planned, "download_sensor") for _ in range(5)}

    assert 0 < len(asked) <= 2 * planned.settings.max_concurrent_runs
    assert [line.partition(" ")[0] for line in said] == [str(len(asked))]


def test_a_catalog_that_is_away_is_said_and_the_next_tick_works(
    planned: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = planned.settings.model_copy(
        update={"database_url": SecretStr("postgresql+psycopg://nobody@127.0.0.1:9/away")}
    )
    workplaces = resources_of(planned)["workplaces"]
    with monkeypatch.context() as patched:
        patched.setattr(workplaces, "_read_settings", lambda: away)
        with pytest.raises(ShelterError, match="database"):
            tick(planned, "download_sensor")

    assert requested(planned, "download_sensor")


def flight(number: int, *, urgent: bool, queued: bool) -> Flight:
    return Flight(f"run-{number}", f"org.h.{number}", None, URGENT_PRIORITY if urgent else 7, queued)


def row(number: int, *, urgent: bool) -> BatchRow:
    return BatchRow(number, f"new.h.{number}", "new", None, "planned", 1, urgent, 0.5, 1, 1)


@given(
    slots=st.integers(0, 40),
    flying=st.lists(st.booleans(), max_size=200),
    urgent=st.integers(0, 200),
    others=st.integers(0, 200),
)
def test_whatever_flies_and_waits_the_queue_stays_short_and_what_is_urgent_is_let_in(
    slots: int, flying: list[bool], urgent: int, others: int
) -> None:
    flights = [flight(number, urgent=one, queued=True) for number, one in enumerate(flying)]
    rows = [row(number, urgent=number < urgent) for number in range(urgent + others)]

    room = Room.beside(flights, slots)
    chosen = room.choose(rows)

    new_urgent = sum(one.urgent for one in chosen)
    assert len(chosen) <= 100
    assert new_urgent + sum(flying) <= max(2 * slots, sum(flying))
    if len(chosen) > new_urgent:
        assert len(chosen) + len(flying) <= 2 * slots
    assert new_urgent == min(urgent, room.urgent)


def test_where_no_worker_of_a_fleet_is_alive_batches_wait_in_the_catalog(
    planned: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = planned.settings.model_copy(update={"broker_url": SecretStr("redis://127.0.0.1:9/0")})
    monkeypatch.setattr(resources_of(planned)["workplaces"], "_read_settings", lambda: fleet)

    assert "no worker" in skipped(planned, "download_sensor")
