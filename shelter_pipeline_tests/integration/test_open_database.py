"""What opening the databases promises, on the embedded server and on one that is given."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.embedded.database import open_database, with_driver
from shelter_pipeline.settings import Settings, load_settings
from shelter_pipeline_tests.support.postgres import PostgresForTests, reachable_folder

SECRET = "correct horse%2Fbattery"


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as path:
        yield path


def given(url: str, **more: str) -> Settings:
    return load_settings(database_url=SecretStr(url), **more)


def name_of(url: str) -> str:
    _, _, rest = url.partition("://")
    with psycopg.connect(f"postgresql://{rest}") as connection:
        return connection.info.dbname


def test_without_a_setting_both_databases_are_on_the_embedded_server(folder: Path) -> None:
    with open_database(load_settings(home=folder / "home")) as urls:
        names = name_of(urls.catalog), name_of(urls.dagster)

    assert names == ("shelter", "shelter_dagster")
    assert urls.catalog.startswith("postgresql+psycopg://")
    assert urls.dagster.startswith("postgresql+psycopg2://")
    with pytest.raises(psycopg.OperationalError):
        name_of(urls.catalog)


def test_the_urls_of_databases_are_not_shown_by_accident(folder: Path) -> None:
    with open_database(load_settings(home=folder / "home")) as urls:
        assert "postgresql" not in repr(urls)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_a_given_server_is_used_whatever_driver_its_url_names(
    postgres: PostgresForTests, database_url: str, scheme: str
) -> None:
    with open_database(given(f"{scheme}://{database_url.partition('://')[2]}")) as urls:
        catalog, dagster = name_of(urls.catalog), name_of(urls.dagster)

    postgres.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(dagster)))
    assert dagster == f"{catalog}_dagster"
    assert urls.catalog == database_url
    assert urls.dagster.startswith("postgresql+psycopg2://")


def test_a_database_given_for_dagster_is_used(postgres: PostgresForTests, database_url: str) -> None:
    with (
        postgres.fresh_database() as other,
        open_database(given(database_url, dagster_database_url=other)) as urls,
    ):
        dagster = urls.dagster

    assert dagster == other.replace("+psycopg:", "+psycopg2:")


def test_an_account_that_may_make_no_database_is_told_what_to_run(
    postgres: PostgresForTests, database_url: str
) -> None:
    postgres.execute(sql.SQL("CREATE ROLE humble LOGIN"))
    try:
        with (
            pytest.raises(SetupError, match=r'CREATE DATABASE "test_\d+_dagster" OWNER "humble"'),
            open_database(given(database_url.replace("//postgres:@", "//humble@"))),
        ):
            pass
    finally:
        postgres.execute(sql.SQL("DROP ROLE humble"))


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, and nobody listens
        port = unused.getsockname()[1]
        with (
            pytest.raises(SetupError) as caught,
            open_database(given(f"postgresql://someone:{quote(SECRET)}@127.0.0.1:{port}/shelter")),
        ):
            pass

    assert f"SHELTER_DATABASE_URL: database 'shelter' on 127.0.0.1:{port}" in str(caught.value)
    assert "check that the server runs" in str(caught.value)
    assert "horse" not in str(caught.value)


def test_a_database_that_does_not_exist_is_named(database_url: str) -> None:
    missing = database_url.replace("/test_", "/no_such_", 1)

    with (
        pytest.raises(SetupError, match=r"database 'no_such_\d+' .*does not exist"),
        open_database(given(missing)),
    ):
        pass


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://root@localhost/shelter", "scheme 'mysql' is not PostgreSQL's"),
        ("shelter.db", "scheme '' is not PostgreSQL's"),
        (f"postgresql://someone:{SECRET}@host:port/shelter", "not a URL that can be read"),
        (f"postgresql://someone:{SECRET}@host", "names no database"),
        (f"postgresql://someone:{SECRET}@host/", "names no database"),
        (f"postgresql://someone:{SECRET}@[::1/shelter", "not a URL that can be read"),
        (f"postgresql://someone:{SECRET}@localhost/shelter?no_such=1", "not a URL that PostgreSQL can read"),
    ],
)
def test_a_url_that_cannot_be_used_is_explained_without_being_shown(url: str, problem: str) -> None:
    with pytest.raises(SetupError, match=problem) as caught, open_database(given(url)):
        pass

    assert str(caught.value).startswith("SHELTER_DATABASE_URL: ")
    assert "horse" not in str(caught.value)


def test_a_change_of_driver_changes_nothing_else() -> None:
    url = "postgresql://u:p%40ss@host:5433/da%20ta?sslmode=require&host=/run/a%20b"

    assert with_driver(url, "postgresql+psycopg2", setting="X") == url.replace(
        "postgresql", "postgresql+psycopg2", 1
    )
