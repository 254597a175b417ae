"""The schema is the metadata, however many processes bring it there at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.migrate import differences, migrate
from shelter_pipeline.domain.errors import SetupError


def test_an_empty_database_migrated_equals_the_metadata(database_url: str) -> None:
    catalog = Catalog(database_url)

    before, after = migrate(catalog)

    assert before is None
    assert after
    assert differences(catalog) == []
    catalog.close()


def test_migrating_again_changes_nothing(database_url: str) -> None:
    catalog = Catalog(database_url)
    _, newest = migrate(catalog)

    assert migrate(catalog) == (newest, newest)
    catalog.close()


def test_eight_processes_may_migrate_at_once(database_url: str) -> None:
    catalogs = [Catalog(database_url) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(migrate, catalogs))

    assert sum(before is None for before, _ in results) == 1
    for catalog in catalogs:
        catalog.close()


def test_a_database_of_a_newer_version_is_left_alone_with_a_clear_sentence(database_url: str) -> None:
    catalog = Catalog(database_url)
    migrate(catalog)
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SetupError, match="revision 9999, which this Shelter does not know"):
        migrate(catalog)
    catalog.close()


def test_a_lock_that_is_not_given_in_time_ends_the_migration_and_changes_nothing(database_url: str) -> None:
    catalog, other = Catalog(database_url), Catalog(database_url)
    with other.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": 0x5E17E12})

        with pytest.raises(SetupError, match="nothing was changed"):
            migrate(catalog, lock_timeout=timedelta(milliseconds=200))

    assert migrate(catalog)[0] is None
    catalog.close()
    other.close()
