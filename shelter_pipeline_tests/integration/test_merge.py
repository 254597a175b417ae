"""What a harvest leaves in the catalog: each record once, its earlier versions kept, nothing deleted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.harvests import (
    begin_harvest,
    mark_absences,
    record_page,
    recover_absences,
    refusals_of,
)
from shelter_pipeline.catalog.merge import PageCounts
from shelter_pipeline.catalog.portals import add_portal, organization_keys
from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.domain.records import Note, OrganizationRecord, Refusal
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, harvested


def scalar(catalog: Catalog, query: str) -> object:
    with catalog.begin() as connection:
        return connection.scalar(sa.text(query))


def merged(catalog: Catalog, *records: object) -> PageCounts:
    portal = a_portal(catalog)
    harvest_id = begin_harvest(catalog, portal)
    return record_page(catalog, portal, harvest_id, records, already_seen=set(), cursor=None, requests=1)  # type: ignore[arg-type]


def test_new_changed_and_unchanged_records_are_told_apart(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1"), a_dataset("2"))

    counts = merged(catalog, a_dataset("1"), a_dataset("2", title="Water quality"), a_dataset("3"))

    assert (counts.new, counts.changed, counts.unchanged) == (1, 1, 1)


def test_the_record_before_a_change_is_kept_as_a_version(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1", title="Before"))

    merged(catalog, a_dataset("1", title="After"))

    assert scalar(catalog, "SELECT title FROM dataset") == "After"
    assert "Before" in str(scalar(catalog, "SELECT raw FROM dataset_version"))


def test_an_unchanged_record_is_not_written_again(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1", a_resource("https://epa.example/a.csv")))
    before = scalar(catalog, "SELECT xmin::text FROM dataset")

    merged(catalog, a_dataset("1", a_resource("https://epa.example/a.csv")))

    assert scalar(catalog, "SELECT xmin::text FROM dataset") == before


def test_a_record_that_a_page_shows_twice_counts_once(catalog: Catalog) -> None:
    counts = merged(catalog, a_dataset("1"), a_dataset("1"))

    assert (counts.seen, counts.new, counts.duplicates) == (1, 1, 1)


def test_a_resource_that_is_no_longer_listed_stays_marked(catalog: Catalog) -> None:
    merged(
        catalog,
        a_dataset(
            "1", a_resource("https://x.example/a.csv"), a_resource("https://x.example/b.csv", key="r2")
        ),
    )

    merged(catalog, a_dataset("1", a_resource("https://x.example/a.csv")))

    assert scalar(catalog, "SELECT count(*) FROM resource") == 2
    assert scalar(catalog, "SELECT key FROM resource WHERE NOT listed") == "r2"


def test_a_resource_with_a_new_address_is_looked_at_again(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1", a_resource("https://x.example/a.csv")))
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE resource SET discovered_at = now()"))

    merged(catalog, a_dataset("1", a_resource("https://x.example/b.csv")))

    assert scalar(catalog, "SELECT discovered_at FROM resource") is None


def test_a_refused_record_is_kept_with_the_field_at_fault(catalog: Catalog) -> None:
    portal = a_portal(catalog)

    harvest_id = harvested(
        catalog, portal, [a_dataset("1"), Refusal(1, "title", "is missing", "abc", '{"a": 1}')]
    )

    assert refusals_of(catalog, harvest_id) == [
        {"position": 1, "identifier": "abc", "field": "title", "problem": "is missing"}
    ]


@pytest.mark.parametrize(
    "text", ["Robert'); DROP TABLE dataset;--", "a\tb\\N\n", "\u202e\U0001f600", "{}", "\\."]
)
def test_any_text_comes_back_as_it_was(catalog: Catalog, text: str) -> None:
    merged(catalog, a_dataset("1", title=text, keywords=(text, '"'), notes=(Note("modified", text),)))

    assert scalar(catalog, "SELECT title FROM dataset") == text
    assert scalar(catalog, "SELECT keywords[1] FROM dataset") == text


def test_a_dataset_that_moves_to_another_organization_is_the_same_dataset(catalog: Catalog) -> None:
    merged(catalog, a_dataset("1"))

    merged(catalog, a_dataset("1", organization=OrganizationRecord("noaa-gov", "NOAA")))

    assert scalar(catalog, "SELECT count(*) FROM dataset") == 1
    assert organization_keys(catalog) == ["epa-gov", "noaa-gov"]


def test_two_portals_with_an_organization_of_one_name_do_not_share_its_partition(catalog: Catalog) -> None:
    harvested(catalog, a_portal(catalog), [a_dataset("1")])

    harvested(catalog, add_portal(catalog, "ckan", "https://other.example"), [a_dataset("1")])

    assert organization_keys(catalog) == ["epa-gov", "epa-gov-other-example"]


def test_a_dataset_that_a_complete_harvest_did_not_see_is_suspected_lost_and_not_deleted(
    catalog: Catalog,
) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, [a_dataset(str(number)) for number in range(20)])
    second = harvested(catalog, portal, [a_dataset(str(number)) for number in range(19)])

    absences = mark_absences(catalog, portal, second, breaker_fraction=0.1)

    assert (absences.missing, absences.delisted, absences.breaker) == (1, 1, False)
    assert scalar(catalog, "SELECT state FROM dataset WHERE identifier = '19'") == "absent"
    assert scalar(catalog, "SELECT state || ' ' || kind FROM loss") == "suspected delisted"


def test_a_mass_drop_marks_nothing_as_lost(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, [a_dataset(str(number)) for number in range(20)])
    second = harvested(catalog, portal, [a_dataset("1")])

    absences = mark_absences(catalog, portal, second, breaker_fraction=0.1)

    assert absences.breaker
    assert scalar(catalog, "SELECT count(*) FROM loss") == 0
    assert scalar(catalog, "SELECT count(*) FROM dataset WHERE state = 'absent'") == 0


def test_a_dataset_that_comes_back_ends_its_loss_as_recovered(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = [a_dataset(str(number)) for number in range(20)]
    harvested(catalog, portal, everything)
    mark_absences(catalog, portal, harvested(catalog, portal, everything[1:]), breaker_fraction=0.1)

    recover_absences(catalog, portal, harvested(catalog, portal, everything, verdict="plausible"))

    assert scalar(catalog, "SELECT state FROM loss") == "recovered"
    assert scalar(catalog, "SELECT count(*) FROM dataset WHERE state = 'absent'") == 0


def test_a_harvest_that_never_ended_is_closed_by_the_next(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    begin_harvest(catalog, portal)

    begin_harvest(catalog, portal)

    assert scalar(catalog, "SELECT verdict FROM harvest ORDER BY id LIMIT 1") == "interrupted"
    assert scalar(catalog, "SELECT verdict FROM harvest ORDER BY id DESC LIMIT 1") == "running"


def test_a_harvest_that_a_later_one_overtook_stops_and_marks_nothing_as_lost(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    everything = [a_dataset(str(number)) for number in range(20)]
    slow = begin_harvest(catalog, portal)
    record_page(catalog, portal, slow, everything, already_seen=set(), cursor=None, requests=1)
    quick = begin_harvest(catalog, portal)
    record_page(catalog, portal, quick, everything[:5], already_seen=set(), cursor=None, requests=1)

    with pytest.raises(TransientError, match="another harvest of this portal"):
        record_page(catalog, portal, slow, everything[:1], already_seen=set(), cursor=None, requests=1)

    assert mark_absences(catalog, portal, slow, breaker_fraction=0.1).missing == 0


def test_portals_that_meet_the_same_new_organization_at_once_each_get_a_partition(catalog: Catalog) -> None:
    portals = [add_portal(catalog, "ckan", f"https://portal-{number}.example") for number in range(6)]

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda portal: harvested(catalog, portal, [a_dataset("1")]), portals))

    keys = organization_keys(catalog)
    assert len(keys) == len(set(keys)) == 6
    assert "epa-gov" in keys


def test_the_loss_of_a_single_dataset_of_a_small_portal_is_no_mass_drop(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, [a_dataset(str(number)) for number in range(5)])
    second = harvested(catalog, portal, [a_dataset(str(number)) for number in range(4)])

    assert mark_absences(catalog, portal, second, breaker_fraction=0.1).delisted == 1
