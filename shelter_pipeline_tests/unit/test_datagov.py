"""What the reader of data.gov's own API promises."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from shelter_pipeline.domain.errors import PermanentError, TransientError
from shelter_pipeline.domain.records import DatasetRecord, Refusal
from shelter_pipeline.portals.datagov import PER_PAGE, DatagovPortal
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline_tests.support.local_site import Answered, Asked, LocalSite, local_site, open_door


def hit(slug: str | None = "water-levels", **changes: Any) -> dict[str, Any]:
    """A search hit as the API gives it, with every part that drivers have to look at."""
    dcat = {
        "@type": "dcat:Dataset",
        "accessLevel": "public",
        "description": "Levels of all rivers.",
        "identifier": "NOAA-1",
        "issued": "2018-06-25",
        "keyword": ["rivers", "water"],
        "landingPage": "https://example.gov/water",
        "license": "https://creativecommons.org/publicdomain/zero/1.0/",
        "modified": "2025-07-17",
        "publisher": {"@type": "org:Organization", "name": "River Office"},
        "temporal": "2000-01-01/2020-01-01",
        "title": "Water Levels",
        "distribution": [
            {"downloadURL": "https://example.gov/water.csv", "mediaType": "text/csv", "title": "CSV"},
            {"accessURL": "https://example.gov/water", "mediaType": "text/html"},
        ],
    }
    return (
        {
            "_score": 1.0,
            "_sort": [1.0, 3, "id"],
            "dcat": dcat | changes.pop("dcat", {}),
            "description": "Levels of all rivers.",
            "harvest_record": "https://catalog.data.gov/harvest_record/1",
            "identifier": "NOAA-1",
            "keyword": ["rivers"],
            "last_harvested_date": "2025-08-03T15:49:47",
            "organization": {
                "slug": "noaa",
                "name": "NOAA",
                "organization_type": "Federal Government",
                "logo": "l",
            },
            "popularity": 3,
            "publisher": "River Office",
            "title": "Water Levels",
            "type": "dataset",
        }
        | ({"slug": slug} if slug else {})
        | changes
    )


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


@pytest.fixture
def portal(site: LocalSite) -> DatagovPortal:
    return DatagovPortal(site.url, PageReader(open_door(), max_bytes=10**8, attempts=1))


def read_one(site: LocalSite, portal: DatagovPortal, raw: Any) -> DatasetRecord | Refusal:
    site.serves("/search", {"results": [raw], "sort": "relevance"})
    return next(portal.pages()).records[0]


def serve_crawl(site: LocalSite, slugs: list[str], size: int) -> None:
    """The API's own paging: a cursor names the last hit, and the last page has none."""

    def answer(asked: Asked) -> Answered:
        start = json.loads(base64.urlsafe_b64decode(asked.query["after"])) if "after" in asked.query else 0
        body: dict[str, Any] = {
            "results": [hit(slug) for slug in slugs[start : start + size]],
            "sort": "relevance",
        }
        if start + size < len(slugs):
            body["after"] = base64.urlsafe_b64encode(json.dumps(start + size).encode()).decode()
        return Answered(body)

    site.answers("/search", answer)


def test_a_hit_becomes_a_whole_record(site: LocalSite, portal: DatagovPortal) -> None:
    record = read_one(site, portal, hit())

    assert isinstance(record, DatasetRecord)
    assert (record.identifier, record.slug, record.title) == ("water-levels", "water-levels", "Water Levels")
    assert (record.organization.slug, record.organization.kind) == ("noaa", "Federal Government")
    assert (record.publisher, record.keywords, record.popularity) == ("River Office", ("rivers", "water"), 3)
    assert (record.access_level, record.temporal) == ("public", "2000-01-01/2020-01-01")
    assert record.modified is not None
    assert record.modified.date().isoformat() == "2025-07-17"
    assert json.loads(record.raw) == hit()
    assert record.notes == ()


def test_the_landing_page_that_the_catalogue_appends_is_told_from_the_files(
    site: LocalSite, portal: DatagovPortal
) -> None:
    record = read_one(site, portal, hit())

    assert isinstance(record, DatasetRecord)
    assert [(resource.role, resource.url) for resource in record.resources] == [
        ("download", "https://example.gov/water.csv"),
        ("landing", "https://example.gov/water"),
    ]


def test_values_that_the_index_folded_into_strings_are_unfolded(
    site: LocalSite, portal: DatagovPortal
) -> None:
    folded = {
        "keyword": '["a", "b"]',
        "distribution": [
            '{"downloadURL": "https://example.gov/a.csv", "checksum": "{\\"checksumValue\\": \\"x\\"}"}'
        ],
        "description": "{not json, a text}",
    }

    record = read_one(site, portal, hit(dcat=folded))

    assert isinstance(record, DatasetRecord)
    assert record.keywords == ("a", "b")
    assert record.resources[0].url == "https://example.gov/a.csv"
    assert record.description == "{not json, a text}"


@pytest.mark.parametrize("distribution", [None, [], ""])
def test_a_dataset_without_distributions_still_has_its_landing_page(
    site: LocalSite, portal: DatagovPortal, distribution: object
) -> None:
    record = read_one(site, portal, hit(dcat={"distribution": distribution}))

    assert isinstance(record, DatasetRecord)
    assert [resource.role for resource in record.resources] == ["landing"]


def test_what_changes_by_itself_does_not_change_the_hash(site: LocalSite, portal: DatagovPortal) -> None:
    before = read_one(site, portal, hit())
    new_logo = {"slug": "noaa", "name": "NOAA", "organization_type": "Federal Government", "logo": "other"}

    after = read_one(
        site,
        portal,
        hit(
            _score=2.0,
            popularity=99,
            last_harvested_date="2026-01-01",
            harvest_record="x",
            organization=new_logo,
        ),
    )

    assert isinstance(before, DatasetRecord)
    assert isinstance(after, DatasetRecord)
    assert before.record_hash == after.record_hash
    assert after.popularity == 99


@pytest.mark.parametrize("change", [{"title": "Other"}, {"dcat": {"modified": "2026-01-01"}}])
def test_what_the_publisher_changes_changes_the_hash(
    site: LocalSite, portal: DatagovPortal, change: dict[str, Any]
) -> None:
    before, after = read_one(site, portal, hit()), read_one(site, portal, hit(**change))

    assert isinstance(before, DatasetRecord)
    assert isinstance(after, DatasetRecord)
    assert before.record_hash != after.record_hash


def test_two_datasets_with_the_agencys_same_identifier_stay_two(
    site: LocalSite, portal: DatagovPortal
) -> None:
    site.serves("/search", {"results": [hit("one"), hit("two")]})

    records = next(portal.pages()).records

    assert [record.identifier for record in records] == ["one", "two"]


def test_a_hit_without_slug_is_known_by_organization_and_identifier(
    site: LocalSite, portal: DatagovPortal
) -> None:
    record = read_one(site, portal, hit(None))

    assert isinstance(record, DatasetRecord)
    assert (record.identifier, record.slug) == ("noaa:NOAA-1", "water-levels")
    assert [note.field for note in record.notes] == ["slug"]


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (None, "record"),
        ("text", "record"),
        ([], "record"),
        (hit(None, identifier=None, dcat={"identifier": None}), "slug"),
        (hit(title=None, dcat={"title": " "}), "title"),
    ],
)
def test_only_what_cannot_be_known_or_named_is_refused(
    site: LocalSite, portal: DatagovPortal, raw: object, field: str
) -> None:
    refused = read_one(site, portal, raw)

    assert isinstance(refused, Refusal)
    assert refused.field == field


def test_a_crawl_gives_every_hit_once_and_ends_where_the_cursor_ends(
    site: LocalSite, portal: DatagovPortal
) -> None:
    slugs = [f"dataset-{number}" for number in range(25)]
    serve_crawl(site, slugs, 10)

    pages = list(portal.pages())

    assert [record.identifier for page in pages for record in page.records] == slugs
    assert [page.cursor is None for page in pages] == [False, False, True]
    assert site.asked[0].query == {"per_page": str(PER_PAGE)}


def test_a_crawl_resumes_after_the_page_whose_cursor_it_is_given(
    site: LocalSite, portal: DatagovPortal
) -> None:
    slugs = [f"dataset-{number}" for number in range(25)]
    serve_crawl(site, slugs, 10)
    first = next(portal.pages())

    rest = [record.identifier for page in portal.pages(first.cursor) for record in page.records]

    assert rest == slugs[10:]


def test_a_cursor_that_comes_again_ends_the_crawl_with_an_error(
    site: LocalSite, portal: DatagovPortal
) -> None:
    site.serves("/search", {"results": [hit()], "after": "same"})

    with pytest.raises(TransientError, match="'same' came twice"):
        list(portal.pages())


def test_pages_that_only_repeat_end_the_crawl_with_an_error(site: LocalSite, portal: DatagovPortal) -> None:
    def answer(asked: Asked) -> Answered:
        return Answered({"results": [hit(), None], "after": asked.query.get("after", "") + "x"})

    site.answers("/search", answer)

    with pytest.raises(TransientError, match="repeat others"):
        list(portal.pages())
    assert len(site.asked) < 10


def test_a_page_that_is_no_search_result_is_a_permanent_error(site: LocalSite, portal: DatagovPortal) -> None:
    site.serves("/search", {"datasets": []})

    with pytest.raises(PermanentError, match="not a page of search results"):
        next(portal.pages())


def test_the_organizations_are_the_witness(site: LocalSite, portal: DatagovPortal) -> None:
    organizations = [
        {
            "slug": "census",
            "name": "U.S. Census Bureau",
            "organization_type": "Federal Government",
            "dataset_count": 5,
        },
        {
            "slug": "nyc-ny",
            "name": "City of New York",
            "organization_type": "City Government",
            "dataset_count": 2,
        },
    ]
    site.serves("/api/organizations", {"organizations": organizations, "total": 2})

    witness = portal.witness()

    assert (witness.total, witness.by_organization) == (7, {"census": 5, "nyc-ny": 2})
    assert [one.kind for one in witness.organizations] == ["Federal Government", "City Government"]
    assert witness.source == f"{site.url}/api/organizations"


def test_the_gateway_has_its_paths_without_api(site: LocalSite) -> None:
    site.serves("/technology/datagov/v4/organizations", {"organizations": []})
    gateway = DatagovPortal(f"{site.url}/technology/datagov/v4/", PageReader(open_door(), max_bytes=10**6))

    assert gateway.witness().total == 0


def test_deep_nesting_in_one_hit_does_not_cost_the_others(site: LocalSite, portal: DatagovPortal) -> None:
    deep = json.dumps(hit("deep")).replace('"l"', "[" * 900 + "]" * 900)
    body = b'{"results": [' + deep.encode() + b"," + json.dumps(hit("flat")).encode() + b"]}"
    site.serves("/search", body)

    records = next(portal.pages()).records

    assert records[1].identifier == "flat"
    assert len(records) == 2
