"""The two databases: whether they answer, are of this release, take our writes, and keep what they are given."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shelter_pipeline.catalog.condition import engine_condition, glance, server_condition
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.migrate import SchemaStanding, schema_standing
from shelter_pipeline.domain.errors import CatalogAwayError
from shelter_pipeline.domain.findings import Finding, failed, ok, skipped, warning
from shelter_pipeline.embedded.database import DAGSTER_DRIVER, named_urls
from shelter_pipeline.operations.doctor.clock import clock_finding
from shelter_pipeline.settings import Settings

NOT_RUNNING = "the embedded PostgreSQL of this home does not run"
START_IT = "`shelter up` starts it, with all the rest; or set SHELTER_DATABASE_URL."
_CATALOG, _DAGSTER = "catalog", "dagster database"
_OLDEST = 150_000  # PostgreSQL 15: unique constraints that know NULLs as equal
_FEW_CONNECTIONS = 10
_NEARLY_ALL = 0.8
_REACH = (
    "Check that the server runs, that this machine may reach it, and that user, password and database in"
    " SHELTER_DATABASE_URL are right."
)


@contextmanager
def current_catalog(settings: Settings) -> Iterator[Catalog | str]:
    """The catalog, for checks that need its tables; or a sentence that says why they cannot look."""
    urls = named_urls(settings)
    if urls is None:
        yield NOT_RUNNING
        return
    with glance(urls.catalog) as catalog:
        try:
            standing = schema_standing(catalog)
        except CatalogAwayError:
            yield "the catalog does not answer"
            return
        yield catalog if standing.is_current else "the catalog's schema is not of this release"


def check_catalog(settings: Settings) -> Iterator[Finding]:
    """The catalog's server, our role on it, its schema, and its clock."""
    urls = named_urls(settings)
    if urls is None:
        yield skipped(_CATALOG, NOT_RUNNING, START_IT)
        return
    with glance(urls.catalog) as catalog:
        before = time.time()
        try:
            found = server_condition(catalog)
            ours = (before + time.time()) / 2
            standing = schema_standing(catalog)
        except CatalogAwayError as error:
            yield failed(_CATALOG, str(error), _REACH)
            return
        yield _version(catalog, found)
        yield from _use(found)
        yield from _durability(found)
        yield _schema(standing)
        yield from _role(found)
        yield clock_finding(f"the database {catalog.place}", ours - found["clock"])


def check_dagster_database(settings: Settings) -> Iterator[Finding]:
    """Dagster's own database: its driver, and whether an event could be written."""
    given = settings.dagster_database_url
    if given is not None and not given.get_secret_value().startswith(f"{DAGSTER_DRIVER}://"):
        yield warning(
            _DAGSTER,
            "SHELTER_DAGSTER_DATABASE_URL does not spell out its driver: a Dagster that is started by hand loads and"
            " then writes no event",
            f"Begin it with {DAGSTER_DRIVER}://",
        )
    urls = named_urls(settings)
    if urls is None:
        yield skipped(_DAGSTER, NOT_RUNNING)
        return
    with glance(urls.dagster) as database:
        try:
            found = engine_condition(database)
        except CatalogAwayError as error:
            missing = "does not exist" in str(error)
            yield failed(
                _DAGSTER,
                str(error).replace("the catalog at", "Dagster's database at"),
                "`shelter migrate` makes it, where the role may." if missing else _REACH,
            )
            return
        if not found["has_tables"]:
            yield warning(
                _DAGSTER,
                f"{database.place} holds no tables of Dagster yet",
                "They are made when Dagster starts there for the first time.",
            )
        elif not found["may_write"]:
            yield failed(
                _DAGSTER, f"our role may not write to {database.place}", "Give it the rights of the owner."
            )
        else:
            yield ok(_DAGSTER, f"{database.place} holds Dagster's tables, and events can be written")


def _version(catalog: Catalog, found: dict[str, Any]) -> Finding:
    message = f"PostgreSQL {found['version']} at {catalog.place}, {found['bytes'] / 1e6:,.0f} MB"
    if found["version_number"] < _OLDEST:
        return failed(_CATALOG, message, "Use PostgreSQL 15 or later.")
    if found["encoding"] != "UTF8":
        return failed(
            _CATALOG, f"{message}, in {found['encoding']}", "Make the database anew with ENCODING 'UTF8'."
        )
    return ok(_CATALOG, message)


def _use(found: dict[str, Any]) -> Iterator[Finding]:
    most, used = found["most_connections"], found["connections"]
    message = f"{used} of {most} connections are in use"
    if most - used < _FEW_CONNECTIONS or used > _NEARLY_ALL * most:
        yield warning(
            _CATALOG,
            message,
            "Raise max_connections: each run, worker and page of Dagster holds some, a run ten at most.",
        )
    else:
        yield ok(_CATALOG, message)
    if found["time_zone"].upper() not in ("UTC", "ETC/UTC", "GMT"):
        yield ok(_CATALOG, f"its time zone is {found['time_zone']}; moments are kept with their zone")


def _durability(found: dict[str, Any]) -> Iterator[Finding]:
    if not found["durable"]:
        yield failed(
            _CATALOG,
            "fsync, full_page_writes or synchronous_commit is off: a power cut loses what was said to be saved",
            "Switch all three on.",
        )


def _schema(standing: SchemaStanding) -> Finding:
    revision, newest = standing.revision, standing.newest
    if revision is None:
        return warning(_CATALOG, "there is no schema yet", "`shelter migrate` makes it.")
    if standing.lets_go_on:
        return warning(
            _CATALOG,
            f"its schema is {revision}, of a newer release, which lets this one ({newest}) go on",
            "Upgrade Shelter on this machine soon.",
        )
    if not standing.known:
        return failed(
            _CATALOG,
            f"its schema is {revision}, which this release ({newest}) does not know: it is of a newer one",
            "Upgrade Shelter on this machine.",
        )
    if revision != newest:
        return failed(
            _CATALOG, f"its schema is {revision}, and this release needs {newest}", "Run `shelter migrate`."
        )
    return ok(_CATALOG, f"its schema {revision} is that of this release")


def _role(found: dict[str, Any]) -> Iterator[Finding]:
    if found["read_only"]:
        yield failed(
            _CATALOG, "it takes no writes: a standby, or set to read-only", "Name the primary server."
        )
    elif found["may_write"] is False:
        yield failed(_CATALOG, f"the role {found['role']} may not write", "Give it the rights of the owner.")
    elif not found["may_migrate"]:
        yield warning(
            _CATALOG,
            f"the role {found['role']} may write and may not make tables",
            "Run `shelter migrate` as the owner at each upgrade.",
        )
    else:
        yield ok(_CATALOG, f"the role {found['role']} may write and migrate")
