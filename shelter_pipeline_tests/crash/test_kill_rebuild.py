"""A rebuild that is killed anywhere, and run again, leaves what an undisturbed one leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shelter_pipeline.operations.rebuild_catalog import rebuild_catalog
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.postgres import PostgresForTests
from shelter_pipeline_tests.support.rebuilding import a_rescue_without_database, count
from shelter_pipeline_tests.support.snapshots import assert_equal, snapshot
from shelter_pipeline_tests.support.workplaces import a_workplace

KILLED_AFTER_PORTIONS = (0, 1, 2, 3, 5)


@pytest.mark.timeout(180)
def test_a_rebuild_that_is_killed_again_and_again_ends_like_one_that_was_not(
    postgres: PostgresForTests, catalog_url: str, tmp_path: Path
) -> None:
    with (
        a_rescue_without_database(postgres) as rescued,
        a_workplace(catalog_url, tmp_path / "other") as workplace,
    ):
        on_the_way = [killed_after(portions, rescued.store, workplace) for portions in KILLED_AFTER_PORTIONS]
        report = rebuild_catalog(workplace, LocalStore(rescued.store))

        assert any(0 < captures < len(rescued.said["capture"]) for captures in on_the_way)
        assert report["manifests"] > 0
        assert_equal(snapshot(workplace.catalog), rescued.said)


def killed_after(portions: int, store: Path, workplace: Workplace) -> int:
    """Kill a rebuild as soon as it has taken so many portions in; returns how many captures are known then."""
    url = workplace.settings.database_url
    assert url is not None
    settings = {
        "HOME": workplace.settings.home_path,
        "DATABASE_URL": url.get_secret_value(),
        "DAGSTER_DATABASE_URL": url.get_secret_value(),
        "STORE": workplace.settings.store,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "shelter_pipeline_tests.support.run_rebuild", str(store)],
        env=os.environ | {f"SHELTER_{name}": str(value) for name, value in settings.items()},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for _ in range(portions + 1):  # the first line is about blobs
            assert process.stdout.readline()
        process.kill()
    return count(workplace, "capture")
