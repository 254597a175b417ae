"""What a harvest leaves in the catalog: each record once, its earlier versions kept, nothing deleted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.harvests import open_harvest, record_group, refusals_of
from shelter_pipeline.catalog.merge import GroupCounts
from shelter_pipeline.catalog.portals import add_portal, organization_keys
from shelter_pipeline.domain.records import DatasetRecord, Note, OrganizationRecord, Refusal
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, harvested

NOAA = OrganizationRecord("noaa-gov", "NOAA")


def scalar(catalog: Catalog, query: str) -> Any:
    with catalog.begin() as connection:
        return connection.scalar(sa.text(query))


def merged(catalog: Catalog, *records: DatasetRecord | Refusal) -> GroupCounts:
    portal = a_portal(catalog)
    return record_group(catalog, portal, open_harvest(catalog, portal), records, cursor=None, requests=1)


def test_new_changed_and_unchanged_records_are_told_apart(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1"), a_dataset("2"))

    counts = merged(catalog, a_dataset("1"), a_dataset("2", title="Water quality"), a_dataset("3"))

    assert (counts.seen, counts.new, counts.changed, counts.unchanged) == (3, 1, 1, 1)


def test_the_record_before_a_change_is_kept_as_a_version(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1", title="Before"))

    merged(catalog, a_dataset("1", title="After"))

    assert scalar(catalog, "SELECT title FROM dataset") == "After"
    assert "Before" in scalar(catalog, "SELECT raw FROM dataset_version")


def test_a_version_says_field_by_field_what_became_of_it(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1", a_resource("https://x.example/a.csv"), title="Before"))

    merged(catalog, a_dataset("1", a_resource("https://x.example/b.csv"), title="After"))

    assert scalar(catalog, "SELECT changes FROM dataset_version") == [
        {"path": "title", "before": "Before", "after": "After"},
        {"path": "urls[0][1]", "before": "https://x.example/a.csv", "after": "https://x.example/b.csv"},
    ]
    assert scalar(catalog, "SELECT substantive FROM dataset_version") is True


def test_a_change_of_nothing_but_spaces_is_not_substantive(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1", title="Air  quality "))

    merged(catalog, a_dataset("1", title="Air quality"))

    assert scalar(catalog, "SELECT substantive FROM dataset_version") is False


def test_every_version_of_a_record_is_kept(catalog: Catalog) -> None:
    for title in ("one", "two", "three"):
        merged(catalog, a_dataset("1", title=title))

    assert scalar(catalog, "SELECT count(*) FROM dataset_version") == 2
    assert scalar(catalog, "SELECT title FROM dataset") == "three"


def test_an_unchanged_record_is_not_written_again(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1", a_resource("https://epa.example/a.csv")))
    rows = "SELECT dataset.xmin::text || resource.xmin::text FROM dataset, resource"
    before = scalar(catalog, rows)

    merged(catalog, a_dataset("1", a_resource("https://epa.example/a.csv")))

    assert scalar(catalog, rows) == before


@pytest.mark.parametrize("title", ["Air quality", "Water quality"])
def test_the_popularity_of_a_known_record_is_refreshed_whether_it_changed_or_not(
    catalog: Catalog, title: str
) -> None:
    merged(catalog, a_dataset("1", popularity=10))

    merged(catalog, a_dataset("1", title=title, popularity=20))

    assert scalar(catalog, "SELECT popularity FROM sighting") == 20


def test_a_portal_that_gives_no_popularity_this_time_does_not_erase_it(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1", popularity=10))

    merged(catalog, a_dataset("1"))

    assert scalar(catalog, "SELECT popularity FROM sighting") == 10


def test_of_a_record_that_a_group_shows_twice_the_first_counts(catalog: Catalog) -> None:
    counts = merged(catalog, a_dataset("1", title="first"), a_dataset("1", title="second"))

    assert (counts.seen, counts.new, counts.duplicates) == (1, 1, 1)
    assert scalar(catalog, "SELECT title FROM dataset") == "first"


def test_a_record_that_its_harvest_has_seen_already_is_a_duplicate(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvest = open_harvest(catalog, portal)
    record_group(catalog, portal, harvest, [a_dataset("1")], cursor="a", requests=1)

    counts = record_group(
        catalog, portal, harvest, [a_dataset("1", title="Other"), a_dataset("2")], cursor="b", requests=1
    )

    assert (counts.seen, counts.new, counts.changed, counts.duplicates) == (1, 1, 0, 1)
    assert scalar(catalog, "SELECT title FROM dataset WHERE identifier = '1'") == "Air quality"


def test_a_known_record_without_a_sighting_gets_one(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1"))
    with catalog.begin() as connection:
        connection.execute(sa.text("DELETE FROM sighting"))

    counts = merged(catalog, a_dataset("1"))

    assert (counts.new, counts.unchanged) == (0, 1)
    assert scalar(catalog, "SELECT count(*) FROM sighting") == 1


def test_a_resource_that_is_no_longer_listed_stays_marked(catalog: Catalog) -> None:
    both = [a_resource("https://x.example/a.csv"), a_resource("https://x.example/b.csv", key="r2")]
    merged(catalog, a_dataset("1", *both))

    merged(catalog, a_dataset("1", both[0]))

    assert scalar(catalog, "SELECT count(*) FROM resource") == 2
    assert scalar(catalog, "SELECT key FROM resource WHERE NOT listed") == "r2"


def test_a_resource_that_is_listed_again_is_the_same_resource(catalog: Catalog) -> None:
    both = [a_resource("https://x.example/a.csv"), a_resource("https://x.example/b.csv", key="r2")]
    merged(catalog, a_dataset("1", *both))
    before = scalar(catalog, "SELECT id FROM resource WHERE key = 'r2'")
    merged(catalog, a_dataset("1", both[0]))

    merged(catalog, a_dataset("1", *both))

    assert scalar(catalog, "SELECT id FROM resource WHERE key = 'r2' AND listed") == before


def test_a_resource_with_a_new_address_is_looked_at_again(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1", a_resource("https://x.example/a.csv")))
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE resource SET discovered_at = now()"))

    merged(catalog, a_dataset("1", a_resource("https://x.example/b.csv")))

    assert scalar(catalog, "SELECT discovered_at FROM resource") is None


def test_a_resource_that_is_only_described_anew_is_not_looked_at_again(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1", a_resource("https://x.example/a.csv")))
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE resource SET discovered_at = now()"))

    merged(catalog, a_dataset("1", a_resource("https://x.example/a.csv", name="Table"), title="Changed"))

    assert scalar(catalog, "SELECT name FROM resource WHERE discovered_at IS NOT NULL") == "Table"


def test_a_refused_record_is_kept_with_the_field_at_fault(catalog: Catalog) -> None:
    portal = a_portal(catalog)

    harvest_id = harvested(
        catalog, portal, [a_dataset("1"), Refusal(1, "title", "is missing", "abc", '{"a": 1}')]
    )

    assert refusals_of(catalog, harvest_id) == [
        {"position": 1, "identifier": "abc", "field": "title", "problem": "is missing"}
    ]


def test_a_record_that_is_refused_again_by_the_same_harvest_is_a_duplicate(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvest = open_harvest(catalog, portal)
    refusal, nameless = Refusal(1, "title", "is missing", "abc", "{}"), Refusal(2, "record", "is null")
    record_group(catalog, portal, harvest, [refusal, nameless], cursor="a", requests=1)

    counts = record_group(
        catalog, portal, harvest, [replace(refusal, position=9), nameless], cursor="b", requests=1
    )

    # Nobody can tell whether two records without identity are one.
    assert (counts.refused, counts.duplicates, harvest.read) == (1, 1, 3)
    assert merged(catalog, refusal).refused == 1


def test_of_two_versions_refused_for_one_identity_none_is_a_duplicate(catalog: Catalog) -> None:
    rivals = [Refusal(number, "identifier", "used twice", "abc", "{}") for number in (1, 2)]

    assert merged(catalog, *rivals).refused == 2


@pytest.mark.parametrize("text", ["a\x00b", "\ud800", "\udce9" * 5000])
def test_what_no_database_keeps_is_marked_in_refusals_and_notes(catalog: Catalog, text: str) -> None:
    refusal = Refusal(1, text, text, text, text)

    merged(catalog, refusal, refusal, a_dataset("1", notes=(Note(text, text, text),)))

    assert scalar(catalog, "SELECT count(*) FROM refusal") == 1
    assert set(scalar(catalog, "SELECT notes FROM dataset")[0]) == {"field", "problem", "value"}


def test_a_date_that_no_calendar_has_any_more_is_none(catalog: Catalog) -> None:
    last = datetime.fromisoformat("9999-12-31T23:59:59-14:00")
    first = datetime.fromisoformat("0001-01-01T00:00:00+14:00")

    merged(catalog, a_dataset("1", issued=first, modified=last))

    assert scalar(catalog, "SELECT num_nulls(issued, modified) FROM dataset") == 2


@pytest.mark.parametrize(
    "text", ["Robert'); DROP TABLE dataset;--", "a\tb\\N\n", "\u202e\U0001f600", "{}", "\\.", ""]
)
@pytest.mark.parametrize("before", [False, True], ids=["new", "changed"])
def test_any_text_comes_back_as_it_was(catalog: Catalog, text: str, *, before: bool) -> None:
    if before:
        merged(catalog, a_dataset("1", title="before"))

    merged(catalog, a_dataset("1", title=text, keywords=(text, '"'), notes=(Note("modified", text),)))

    assert scalar(catalog, "SELECT title FROM dataset") == text
    assert scalar(catalog, "SELECT keywords[1] FROM dataset") == text
    assert scalar(catalog, "SELECT notes FROM dataset")[0]["problem"] == text


def test_a_dataset_that_moves_to_another_organization_is_the_same_dataset(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1"))
    before = scalar(catalog, "SELECT id FROM dataset")

    counts = merged(catalog, a_dataset("1", organization=NOAA))

    assert (counts.changed, counts.moved) == (1, 1)
    assert scalar(catalog, "SELECT id FROM dataset") == before
    assert organization_keys(catalog) == ["epa-gov", "noaa-gov"]
    assert scalar(catalog, "SELECT changes FROM dataset_version") == [
        {"path": "organization", "before": "epa-gov", "after": "noaa-gov"}
    ]


def test_merging_leaves_it_to_others_to_say_whether_a_dataset_is_lost(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1"), a_dataset("2"))
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE dataset SET state = 'absent'"))

    merged(catalog, a_dataset("1"), a_dataset("2", title="Changed"))

    assert scalar(catalog, "SELECT count(*) FROM dataset WHERE state = 'absent'") == 2


def test_two_portals_with_an_organization_of_one_name_do_not_share_its_partition(catalog: Catalog) -> None:
    harvested(catalog, a_portal(catalog), [a_dataset("1")])

    harvested(catalog, add_portal(catalog, "ckan", "https://other.example"), [a_dataset("1")])

    assert organization_keys(catalog) == ["epa-gov", "epa-gov-other-example"]


def test_portals_that_meet_the_same_new_organization_at_once_each_get_a_partition(catalog: Catalog) -> None:
    portals = [add_portal(catalog, "ckan", f"https://portal-{number}.example") for number in range(6)]

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda portal: harvested(catalog, portal, [a_dataset("1")]), portals))

    keys = organization_keys(catalog)
    assert len(keys) == len(set(keys)) == 6
    assert "epa-gov" in keys


def test_portals_that_meet_the_same_organizations_in_opposite_order_never_wait_for_each_other(
    catalog: Catalog,
) -> None:
    portals = [add_portal(catalog, "ckan", f"https://portal-{number}.example") for number in range(4)]
    names = [OrganizationRecord(f"org-{number:02}", "Org") for number in range(40)]

    def harvest_all(number: int) -> None:
        order = names if number % 2 else names[::-1]
        harvested(catalog, portals[number], [a_dataset(o.slug, organization=o) for o in order])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(harvest_all, range(4)))

    assert len(set(organization_keys(catalog))) == 160


def test_an_empty_group_only_moves_the_cursor(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvest = open_harvest(catalog, portal)

    counts = record_group(catalog, portal, harvest, [], cursor="end", requests=0)

    assert counts == GroupCounts()
    assert scalar(catalog, "SELECT cursor FROM harvest") == "end"


def test_new_datasets_get_their_ids_in_the_order_of_their_records(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, [a_dataset(name) for name in ("c", "a", "d", "b", "a")])

    with catalog.begin() as connection:
        names = connection.scalars(sa.text("SELECT identifier FROM dataset ORDER BY id")).all()

    assert names == ["c", "a", "d", "b"]
