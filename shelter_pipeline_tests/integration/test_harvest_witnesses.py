"""What a portal says of itself is kept, and a harvest held against it: counts, lists, dates of change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.harvests import (
    OvertakenError,
    advance_watermark,
    changes_by_organization,
    end_harvest,
    last_complete_harvest,
    open_harvest,
    record_group,
    record_witnesses,
)
from shelter_pipeline.catalog.listings import compare_listing, forget_listing, record_listing
from shelter_pipeline.catalog.portals import add_portal, find_portal
from shelter_pipeline.domain.records import DatasetRecord, Listing, OrganizationRecord, Refusal, Witness
from shelter_pipeline_tests.support.records import EPA, a_dataset, a_portal, harvested

NOAA = OrganizationRecord("noaa-gov", "NOAA")
Group = list[DatasetRecord | Refusal]


def scalar(catalog: Catalog, query: str) -> Any:
    with catalog.begin() as connection:
        return connection.scalar(sa.text(query))


def test_the_first_witness_that_counts_says_what_is_expected(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvest = open_harvest(catalog, portal)
    silent = Witness("stats", None, organizations=(EPA, NOAA))

    expected = record_witnesses(
        catalog,
        portal,
        harvest,
        [
            silent,
            Witness("organizations", 30, {"epa-gov": 20, "noaa-gov": 10}),
            Witness("other", 31, {"epa-gov": 21}),
        ],
    )

    assert expected == 30
    assert scalar(catalog, "SELECT witness FROM harvest") == "organizations"
    assert [one["total"] for one in scalar(catalog, "SELECT witnesses FROM harvest")] == [None, 30, 31]
    assert scalar(catalog, "SELECT claimed_datasets FROM organization WHERE key = 'epa-gov'") == 20
    assert {row["organization"]: row["expected"] for row in changes_by_organization(catalog, harvest.id)} == {
        "epa-gov": 20,
        "noaa-gov": 10,
    }


def test_what_was_promised_before_a_harvest_was_broken_off_still_stands(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvest = open_harvest(catalog, portal)
    record_witnesses(catalog, portal, harvest, [Witness("stats", 30)])

    assert record_witnesses(catalog, portal, harvest, [Witness("none: it is down", None)]) == 30


def test_a_count_beyond_all_numbers_is_the_largest_there_is(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvest = open_harvest(catalog, portal)
    witness = Witness("organizations\x00", 10**19, {"epa-gov": 10**19}, (EPA,))

    assert record_witnesses(catalog, portal, harvest, [witness]) == 2**63 - 1
    assert changes_by_organization(catalog, harvest.id)[0]["expected"] == 2**63 - 1


def test_organizations_that_changed_or_were_not_seen_whole_come_first(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    quiet = [a_dataset("a", organization=OrganizationRecord("a-quiet", "Quiet"))]
    short = [a_dataset("s", organization=OrganizationRecord("short", "Short"))]
    known = [a_dataset(str(number), organization=NOAA) for number in range(4)]
    harvested(catalog, portal, [*quiet, *short, *known])
    harvest = open_harvest(catalog, portal)
    record_witnesses(catalog, portal, harvest, [Witness("stats", 22, {"a-quiet": 1, "short": 2})])
    group: Group = [*quiet, *short, a_dataset("0"), a_dataset("1", title="Changed"), a_dataset("9")]
    group.append(a_dataset("2", organization=NOAA, title="Changed"))
    record_group(catalog, portal, harvest, group[:4], cursor="a", requests=1)
    record_group(catalog, portal, harvest, group[4:], cursor="b", requests=1)

    rows = changes_by_organization(catalog, harvest.id)

    assert [row["organization"] for row in rows] == ["epa-gov", "noaa-gov", "short", "a-quiet"]
    assert rows[0] | {"name": ""} == {
        "organization": "epa-gov",
        "name": "",
        "expected": None,
        "seen": 3,
        "new": 1,
        "changed": 2,
        "moved": 2,
        "delisted": 0,
        "recovered": 0,
        "withheld": 0,
    }
    assert changes_by_organization(catalog, harvest.id, limit=1) == rows[:1]


def test_a_listing_is_held_against_what_its_harvest_saw(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, [a_dataset("seen-before")])
    harvest = open_harvest(catalog, portal)
    records: Group = [
        a_dataset("a"),
        a_dataset("b"),
        a_dataset("unlisted"),
        Refusal(1, "title", "is missing", "bad"),
    ]
    record_group(catalog, portal, harvest, records, cursor=None, requests=1)
    for names in (("a", "z"), ("b", "a", "never"), ("seen-before", "bad")):
        record_listing(catalog, harvest, Listing("sitemap", names))

    comparison = compare_listing(catalog, portal, harvest, limit=2)

    assert (comparison.listed, comparison.missing, comparison.surplus) == (6, 3, 1)
    assert comparison.sample == ["never", "seen-before"]


def test_a_listing_that_is_forgotten_leaves_nothing(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    harvest = open_harvest(catalog, portal)
    record_listing(catalog, harvest, Listing("sitemap", ("a",)))

    forget_listing(catalog, harvest)

    assert scalar(catalog, "SELECT count(*) FROM listing_entry") == 0
    assert compare_listing(catalog, portal, harvest, limit=5).listed == 0


def test_only_a_complete_full_harvest_is_the_last_complete_one(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    assert last_complete_harvest(catalog, portal) is None
    complete = harvested(catalog, portal, [a_dataset("1")])
    harvested(catalog, portal, [a_dataset("1")], verdict="partial")
    end_harvest(catalog, open_harvest(catalog, portal, mode="increment"), verdict="complete")

    began = last_complete_harvest(catalog, portal)

    assert complete == scalar(catalog, "SELECT min(id) FROM harvest")
    assert began == scalar(catalog, "SELECT started_at FROM harvest ORDER BY id LIMIT 1")


def watermark_after(catalog: Catalog, *dates: datetime | None) -> datetime | None:
    portal = a_portal(catalog)
    harvest = open_harvest(catalog, portal)
    for number, date in enumerate(dates):
        record_group(catalog, portal, harvest, [], cursor=str(number), requests=1, changed_until=date)
    end_harvest(catalog, harvest, verdict="complete")
    advance_watermark(catalog, portal, harvest.id)
    return find_portal(catalog, portal.slug).watermark


def test_the_watermark_is_the_latest_change_that_was_read_and_never_goes_back(catalog: Catalog) -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)

    assert watermark_after(catalog, None) is None
    assert watermark_after(catalog, early, late, early, None) == late
    assert watermark_after(catalog, early) == late


def test_a_change_date_in_the_future_does_not_blind_later_harvests(catalog: Catalog) -> None:
    now = scalar(catalog, "SELECT now()")

    watermark = watermark_after(catalog, now + timedelta(days=400))

    assert watermark is not None
    assert watermark - now < timedelta(hours=1)


@pytest.mark.parametrize("date", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_change_date_that_no_calendar_has_any_more_is_none(catalog: Catalog, date: str) -> None:
    assert watermark_after(catalog, datetime.fromisoformat(date)) is None


def test_a_watermark_in_the_future_is_believed_no_longer(catalog: Catalog) -> None:
    portal, date = a_portal(catalog), datetime(2026, 1, 1, tzinfo=UTC)
    with catalog.begin() as connection:
        connection.execute(sa.text("UPDATE portal SET watermark = now() + interval '1 day'"))

    assert watermark_after(catalog, date) == date
    assert find_portal(catalog, portal.slug).watermark == date


def test_a_harvest_that_was_overtaken_adds_nothing_to_the_listing(catalog: Catalog) -> None:
    portal = a_portal(catalog)
    slow = open_harvest(catalog, portal)
    open_harvest(catalog, portal)

    with pytest.raises(OvertakenError, match="another harvest"):
        record_listing(catalog, slow, Listing("sitemap", ("a",)))
    assert scalar(catalog, "SELECT count(*) FROM listing_entry") == 0


def test_a_listing_of_a_harvest_that_was_broken_off_is_forgotten_by_the_next(catalog: Catalog) -> None:
    portal, other = a_portal(catalog), add_portal(catalog, "ckan", "https://other.example")
    for one in (portal, other):
        record_listing(catalog, open_harvest(catalog, one), Listing("sitemap", (one.slug,)))

    open_harvest(catalog, portal)

    assert scalar(catalog, "SELECT string_agg(identifier, ',') FROM listing_entry") == other.slug
