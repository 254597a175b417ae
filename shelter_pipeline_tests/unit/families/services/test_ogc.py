"""What is kept of OGC services: one capabilities document for one service, however it was asked for."""

from __future__ import annotations

import pytest

from shelter_pipeline.discovery.families import enter
from shelter_pipeline.discovery.families.ogc import describe
from shelter_pipeline.discovery.families.query_service import declared
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.unit.families.services.answers import entered, leads_of, outcome_of

GEONODE = "http://geonode.state.example/geoserver"


@pytest.mark.parametrize(
    ("url", "capabilities"),
    [
        (f"{GEONODE}/wms", f"{GEONODE}/wms?service=WMS&request=GetCapabilities"),
        (f"{GEONODE}/geonode/wms/", f"{GEONODE}/geonode/wms/?service=WMS&request=GetCapabilities"),
        (
            f"{GEONODE}/wms?layers=a%3Ab&width=373&bbox=35.7%2C32.5&service=WMS&format=image%2Fpng&request=GetMap",
            f"{GEONODE}/wms?service=WMS&request=GetCapabilities",
        ),
        (
            f"{GEONODE}/wms?request=GetLegendGraphic&format=image/png&WIDTH=20&LAYER=a&legend_options=fontSize:12",
            f"{GEONODE}/wms?service=WMS&request=GetCapabilities",
        ),
        (f"{GEONODE}/wms/kml?layers=a&mode=refresh", f"{GEONODE}/wms?service=WMS&request=GetCapabilities"),
        (f"{GEONODE}/wms/reflect?layers=a", f"{GEONODE}/wms?service=WMS&request=GetCapabilities"),
        (
            f"{GEONODE}/wfs?typename=a&outputFormat=SHAPE-ZIP&version=1.0.0&request=GetFeature&service=WFS",
            f"{GEONODE}/wfs?service=WFS&request=GetCapabilities",
        ),
        (
            "https://h.example/inspire/ows?Service=WMS&Request=Getcapabilities",
            "https://h.example/inspire/ows?service=WMS&request=GetCapabilities",
        ),
        (
            "https://h.example/geoserver/ows?request=GetFeature&typeNames=a",
            "https://h.example/geoserver/ows?service=WFS&request=GetCapabilities",
        ),
        (
            "https://h.example/wms/geoportal/Verkehr?SERVICE=WMS&REQUEST=GetCapabilities&VERSION=1.3.0",
            "https://h.example/wms/geoportal/Verkehr?service=WMS&request=GetCapabilities",
        ),
        (
            "https://h.example/cgi-bin/mapserv?map=/maps/a%20b.map&SERVICE=WCS&VERSION=1.0.0&REQUEST=DescribeCoverage",
            "https://h.example/cgi-bin/mapserv?map=/maps/a%20b.map&service=WCS&request=GetCapabilities",
        ),
        (
            "https://h.example/arcgis/services/Soils/MapServer/WMSServer",
            "https://h.example/arcgis/services/Soils/MapServer/WMSServer?service=WMS&request=GetCapabilities",
        ),
        (
            "https://h.example/csw?request=GetRecordById&id=7&elementSetName=full",
            "https://h.example/csw?service=CSW&request=GetCapabilities",
        ),
        (
            "https://h.example/sos?request=GetObservation&offering=a",
            "https://h.example/sos?service=SOS&request=GetCapabilities",
        ),
        (
            "https://maps.zh.example/wfs/HaltestellenZHWFS",
            "https://maps.zh.example/wfs/HaltestellenZHWFS?service=WFS&request=GetCapabilities",
        ),
        (
            "https://wms.zh.example/ZVVZHWMS",
            "https://wms.zh.example/ZVVZHWMS?service=WMS&request=GetCapabilities",
        ),
        (
            "https://h.example/WMTS/1.0.0/WMTSCapabilities.xml",
            "https://h.example/WMTS/1.0.0/WMTSCapabilities.xml",
        ),
    ],
)
def test_a_request_leads_to_the_capabilities_of_its_service(url: str, capabilities: str) -> None:
    assert outcome_of(url) == ("ogc", "service", [("file", "capabilities", capabilities)])


def test_the_order_of_parameters_makes_no_other_service() -> None:
    one, other = (
        outcome_of(f"https://h.example/mapserv?{query}&request=GetMap&service=wms")
        for query in ("map=a.map&site=2&layers=x", "LAYERS=y&site=2&map=a.map")
    )

    assert one == other


def test_the_lead_promises_xml_and_the_detail_says_what_the_service_is() -> None:
    _, reading = entered(f"{GEONODE}/wfs")
    (lead,) = reading.leads

    assert (lead.asset_kind, lead.media_type, lead.format) == ("xml", "application/xml", "xml")
    assert reading.detail == "a WFS: it answers single requests and hands out no whole files"


@pytest.mark.parametrize(
    "url",
    [
        "https://h.example/data/wms-stations.csv",
        "https://h.example/about/wms/index.html",
        "https://wms.example.gov/",
        "https://wms.example.gov/files/table.csv",
        "https://h.example/Blast.cgi?CMD=request&REQUEST=GetResults",
        "https://h.example/a?service=wms2",
    ],
)
def test_what_only_resembles_a_service_is_none(url: str) -> None:
    assert enter(parse_url(url)) is None


def test_a_service_that_only_its_catalogue_names_has_its_capabilities_saved() -> None:
    url = parse_url("https://h.example/maps/roads?layers=a&key=7")

    wanted = [
        ("file", "capabilities", "https://h.example/maps/roads?key=7&service=WMS&request=GetCapabilities")
    ]
    assert leads_of(describe(url, "wms")) == wanted
    assert leads_of(declared("declared-wms", url)) == wanted


def test_a_service_of_which_nothing_is_known_is_a_service_all_the_same() -> None:
    reading = declared("declared-api", parse_url("https://h.example/v2/data"))

    assert (reading.outcome, leads_of(reading)) == ("service", [])
    assert "api" in reading.detail


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        (
            "https://h.example/api/stac/v1/collections/landsat-c2/items?limit=10",
            [
                ("file", "capabilities", "https://h.example/api/stac/v1"),
                ("file", "capabilities", "https://h.example/api/stac/v1/collections/landsat-c2"),
            ],
        ),
        (
            "https://cmr.example/stac/LPCLOUD/collections/HLS.v2.0",
            [
                ("file", "capabilities", "https://cmr.example/stac/LPCLOUD"),
                ("file", "capabilities", "https://cmr.example/stac/LPCLOUD/collections/HLS.v2.0"),
            ],
        ),
        (
            "https://h.example/ogc/features/v1/collections",
            [("file", "capabilities", "https://h.example/ogc/features/v1")],
        ),
        ("https://h.example/ogcapi/", [("file", "capabilities", "https://h.example/ogcapi")]),
    ],
)
def test_an_ogc_api_gives_its_landing_page_and_the_collection(
    url: str, leads: list[tuple[str, str, str]]
) -> None:
    assert outcome_of(url) == ("ogc-api", "service", leads)


@pytest.mark.parametrize(
    "url",
    [
        "https://cmr.example/virtual-directory/collections/C2574025518-POCLOUD",
        "https://h.example/stac/catalog.json",
        "https://h.example/about/collections/items",
        "https://h.example/stacks/collections/a",
    ],
)
def test_collections_of_other_places_are_no_ogc_api(url: str) -> None:
    assert enter(parse_url(url)) is None


@pytest.mark.parametrize(
    ("url", "leads"),
    [
        (
            "http://h.example/feed.svc/Programs",
            [("file", "capabilities", "http://h.example/feed.svc/$metadata")],
        ),
        (
            "https://h.example/odata/v4/Stations(3)",
            [("file", "capabilities", "https://h.example/odata/v4/$metadata")],
        ),
        ("https://h.example/sparql?query=SELECT", []),
        ("https://h.example/api/graphql", []),
    ],
)
def test_services_that_answer_queries_say_so(url: str, leads: list[tuple[str, str, str]]) -> None:
    assert outcome_of(url) == ("query-service", "service", leads)


@pytest.mark.parametrize(
    "url", ["https://h.example/odatas/x", "https://h.example/api/views/22ew-dxez/columns.svc"]
)
def test_what_only_resembles_odata_is_none(url: str) -> None:
    assert enter(parse_url(url)) is None
