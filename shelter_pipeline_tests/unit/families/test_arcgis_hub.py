"""ArcGIS Hub: layers exported in the forms they need, documents, services, and what is no data at all."""

from __future__ import annotations

from typing import Any

import pytest

from shelter_pipeline.discovery.leads import To
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline_tests.unit.families.recorded import brief, entered, leads, read

ID = "2c4e32ee61824e28bd4cf37ecac96f39"
ITEM_PAGE = f"https://www.arcgis.com/sharing/rest/content/items/{ID}?f=json"
LAYER_PAGE = f"https://hub.arcgis.com/api/v3/datasets/{ID}_3"
EXPORT = f"https://hub.arcgis.com/api/download/v1/items/{ID}"

ITEM: dict[str, Any] = {
    "id": ID,
    "owner": "gis_admin",
    "created": 1500000000000,
    "modified": 1600000000000,
    "title": "Streams",
    "type": "Feature Service",
    "typeKeywords": [
        "ArcGIS Server",
        "Data",
        "Feature Access",
        "Feature Service",
        "Hosted Service",
        "Singlelayer",
    ],
    "name": "Streams",
    "size": 4194304,
    "access": "public",
    "url": "https://services.arcgis.com/abc/arcgis/rest/services/Streams/FeatureServer",
}
LAYER: dict[str, Any] = {
    "data": {
        "id": f"{ID}_3",
        "type": "dataset",
        "attributes": {
            "name": "Streams",
            "slug": "state::streams",
            "type": "Feature Layer",
            "access": "public",
            "geometryType": "esriGeometryPolyline",
            "recordCount": 53846,
            "url": "https://services.arcgis.com/abc/arcgis/rest/services/Streams/FeatureServer/3",
        },
    }
}


@pytest.mark.parametrize(
    ("url", "page"),
    [
        (f"https://hub.arcgis.com/datasets/{ID}", ITEM_PAGE),
        (f"http://enterprisecontent-usfs.opendata.arcgis.com/datasets/{ID}", ITEM_PAGE),
        (f"https://data.example.gov/maps/{ID}/about", ITEM_PAGE),
        (f"https://data.example.gov/documents/{ID}/explore", ITEM_PAGE),
        (f"https://www.arcgis.com/home/item.html?id={ID}", ITEM_PAGE),
        (f"https://state.maps.arcgis.com/home/webmap/viewer.html?webmap={ID}", ITEM_PAGE),
        (f"https://www.arcgis.com/sharing/rest/content/items/{ID}", ITEM_PAGE),
        (f"http://osav-usdot.opendata.arcgis.com/datasets/{ID}_3", LAYER_PAGE),
        (f"https://data.example.gov/datasets/{ID}_3/explore?location=1,2", LAYER_PAGE),
        (
            "https://data.example.gov/datasets/State::streams-and-rivers/about",
            "https://hub.arcgis.com/api/v3/datasets?filter[slug]=state::streams-and-rivers",
        ),
    ],
)
def test_every_address_of_an_item_leads_to_its_api_page(url: str, page: str) -> None:
    assert entered(url) == ("arcgis-hub", [("page", page)])


@pytest.mark.parametrize(
    "url",
    [
        "https://data.example.gov/datasets/streams",
        f"https://data.example.gov/datasets/{ID}/report.pdf",
        f"https://data.example.gov/home/item.html?id={ID}",
        "https://www.arcgis.com/home/item.html?id=1",
        f"https://data.example.gov/files/{ID}",
    ],
)
def test_other_pages_are_not_ours(url: str) -> None:
    assert entered(url) is None


def test_a_layer_with_a_geometry_is_exported_with_it_and_as_a_table() -> None:
    reading = read("arcgis-hub", LAYER, LAYER_PAGE)

    assert brief(reading) == [
        ("file", f"{EXPORT}/csv?layers=3&redirect=true"),
        ("file", f"{EXPORT}/geojson?layers=3&redirect=true"),
    ]
    assert [lead.format for lead in leads(reading)] == ["csv", "geojson"]


def test_a_table_has_one_export() -> None:
    table = {
        "data": [{"id": f"{ID}_0", "attributes": {"name": "Catch", "type": "Table", "geometryType": None}}]
    }

    assert brief(read("arcgis-hub", table, "https://hub.arcgis.com/api/v3/datasets?filter[slug]=a::b")) == [
        ("file", f"{EXPORT}/csv?layers=0&redirect=true")
    ]


def test_the_one_layer_of_a_service_is_exported() -> None:
    assert brief(read("arcgis-hub", ITEM, ITEM_PAGE))[0] == ("file", f"{EXPORT}/csv?layers=0&redirect=true")
    of_a_layer = {**ITEM, "typeKeywords": [], "url": f"{ITEM['url']}/7"}
    assert brief(read("arcgis-hub", of_a_layer, ITEM_PAGE))[0] == (
        "file",
        f"{EXPORT}/csv?layers=7&redirect=true",
    )


def test_a_service_of_several_layers_is_read_as_a_service_by_whoever_reads_services() -> None:
    [lead] = leads(read("arcgis-hub", {**ITEM, "typeKeywords": ["Multilayer"]}, ITEM_PAGE))

    assert (lead.to, lead.url, lead.reader, dict(lead.headers)) == (To.PAGE, ITEM["url"], "", {})


def test_a_document_is_its_data_with_a_size_that_is_an_estimate() -> None:
    document = {
        "id": ID,
        "type": "PDF",
        "title": "Plan",
        "name": "plan 2020.pdf",
        "size": 812345,
        "url": None,
    }

    [lead] = leads(read("arcgis-hub", document, ITEM_PAGE))

    assert lead.url == f"https://www.arcgis.com/sharing/rest/content/items/{ID}/data"
    assert (lead.label, lead.asset_kind, lead.size, lead.promised) == ("plan 2020.pdf", "pdf", 812345, False)


def test_a_size_that_nobody_counted_is_none() -> None:
    [lead] = leads(read("arcgis-hub", {"id": ID, "type": "CSV", "title": "x", "size": -1}, ITEM_PAGE))

    assert lead.size is None


def test_a_linked_document_is_a_link_like_any_other() -> None:
    link = {"id": ID, "type": "Document Link", "title": "Report", "url": "https://example.org/report.pdf"}

    [lead] = leads(read("arcgis-hub", link, ITEM_PAGE))

    assert (lead.to, lead.url, lead.reader) == (To.FILE, "https://example.org/report.pdf", "")


@pytest.mark.parametrize("kind", ["Web Mapping Application", "Dashboard", "StoryMap", "Web Map", "Hub Page"])
def test_an_application_holds_no_file(kind: str) -> None:
    reading = read("arcgis-hub", {"id": ID, "type": kind, "url": "https://example.org/app"}, ITEM_PAGE)

    assert (leads(reading), reading.outcome) == ([], "landing-page-only")
    assert kind in reading.detail


@pytest.mark.parametrize("code", [403, 498, 499])
def test_a_private_item_asks_for_a_login(code: int) -> None:
    refused = {"error": {"code": code, "messageCode": "GWM_0003", "message": "You do not have permissions."}}

    reading = read("arcgis-hub", refused, ITEM_PAGE)

    assert (reading.outcome, reading.detail) == (
        "login-required",
        f"ArcGIS answers {code}: You do not have permissions.",
    )


@pytest.mark.parametrize(
    "body",
    [
        {
            "error": {
                "code": 400,
                "messageCode": "CONT_0001",
                "message": "Item does not exist or is inaccessible.",
            }
        },
        {"data": []},
        {"data": [{"id": "nonsense"}]},
        {"id": "../../x", "type": "CSV"},
        {"errors": [{"title": "Not found"}]},
    ],
)
def test_what_is_no_item_is_an_error(body: dict[str, Any]) -> None:
    with pytest.raises(PermanentError):
        read("arcgis-hub", body, ITEM_PAGE)
