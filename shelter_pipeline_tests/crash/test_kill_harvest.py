"""A harvest is killed at any moment, its connections are cut, its database restarts: the catalog ends the same."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.migrate import migrate
from shelter_pipeline.cli import INTERRUPTED
from shelter_pipeline.embedded.postgres import EmbeddedPostgres
from shelter_pipeline.operations.harvest_portal import harvest_portal
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.living_ckan import CkanSite, living_ckan
from shelter_pipeline_tests.support.local_site import Asked
from shelter_pipeline_tests.support.postgres import FAST, PostgresForTests, reachable_folder
from shelter_pipeline_tests.support.workplaces import a_workplace

KILLS = 6
PACKAGES = [f"p{number:03d}" for number in range(300)]
# As from a terminal, whoever runs the tests: a shell's background jobs are started deaf to Ctrl-C.
PROGRAM = """
import signal
from shelter_pipeline.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
CONTENTS = {
    "datasets": "SELECT organization.slug, identifier, dataset.slug, title, raw, record_hash, state, popularity"
    " FROM dataset JOIN organization ON organization.id = organization_id"
    " LEFT JOIN sighting ON dataset_id = dataset.id",
    "resources": "SELECT identifier, key, position, url, name, format, listed"
    " FROM resource JOIN dataset ON dataset.id = dataset_id",
    "versions": "SELECT identifier, dataset_version.raw, changes, substantive"
    " FROM dataset_version JOIN dataset ON dataset.id = dataset_id",
    "harvests": "SELECT verdict, expected, seen, new, changed, unchanged, moved, refused, duplicates, resources,"
    " missing, surplus FROM harvest WHERE groups > 0",
    "organizations": "SELECT slug, expected, seen, new, changed, moved FROM harvest_organization"
    " JOIN organization ON organization.id = organization_id",
    "refusals": "SELECT identifier, field, problem FROM refusal",
    "listing": "SELECT identifier FROM listing_entry",
}


@pytest.fixture
def site() -> Iterator[CkanSite]:
    with living_ckan() as opened:
        opened.adds(*PACKAGES[:200], organization="epa")
        opened.adds(*PACKAGES[200:], organization="noaa", tracking_summary={"total": 7})
        opened.packages["p150"]["title"] = None
        opened.packages["p150"]["name"] = None
        yield opened


def contents(catalog: Catalog) -> dict[str, list[str]]:
    """Everything a harvest writes, without what every run has of its own (ids and times)."""
    with catalog.begin() as connection:
        return {
            name: sorted(str(tuple(row)) for row in connection.execute(sa.text(query)))
            for name, query in CONTENTS.items()
        }


def undisturbed(postgres: PostgresForTests, site: CkanSite, folder: Path) -> dict[str, list[str]]:
    with postgres.fresh_database(filled_by=_migrated) as url, a_workplace(url, folder / "calm") as workplace:
        row = add_portal(workplace, f"ckan:{site.url}", slug="site")
        assert harvest_portal(workplace, row.slug, mode="full")["verdict"] == "complete"
        return contents(workplace.catalog)


def harvesting(url: str, site: CkanSite, home: Path) -> subprocess.Popen[str]:
    settings = {
        "HOME": home,
        "DATABASE_URL": url,
        "DAGSTER_DATABASE_URL": url,
        "ALLOWED_NETWORKS": "127.0.0.0/8",
        "HARVEST_GROUP_RECORDS": 10,
        "HOST_CONNECTIONS": KILLS + 2,  # one that was killed keeps its place at the host for half a minute
    }
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "harvest", "--portal", f"ckan:{site.url}", "--json"],
        env=os.environ | {f"SHELTER_{name}": str(text) for name, text in settings.items()},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_harvest_that_is_killed_again_and_again_ends_as_if_nothing_had_happened(
    postgres: PostgresForTests, catalog_url: str, catalog: Catalog, site: CkanSite, tmp_path: Path
) -> None:
    calm = undisturbed(postgres, site, tmp_path)
    site.pause_seconds = 0.02
    dice = random.Random(20260401)
    first_pages = []
    for _ in range(KILLS):
        site.site.asked.clear()
        wanted = dice.randint(3, 9)
        with harvesting(catalog_url, site, tmp_path) as process:
            deadline = time.monotonic() + 60
            while len(site.starts()) < wanted and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
            process.kill()
        first_pages.append(site.starts()[0])

    with harvesting(catalog_url, site, tmp_path) as process:
        report: dict[str, Any] = json.loads(process.communicate(timeout=120)[0])

    assert (report["verdict"], report["seen"], report["refused"]) == ("complete", 299, 1)
    assert contents(catalog) == calm
    # Each went on behind what the one before had merged.
    assert first_pages == sorted(first_pages)
    assert first_pages[0] == 0
    assert first_pages[-1] > 0


def test_ctrl_c_ends_a_harvest_that_waits_for_its_portal_and_the_next_goes_on(
    catalog_url: str, catalog: Catalog, site: CkanSite, tmp_path: Path
) -> None:
    hangs, answer = threading.Event(), threading.Event()

    def hang(asked: Asked) -> None:
        if asked.query.get("start") == "100" and "fl" not in asked.query:
            hangs.set()
            answer.wait(60)

    site.instead = hang
    with harvesting(catalog_url, site, tmp_path) as process:
        assert hangs.wait(60)
        process.send_signal(signal.SIGINT)
        try:
            ended = process.wait(20)
        finally:
            process.kill()
            answer.set()

    assert ended == INTERRUPTED
    with catalog.begin() as connection:
        row = connection.execute(sa.text("SELECT verdict, cursor IS NOT NULL FROM harvest")).one()
    assert tuple(row) == ("interrupted", True)
    with harvesting(catalog_url, site, tmp_path) as process:
        report = json.loads(process.communicate(timeout=120)[0])
    assert (report["verdict"], report["seen"], report["resumed"]) == ("complete", 299, 1)


def test_a_harvest_outlives_connections_that_are_cut(
    postgres: PostgresForTests, catalog_url: str, catalog: Catalog, site: CkanSite, tmp_path: Path
) -> None:
    calm = undisturbed(postgres, site, tmp_path)
    site.pause_seconds = 0.01
    stop = threading.Event()

    def cut() -> None:
        while not site.starts() and not stop.wait(0.005):  # one that has not begun yet ends and says so
            pass
        while not stop.wait(0.05):
            with suppress(sa.exc.OperationalError), catalog.engine.begin() as connection:
                connection.execute(
                    sa.text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )

    cutter = threading.Thread(target=cut)
    with a_workplace(catalog_url, tmp_path / "store", harvest_group_records=10) as workplace:
        row = add_portal(workplace, f"ckan:{site.url}", slug="site")
        cutter.start()
        try:
            report = harvest_portal(workplace, row.slug, mode="full")
        finally:
            stop.set()
            cutter.join()

    assert (report["verdict"], report["seen"]) == ("complete", 299)
    assert contents(catalog) == calm


def test_a_harvest_outlives_a_restart_of_its_database(
    postgres: PostgresForTests, site: CkanSite, tmp_path: Path
) -> None:
    calm = undisturbed(postgres, site, tmp_path)
    site.pause_seconds = 0.02
    with reachable_folder() as folder:
        server = EmbeddedPostgres(folder / "home", options=FAST)
        server.start()
        try:
            server.ensure_database("shelter")
            url = server.url("shelter", "postgresql+psycopg")
            opened = Catalog(url)
            migrate(opened)
            opened.close()

            def restart() -> None:
                for wanted in (5, 15):
                    while len(site.starts()) < wanted:
                        time.sleep(0.005)
                    server.stop()
                    server.start()

            restarter = threading.Thread(target=restart)
            with a_workplace(url, tmp_path / "store", harvest_group_records=10) as workplace:
                row = add_portal(workplace, f"ckan:{site.url}", slug="site")
                site.site.asked.clear()
                restarter.start()
                report = harvest_portal(workplace, row.slug, mode="full")
                restarter.join()
                assert (report["verdict"], report["seen"]) == ("complete", 299)
                assert contents(workplace.catalog) == calm
        finally:
            server.stop()
