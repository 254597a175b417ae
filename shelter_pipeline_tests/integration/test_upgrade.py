"""A new release migrates the schema while workers of the release before are at work, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

from shelter_pipeline.catalog.audit import audit
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.migrate import _scripts, migrate
from shelter_pipeline.catalog.portals import add_portal
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline_tests.support.engines import wait_until
from shelter_pipeline_tests.support.fault_server import FaultServer, Step, whole
from shelter_pipeline_tests.support.rebuilding import count
from shelter_pipeline_tests.support.records import a_dataset, a_resource, discovered, harvested
from shelter_pipeline_tests.support.shelter_process import environment, shelter
from shelter_pipeline_tests.support.workplaces import a_workplace

SHORT, PATIENCE = timedelta(milliseconds=200), timedelta(minutes=1)
NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "9001", {newest!r}, None, None

def upgrade():
    op.add_column("asset", sa.Column("of_the_next", sa.Text()))
    op.add_column("claim", sa.Column("of_the_next", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("of_the_next", "capture", ["asset_id", "verdict"])
"""


@pytest.fixture
def the_next_release(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """This process, and no other, is of a release with one migration more."""
    folder = tmp_path / "versions"
    folder.mkdir()
    newest = ScriptDirectory.from_config(_scripts()).get_current_head()
    (folder / "9001_next.py").write_text(NEXT.format(newest=newest))

    def scripts() -> Config:
        config = _scripts()
        packaged = Path(config.get_main_option("script_location") or "") / "versions"
        config.set_main_option("version_locations", f"{packaged}{os.pathsep}{folder}")
        return config

    monkeypatch.setattr("shelter_pipeline.catalog.migrate._scripts", scripts)


@pytest.mark.timeout(120)
def test_the_schema_is_brought_up_to_date_while_a_worker_of_the_release_before_is_at_work(
    catalog_url: str,
    catalog: Catalog,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At first somebody is in the way, and the migration waits; afterwards, old processes go on and begin."""
    gate = threading.Event()

    def late(_head: str) -> Sequence[Step]:
        gate.wait(60)
        return whole(b"a,b\n3,4\n")

    place = {
        "home": tmp_path / "home",
        "store": tmp_path / "store",
        "database_url": catalog_url,
        "dagster_database_url": catalog_url,
        "allowed_networks": "127.0.0.0/8",
        "host_connections": 8,
        "robots": "ignore",
    }
    with FaultServer() as server, a_workplace(catalog_url, tmp_path / "store") as workplace:
        urls = [server.serves(f"/{number}.csv", *whole(b"a,b\n1,2\n")) for number in range(4)]
        urls.append(server.serves_in_turn("/late.csv", late))
        portal = add_portal(catalog, "datagov", "https://portal.example")
        harvested(catalog, portal, [a_dataset(str(n), a_resource(url)) for n, url in enumerate(urls)])
        discovered(catalog, portal)
        (key,) = plan_organization(workplace, "epa-gov", urgent=False)["new"]
        with a_worker("old", key, **place) as old:
            wait_until(lambda: count(workplace, "asset", "state = 'held'") == 4)

            request.getfixturevalue("the_next_release")
            with ThreadPoolExecutor(1) as pool:
                with catalog.begin() as connection:
                    connection.execute(sa.text("LOCK TABLE asset IN ROW EXCLUSIVE MODE"))
                    migrated = pool.submit(migrate, catalog, lock_timeout=SHORT, patience=PATIENCE)
                    wait_until(lambda: "others are at work" in caplog.text)
                assert migrated.result()[1] == "9001"

            gate.set()
            said, _ = old.communicate(timeout=60)
        begun_after = shelter("status", "--json", **place)

    assert said.endswith(f"{key} done 5 0\n")
    assert begun_after.code == 0, begun_after.errors
    assert begun_after.said["held_files"] == 5
    assert set(audit(catalog).values()) == {0}


@contextmanager
def a_worker(run_id: str, key: str, **settings: object) -> Iterator[subprocess.Popen[str]]:
    """A process at work on a batch, gone at the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "shelter_pipeline_tests.support.run_worker", run_id, key],
        env=environment(**settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            yield process
        finally:
            process.kill()
