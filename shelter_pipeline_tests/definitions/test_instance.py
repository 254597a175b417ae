"""Dagster understands the instance that Shelter writes, alone and with a fleet, as it is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.launcher import DefaultRunLauncher
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster._core.scheduler.instigation import TickStatus

from shelter_pipeline.embedded.instance import write_instance
from shelter_pipeline.fleet.launcher import FleetRunLauncher
from shelter_pipeline.settings import load_settings

BROKER = "redis://:secret-word@broker.example:6379/0"
Open = Callable[..., dg.DagsterInstance]


@pytest.fixture
def open_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """The instance of some settings, on a storage of its own."""
    opened: list[dg.DagsterInstance] = []

    def open_it(**settings: object) -> dg.DagsterInstance:
        folder = write_instance(tmp_path, load_settings(**settings)).folder
        written = yaml.safe_load((folder / "dagster.yaml").read_text())
        del written["storage"]  # that events reach PostgreSQL is shown by the tests of the stack
        (folder / "dagster.yaml").write_text(yaml.safe_dump(written))
        monkeypatch.setenv("SHELTER_BROKER_URL", BROKER)
        monkeypatch.setenv("CELERY_RESULT_BACKEND", "db+sqlite://")
        opened.append(dg.DagsterInstance.from_config(str(folder)))
        return opened[-1]

    yield open_it
    for instance in opened:
        instance.dispose()


def test_without_a_broker_runs_stay_on_this_machine(open_instance: Open) -> None:
    assert isinstance(open_instance().run_launcher, DefaultRunLauncher)


def test_with_a_broker_runs_go_to_the_fleet(open_instance: Open) -> None:
    launcher = open_instance(broker_url=BROKER).run_launcher

    assert isinstance(launcher, FleetRunLauncher)
    assert launcher.celery.conf.broker_url == BROKER
    assert launcher.celery.conf.result_backend == "db+sqlite://"


def test_no_secret_is_written_into_the_instance(open_instance: Open, tmp_path: Path) -> None:
    open_instance(broker_url=BROKER)

    assert "secret-word" not in (tmp_path / "dagster" / "dagster.yaml").read_text()


def test_lost_and_endless_runs_are_looked_for(open_instance: Open) -> None:
    instance = open_instance(run_start_timeout_seconds=77)

    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_start_timeout_seconds == 77
    assert instance.run_monitoring_cancel_timeout_seconds == 60
    assert instance.run_monitoring_max_runtime_seconds == 86400
    assert instance.run_monitoring_max_resume_run_attempts == 0


def test_a_busy_fleet_may_let_a_run_wait_an_hour(open_instance: Open) -> None:
    assert open_instance(broker_url=BROKER).run_monitoring_start_timeout_seconds == 3600


def test_only_crashes_are_tried_again_by_dagster(open_instance: Open) -> None:
    instance = open_instance()

    assert instance.run_retries_enabled
    assert instance.run_retries_max_retries == 2
    assert not instance.run_retries_retry_on_asset_or_op_failure


def test_a_host_has_one_batch_at_a_time_and_downloads_leave_a_slot(open_instance: Open) -> None:
    instance = open_instance(max_concurrent_runs=9)
    limits = instance.get_concurrency_config()

    assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
    assert limits.run_queue_config is not None
    assert limits.run_queue_config.max_concurrent_runs == 9
    assert limits.run_queue_config.tag_concurrency_limits == [
        {"key": "shelter/host", "value": {"applyLimitPerUniqueValue": True}, "limit": 1}
    ]
    assert limits.pool_config.default_pool_limit == 8
    assert limits.pool_config.pool_granularity is not None
    assert limits.pool_config.pool_granularity.value == "run"


def test_ticks_that_say_nothing_are_forgotten_soon(open_instance: Open) -> None:
    kept = open_instance().get_tick_retention_settings(InstigatorType.SENSOR)

    assert kept[TickStatus.SKIPPED] == 2
    assert kept[TickStatus.FAILURE] == 30


def test_nothing_is_sent_to_anybody(open_instance: Open) -> None:
    instance = open_instance()

    assert not instance.telemetry_enabled
    assert not instance.nux_enabled


def test_a_key_that_this_dagster_does_not_know_is_refused(tmp_path: Path) -> None:
    folder = write_instance(tmp_path, load_settings()).folder
    written = yaml.safe_load((folder / "dagster.yaml").read_text())
    written["run_monitorin"] = {"enabled": True}
    (folder / "dagster.yaml").write_text(yaml.safe_dump(written))

    with pytest.raises(dg.DagsterInvalidConfigError, match="run_monitorin"):
        dg.DagsterInstance.from_config(str(folder))
