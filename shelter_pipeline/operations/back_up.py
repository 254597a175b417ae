"""Back up the catalog, and Dagster's database beside it, while everything goes on.

The store needs no part in it: it only grows, and holds a file before any row says so. So a
dump of any moment agrees with the store of any later one, and what was rescued in between
is read from the store when the dump is restored.
"""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Any

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.standing import standing
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.database import DatabaseUrls
from shelter_pipeline.embedded.dumping import dump
from shelter_pipeline.operations.backup_folder import (
    CATALOG,
    DAGSTER,
    BackupRecord,
    new_backup,
    write_record,
)
from shelter_pipeline.operations.open_store import open_store
from shelter_pipeline.release import RELEASE
from shelter_pipeline.settings import Settings


def back_up(
    settings: Settings, urls: DatabaseUrls, folder: Path, *, dagster: bool = True, jobs: int = 1
) -> dict[str, Any]:
    """Write `folder/shelter-<time>/`, whole or not at all; returns `{backup, taken_at, revision, bytes, seconds}`.

    Raises SetupError when there is no catalog, when it was migrated meanwhile, and when the dump cannot be
    made or written.
    """
    began = time.monotonic()
    with closing(Catalog(urls.catalog)) as catalog:
        before = standing(catalog)
        if before.revision is None:
            raise SetupError(f"the database {catalog.place} holds no catalog; there is nothing to back up")
        name = f"shelter-{before.at:%Y%m%dT%H%M%SZ}"
        with new_backup(folder, name) as incomplete:
            dump(urls.catalog, incomplete / CATALOG, jobs=jobs)
            if dagster:
                dump(urls.dagster, incomplete / DAGSTER, jobs=jobs)
            if standing(catalog).revision != before.revision:
                raise SetupError("the catalog was migrated while it was backed up; run the backup again")
            record = write_record(
                incomplete,
                BackupRecord(
                    taken_at=before.at.isoformat(),
                    release=RELEASE,
                    revision=before.revision,
                    postgres=before.server_major,
                    store=open_store(None, settings).name,
                ),
            )
    return {
        "backup": str(folder / name),
        "taken_at": record.taken_at,
        "revision": record.revision,
        "bytes": record.bytes,
        "seconds": round(time.monotonic() - began, 3),
    }
