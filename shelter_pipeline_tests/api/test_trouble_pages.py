"""What people are told where a page cannot be had: the catalog is away, is being migrated, or is of another release."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.migrate import _ADVISORY_LOCK
from shelter_pipeline_tests.support.api import ApiUnderTest

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
LOCK = sa.text("SELECT pg_advisory_xact_lock(:lock)").bindparams(lock=_ADVISORY_LOCK)


def words_of(api: ApiUnderTest, path: str, *, status: int) -> str:
    answer = api.get(path, headers=HTML)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert "Traceback" not in answer.text
    assert "style=" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    return answer.text


def reason_of(api: ApiUnderTest, path: str) -> tuple[int, str]:
    answer = api.get(path)
    return answer.status_code, answer.json()["error"]


def test_a_server_that_is_away_is_a_page_that_asks_again_by_itself(
    api: ApiUnderTest, catalog_url: str
) -> None:
    with closed(catalog_url):
        said = words_of(api, "/browse/datasets/1", status=503)

        assert "The catalog does not answer" in said
        assert '<meta http-equiv="refresh" content="10">' in said
        assert "What is rescued is safe" in said
        assert reason_of(api, "/datasets/1") == (503, "catalog-away")

    assert reason_of(api, "/datasets/1") == (404, "not-found")


@contextmanager
def closed(catalog_url: str) -> Iterator[None]:
    """Nobody is let into this database, and whoever is there is sent away."""
    url = sa.make_url(catalog_url)
    engine = sa.create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as server:
        server.execute(sa.text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false"))
        server.execute(
            sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
            {"name": url.database},
        )
        yield
        server.execute(sa.text(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true"))
    engine.dispose()


def test_a_table_that_is_not_there_yet_is_told_from_one_that_an_operator_has_to_make(
    api: ApiUnderTest, catalog_url: str
) -> None:
    engine = sa.create_engine(catalog_url)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE dataset RENAME TO dataset_of_old"))
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))

    assert reason_of(api, "/datasets") == (503, "catalog-outdated")
    said = words_of(api, "/browse/datasets", status=503)
    assert "shelter migrate" in said
    assert "dataset_of_old" not in said

    with engine.begin() as migration:
        migration.execute(LOCK)
        assert "is being brought up to date" in words_of_soon(api, "/browse/datasets/1")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(sa.text("COMMENT ON TABLE alembic_version IS 'code since 9999'"))
    assert "newer release" in words_of_soon(api, "/browse/datasets/1", unlike="is being brought")

    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE dataset_of_old RENAME TO dataset"))
    assert reason_of(api, "/datasets/1") == (404, "not-found")
    engine.dispose()


def test_what_is_missing_from_a_catalog_of_this_release_is_logged_as_an_error(
    api: ApiUnderTest, catalog_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = sa.create_engine(catalog_url)
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE dataset RENAME TO dataset_of_old"))

    assert reason_of(api, "/datasets") == (503, "catalog-mismatch")
    assert "an operator has to look into the log" in words_of(api, "/browse/datasets", status=503)
    [first, *_] = [one for one in caplog.records if one.levelname == "ERROR"]
    assert 'relation "dataset" does not exist' in first.getMessage()
    assert first.exc_info

    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE dataset_of_old RENAME TO dataset"))
    engine.dispose()


def words_of_soon(api: ApiUnderTest, path: str, *, unlike: str = "shelter migrate") -> str:
    """What is said once the last answer is not remembered any more."""
    until = time.monotonic() + 20
    while unlike in (said := words_of(api, path, status=503)) and time.monotonic() < until:
        time.sleep(0.05)
    return said


def test_a_migration_that_holds_a_table_is_waited_for_a_little_and_then_named(
    api: ApiUnderTest, catalog: Catalog
) -> None:
    with catalog.begin() as migration:
        migration.execute(LOCK)
        migration.execute(sa.text("LOCK TABLE dataset IN ACCESS EXCLUSIVE MODE"))

        assert reason_of(api, "/datasets") == (503, "catalog-migrating")
        assert "The catalog is being brought up to date" in words_of(api, "/browse/datasets/1", status=503)

    assert reason_of(api, "/datasets/1") == (404, "not-found")


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/browse/datasets/7", 404, "no dataset 7"),
        ("/browse/datasets/123456789012345678901234567890", 404, "nothing at this path"),
        ("/browse/datasets/%00", 404, "nothing at this path"),
        ("/browse/datasets/rain", 404, "nothing at this path"),
        ("/browse/datasets/7/versions/1", 404, "no dataset 7"),
        ("/browse/files/7", 404, "no file 7"),
        ("/browse/files/-1", 404, "nothing at this path"),
        ("/browse/datasets?q=" + "a" * 10_000, 422, "500 characters"),
        ("/browse/datasets?q=%00", 422, "NUL"),
        ("/browse/datasets?after=ra%00in", 404, "not there any more"),
        ("/browse/datasets?q=rain&after=" + "A" * 40, 404, "not there any more"),
        ("/browse/datasets?organization=nobody", 404, "no organization"),
        ("/browse/datasets?state=%3Cscript%3E", 422, "listed"),
        ("/browse/nothing", 404, "nothing at this path"),
    ],
)
def test_a_page_that_cannot_be_had_says_what_was_wrong(
    api: ApiUnderTest, path: str, status: int, word: str
) -> None:
    said = words_of(api, path, status=status)

    assert word in said.replace("&#39;", "'")
    assert "<script>" not in said
    assert "refresh" not in said
