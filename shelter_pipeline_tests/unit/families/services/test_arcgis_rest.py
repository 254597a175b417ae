"""ArcGIS REST: descriptions always, exports only of what ArcGIS Online hosts."""

from __future__ import annotations

from typing import Any

import pytest

from shelter_pipeline.discovery.families import enter
from shelter_pipeline.discovery.families.arcgis_rest import MAX_LAYERS
from shelter_pipeline.discovery.leads import What
from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.unit.families.services.answers import leads_of, outcome_of, read

ITEM = "0123456789abcdef0123456789abcdef"
HOSTED = "https://services.arcgis.com/fLeGjb7u4uXqeF9q/arcgis/rest/services/Walkable/FeatureServer"
OWN = "https://geodata.epa.example/arcgis/rest/services/OEI/FRS_PowerPlants/MapServer"
HUB = f"https://hub.arcgis.com/api/download/v1/items/{ITEM}"
LAYER = {
    "currentVersion": 11.4,
    "id": 0,
    "name": "Access to healthy food",
    "type": "Feature Layer",
    "serviceItemId": ITEM,
    "geometryType": "esriGeometryPolygon",
    "maxRecordCount": 2000,
    "capabilities": "Query,Extract",
    "fields": [{"name": "OBJECTID", "type": "esriFieldTypeOID"}],
}


def service(**changes: Any) -> dict[str, Any]:
    told = {
        "currentVersion": 11.4,
        "serviceItemId": ITEM,
        "serviceDescription": "",
        "maxRecordCount": 2000,
        "supportedQueryFormats": "JSON",
        "capabilities": "Query",
        "layers": [
            {"id": 0, "name": "All", "type": "Group Layer", "subLayerIds": [1]},
            {"id": 1, "name": "Tracts", "type": "Feature Layer", "subLayerIds": None}
            | {"geometryType": "esriGeometryPolygon"},
        ],
        "tables": [{"id": 7, "name": "Visits", "type": "Table"}],
    }
    return told | changes


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        (OWN, f"{OWN}?f=json"),
        (f"{OWN}/", f"{OWN}?f=json"),
        (f"{OWN}?f=pjson", f"{OWN}?f=json"),
        (f"{OWN}/3", f"{OWN}/3?f=json"),
        (f"{OWN}/export?bbox=1,2,3,4", f"{OWN}?f=json"),
        (f"{HOSTED}/0/query?outFields=%2A&where=1%3D1", f"{HOSTED}/0?f=json"),
        (
            "https://h.example/arcgis/services/Soils/MapServer?wsdl",
            "https://h.example/arcgis/rest/services/Soils/MapServer?f=json",
        ),
    ],
)
def test_a_service_or_a_layer_is_asked_what_it_is(url: str, asked: str) -> None:
    assert outcome_of(url) == ("arcgis-rest", "", [("page", "service-description", asked)])


@pytest.mark.parametrize(
    ("url", "saved"),
    [
        (
            "https://apps.fs.example/fsgisx01/rest/services/RDW_Climate/Snow/ImageServer",
            "https://apps.fs.example/fsgisx01/rest/services/RDW_Climate/Snow/ImageServer?f=json",
        ),
        (
            "https://tiles.arcgis.com/tiles/abc/arcgis/rest/services/Base/VectorTileServer/tile/1/2/3.pbf",
            "https://tiles.arcgis.com/tiles/abc/arcgis/rest/services/Base/VectorTileServer?f=json",
        ),
        ("https://h.example/arcgis/rest/services", "https://h.example/arcgis/rest/services?f=json"),
        (
            "https://h.example/arcgis/rest/services/Water/",
            "https://h.example/arcgis/rest/services/Water?f=json",
        ),
    ],
)
def test_what_has_no_layers_is_described_and_that_is_all(url: str, saved: str) -> None:
    assert outcome_of(url) == ("arcgis-rest", "service", [("file", "capabilities", saved)])


@pytest.mark.parametrize(
    "url",
    [
        "https://h.example/cgi-bin/mapserver/docs",
        "https://h.example/services/fileserver",
        "https://h.example/a",
    ],
)
def test_what_only_resembles_a_service_is_none(url: str) -> None:
    assert enter(parse_url(url)) is None


def test_a_hosted_service_leads_to_exports_of_its_layers_and_tables() -> None:
    reading = read("arcgis-rest", f"{HOSTED}?f=json", service())

    assert reading.outcome == ""
    assert leads_of(reading) == [
        ("file", "capabilities", f"{HOSTED}?f=json"),
        ("file", "capabilities", f"{HOSTED}/layers?f=json"),
        ("file", "arcgis-hub-download", f"{HUB}/csv?layers=1&redirect=true"),
        ("file", "arcgis-hub-download", f"{HUB}/geojson?layers=1&redirect=true"),
        ("file", "arcgis-hub-download", f"{HUB}/csv?layers=7&redirect=true"),
    ]
    assert [(lead.asset_kind, lead.label) for lead in reading.leads][2:4] == [
        ("csv", "Tracts"),
        ("geojson", "Tracts"),
    ]


def test_one_layer_leads_to_its_own_export_alone() -> None:
    reading = read("arcgis-rest", f"{HOSTED}/0?f=json", LAYER)

    assert leads_of(reading) == [
        ("file", "capabilities", f"{HOSTED}?f=json"),
        ("file", "capabilities", f"{HOSTED}/0?f=json"),
        ("file", "arcgis-hub-download", f"{HUB}/csv?layers=0&redirect=true"),
        ("file", "arcgis-hub-download", f"{HUB}/geojson?layers=0&redirect=true"),
    ]


@pytest.mark.parametrize(
    ("url", "changes"),
    [
        (f"{OWN}?f=json", {}),  # Hub knows nothing of another portal's items
        (f"{HOSTED}?f=json", {"serviceItemId": ""}),
        (f"{HOSTED}?f=json", {"serviceItemId": "../../../etc/passwd"}),
        (f"{HOSTED}?f=json", {"capabilities": "Map,Data"}),
        (f"{HOSTED}?f=json", {"layers": [], "tables": []}),
        (f"https://arcgis.com.evil.example/rest/services/A/MapServer?f=json", {}),  # noqa: F541
    ],
)
def test_without_a_known_export_the_service_is_described_and_its_limits_told(
    url: str, changes: dict[str, Any]
) -> None:
    reading = read("arcgis-rest", url, service(**changes))

    assert reading.outcome == "service"
    assert {lead.why for lead in reading.leads} == {"capabilities"}
    assert "at most 2000 records an answer (maxRecordCount)" in reading.detail


def test_the_detail_counts_layers_and_tables_without_groups() -> None:
    assert read("arcgis-rest", f"{OWN}?f=json", service()).detail == (
        "an ArcGIS service with 2 layers and tables, at most 2000 records an answer (maxRecordCount):"
        " no documented export of whole files"
    )


@pytest.mark.parametrize("code", [401, 403, 498, 499])
def test_an_answer_that_asks_for_a_token_is_a_login(code: int) -> None:
    reading = read("arcgis-rest", f"{OWN}?f=json", {"error": {"code": code, "message": "Token Required"}})

    assert (reading.what, reading.outcome, leads_of(reading)) == (What.LOGIN, "login-required", [])
    assert reading.detail == f"ArcGIS answers {code}: Token Required"


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        ({"code": 400, "message": "Invalid URL", "details": ["Invalid URL"]}, PermanentError, "not-found"),
        ({"code": 404, "message": "Service not found"}, PermanentError, "not-found"),
        ({"code": 500, "message": "Service A/MapServer not started"}, TransientError, "server-error"),
        ({"code": "gone"}, PermanentError, "http-status"),
        ("no object", PermanentError, "http-status"),
    ],
)
def test_an_error_inside_a_reply_keeps_its_meaning(
    error: object, kind: type[ShelterError], reason: str
) -> None:
    with pytest.raises(kind) as failure:
        read("arcgis-rest", f"{OWN}?f=json", {"error": error})

    assert failure.value.reason == reason


@pytest.mark.parametrize("body", [{}, [], b"null", b"<html><h1>Portal</h1></html>", b'{"a": ', {"id": 3}])
def test_what_describes_no_service_is_refused(body: object) -> None:
    with pytest.raises(ShelterError):
        read("arcgis-rest", f"{OWN}?f=json", body)


def test_layers_beyond_the_limit_are_counted_and_passed_over() -> None:
    layers = [{"id": number, "type": "Table"} for number in range(MAX_LAYERS + 3)]

    reading = read("arcgis-rest", f"{HOSTED}?f=json", service(layers=layers, tables=[]))

    assert len(list(reading.leads)) == 2 + MAX_LAYERS
    assert reading.notes == ("3 layers beyond the first 500 were passed over",)


def test_layers_that_are_none_are_passed_over() -> None:
    layers = [None, 7, {"id": -1}, {"id": "x"}, {"id": True}, {"name": "no number"}, {"id": 2, "name": ["a"]}]

    reading = read("arcgis-rest", f"{HOSTED}?f=json", service(layers=layers, tables="none"))

    assert [url for _, why, url in leads_of(reading) if why == "arcgis-hub-download"] == [
        f"{HUB}/csv?layers=2&redirect=true"
    ]
