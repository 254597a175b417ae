"""Bring a backup back into an empty database, and the catalog up to what the store holds now.

Nothing is ever overwritten: a database that holds anything is refused. What was rescued
since the backup is read from the store's manifests, so it is not fetched again; what
workers held when the backup was taken is free once its lease is over.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.migrate import knows
from shelter_pipeline.catalog.restoring import analyze_rebuilt
from shelter_pipeline.catalog.standing import Standing, leap_numbers, standing
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.database import DatabaseUrls, open_catalog
from shelter_pipeline.embedded.dumping import restore
from shelter_pipeline.operations.backup_folder import CATALOG, DAGSTER, BackupRecord, read_backup
from shelter_pipeline.operations.open_store import find_store
from shelter_pipeline.operations.rebuild_catalog import Progress, rebuild_catalog
from shelter_pipeline.operations.workplace import open_workplace, prepare_catalog
from shelter_pipeline.settings import Settings

RESTORED, KEPT, FRESH = "restored", "kept", "fresh"


@dataclass(frozen=True, slots=True)
class Plan:
    """A backup that was read to its end, and this release can work with."""

    folder: Path
    record: BackupRecord


def plan_restore(folder: Path) -> Plan:
    """Read the whole backup, before any server is started. Raises SetupError when it cannot be used."""
    record = read_backup(folder)
    if not knows(record.revision):
        raise SetupError(
            f"the backup is of revision {record.revision}, which this Shelter does not know: it was made by"
            f" release {record.release}; upgrade Shelter"
        )
    return Plan(folder, record)


def restore_backup(
    settings: Settings,
    urls: DatabaseUrls,
    plan: Plan,
    *,
    dagster: bool = True,
    catch_up: bool = True,
    jobs: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Restore, migrate, and with `catch_up` take in what the store holds beyond the backup.

    Returns `{backup, taken_at, revision, dagster, seconds, store}`; `dagster` is "restored", "kept" where its
    database was not empty, or "fresh", and `store` what `rebuild_catalog` returns, or None.
    Raises SetupError when the catalog's database is not empty or its server too old.
    """
    began = time.monotonic()
    if catch_up:
        find_store(None, settings)  # before anything is written
    with closing(Catalog(urls.catalog)) as catalog:
        _refuse_full(catalog.place, standing(catalog), plan.record)
        restore(urls.catalog, plan.folder / CATALOG, jobs=jobs)
    became = _restore_dagster(urls.dagster, plan, jobs) if dagster else FRESH
    begun = begin_anew(settings, catch_up=catch_up, progress=progress)
    return {
        "backup": str(plan.folder),
        "taken_at": plan.record.taken_at,
        "dagster": became,
        **begun,
        "seconds": round(time.monotonic() - began, 3),
    }


def begin_anew(
    settings: Settings, *, catch_up: bool = True, progress: Progress | None = None
) -> dict[str, Any]:
    """Make a catalog that came back from an earlier moment, by whatever means, fit to go on.

    It is migrated, gives out no number that it may have given out since, and with `catch_up` takes in what the
    store holds. Returns `{revision, seconds, store}`, as `restore_backup`.
    """
    began = time.monotonic()
    with open_catalog(settings) as url, closing(Catalog(url)) as catalog:
        leap_numbers(
            catalog
        )  # before anything that may fail: whoever goes on from there must not repeat a number
        prepare_catalog(catalog, settings, asked=True)
    with open_workplace(settings) as workplace:
        analyze_rebuilt(workplace.catalog)
        caught_up = None
        if catch_up:
            store, threads = find_store(None, settings)
            caught_up = rebuild_catalog(workplace, store, threads=threads, progress=progress)
        revision = standing(workplace.catalog).revision
    return {
        "revision": revision,
        "seconds": round(time.monotonic() - began, 3),
        "store": caught_up,
    }


def _refuse_full(place: str, found: Standing, record: BackupRecord) -> None:
    if found.tables:
        raise SetupError(
            f"the database {place} is not empty, and nothing is ever overwritten: make an empty database and name"
            " it in SHELTER_DATABASE_URL, or set SHELTER_HOME to a new folder"
        )
    if found.server_major < record.postgres:
        raise SetupError(
            f"the backup is of PostgreSQL {record.postgres} and the server is PostgreSQL {found.server_major};"
            " restore it into a server that is as new"
        )


def _restore_dagster(url: str, plan: Plan, jobs: int) -> str:
    if not plan.record.holds(DAGSTER):
        return FRESH
    with closing(Catalog(url)) as database:
        if standing(database).tables:
            return KEPT  # its runs are later than the backup's
    restore(url, plan.folder / DAGSTER, jobs=jobs)
    return RESTORED
