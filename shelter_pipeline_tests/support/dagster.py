"""Shelter's definitions on an instance of a test's own, over a real catalog and a real store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from shelter_pipeline.definitions import build_defs
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.workplace import Workplace, open_workplace
from shelter_pipeline.orchestration.partitions import add_missing, portals
from shelter_pipeline.orchestration.resources import Workplaces
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline.settings import Settings, load_settings


@dataclass(frozen=True)
class Deployment:
    """Definitions, instance and settings that belong together."""

    settings: Settings
    instance: dg.DagsterInstance
    defs: dg.Definitions

    def workplace(self) -> AbstractContextManager[Workplace]:
        """The workplace that the assets of this deployment get."""
        return open_workplace(self.settings)

    def run(
        self,
        job: str,
        partition: str | None = None,
        tags: Mapping[str, str] | None = None,
        config: Mapping[str, object] | None = None,
    ) -> dg.ExecuteInProcessResult:
        """One run of a job in this process; a failed run is a result, not an exception."""
        definition = self.defs.resolve_job_def(job)
        return definition.execute_in_process(
            partition_key=partition,
            instance=self.instance,
            raise_on_error=False,
            tags=dict(tags or {}),
            run_config=dict(config or {}),
        )

    def run_range(
        self, job: str, keys: list[str], config: Mapping[str, object] | None = None
    ) -> dg.ExecuteInProcessResult:
        """One run of a job over an unbroken range of partitions, as a backfill asks for it."""
        tags = {
            "dagster/asset_partition_range_start": keys[0],
            "dagster/asset_partition_range_end": keys[-1],
        }
        return self.run(job, tags=tags, config=config)

    def add_portal(self, url: str, slug: str = "sample") -> None:
        """Make a portal known to the catalog and to Dagster."""
        with self.workplace() as workplace:
            add_portal(workplace, f"datagov:{url}", slug=slug)
        add_missing(self.instance, portals, [slug])


@pytest.fixture
def deployment(catalog_url: str, tmp_path: Path) -> Iterator[Deployment]:
    """An empty deployment."""
    settings = load_settings(
        home=tmp_path,
        database_url=SecretStr(catalog_url),
        allowed_networks="127.0.0.0/8",
        fetch_retry_delay_seconds=0.05,
        harvest_attempts=2,
        portal="datagov:http://127.0.0.1:9",
    )
    # On disk, because schedules open the instance by reference.
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield Deployment(settings, instance, build_defs(workplaces=Workplaces(lambda: settings)))


@pytest.fixture
def planned(deployment: Deployment) -> Deployment:
    """The sample portal, refreshed, with every organization planned as after a nightly harvest: nobody asked."""
    with SamplePortal() as sample:
        deployment.add_portal(sample.base_url)
        assert deployment.run("refresh_portal", "sample").success
        keys = list(deployment.instance.get_dynamic_partitions("organization"))
        config = {"ops": {"batch_plan": {"config": {"urgent": False}}}}
        assert deployment.run_range("plan_organizations", keys, config).success
    return deployment


def resources_of(deployment: Deployment) -> dict[str, Any]:
    """What sensors and schedules are given."""
    return {"workplaces": (deployment.defs.resources or {})["workplaces"]}


def tick(
    deployment: Deployment, name: str, cursor: str | None = None
) -> dg.SensorResult | dg.RunRequest | dg.SkipReason:
    """What a sensor says now."""
    sensor = deployment.defs.resolve_sensor_def(name)
    context = dg.build_sensor_context(
        instance=deployment.instance, cursor=cursor, resources=resources_of(deployment)
    )
    result = sensor(context)
    assert isinstance(result, dg.SensorResult | dg.RunRequest | dg.SkipReason)
    return result


def requested(deployment: Deployment, name: str, cursor: str | None = None) -> list[dg.RunRequest]:
    """The runs that a sensor asks for now."""
    result = tick(deployment, name, cursor)
    return list(result.run_requests or []) if isinstance(result, dg.SensorResult) else []


def skipped(deployment: Deployment, name: str) -> str:
    """Why a sensor asks for nothing now."""
    result = tick(deployment, name)
    assert isinstance(result, dg.SkipReason)
    return str(result.skip_message)


def in_flight(
    deployment: Deployment, request: dg.RunRequest, status: dg.DagsterRunStatus, **tags: str
) -> dg.DagsterRun:
    """A run of this request, as the daemon makes it, in this state."""
    run = dg.DagsterRun(
        job_name="download",
        status=status,
        tags={**request.tags, "dagster/run_key": str(request.run_key), **tags},
        run_id=f"run-of-{request.run_key}",
    )
    return deployment.instance.add_run(run)


def change(workplace: Workplace, statement: str, **parameters: Any) -> None:
    """Put the ledger into the state that a test is about."""
    with workplace.catalog.begin() as connection:
        connection.execute(sa.text(statement), parameters)
