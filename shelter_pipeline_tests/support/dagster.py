"""Shelter's definitions on an instance of a test's own, over a real catalog and a real store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from shelter_pipeline.definitions import build_defs
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.workplace import Workplace, open_workplace
from shelter_pipeline.orchestration.partitions import add_missing, portals
from shelter_pipeline.orchestration.resources import Workplaces
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

    def run_range(self, job: str, keys: list[str]) -> dg.ExecuteInProcessResult:
        """One run of a job over an unbroken range of partitions, as a backfill asks for it."""
        tags = {
            "dagster/asset_partition_range_start": keys[0],
            "dagster/asset_partition_range_end": keys[-1],
        }
        return self.run(job, tags=tags)

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
