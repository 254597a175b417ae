"""A database server that is restarted under a running batch costs it nothing but time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from shelter_pipeline.catalog.audit import audit
from shelter_pipeline.embedded.postgres import EmbeddedPostgres
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.report import report_organization
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.workplace import open_workplace
from shelter_pipeline.sample.server import SamplePortal
from shelter_pipeline.settings import load_settings
from shelter_pipeline_tests.support.postgres import reachable_folder

RESTARTS = 4


@pytest.mark.timeout(300)
def test_a_batch_outlives_restarts_of_the_database(tmp_path: Path) -> None:
    with reachable_folder() as folder, EmbeddedPostgres(folder) as server, SamplePortal() as sample:
        server.ensure_database("shelter")
        settings = load_settings(
            home=tmp_path,
            database_url=SecretStr(server.url("shelter")),
            allowed_networks="127.0.0.0/8",
            fetch_retry_delay_seconds=0.05,
            fetch_connections=4,
        )
        with open_workplace(settings) as workplace:
            slug = add_portal(workplace, f"datagov:{sample.base_url}").slug
            harvest_portal(workplace, slug)
            discover_resources(workplace, slug)
            (key,) = plan_organization(workplace, "noaa-gov", urgent=False)["new"]

            with ThreadPoolExecutor(1) as pool:
                under_way = pool.submit(rescue_batch, workplace, key, run_id="outlives")
                struck = 0
                for _ in range(RESTARTS):
                    time.sleep(0.3)
                    struck += not under_way.done()
                    server.stop()
                    server.start()
                result = under_way.result()

            expected = sample.expectations.by_organization["noaa-gov"]
            report = report_organization(workplace, "noaa-gov")
            assert struck > 0
            assert (result.state, result.leftover) == ("done", 0)
            assert report["held_files"] == expected.held_files
            assert audit(workplace.catalog)["settled_without_capture"] == 0
