"""What the expectations promise: they count by the project's rules, and their sums agree."""

import pytest

from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.domain.verdicts import REASONS
from shelter_pipeline.sample.catalogue import Catalogue
from shelter_pipeline.sample.expectations import Expectations, Expected
from shelter_pipeline.sample.faults import FAILURES, HELD, Does

BASE = "http://127.0.0.1:8000"
OTHER = "http://127.0.0.1:8001"


@pytest.fixture(scope="module")
def expectations() -> Expectations:
    return Expectations(Catalogue(BASE, (BASE, OTHER)))


def test_expected_files_are_the_held_and_the_failed(expectations: Expectations) -> None:
    for expected in (*expectations.by_organization.values(), expectations.overall):
        assert expected.expected_files == expected.held_files + sum(expected.failed.values())


def test_every_reason_is_one_that_captures_can_have(expectations: Expectations) -> None:
    overall = expectations.overall

    assert {*overall.failed, *overall.not_files, *FAILURES.values()} <= set(REASONS)


def test_every_way_to_fail_is_met(expectations: Expectations) -> None:
    once = [
        *("bad-redirect", "empty", "forbidden", "gone", "html-instead", "login-page"),
        *("not-found", "private-address", "server-error", "wrong-length"),
    ]
    # A scheme with a letter too many is mended, and then its host has no address.
    assert expectations.overall.failed == {**dict.fromkeys(once, 1), "dns-failed": 2}
    assert expectations.overall.not_files == {
        "bad-scheme": 1,
        "bad-url": 2,
        "landing-page-only": 1,
        "login-page": 1,
        "service": 1,
    }


def test_what_a_spot_does_is_either_held_or_a_failure_or_no_file() -> None:
    not_files = {
        *(Does.REDIRECT, Does.LISTING, Does.LANDING, Does.WALL, Does.BUCKET, Does.CATALOG, Does.DEPOSIT),
        *(Does.RECORD, Does.SERVICE, Does.PAGE),
    }

    assert {*HELD, *FAILURES, *not_files} == set(Does)
    assert not HELD & set(FAILURES)


def test_an_organization_without_oddities_is_expected_complete(expectations: Expectations) -> None:
    for slug in ("usda-gov", "nps-gov", "city-of-riverton"):
        expected = expectations.by_organization[slug]

        assert expected.held_files == expected.expected_files > 0
        assert expected.not_files == {}


def test_every_held_file_has_its_hash_and_no_other(expectations: Expectations) -> None:
    held = {url for url, asset in expectations.assets.items() if not asset.reason}

    assert set(expectations.sha256) == held
    assert len(held) == expectations.overall.held_files


def test_assets_are_keyed_by_normal_urls(expectations: Expectations) -> None:
    assert all(parse_url(url).text == url for url in expectations.assets)


def test_a_shared_file_counts_in_each_organization_and_once_in_all(expectations: Expectations) -> None:
    organizations = expectations.by_organization.values()

    assert (
        sum(expected.expected_files for expected in organizations) == expectations.overall.expected_files + 2
    )
    assert sum(expected.datasets for expected in organizations) == expectations.overall.datasets == 300


def test_a_shared_file_belongs_to_the_organization_of_the_first_dataset(expectations: Expectations) -> None:
    catalogue = Catalogue(BASE, (BASE, OTHER))
    url = f"{BASE}/files/noaa-gov/shared/stations.csv"

    first = next(
        dataset.publisher.slug
        for dataset in catalogue.datasets
        if any(item.get("downloadURL") == url for item in dataset.distributions())
    )

    assert expectations.owners[url] == first
    assert set(expectations.owners) == set(expectations.assets)


def test_many_spellings_of_one_url_are_one_file(expectations: Expectations) -> None:
    spelled = [url for url in expectations.assets if "tract" in url]

    assert spelled == [f"{BASE}/files/census-gov/shared/tract%20list.csv"]


def test_a_directory_is_expected_to_yield_its_files_and_those_below(expectations: Expectations) -> None:
    inside = [url for url in expectations.assets if url.startswith(f"{BASE}/files/noaa-gov/listing/")]

    assert len(inside) == 10
    assert not any(url.endswith("/") for url in inside)


def test_a_landing_page_is_expected_to_yield_its_links_and_its_structured_data(
    expectations: Expectations,
) -> None:
    inside = [url for url in expectations.assets if "/nasa-gov/campaign/" in url]

    assert len(inside) == 4


@pytest.mark.parametrize(
    ("way", "files"),
    [
        ("/files/nasa-gov/soundings/", 2),  # a page before a page
        ("/files/nasa-gov/granules/", 3),  # a page before a directory
        ("/files/epa-gov/inspections/", 2),  # a CSV that is a page
        ("/files/doe-gov/turbines/", 2),  # a directory within itself
        ("/buckets/dot-gov/", 4),  # in two parts
        ("/thredds/fileServer/", 1),
        ("/api/access/datafile/", 2),  # behind a DOI
        ("/metadata/noaa-gov/currents", 1),  # the record itself
        ("/files/noaa-gov/currents/", 1),  # what the record leads to
    ],
)
def test_every_long_way_is_expected_to_end_at_its_files(
    expectations: Expectations, way: str, files: int
) -> None:
    inside = [asset for url, asset in expectations.assets.items() if url.startswith(f"{BASE}{way}")]

    assert len(inside) == files
    assert all(asset.content for asset in inside)


def test_a_landing_page_beside_files_adds_nothing(expectations: Expectations) -> None:
    assert not any("/pages/" in url or "elsewhere" in url for url in expectations.assets)


def test_a_redirected_file_has_the_hash_of_its_target(expectations: Expectations) -> None:
    chain = expectations.assets[f"{BASE}/files/census-gov/moved/flows.csv"]
    moved = expectations.assets[f"{BASE}/files/census-gov/old/patterns.zip"]

    assert chain.content
    assert moved.content
    assert not any("/current/" in url or "/new/" in url for url in expectations.assets)


def test_the_rows_to_refuse_are_told_with_their_field(expectations: Expectations) -> None:
    assert sorted(expectations.refused.values()) == ["identifier", "record", "title"]


def test_dcat_us_expects_the_same_under_the_names_of_the_publishers(expectations: Expectations) -> None:
    by_publisher = expectations.by_publisher

    assert by_publisher["u-s-geological-survey"] is expectations.by_organization["usgs-gov"]
    assert list(by_publisher.values()) == list(expectations.by_organization.values())


def test_one_base_expects_the_same_as_two() -> None:
    one = Expectations(Catalogue(BASE))
    two = Expectations(Catalogue(BASE, (BASE, OTHER)))

    assert one.by_organization == two.by_organization
    assert isinstance(one.overall, Expected)
