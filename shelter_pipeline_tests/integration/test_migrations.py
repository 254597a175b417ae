"""The schema is the metadata, however many processes bring it there at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.harvests import resumable_harvest
from shelter_pipeline.catalog.migrate import _configuration, check_migrated, differences, migrate
from shelter_pipeline.catalog.portals import list_portals
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline_tests.support.shelter_process import shelter
from shelter_pipeline_tests.support.workplaces import a_workplace

FIRST_VERSION = (
    "INSERT INTO portal (slug, kind, url) VALUES ('p', 'ckan', 'https://p.example')",
    "INSERT INTO organization (portal_id, slug, key, name) SELECT id, 'epa', 'epa', 'EPA' FROM portal",
    (
        "INSERT INTO harvest (portal_id, verdict, cursor, started_at, finished_at) SELECT id, 'partial', '100',"
        " now() - interval '1 year', now() - interval '1 year' FROM portal"
    ),
    (
        "INSERT INTO dataset (portal_id, organization_id, identifier, slug, title, popularity, raw, record_hash)"
        " SELECT portal_id, id, 'a', 'a', 'A', 42, '{}', sha256('') FROM organization"
    ),
    "INSERT INTO sighting (dataset_id, harvest_id) SELECT dataset.id, harvest.id FROM dataset, harvest",
    (
        "INSERT INTO loss (portal_id, dataset_id, kind, harvest_id, suspected_at)"
        " SELECT dataset.portal_id, dataset.id, 'delisted', harvest.id, harvest.finished_at FROM dataset, harvest"
    ),
)


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
    become(catalog, revision="9999", code_since="9998")

    with pytest.raises(SetupError, match="revision 9999, which this Shelter does not know"):
        migrate(catalog)
    with pytest.raises(SetupError, match="revision 9999, which this Shelter does not know"):
        check_migrated(catalog)
    catalog.close()


def test_a_worker_of_the_release_before_goes_on_with_a_newer_schema_that_says_it_may(
    database_url: str, tmp_path: Path
) -> None:
    catalog = Catalog(database_url)
    _, newest = migrate(catalog)
    become(catalog, revision="9999", code_since=newest)

    assert migrate(catalog) == ("9999", "9999")
    assert check_migrated(catalog) == "9999"
    with a_workplace(database_url, tmp_path / "store") as workplace:
        assert add_portal(workplace, "ckan:https://p.example").slug
    catalog.close()


def test_where_only_shelter_migrate_migrates_a_newer_process_says_so_and_ends(
    database_url: str, tmp_path: Path
) -> None:
    catalog, by_hand = Catalog(database_url), {"auto_migrate": False}
    with (
        pytest.raises(
            SetupError, match=r"at revision none and this Shelter needs \d+: run `shelter migrate`"
        ),
        a_workplace(database_url, tmp_path / "store", **by_hand),
    ):
        pytest.fail("it worked without a schema")
    with catalog.begin() as connection:
        command.upgrade(_configuration(connection), "0012")

    refused = shelter(
        "status", database_url=database_url, home=tmp_path / "home", store=tmp_path / "store", **by_hand
    )
    migrated = shelter(
        "migrate",
        database_url=database_url,
        dagster_database_url=database_url,
        home=tmp_path / "home",
        store=tmp_path / "store",
        **by_hand,
    )

    assert (refused.code, migrated.code) == (2, 0)
    assert "at revision 0012 and this Shelter needs" in " ".join(refused.errors.split())
    assert "Traceback" not in refused.errors
    with a_workplace(database_url, tmp_path / "store", **by_hand):
        pass
    catalog.close()


def become(catalog: Catalog, *, revision: str, code_since: str) -> None:
    """Stand as a newer release would leave the schema."""
    with catalog.begin() as connection:
        connection.execute(
            sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision}
        )
        connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS 'code since {code_since}'")


def test_a_lock_that_is_not_given_in_time_ends_the_migration_and_changes_nothing(database_url: str) -> None:
    catalog, other = Catalog(database_url), Catalog(database_url)
    with other.begin() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": 0x5E17E12})

        with pytest.raises(SetupError, match="nothing was changed"):
            migrate(catalog, lock_timeout=timedelta(milliseconds=200))

    assert migrate(catalog)[0] is None
    catalog.close()
    other.close()


def test_the_data_of_an_earlier_version_is_kept_with_its_own_dates(database_url: str) -> None:
    catalog = Catalog(database_url)
    with catalog.begin() as connection:
        command.upgrade(_configuration(connection), "0001")
        for statement in FIRST_VERSION:
            connection.exec_driver_sql(statement)

    assert migrate(catalog)[0] == "0001"

    with catalog.begin() as connection:
        portal_id = connection.scalar(sa.text("SELECT id FROM portal"))
        kept = connection.execute(
            sa.text(
                "SELECT sighting.popularity, loss.state, loss.misses, loss.last_missed_at = loss.suspected_at,"
                " harvest.touched_at = harvest.finished_at"
                " FROM dataset JOIN sighting ON sighting.dataset_id = dataset.id"
                " JOIN loss ON loss.dataset_id = dataset.id JOIN harvest ON harvest.id = loss.harvest_id"
            )
        ).one()
    assert tuple(kept) == (42, "suspected", 1, True, True)
    # What was broken off last year is not gone on with.
    portal = next(row for row in list_portals(catalog) if row.id == portal_id)
    assert resumable_harvest(catalog, portal, resume_hours=48) is None
    catalog.close()
