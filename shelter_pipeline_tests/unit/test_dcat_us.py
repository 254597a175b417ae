"""What the reader of /data.json documents promises, from version 1.0 to 3.0 and for what agencies really serve."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.domain.records import DatasetRecord, Refusal
from shelter_pipeline_tests.support.dcat_documents import (
    dataset,
    read,
    read_one,
)
from shelter_pipeline_tests.support.local_site import LocalSite, local_site


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


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


def test_a_member_of_a_series_and_a_list_given_twice_are_read(site: LocalSite) -> None:
    body = b'{"dataset": [%s], "service": [], "dataset": [%s]}' % (
        json.dumps(dataset("1")).encode(),
        json.dumps(dataset("2")).encode(),
    )

    assert [record.identifier for record in read(site, body)] == ["1", "2"]


def test_references_of_a_graph_lead_forward_and_back_and_to_the_later_of_two(site: LocalSite) -> None:
    graph = [
        {"@id": "#p", "name": "Before"},
        dataset("1", publisher="#p", distribution=["#d", {"@id": "#d"}, {"@id": "#none"}]),
        {"@id": "#d", "downloadURL": "https://example.gov/d.csv"},
        dataset("2", publisher={"@id": "#p", "@type": "org:Organization"}),
        {"@id": "#p", "name": "After"},
    ]

    first, second = read(site, {"@graph": graph})

    assert isinstance(first, DatasetRecord)
    assert isinstance(second, DatasetRecord)
    assert (first.organization.name, second.organization.name) == ("After", "After")
    assert [one.url for one in first.resources][:2] == ["https://example.gov/d.csv"] * 2


def test_what_a_catalogue_in_a_graph_spells_out_is_read(site: LocalSite) -> None:
    inner = {"@type": "dcat:Catalog", "service": {"identifier": "S", "title": "S"}, "dataset": [dataset("3")]}
    graph = [
        {"@type": "dcat:Catalog", "dataset": [{"@id": "#1"}, dataset("2"), "#1"], "catalog": [inner]},
        dataset("1"),
    ]

    assert [record.identifier for record in read(site, {"@graph": graph})] == ["2", "3", "S", "1"]
