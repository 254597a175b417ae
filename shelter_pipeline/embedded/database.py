"""The two databases of Shelter, wherever they are: the catalog's and Dagster's.

Whoever needs them opens them here and gets URLs that have been tried. With
SHELTER_DATABASE_URL they are on that server; without it, on the embedded one, which is
started if nobody runs it and left running if somebody does. No message ever shows a
password.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.postgres import EmbeddedPostgres, create_database, running_url
from shelter_pipeline.settings import Settings

CATALOG_DRIVER = "postgresql+psycopg"
# Dagster notifies by a statement that psycopg 3 cannot bind: events would fail, reads would not.
DAGSTER_DRIVER = "postgresql+psycopg2"
CATALOG_DATABASE = "shelter"
_CONNECT_SECONDS = 10
_SCHEMES = frozenset({"postgres", "postgresql", CATALOG_DRIVER, DAGSTER_DRIVER})


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """SQLAlchemy URLs with their drivers spelled out; they may carry passwords, so they are not shown."""

    catalog: str = field(repr=False)
    dagster: str = field(repr=False)


@contextlib.contextmanager
def open_database(settings: Settings) -> Iterator[DatabaseUrls]:
    """Both databases, ready, for the length of a block. Raises SetupError saying what to change."""
    server = embedded_server(settings)
    if server is None:
        yield database_urls(settings, None)
        return
    with server:
        yield database_urls(settings, server)


@contextlib.contextmanager
def open_catalog(settings: Settings) -> Iterator[str]:
    """The catalog's database alone, as its URL, for the length of a block. Raises SetupError."""
    server = embedded_server(settings)
    if server is None:
        yield _catalog_url(settings, None)
        return
    with server:
        yield _catalog_url(settings, server)


def embedded_server(settings: Settings) -> EmbeddedPostgres | None:
    """The server of this home, not started; None if the settings name another one."""
    if settings.database_url is not None:
        return None
    return EmbeddedPostgres(
        settings.home_path,
        os_user=settings.postgres_os_user,
        start_timeout_seconds=settings.start_timeout_seconds,
    )


def database_urls(settings: Settings, server: EmbeddedPostgres | None) -> DatabaseUrls:
    """The URLs of both databases, made where they are missing and may be made. Raises SetupError."""
    catalog = _catalog_url(settings, server)
    if settings.dagster_database_url is not None:
        dagster = with_driver(
            settings.dagster_database_url.get_secret_value(),
            DAGSTER_DRIVER,
            setting="SHELTER_DAGSTER_DATABASE_URL",
        )
        _connect(dagster, setting="SHELTER_DAGSTER_DATABASE_URL").close()
        return DatabaseUrls(catalog, dagster)
    return DatabaseUrls(catalog, _beside(catalog))


def named_urls(settings: Settings) -> DatabaseUrls | None:
    """The URLs of both databases as they are named, not tried; nothing is started or made.

    None if they are on the embedded server and that does not run. Raises SetupError for a URL that cannot be read.
    """
    if settings.database_url is None:
        catalog = running_url(settings.home_path, CATALOG_DATABASE, CATALOG_DRIVER)
    else:
        given = settings.database_url.get_secret_value()
        catalog = with_driver(given, CATALOG_DRIVER, setting="SHELTER_DATABASE_URL")
    if catalog is None:
        return None
    if settings.dagster_database_url is None:
        return DatabaseUrls(catalog, _name_beside(catalog)[1])
    given = settings.dagster_database_url.get_secret_value()
    return DatabaseUrls(catalog, with_driver(given, DAGSTER_DRIVER, setting="SHELTER_DAGSTER_DATABASE_URL"))


def _catalog_url(settings: Settings, server: EmbeddedPostgres | None) -> str:
    if server is not None:
        server.ensure_database(CATALOG_DATABASE)
        return server.url(CATALOG_DATABASE, CATALOG_DRIVER)
    given = settings.database_url.get_secret_value() if settings.database_url else ""
    catalog = with_driver(given, CATALOG_DRIVER, setting="SHELTER_DATABASE_URL")
    _connect(catalog, setting="SHELTER_DATABASE_URL").close()
    return catalog


def with_driver(url: str, driver: str, *, setting: str) -> str:
    """The same URL with this driver. Raises SetupError naming the setting, never showing the URL."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise SetupError(f"{setting}: this is not a URL that can be read", reason="bad-setting") from None
    if parts.scheme not in _SCHEMES:
        raise SetupError(
            f"{setting}: the scheme {parts.scheme!r} is not PostgreSQL's; write postgresql://user@host/database",
            reason="bad-setting",
        )
    if not _database_of(parts.path):
        raise SetupError(f"{setting}: the URL names no database after the host", reason="bad-setting")
    # By hand: urlunsplit drops the slashes of a URL without a host.
    rest = urlunsplit(("", "", parts.path, parts.query, ""))
    return f"{driver}://{parts.netloc}{rest}"


def _database_of(path: str) -> str:
    return unquote(path.strip("/"))


def _beside(catalog: str) -> str:
    """The URL of Dagster's database on the catalog's server, made if it is missing."""
    name, dagster = _name_beside(catalog)
    with _connect(catalog, setting="SHELTER_DATABASE_URL") as connection:
        try:
            create_database(connection, name)
        except psycopg.errors.InsufficientPrivilege:
            user = connection.info.user
            raise SetupError(
                f"Dagster needs a database of its own and {user!r} may not make one: run"
                f' CREATE DATABASE "{name}" OWNER "{user}" as an administrator, or set'
                " SHELTER_DAGSTER_DATABASE_URL to one that exists"
            ) from None
    _connect(dagster, setting="SHELTER_DAGSTER_DATABASE_URL").close()
    return dagster


def _name_beside(catalog: str) -> tuple[str, str]:
    parts = urlsplit(catalog)
    name = f"{_database_of(parts.path)}_dagster"
    return name, f"{DAGSTER_DRIVER}://{parts.netloc}/{quote(name, safe='')}?{parts.query}".rstrip("?")


def _connect(url: str, *, setting: str) -> psycopg.Connection:
    _, separator, rest = url.partition("://")
    try:
        return psycopg.connect(
            f"postgresql{separator}{rest}", autocommit=True, connect_timeout=_CONNECT_SECONDS
        )
    except psycopg.OperationalError as error:
        raise SetupError(
            f"{setting}: {_place_of(url)} cannot be used: {_without_password(str(error), url)}; check that"
            " the server runs, that this machine may reach it, and that user, password and database are right"
        ) from None
    except psycopg.Error:  # what libpq says of a URL it cannot read may quote all of it
        raise SetupError(
            f"{setting}: this is not a URL that PostgreSQL can read", reason="bad-setting"
        ) from None


def _place_of(url: str) -> str:
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2] or "the local socket"
    return f"database {_database_of(parts.path)!r} on {where}"


def _without_password(message: str, url: str) -> str:
    first = message.strip().splitlines()[0] if message.strip() else "no answer"
    password = urlsplit(url).password
    for spelling in {password, unquote(password)} if password else ():
        first = first.replace(spelling, "***")
    return first.rstrip(".")
