"""A harvest that is killed anywhere, and started again, leaves the same catalog as an undisturbed one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.harvests import (
    end_harvest,
    open_harvest,
    record_group,
)
from shelter_pipeline.catalog.merge import GroupCounts
from shelter_pipeline.domain.errors import CatalogAwayError
from shelter_pipeline.domain.records import DatasetRecord, OrganizationRecord, Refusal
from shelter_pipeline_tests.support.catalogs import _migrated
from shelter_pipeline_tests.support.postgres import PostgresForTests
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource

NOAA = OrganizationRecord("noaa-gov", "NOAA")
Group = list[DatasetRecord | Refusal]


def scalar(catalog: Catalog, query: str) -> Any:
    with catalog.begin() as connection:
        return connection.scalar(sa.text(query))


def execute(catalog: Catalog, *statements: str) -> None:
    with catalog.begin() as connection:
        for one in statements:
            connection.exec_driver_sql(one)


def files(identifier: str, version: str = "") -> list[Any]:
    return [
        a_resource(f"https://x.example/{identifier}/{number}{version}.csv", key=f"r{number}", position=number)
        for number in range(3)
    ]


FIRST: list[Group] = [
    [a_dataset(str(number), *files(str(number)), popularity=number) for number in range(10)],
    [a_dataset(str(number), *files(str(number)), organization=NOAA) for number in range(10, 20)],
]
SECOND: list[Group] = [
    [
        *(a_dataset(str(number), *files(str(number)), popularity=number + 1) for number in range(4)),
        *(a_dataset(str(number), *files(str(number), "v2")[:2], title="Changed") for number in range(4, 8)),
        Refusal(8, "title", "is missing", "broken", "{}"),
    ],
    [
        a_dataset("7", *files("7")),
        *(a_dataset(str(number), *files(str(number))) for number in range(10, 14)),
        *(a_dataset(str(number), *files(str(number))) for number in range(30, 36)),
    ],
]

CONTENTS = (
    "SELECT to_jsonb(portal) - 'added_at' FROM portal",
    "SELECT to_jsonb(organization) - 'id' FROM organization",
    (
        "SELECT (to_jsonb(dataset) - '{id,organization_id,first_seen_at,changed_at}'::text[])"
        " || jsonb_build_object('owner', key) FROM dataset JOIN organization ON organization.id = organization_id"
    ),
    (
        "SELECT (to_jsonb(resource) - '{id,dataset_id}'::text[]) || jsonb_build_object('of', identifier)"
        " FROM resource JOIN dataset ON dataset.id = dataset_id"
    ),
    (
        "SELECT (to_jsonb(version) - '{id,dataset_id,valid_from,replaced_at}'::text[])"
        " || jsonb_build_object('of', identifier) FROM dataset_version AS version"
        " JOIN dataset ON dataset.id = dataset_id"
    ),
    (
        "SELECT (to_jsonb(sighting) - 'dataset_id') || jsonb_build_object('of', identifier)"
        " FROM sighting JOIN dataset ON dataset.id = dataset_id"
    ),
    (
        "SELECT (to_jsonb(counted) - 'organization_id') || jsonb_build_object('of', key)"
        " FROM harvest_organization AS counted JOIN organization ON organization.id = organization_id"
    ),
    "SELECT to_jsonb(harvest) - '{started_at,touched_at,finished_at,resumed}'::text[] FROM harvest",
    "SELECT to_jsonb(refusal) - 'id' FROM refusal",
)


def contents(catalog: Catalog) -> list[list[str]]:
    """Everything a harvest writes, without ids and times."""
    with catalog.begin() as connection:
        return [sorted(str(row) for row in connection.scalars(sa.text(query))) for query in CONTENTS]


def insistent(work: Callable[[], GroupCounts]) -> GroupCounts:
    for _ in range(5):
        try:
            return work()
        except CatalogAwayError:
            continue
    return work()


def harvest_groups(catalog: Catalog, groups: list[Group]) -> None:
    portal = a_portal(catalog)
    harvest = open_harvest(catalog, portal)
    for number, group in enumerate(groups):
        insistent(lambda: record_group(catalog, portal, harvest, group, cursor=str(number), requests=1))  # noqa: B023
    end_harvest(catalog, harvest, verdict="complete")


@pytest.fixture
def undisturbed(postgres: PostgresForTests) -> list[list[str]]:
    with postgres.fresh_database(filled_by=_migrated) as url:
        other = Catalog(url)
        harvest_groups(other, FIRST)
        harvest_groups(other, SECOND)
        found = contents(other)
        other.close()
        return found


def strike(catalog: Catalog, table: str, at: int, *, when_committing: bool = False) -> None:
    """The server ends the connection that writes to `table` for the `at`-th time."""
    timing = (
        "CONSTRAINT TRIGGER strike AFTER UPDATE ON {} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        if when_committing
        else "TRIGGER strike AFTER INSERT OR UPDATE ON {} FOR EACH STATEMENT"
    )
    execute(
        catalog,
        "CREATE SEQUENCE strikes",
        "CREATE FUNCTION strike() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF nextval('strikes') = {at} THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
        " RETURN NULL; END $$",
        f"CREATE {timing.format(table)} EXECUTE FUNCTION strike()",
    )


@pytest.mark.parametrize(
    ("table", "at"),
    [
        ("dataset", 1),
        ("dataset", 2),
        ("resource", 1),
        ("resource", 3),
        ("resource", 4),
        ("sighting", 2),
        ("dataset_version", 1),
        ("dataset_version", 2),
        ("harvest_organization", 2),
        ("refusal", 1),
        ("harvest", 3),
    ],
)
def test_a_connection_that_is_lost_in_the_middle_of_a_merge_leaves_no_trace(
    catalog: Catalog, undisturbed: list[list[str]], table: str, at: int
) -> None:
    strike(catalog, table, at)

    harvest_groups(catalog, FIRST)
    harvest_groups(catalog, SECOND)

    assert scalar(catalog, "SELECT last_value FROM strikes") >= at
    assert contents(catalog) == undisturbed


@pytest.mark.parametrize("at", [1, 2, 4])
def test_a_connection_that_is_lost_while_committing_leaves_no_trace(
    catalog: Catalog, undisturbed: list[list[str]], at: int
) -> None:
    strike(catalog, "harvest", at, when_committing=True)
    lost = []

    def insist(work: Callable[[], Any]) -> Any:
        while True:
            try:
                return work()
            except CatalogAwayError as error:
                lost.append(error)

    portal = a_portal(catalog)
    for groups in (FIRST, SECOND):
        harvest = open_harvest(catalog, portal)
        for number, group in enumerate(groups):
            insist(lambda: record_group(catalog, portal, harvest, group, cursor=str(number), requests=1))  # noqa: B023
        insist(lambda: end_harvest(catalog, harvest, verdict="complete"))  # noqa: B023

    assert len(lost) == 1
    assert contents(catalog) == undisturbed


def test_a_group_whose_answer_was_lost_is_not_merged_again(
    catalog: Catalog, undisturbed: list[list[str]]
) -> None:
    portal = a_portal(catalog)
    repeated = []
    for groups in (FIRST, SECOND):
        harvest = open_harvest(catalog, portal)
        for number, group in enumerate(groups):
            unanswered = replace(harvest)
            record_group(catalog, portal, unanswered, group, cursor=str(number), requests=1)
            repeated.append(record_group(catalog, portal, harvest, group, cursor=str(number), requests=1))
            assert harvest == unanswered
        end_harvest(catalog, harvest, verdict="complete")

    assert repeated == [GroupCounts()] * 4
    assert contents(catalog) == undisturbed


def test_a_harvest_that_was_broken_off_is_continued_where_it_stood(
    catalog: Catalog, undisturbed: list[list[str]]
) -> None:
    portal = a_portal(catalog)
    harvest_groups(catalog, FIRST)
    killed = open_harvest(catalog, portal)
    record_group(catalog, portal, killed, SECOND[0], cursor="0", requests=1)

    harvest = open_harvest(catalog, portal, resume_hours=1)
    record_group(catalog, portal, harvest, SECOND[1], cursor="1", requests=1)
    end_harvest(catalog, harvest, verdict="complete")

    assert (harvest.id, harvest.resumed, harvest.groups) == (killed.id, 1, 2)
    assert harvest.read == 20 - 1
    assert contents(catalog) == undisturbed
