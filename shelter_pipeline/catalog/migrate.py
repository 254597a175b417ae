"""The schema is always one that was asked for: migrated under a lock, with time limits, or not at all.

Any number of processes may start at once: one migrates, the others wait for it and find
nothing left to do. All revisions of one call share one transaction, so a failed
migration leaves the schema as it was.
"""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files
from io import StringIO

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.domain.errors import SetupError, TransientError

_ADVISORY_LOCK = 0x5E17E12  # any constant of our own; it only has to be the same everywhere


def _configuration(connection: sa.Connection) -> Config:
    config = Config(stdout=StringIO())
    config.set_main_option("script_location", str(files("shelter_pipeline.catalog") / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migrate(
    catalog: Catalog,
    *,
    lock_timeout: timedelta = timedelta(seconds=10),
    statement_timeout: timedelta = timedelta(minutes=10),
) -> tuple[str | None, str]:
    """Bring the schema to the newest revision; returns the revisions before and after.

    Raises SetupError when the database is of a newer Shelter, or a migration could not
    get its locks in time; the schema is then unchanged.
    """
    try:
        with catalog.begin() as connection:
            # The usual case waits for nobody: there is nothing to do.
            newest = _newest(_configuration(connection))
            if _revision(connection) == newest:
                return newest, newest
        with catalog.begin() as connection:
            connection.execute(
                sa.text(
                    "SELECT set_config('lock_timeout', :lock, true), set_config('statement_timeout', :run, true)"
                ),
                {"lock": _milliseconds(lock_timeout), "run": _milliseconds(statement_timeout)},
            )
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
            config = _configuration(connection)
            before = _revision(connection)
            if before is not None and before not in _known(config):
                raise SetupError(
                    f"the database {catalog.place} is at revision {before}, which this Shelter does not know:"
                    " it was migrated by a newer version; upgrade Shelter"
                )
            if before != newest:
                command.upgrade(config, "head")
    except (sa.exc.DBAPIError, TransientError) as error:
        cause = str(getattr(error, "orig", error)).strip().splitlines()[0]
        raise SetupError(
            f"the database {catalog.place} is not migrated, nothing was changed: {cause}"
        ) from error
    return before, newest


def differences(catalog: Catalog) -> list[object]:
    """What the schema lacks of the metadata or has beyond it; empty when they are equal."""
    from alembic.autogenerate import compare_metadata

    from shelter_pipeline.catalog.schema import metadata

    with catalog.begin() as connection:
        return list(
            compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)
        )


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _newest(config: Config) -> str:
    return ScriptDirectory.from_config(config).get_current_head() or ""


def _known(config: Config) -> set[str]:
    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}


def _milliseconds(duration: timedelta) -> str:
    return str(int(duration.total_seconds() * 1000))
