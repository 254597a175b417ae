"""Discovery is killed at any moment, asked to end, its database restarts: what it finds in the end is the same."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.migrate import migrate
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.cli import INTERRUPTED
from shelter_pipeline.embedded.postgres import EmbeddedPostgres
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site
from shelter_pipeline_tests.support.postgres import FAST, reachable_folder
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

KILLS = 10
TREES, BRANCHES, LEAVES, LARGE = 6, 8, 3, 20_000
PAGES = TREES * (1 + BRANCHES) + 2
LEASE_SECONDS = 3
# As from a terminal, whoever runs the tests: a shell's background jobs are started deaf to Ctrl-C.
PROGRAM = """
import signal
from shelter_pipeline.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


class Site:
    """Trees of directories whose pages take a moment, a large listing, and a page about it."""

    def __init__(self, site: LocalSite) -> None:
        self.site = site
        self.pause_seconds = 0.03
        for tree in range(TREES):
            branches = [f"{branch}/" for branch in range(BRANCHES)]
            self._lists(f"/tree/{tree}/", "top.csv", *branches)
            for branch in branches:
                self._lists(f"/tree/{tree}/{branch}", *(f"{leaf}.csv" for leaf in range(LEAVES)))
        self._lists("/large/", *(f"{number:05}.nc" for number in range(LARGE)))
        page = b'<!doctype html><html><body><a href="/large/">All data files</a></body></html>'
        site.answers("/about", lambda _: self._slowly(Answered(page)))

    def _lists(self, path: str, *names: str) -> None:
        links = "".join(f'<a href="{name}">{name}</a>  2020-01-02 03:04  7\n' for name in names)
        page = f"<html><head><title>Index of {path}</title></head><body><pre>{links}</pre></body></html>".encode()
        self.site.answers(path, lambda _: self._slowly(Answered(page)))

    def _slowly(self, answered: Answered) -> Answered:
        time.sleep(self.pause_seconds)
        return answered

    @property
    def asked(self) -> int:
        return len(self.site.asked)

    def is_listed_by(self, catalog: Catalog) -> PortalRow:
        """A portal whose datasets name each tree, and the page about the large listing twice."""
        portal = a_portal(catalog)
        urls = [f"{self.site.url}/tree/{tree}/" for tree in range(TREES)] + [f"{self.site.url}/about"] * 2
        harvested(catalog, portal, [a_dataset(str(at), a_resource(url)) for at, url in enumerate(urls)])
        return portal


@pytest.fixture
def site() -> Iterator[Site]:
    with local_site() as opened:
        yield Site(opened)


def discovering(url: str, portal: PortalRow, home: Path) -> subprocess.Popen[str]:
    settings = {
        "HOME": home,
        "DATABASE_URL": url,
        "DAGSTER_DATABASE_URL": url,
        "STORE": home / "store",
        "ALLOWED_NETWORKS": "127.0.0.0/8",
        "LEASE_SECONDS": LEASE_SECONDS,
        "HOST_CONNECTIONS": KILLS + 2,  # one that was killed keeps its place at the host for half a minute
        "HOST_DELAY_SECONDS": 0,
    }
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "discover", "--portal", portal.slug, "--json"],
        env=os.environ | {f"SHELTER_{name}": str(text) for name, text in settings.items()},
        stdout=subprocess.PIPE,
        text=True,
    )


def rows(catalog: Catalog, query: str) -> list[tuple[Any, ...]]:
    with catalog.begin() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def found(catalog: Catalog) -> Counter[str]:
    """How many files each dataset leads to; a file that two of its pages gave would count once."""
    files = rows(
        catalog,
        "SELECT dataset.identifier, count(*) FROM asset_resource"
        " JOIN resource ON resource.id = resource_id JOIN dataset ON dataset.id = dataset_id GROUP BY 1",
    )
    return Counter(dict(files))


EXPECTED = Counter(
    {str(tree): 1 + BRANCHES * LEAVES for tree in range(TREES)} | {str(TREES): LARGE, str(TREES + 1): LARGE}
)


def assert_is_whole(catalog: Catalog) -> None:
    """Every file is linked once to each resource, every page was read once, and nobody holds a place."""
    assert found(catalog) == EXPECTED
    assert rows(catalog, "SELECT count(*) FROM asset") == [(TREES * (1 + BRANCHES * LEAVES) + LARGE,)]
    assert rows(catalog, "SELECT state, count(*) FROM exploration_page GROUP BY 1") == [("read", PAGES)]
    assert rows(catalog, "SELECT DISTINCT state, outcome, round, taken_until FROM exploration") == [
        ("ended", "found", 1, None)
    ]
    assert rows(catalog, "SELECT DISTINCT outcome FROM resource") == [("found",)]
    orphans = "SELECT count(*) FROM exploration_page WHERE parent_id IS NULL"
    assert rows(catalog, orphans) == [(TREES + 1,)]


def until_it_is_done(catalog_url: str, portal: PortalRow, home: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with discovering(catalog_url, portal, home) as process:
            report = json.loads(process.communicate(timeout=60)[0])
        if report["waiting"] == {"due": 0, "resting": 0}:
            return
        time.sleep(0.5)  # what the killed ones held is free once their leases are over


def test_discovery_that_is_killed_again_and_again_finds_every_file_once(
    catalog_url: str, catalog: Catalog, site: Site, tmp_path: Path
) -> None:
    portal = site.is_listed_by(catalog)
    dice = random.Random(20261125)
    for _ in range(KILLS):
        wanted = site.asked + dice.randint(1, 40)
        deadline = time.monotonic() + 5
        with discovering(catalog_url, portal, tmp_path) as process:
            while site.asked < wanted and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(dice.random() / 5)
            process.kill()

    until_it_is_done(catalog_url, portal, tmp_path)

    assert_is_whole(catalog)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_discovery_that_is_asked_to_end_ends_at_once_and_holds_nothing(
    catalog_url: str, catalog: Catalog, site: Site, tmp_path: Path, sign: signal.Signals
) -> None:
    portal = site.is_listed_by(catalog)
    answer = threading.Event()
    hangs = threading.Event()

    def hang(_: Asked) -> Answered:
        hangs.set()
        answer.wait(60)
        return Answered(b"late")

    site.site.answers("/tree/0/0/", hang)
    with discovering(catalog_url, portal, tmp_path) as process:
        assert hangs.wait(60)
        time.sleep(0.2)
        process.send_signal(sign)
        began = time.monotonic()
        try:
            ended = process.wait(20)
        finally:
            process.kill()
            answer.set()

    assert (ended, time.monotonic() - began < 10) == (INTERRUPTED, True)
    assert rows(catalog, "SELECT count(*) FROM exploration WHERE taken_until IS NOT NULL") == [(0,)]
    assert found(catalog)["0"] >= 1  # what the page above gave is kept


def test_discovery_outlives_a_restart_of_its_database(site: Site, tmp_path: Path) -> None:
    with reachable_folder() as folder:
        server = EmbeddedPostgres(folder / "home", options=FAST)
        server.start()
        try:
            server.ensure_database("shelter")
            url = server.url("shelter", "postgresql+psycopg")
            catalog = Catalog(url)
            migrate(catalog)
            portal = site.is_listed_by(catalog)

            def restart() -> None:
                for wanted in (3, 25):
                    while site.asked < wanted:
                        time.sleep(0.005)
                    server.stop()
                    server.start()

            restarter = threading.Thread(target=restart)
            with a_workplace(url, tmp_path / "store", lease_seconds=30) as workplace:
                restarter.start()
                discover_resources(workplace, portal.slug)
                restarter.join()
            assert_is_whole(catalog)
            catalog.close()
        finally:
            server.stop()
