"""What the reader of /data.json documents promises, from version 1.0 to 3.0 and for what agencies really serve."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.domain.records import DatasetRecord, Refusal
from shelter_pipeline.portals import dcat_us
from shelter_pipeline.portals.dcat_us import DcatUsPortal
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline_tests.support.local_site import Answered, LocalSite, local_site, open_door


def dataset(identifier: Any = "A-1", **changes: Any) -> dict[str, Any]:
    return {
        "@type": "dcat:Dataset",
        "identifier": identifier,
        "title": f"Title of {identifier}",
        "publisher": {"name": "Office of Things"},
        "distribution": [{"downloadURL": "https://example.gov/a.csv", "mediaType": "text/csv"}],
    } | changes


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


def portal_of(site: LocalSite, document: Any) -> DcatUsPortal:
    url = site.serves("/data.json", document)
    return DcatUsPortal(url, PageReader(open_door(), max_bytes=10**8, attempts=1))


def read(site: LocalSite, document: Any) -> list[DatasetRecord | Refusal]:
    return [record for page in portal_of(site, document).pages() for record in page.records]


def read_one(site: LocalSite, raw: Any) -> DatasetRecord:
    record = read(site, {"dataset": [raw]})[0]
    assert isinstance(record, DatasetRecord)
    return record


@pytest.mark.parametrize(
    "document",
    [
        [dataset()],
        {"dataset": [dataset()]},
        {"dataset": dataset()},
        {"catalog": [{"catalog": {"dataset": [dataset()]}}]},
        {"service": [{"identifier": "S", "title": "S", "servesDataset": [dataset()]}]},
        {"@graph": [dataset(), {"@type": "dcat:CatalogRecord", "@id": "r"}]},
        dataset(),
    ],
)
def test_a_dataset_is_found_wherever_it_stands(site: LocalSite, document: Any) -> None:
    assert "A-1" in [record.identifier for record in read(site, document)]


def test_members_of_a_series_know_their_series(site: LocalSite) -> None:
    series = {
        "@id": "https://example.gov/series",
        "title": "Reports",
        "seriesMember": [dataset("R-1"), {"@id": "https://example.gov/elsewhere"}],
    }

    records = read(site, {"datasetSeries": [series]})

    assert [
        (one.identifier, one.kind, one.collection) for one in records if isinstance(one, DatasetRecord)
    ] == [
        ("https://example.gov/series", "series", None),
        ("R-1", "dataset", "https://example.gov/series"),
    ]


def test_a_service_has_its_endpoints_as_resources_that_are_no_files(site: LocalSite) -> None:
    service = {"identifier": "S-1", "title": "S", "endpointURL": ["https://api.example.gov/v1"]}

    record = read(site, {"service": [service]})[0]

    assert isinstance(record, DatasetRecord)
    assert (record.kind, [(one.role, one.url) for one in record.resources]) == (
        "service",
        [("access", "https://api.example.gov/v1")],
    )


def test_references_in_a_graph_are_put_back(site: LocalSite) -> None:
    graph = [
        dataset(distribution="#d", publisher={"@id": "#p"}),
        {"@id": "#d", "@type": "dcat:Distribution", "downloadURL": "https://example.gov/g.csv"},
        {"@id": "#p", "@type": "org:Organization", "name": "The Publisher"},
    ]

    record = read(site, {"@graph": graph})[0]

    assert isinstance(record, DatasetRecord)
    assert record.resources[0].url == "https://example.gov/g.csv"
    assert record.organization.name == "The Publisher"


@pytest.mark.parametrize("document", [{"hello": 1}, "text", 3, None])
def test_json_that_is_no_catalogue_is_a_permanent_error(site: LocalSite, document: Any) -> None:
    with pytest.raises(PermanentError, match="no DCAT-US catalogue"):
        read(site, document)


def test_a_file_with_both_addresses_is_two_resources(site: LocalSite) -> None:
    both = {
        "downloadURL": "https://x.gov/a.csv",
        "accessURL": "https://x.gov/about",
        "byteSize": "12",
        "title": "A",
    }

    record = read_one(site, dataset(distribution=[both]))

    first, second = record.resources
    assert (first.role, first.url, first.size) == ("download", "https://x.gov/a.csv", 12)
    assert (second.role, second.url, second.size) == ("access", "https://x.gov/about", None)
    assert second.key == f"{first.key}:access"


def test_a_file_whose_two_addresses_are_one_is_one_resource(site: LocalSite) -> None:
    same = {"downloadURL": "https://x.gov/a.csv", "accessURL": "https://x.gov/a.csv"}

    assert len(read_one(site, dataset(distribution=[same])).resources) == 1


@pytest.mark.parametrize(
    ("distribution", "urls"),
    [
        ({"downloadURL": "https://x.gov/a.csv"}, ["https://x.gov/a.csv"]),
        (["https://x.gov/a.csv"], ["https://x.gov/a.csv"]),
        (None, []),
        ([], []),
        ([{"title": "only a title"}], [None]),
        ([None, 3], []),
        ([{"accessService": {"endpointURL": "https://x.gov/wfs"}}], ["https://x.gov/wfs"]),
    ],
)
def test_distributions_are_read_in_every_shape(
    site: LocalSite, distribution: Any, urls: list[str | None]
) -> None:
    record = read_one(site, dataset(distribution=distribution))

    assert [resource.url for resource in record.resources] == urls


def test_resource_keys_do_not_depend_on_order(site: LocalSite) -> None:
    one = {"downloadURL": "https://x.gov/a.csv", "title": "A"}
    other = {"accessURL": "https://x.gov/b", "title": "B"}

    forth = read_one(site, dataset(distribution=[one, other]))
    back = read_one(site, dataset(distribution=[other, one]))

    assert {(one.key, one.url) for one in forth.resources} == {(one.key, one.url) for one in back.resources}


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ({"@type": "Identifier", "@id": "https://example.gov/three"}, "https://example.gov/three"),
        ({"@type": "Identifier", "notation": "NCDC-2024"}, "NCDC-2024"),
        (4711, "4711"),
        (" padded ", "padded"),
    ],
)
def test_identifiers_are_read_in_every_shape(site: LocalSite, identifier: Any, expected: str) -> None:
    assert read_one(site, dataset(identifier)).identifier == expected


def test_an_identifier_too_long_to_index_becomes_its_hash(site: LocalSite) -> None:
    record = read_one(site, dataset("x" * 5000))

    assert record.identifier.startswith("sha256:")
    assert "identifier" in [note.field for note in record.notes]


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({}, "identifier"),
        (dataset(None), "identifier"),
        (dataset(title=None), "title"),
        (dataset(title="\x00"), "title"),
        (None, "record"),
        ([dataset()], "record"),
    ],
)
def test_only_what_cannot_be_known_or_named_is_refused(site: LocalSite, raw: Any, field: str) -> None:
    refused, kept = read(site, {"dataset": [raw, dataset()]})

    assert isinstance(refused, Refusal)
    assert (refused.field, refused.position) == (field, 0)
    assert isinstance(kept, DatasetRecord)


def test_a_dataset_without_publisher_belongs_to_the_unknown_one_with_a_note(site: LocalSite) -> None:
    record = read_one(site, dataset(publisher=None))

    assert record.organization.slug == "unknown"
    assert "publisher" in [note.field for note in record.notes]


def test_an_identifier_used_by_two_datasets_loses_neither(site: LocalSite) -> None:
    first, second = read(site, {"dataset": [dataset("X", title="Rivers"), dataset("X", title="Lakes")]})

    assert isinstance(second, DatasetRecord)
    assert (first.identifier, second.identifier) == ("X", "X#lakes")
    assert "identifier" in [note.field for note in second.notes]


def test_an_exact_repetition_is_the_same_record(site: LocalSite) -> None:
    first, second = read(site, {"dataset": [dataset("X"), dataset("X")]})

    assert first == second


def test_a_rival_version_of_a_dataset_is_refused_by_name(site: LocalSite) -> None:
    _, second = read(site, {"dataset": [dataset("X"), dataset("X", description="another")]})

    assert isinstance(second, Refusal)
    assert (second.field, second.identifier, second.position) == ("identifier", "X", 1)


def test_windows_bytes_are_read_and_noted_where_they_stand(site: LocalSite) -> None:
    body = json.dumps({"dataset": [dataset("one"), dataset("two", description="it?s")]}).encode()

    records = read(site, body.replace(b"it?s", b"it\x92s"))

    assert isinstance(records[0], DatasetRecord)
    assert isinstance(records[1], DatasetRecord)
    assert records[1].description == "it\N{RIGHT SINGLE QUOTATION MARK}s"
    assert (records[0].notes, [note.field for note in records[1].notes]) == ((), ["description"])


def test_nul_and_half_pairs_never_reach_a_record(site: LocalSite) -> None:
    body = b'{"dataset": [{"identifier": "a\\u0000b", "title": "t\\ud800", "keyword": ["k\\u0000"]}]}'

    record = read(site, body)[0]

    assert isinstance(record, DatasetRecord)
    assert (record.identifier, record.title, record.keywords) == ("ab", "t\ufffd", ("k",))
    assert {note.field for note in record.notes} >= {"identifier", "title", "keyword"}
    assert b"\x00" not in record.raw


def test_the_document_is_its_own_witness_and_read_once(site: LocalSite) -> None:
    entries = [dataset("1"), dataset("2", publisher={"name": "Other"}), {}]
    portal = portal_of(site, {"dataset": entries})

    witness = portal.witness()
    records = [record for page in portal.pages() for record in page.records]

    assert witness.total == len(records) == 3
    assert witness.by_organization == {"office-of-things": 1, "other": 1, "unknown": 1}
    assert len(site.asked) == 1


def test_a_repetition_is_not_counted_twice_by_the_witness(site: LocalSite) -> None:
    portal = portal_of(site, {"dataset": [dataset("1"), dataset("1"), dataset("2")]})

    assert portal.witness().total == 2


def test_a_large_document_comes_in_pages_that_resume(
    site: LocalSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dcat_us, "RECORDS_A_PAGE", 10)
    document = {"dataset": [dataset(str(number)) for number in range(25)]}

    pages = list(portal_of(site, document).pages())
    rest = [record for page in portal_of(site, document).pages(pages[0].cursor) for record in page.records]

    assert [len(page.records) for page in pages] == [10, 10, 5]
    assert pages[-1].cursor is None
    assert [record.identifier for record in rest] == [str(number) for number in range(10, 25)]


def test_a_cursor_of_another_edition_starts_over(site: LocalSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dcat_us, "RECORDS_A_PAGE", 10)
    old = portal_of(site, {"dataset": [dataset(str(number)) for number in range(25)]})
    cursor = next(old.pages()).cursor
    new = portal_of(site, {"dataset": [dataset(f"new-{number}") for number in range(25)]})

    assert sum(len(page.records) for page in new.pages(cursor)) == 25


def test_fields_of_version_3_are_read(site: LocalSite) -> None:
    record = read_one(
        site,
        dataset(
            issued={"@type": "xsd:date", "@value": "2002-01-01"},
            theme=[{"@id": "x", "prefLabel": "Geospatial"}],
            spatial=[{"prefLabel": "United States"}, {"bbox": "1,2,3,4"}],
            temporal={"startDate": {"@value": "2020-01-01"}, "endDate": "2021-06-22"},
            accessRights="public",
            inSeries={"@id": "https://example.gov/series"},
            distribution=[
                {
                    "@id": "https://example.gov/d1",
                    "downloadURL": "https://example.gov/a.csv",
                    "byteSize": "52428800",
                    "license": "https://creativecommons.org/publicdomain/zero/1.0/",
                    "checksum": {"algorithm": "spdx:checksumAlgorithm_sha256", "checksumValue": "a" * 64},
                }
            ],
        ),
    )

    resource = record.resources[0]
    assert (resource.key, resource.size, resource.checksum) == (
        "https://example.gov/d1",
        52428800,
        "sha256:" + "a" * 64,
    )
    assert (record.themes, record.spatial) == (("Geospatial",), 'United States; {"bbox":"1,2,3,4"}')
    assert (record.temporal, record.access_level) == ("2020-01-01/2021-06-22", "public")
    assert record.collection == "https://example.gov/series"
    assert record.license == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert record.issued is not None


def test_a_portal_that_answers_a_page_of_html_once_is_read_the_second_time(site: LocalSite) -> None:
    url = site.serves_in_turn(
        "/data.json",
        Answered(b"<!doctype html><h1>Site under maintenance</h1>", 503),
        Answered({"dataset": [dataset()]}),
    )
    portal = DcatUsPortal(url, PageReader(open_door(), max_bytes=10**6, attempts=2, sleep=lambda _: None))

    assert next(portal.pages()).requests == 2
