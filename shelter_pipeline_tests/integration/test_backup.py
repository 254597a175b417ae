"""A backup of any moment and the store of any later one are a whole catalog, and nothing is overwritten on the way."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from shelter_pipeline.catalog.audit import audit
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.migrate import _configuration, check_migrated
from shelter_pipeline.catalog.standing import era
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.records import OrganizationRecord
from shelter_pipeline.embedded.binaries import find_binaries
from shelter_pipeline.embedded.database import DatabaseUrls
from shelter_pipeline.embedded.dumping import _Tools, dump, restore
from shelter_pipeline.operations.back_up import back_up
from shelter_pipeline.operations.ledger import add_portal, reap_lost_work
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.rescue_batch import rescue_batch
from shelter_pipeline.operations.restore_backup import plan_restore, restore_backup
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.fault_server import FaultServer, Step, whole
from shelter_pipeline_tests.support.postgres import PostgresForTests
from shelter_pipeline_tests.support.rebuilding import count, rows
from shelter_pipeline_tests.support.records import a_dataset, a_resource, discovered, harvested
from shelter_pipeline_tests.support.shelter_process import shelter
from shelter_pipeline_tests.support.workplaces import a_workplace, settings_for

FILES, FREE = 30, 10  # of each organization; those that do not wait for a gate


@pytest.fixture
def small(catalog_url: str, tmp_path: Path) -> Path:
    """A backup of a catalog with one portal in it."""
    with a_workplace(catalog_url, tmp_path / "store") as workplace:
        add_portal(workplace, "ckan:https://p.example", slug="kept")
        workplace.store.prepare()
        return backed_up(workplace, tmp_path / "backups")


def urls_of(url: str, dagster: str | None = None) -> DatabaseUrls:
    return DatabaseUrls(url, dagster or url)


def backed_up(workplace: Workplace, folder: Path, dagster: str | None = None) -> Path:
    url = workplace.catalog.url.render_as_string(hide_password=False)
    report = back_up(workplace.settings, urls_of(url, dagster), folder, dagster=dagster is not None)
    return Path(report["backup"])


def restored(url: str, backup: Path, store: Path, **how: Any) -> dict[str, Any]:
    return restore_backup(settings_for(url, store), urls_of(url), plan_restore(backup), dagster=False, **how)


@contextmanager
def at_work(rescue: Callable[[], None], gate: threading.Event) -> Iterator[None]:
    """The block while `rescue` goes on; it ends after the gate was opened."""
    thread = threading.Thread(target=rescue)
    thread.start()
    try:
        yield
    finally:
        gate.set()
        thread.join()


def test_a_backup_from_the_middle_of_a_rescue_and_the_store_of_its_end_are_all_that_was_rescued(
    catalog_url: str, database_url: str, tmp_path: Path
) -> None:
    """A batch is at work when the catalog is dumped, another begins and ends later, and then the database is lost."""
    store = tmp_path / "store"
    how = {"lease_seconds": 1, "robots": "ignore", "host_connections": 100, "fetch_connections": 15}
    gate = threading.Event()
    with FaultServer() as server:
        with a_workplace(catalog_url, store, **how) as workplace:
            batches = [planned(workplace, server, name, gate) for name in ("epa-gov", "noaa-gov")]
            with at_work(lambda: rescue(workplace, batches[0], "first"), gate):
                wait_until(lambda: len(held(workplace)) == FREE)
                backup = backed_up(workplace, tmp_path / "backups")
            rescue(workplace, batches[1], "first")
            held_at_the_end, last_token = held(workplace), newest_token(workplace)
        report = restored(database_url, backup, store)

        with a_workplace(database_url, store, **how) as workplace:
            assert count(workplace, "claim", "state = 'held'") > 0  # as they were when it was backed up
            assert held(workplace) == held_at_the_end
            wait_until(lambda: reaped(workplace))
            for name in ("epa-gov", "noaa-gov"):
                for key in plan_again(workplace, name):
                    rescue(workplace, key, "second")

            assert len(held_at_the_end) == 2 * FILES
            assert report["store"]["captures"] == 2 * FILES - FREE
            assert (report["store"]["missing"], report["store"]["damaged"]) == ([], [])
            assert held(workplace) == held_at_the_end
            assert {server.requests(f"/{number}.csv") for number in range(2 * FILES)} == {1}

            # What is new gets numbers that the lost database never gave out.
            rescue(workplace, planned(workplace, server, "nasa-gov", gate), "third")
            assert newest_token(workplace) > last_token
            assert era(workplace.catalog) > 0
            assert set(audit(workplace.catalog).values()) == {0}


def test_a_backup_of_an_earlier_release_is_migrated_even_where_processes_do_not(
    database_url: str, tmp_path: Path
) -> None:
    """A restore that stopped half-way would leave numbers to be given out again."""
    (tmp_path / "store" / "blobs").mkdir(parents=True)
    settings = settings_for(database_url, tmp_path / "store", auto_migrate=False)
    with closing(Catalog(database_url)) as catalog:
        with catalog.begin() as connection:
            command.upgrade(_configuration(connection), "0012")
        report = back_up(settings, urls_of(database_url), tmp_path / "backups", dagster=False)
        with catalog.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")

        restored_to = restore_backup(
            settings, urls_of(database_url), plan_restore(Path(report["backup"])), dagster=False
        )

        assert report["revision"] == "0012"
        assert restored_to["revision"] == check_migrated(catalog)
        assert era(catalog) > 0


def test_a_restore_into_a_database_that_holds_anything_is_refused_and_changes_nothing(
    small: Path, catalog_url: str, tmp_path: Path
) -> None:
    with pytest.raises(SetupError, match="is not empty, and nothing is ever overwritten"):
        restored(catalog_url, small, tmp_path / "store")

    with a_workplace(catalog_url, tmp_path / "store") as workplace:
        assert count(workplace, "portal", "slug = 'kept'") == 1


def test_a_database_that_came_back_by_its_own_means_is_made_fit_to_go_on(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    where = {"home": tmp_path / "home", "store": tmp_path / "store", "database_url": catalog_url}
    with FaultServer() as server, a_workplace(catalog_url, tmp_path / "store", robots="ignore") as workplace:
        rescue(workplace, planned(workplace, server, "epa-gov", opened()), "first")

    neither = shelter("restore", **where)
    ended = shelter("restore", "--in-place", "--json", **where, dagster_database_url=catalog_url)

    assert (neither.code, ended.code) == (2, 0)
    assert "name the backup with --from" in neither.errors
    assert ended.said["store"]["captures"] == 0
    assert era(catalog) > 0


def test_a_restore_that_fails_in_the_middle_leaves_the_database_empty(
    small: Path, database_url: str, tmp_path: Path
) -> None:
    cut = small / "catalog"
    largest = max(cut.glob("*.dat.gz"), key=lambda path: path.stat().st_size)
    facts = json.loads((small / "backup.json").read_text())
    largest.unlink()
    del facts["files"][f"catalog/{largest.name}"]
    (small / "backup.json").write_text(json.dumps(facts))  # as if the writer had never seen it

    with pytest.raises(SetupError, match="pg_restore did not succeed"):
        restored(database_url, small, tmp_path / "store")

    assert scalar(database_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda backup: (backup / "backup.json").unlink(), "is no backup"),
        (lambda backup: (backup / "backup.json").write_text("{"), "backup.json is damaged"),
        (
            lambda backup: (backup / "backup.json").write_text('{"format": 1}'),
            "not what `shelter backup` writes",
        ),
        (
            lambda backup: (backup / "catalog" / "toc.dat").write_bytes(b"rot"),
            "toc.dat is missing or damaged",
        ),
        (lambda backup: (backup / "catalog" / "toc.dat").unlink(), "toc.dat is missing or damaged"),
        (lambda backup: rewritten(backup, format=99), "written by a newer Shelter"),
        (lambda backup: rewritten(backup, revision="9999"), "which this Shelter does not know"),
        (shutil.rmtree, "is no backup"),
    ],
)
def test_a_backup_that_is_not_whole_is_named_before_anything_is_touched(
    small: Path, damage: Callable[[Path], object], said: str
) -> None:
    damage(small)

    with pytest.raises(SetupError, match=said):
        plan_restore(small)


def test_a_backup_that_fails_leaves_nothing_that_looks_like_one(
    catalog_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with a_workplace(catalog_url, tmp_path / "store") as workplace:
        monkeypatch.setattr("shelter_pipeline.operations.back_up.dump", full)
        with pytest.raises(SetupError, match="No space left"):
            backed_up(workplace, tmp_path / "backups")

    assert list((tmp_path / "backups").iterdir()) == []


def test_the_databases_come_back_by_two_commands_and_dagsters_only_where_it_is_empty(
    postgres: PostgresForTests, catalog_url: str, database_url: str, tmp_path: Path
) -> None:
    with postgres.fresh_database() as dagster, postgres.fresh_database() as dagster_anew:
        execute(dagster, "CREATE TABLE runs AS SELECT 7 AS run")
        with a_workplace(catalog_url, tmp_path / "store") as workplace:
            add_portal(workplace, "ckan:https://p.example", slug="kept")
        where = {"home": tmp_path / "home", "store": tmp_path / "store"}

        made = shelter(
            "backup", "--to", str(tmp_path / "b"), "--jobs", "2", "--json",
            database_url=catalog_url, dagster_database_url=dagster, **where,
        )  # fmt: skip
        back = shelter(
            "restore", "--from", made.said["backup"], "--no-catch-up", "--json",
            database_url=database_url, dagster_database_url=dagster_anew, **where,
        )  # fmt: skip
        assert scalar(dagster_anew, "SELECT run FROM runs") == 7

    assert (made.code, back.code) == (0, 0)
    assert (back.said["dagster"], back.said["store"]) == ("restored", None)
    assert Path(made.said["backup"]).stat().st_mode & 0o077 == 0
    assert scalar(database_url, "SELECT count(*) FROM portal WHERE slug = 'kept'") == 1


def test_a_password_is_in_no_argument_and_no_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "told"
    fake = tmp_path / "bin" / "pg_dump"
    fake.parent.mkdir()
    fake.write_text(
        f'#!/bin/sh\nif [ "$1" = --version ]; then echo "pg_dump (PostgreSQL) 18.0"; exit; fi\n'
        f'echo "$@" > {told}; echo "error: $PGPASSWORD is wrong" >&2; exit 1\n'
    )
    fake.chmod(0o755)
    shutil.copy(fake, fake.with_name("pg_restore"))
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")
    monkeypatch.setattr("shelter_pipeline.embedded.dumping.server_major", lambda _url: 18)

    with pytest.raises(SetupError, match=r"error: \*\*\* is wrong"):
        dump("postgresql+psycopg://me:s3cr%40t@h.example/shelter", tmp_path / "dump", jobs=1)

    assert "s3cr" not in told.read_text()
    assert "host=h.example" in told.read_text()


def test_what_it_needs_is_said_where_no_program_is_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shelter_pipeline.embedded.dumping.server_major", lambda _url: 99)

    with pytest.raises(SetupError, match="no pg_dump and pg_restore of that version"):
        dump("postgresql://h.example/shelter", tmp_path / "dump", jobs=1)


def planned(workplace: Workplace, server: FaultServer, organization: str, gate: threading.Event) -> str:
    """The batch of an organization that has so many files, most of them behind a gate."""

    def after_the_gate(body: bytes) -> Callable[[str], Sequence[Step]]:
        def answer(_head: str) -> Sequence[Step]:
            gate.wait(60)
            return whole(body)

        return answer

    first = FILES * ("epa-gov", "noaa-gov", "nasa-gov").index(organization)
    portal = add_portal(workplace, "datagov:https://portal.example")
    named = OrganizationRecord(organization, organization, None)
    records = []
    for number in range(first, first + FILES):
        body = b"a,b\n" + f"{number},2\n".encode() * 1000
        path, is_free = f"/{number}.csv", number - first < FREE
        url = (
            server.serves(path, *whole(body))
            if is_free
            else server.serves_in_turn(path, after_the_gate(body))
        )
        records.append(a_dataset(str(number), a_resource(url), organization=named))
    harvested(workplace.catalog, portal, records, verdict="partial")
    discovered(workplace.catalog, portal)
    (key,) = plan_organization(workplace, organization, urgent=False)["new"]
    return str(key)


def opened() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


def plan_again(workplace: Workplace, organization: str) -> list[str]:
    """The batches that are still to run, with what is wanted and was in none."""
    return list(plan_organization(workplace, organization, urgent=True)["open"])


def rescue(workplace: Workplace, key: str, run: str) -> None:
    rescue_batch(workplace, key, run_id=f"{run}-{key}")


def held(workplace: Workplace) -> set[tuple[str, str]]:
    """Every held file with its contents."""
    return {
        (url, digest) for url, digest in rows(workplace, "SELECT url, sha256 FROM asset WHERE state = 'held'")
    }


def newest_token(workplace: Workplace) -> int:
    return int(rows(workplace, "SELECT coalesce(max(token), 0) FROM claim")[0][0])


def reaped(workplace: Workplace) -> bool:
    reap_lost_work(workplace)
    return count(workplace, "claim", "state = 'held'") == 0


def wait_until(condition: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def scalar(url: str, query: str) -> Any:
    with closing(Catalog(url)) as catalog, catalog.begin() as connection:
        return connection.scalar(sa.text(query))


def execute(url: str, query: str) -> None:
    with closing(Catalog(url)) as catalog, catalog.begin() as connection:
        connection.execute(sa.text(query))


def rewritten(backup: Path, **changes: Any) -> None:
    record = json.loads((backup / "backup.json").read_text())
    (backup / "backup.json").write_text(json.dumps(record | changes))


def test_a_server_that_pg_restore_would_fail_on_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = _Tools(find_binaries().folder, 18)
    monkeypatch.setattr("shelter_pipeline.embedded.dumping.server_major", lambda _url: 15)
    monkeypatch.setattr("shelter_pipeline.embedded.dumping._installed", lambda: iter([tools]))

    with pytest.raises(SetupError, match="postgresql-client-15"):
        restore("postgresql://h.example/shelter", tmp_path, jobs=1)
