"""The schema is always one that was asked for: migrated under a lock, with time limits, or not at all.

Any number of processes may start at once: one migrates, the others wait for it and find
nothing left to do. All revisions of one call share one transaction, so a failed
migration leaves the schema as it was.

Workers go on meanwhile. A migration waits for their locks briefly, because all others wait
behind it, gives up, and tries again later. A worker of an earlier release then meets a
schema that it does not know, and goes on if the schema says that it may: the database
carries the oldest revision whose code still works with it.
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from io import StringIO

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from shelter_pipeline.catalog.connection import Catalog, statement
from shelter_pipeline.domain.errors import SetupError, TransientError

_log = logging.getLogger(__name__)

_ADVISORY_LOCK = 0x5E17E12  # any constant of our own; it only has to be the same everywhere
# The oldest revision whose code works with the newest schema. A migration that takes away, renames or narrows what
# the release before it uses has to raise this, and then workers of that release must be ended before it.
CODE_SINCE = "0013"
_MARK = "code since "
_BUSY = frozenset({"55P03", "40P01"})  # a lock not given in time, a deadlock: others were at work
_LONGEST_PAUSE_SECONDS = 15.0
_TOOK_TOO_LONG = frozenset({"55P03", "57014"})  # a lock not given in time, a statement cancelled for its time


def _scripts() -> Config:
    config = Config(stdout=StringIO())
    config.set_main_option("script_location", str(files("shelter_pipeline.catalog") / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _configuration(connection: sa.Connection) -> Config:
    config = _scripts()
    config.attributes["connection"] = connection
    return config


def migrate(
    catalog: Catalog,
    *,
    lock_timeout: timedelta = timedelta(seconds=10),
    statement_timeout: timedelta = timedelta(minutes=10),
    patience: timedelta = timedelta(0),
) -> tuple[str | None, str]:
    """Bring the schema to the newest revision; returns the revisions before and after.

    Where locks are not given in `lock_timeout` it tries again, for as long as `patience`. A schema of a newer
    release that this code may work with stays as it is. Raises SetupError when it may not, and when a migration
    did not succeed; the schema is then unchanged.
    """
    until = time.monotonic() + patience.total_seconds()
    pause = 0.5
    while True:
        try:
            return _migrate(catalog, lock_timeout, statement_timeout)
        except (sa.exc.DBAPIError, TransientError) as error:
            cause = _cause(error)
            if _sqlstate(error) not in _BUSY or time.monotonic() > until:
                raise SetupError(
                    f"the database {catalog.place} is not migrated, nothing was changed: {cause}"
                ) from error
            _log.warning("the migration of %s waits, others are at work: %s", catalog.place, cause)
            time.sleep(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def check_migrated(catalog: Catalog) -> str:
    """The schema's revision, if this code works with it as it is. Raises SetupError saying what to run."""
    with catalog.begin() as connection:
        config = _configuration(connection)
        found, newest = _revision(connection), _newest(config)
        if found == newest or _is_newer(connection, catalog, config, found):
            return found or newest
    raise SetupError(
        f"the database {catalog.place} is at revision {found or 'none'} and this Shelter needs {newest}:"
        " run `shelter migrate`"
    )


def knows(revision: str) -> bool:
    """Whether this code knows how to bring a schema of this revision up to date."""
    return revision in _known(_scripts())


def _migrate(
    catalog: Catalog, lock_timeout: timedelta, statement_timeout: timedelta
) -> tuple[str | None, str]:
    with catalog.begin() as connection:
        # The usual cases wait for nobody: there is nothing to do.
        config = _configuration(connection)
        found, newest = _revision(connection), _newest(config)
        if found is not None and (found == newest or _is_newer(connection, catalog, config, found)):
            return found, found
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
        if before == newest or _is_newer(connection, catalog, config, before):
            return before, before or newest
        command.upgrade(config, "head")
        _log.info("the schema of %s goes from %s to %s", catalog.place, before or "none", newest)
        connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{_MARK}{CODE_SINCE}'")
    return before, newest


def _is_newer(connection: sa.Connection, catalog: Catalog, config: Config, found: str | None) -> bool:
    """Whether a newer release made the schema, and says that our code may go on with it. Raises SetupError if not."""
    known = _known(config)
    if found is None or found in known:
        return False
    if _lets_go_on(connection, known):
        return True
    raise SetupError(
        f"the database {catalog.place} is at revision {found}, which this Shelter does not know:"
        " it was migrated by a newer version; upgrade Shelter"
    )


def _lets_go_on(connection: sa.Connection, known: set[str]) -> bool:
    mark = connection.scalar(sa.text("SELECT obj_description('alembic_version'::regclass, 'pg_class')")) or ""
    return mark.startswith(_MARK) and mark.removeprefix(_MARK) in known


@dataclass(frozen=True, slots=True)
class SchemaStanding:
    """The revision of a database, None if it has none, and what this release makes of it."""

    revision: str | None
    newest: str
    known: bool
    lets_go_on: bool  # unknown, of a newer release, and this one may work with it

    @property
    def is_current(self) -> bool:
        """Whether this release can work with the database as it is."""
        return self.revision == self.newest or self.lets_go_on


def schema_standing(catalog: Catalog) -> SchemaStanding:
    """How the schema stands; nothing is changed and nobody waited for. Raises CatalogAwayError."""
    with catalog.begin() as connection:
        config, revision = _configuration(connection), _revision(connection)
        revisions = _known(config)
        known = revision is None or revision in revisions
        goes_on = not known and _lets_go_on(connection, revisions)
        return SchemaStanding(revision, _newest(config), known, goes_on)


def is_migrating(catalog: Catalog) -> bool:
    """Whether a migration is at work or waits for its turn, anywhere; nobody is waited for. Raises CatalogAwayError."""
    with catalog.begin() as connection:
        return bool(connection.scalar(statement("migration_runs"), {"lock": _ADVISORY_LOCK}))


def waited_in_vain(error: TransientError) -> bool:
    """Whether the catalog answered and something in it took too long, as where a migration holds a lock."""
    return _sqlstate(error) in _TOOK_TOO_LONG


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


def _driver_error(error: BaseException) -> BaseException:
    """What the driver said: the catalog wraps it, and so does SQLAlchemy."""
    wrapped = error.__cause__ if isinstance(error, TransientError) and error.__cause__ else error
    return getattr(wrapped, "orig", None) or wrapped


def _sqlstate(error: BaseException) -> str | None:
    return getattr(_driver_error(error), "sqlstate", None)


def _cause(error: BaseException) -> str:
    return (str(_driver_error(error)).strip().splitlines() or ["no answer"])[0]


def _milliseconds(duration: timedelta) -> str:
    return str(int(duration.total_seconds() * 1000))
