"""The machines of the fleet, as the catalog hears of them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.fleet import (
    Machine,
    beat_run,
    beat_worker,
    end_run,
    forget_worker,
    list_workers,
    live_slots,
    silent_runs,
)
from shelter_pipeline.catalog.tables_fleet import run_beat, worker
from shelter_pipeline.cli import app
from shelter_pipeline.domain.fleet import QUEUES
from shelter_pipeline.embedded.broker import results_url
from shelter_pipeline.embedded.database import DAGSTER_DRIVER
from shelter_pipeline.fleet.application import forget_results, make_application
from shelter_pipeline.fleet.clock import await_clock
from shelter_pipeline.fleet.worker import warn_of_namesake
from shelter_pipeline.settings import load_settings

ADA = Machine("ada.7", "ada", "0.1.0", 4, ("downloads", "catalog"))
BOB = Machine("bob.9", "bob", "0.1.0", 2, ("downloads",))


def age(catalog: Catalog, table: sa.Table, minutes: int) -> None:
    with catalog.begin() as connection:
        earlier = sa.func.now() - dt.timedelta(minutes=minutes)
        connection.execute(sa.update(table).values(beat_at=earlier))


def slots(catalog: Catalog, queue: str = "downloads") -> int:
    return live_slots(catalog, queue, silent_seconds=45)


def test_slots_are_counted_by_what_the_machines_take(catalog: Catalog) -> None:
    beat_worker(catalog, ADA)
    beat_worker(catalog, BOB)

    assert (slots(catalog), slots(catalog, "catalog"), slots(catalog, "upkeep")) == (6, 4, 0)


def test_a_machine_that_ends_or_is_silent_has_no_slots(catalog: Catalog) -> None:
    beat_worker(catalog, BOB)
    age(catalog, worker, minutes=2)
    beat_worker(catalog, ADA, ending=True)

    assert slots(catalog) == 0


def test_a_machine_that_speaks_again_has_its_slots(catalog: Catalog) -> None:
    beat_worker(catalog, ADA)
    age(catalog, worker, minutes=20)
    beat_worker(catalog, ADA)

    assert slots(catalog) == 4


def test_a_clock_that_differs_from_the_databases_is_seen(catalog: Catalog) -> None:
    beat_worker(catalog, ADA)

    assert abs(list_workers(catalog)[0]["clock_offset_seconds"]) < 60


def test_a_machine_is_forgotten_when_it_ended_or_was_silent_for_a_day(catalog: Catalog) -> None:
    beat_worker(catalog, ADA)
    age(catalog, worker, minutes=25 * 60)
    beat_worker(catalog, BOB)
    assert [row["name"] for row in list_workers(catalog)] == ["bob.9"]

    forget_worker(catalog, "bob.9")

    assert list_workers(catalog) == []


def test_a_machine_tells_how_many_runs_it_is_at(catalog: Catalog) -> None:
    beat_worker(catalog, ADA)
    for run_id in ("one", "two"):
        beat_run(catalog, run_id, "ada.7")

    assert list_workers(catalog)[0]["runs"] == 2


def test_a_run_is_silent_until_somebody_is_at_it_again(catalog: Catalog) -> None:
    beat_run(catalog, "one", "ada.7")
    age(catalog, run_beat, minutes=20)
    assert [(run.run_id, run.worker) for run in silent_runs(catalog, silent_seconds=0.5)] == [
        ("one", "ada.7")
    ]

    beat_run(catalog, "one", "bob.9")

    assert silent_runs(catalog, silent_seconds=10) == []


def test_the_end_of_one_worker_is_not_the_end_of_anothers_run(catalog: Catalog) -> None:
    beat_run(catalog, "one", "bob.9")

    end_run(catalog, "one", "ada.7")
    age(catalog, run_beat, minutes=20)

    assert [run.worker for run in silent_runs(catalog, silent_seconds=0.5)] == ["bob.9"]


def test_what_is_known_of_tasks_is_forgotten_after_a_week(catalog_url: str) -> None:
    dagster_url = (
        sa.make_url(catalog_url).set(drivername=DAGSTER_DRIVER).render_as_string(hide_password=False)
    )
    settings = load_settings(broker_url="redis://127.0.0.1:9/0")
    application = make_application(settings, results_url(dagster_url))
    for task in ("of old", "of today"):
        application.backend.store_result(task, 0, "SUCCESS")
    engine = sa.create_engine(catalog_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE celery_taskmeta SET date_done = date_done - interval '8 days' WHERE task_id = 'of old'"
        )

    forget_results(application)

    with engine.begin() as connection:
        left = connection.exec_driver_sql("SELECT task_id FROM celery_taskmeta").scalars().all()
    engine.dispose()
    assert left == ["of today"]


def test_the_fleet_is_shown_in_a_terminal_of_80_columns(
    catalog: Catalog, catalog_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELTER_DATABASE_URL", catalog_url)
    monkeypatch.setenv("COLUMNS", "80")
    beat_worker(catalog, ADA)
    age(catalog, worker, minutes=2)
    beat_worker(catalog, replace(BOB, queues=QUEUES))
    beat_run(catalog, "r1", BOB.name)

    lines = CliRunner().invoke(app, ["fleet"]).stdout.splitlines()

    assert lines[0].split() == ["worker", "state", "runs", "heard", "clock", "takes", "on"]
    assert re.search(
        r"ada.7 +silent +0 of 4 +12\d s ago +[+-]\d\.\d s +downloads catalog +ada, 0.1.0", lines[1]
    )
    assert re.search(r"bob.9 +alive +1 of 2 +\d s ago +[+-]\d\.\d s +everything +bob, 0.1.0", lines[2])


def test_a_second_worker_of_a_name_is_told_so(
    catalog: Catalog, catalog_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    beat_worker(catalog, ADA)

    warn_of_namesake(catalog_url, BOB)
    assert not caplog.messages

    warn_of_namesake(catalog_url, ADA)
    assert "give one of them another SHELTER_WORKER_NAME" in caplog.text


def test_a_machine_with_a_wrong_clock_waits_until_it_is_right(
    catalog_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    offsets = iter([7200.0, 7200.0, 0.3])

    await_clock(catalog_url, lambda _: next(offsets), seconds=0.01)

    (said,) = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert "the clock is 7200 seconds ahead of the database's: set it by NTP" in said
    assert next(offsets, None) is None
