"""THREDDS: whatever is asked of a dataset leads to its file, and a catalogue to its XML."""

from __future__ import annotations

import pytest

from shelter_pipeline.discovery.families import enter
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.unit.families.services.answers import entered, outcome_of

TDS = "https://thredds.example.edu/thredds"
FILE = ("file", "thredds-file-server", f"{TDS}/fileServer/psl/air.2m.2020.nc")
DAS = ("file", "capabilities", f"{TDS}/dodsC/psl/air.2m.2020.nc.das")


@pytest.mark.parametrize("suffix", ["", ".html", ".das", ".dds", ".dods?air[0:1]", ".ascii", ".nc4"])
def test_a_dap_address_leads_to_the_file_and_its_attributes(suffix: str) -> None:
    assert outcome_of(f"{TDS}/dodsC/psl/air.2m.2020.nc{suffix}") == ("thredds-service", "", [FILE, DAS])


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/fileServer/psl/air.2m.2020.nc", []),
        ("/wms/psl/air.2m.2020.nc?service=WMS&version=1.3.0&request=GetMap", "wms"),
        ("/wcs/psl/air.2m.2020.nc", "wcs"),
        (
            "/ncss/grid/psl/air.2m.2020.nc/dataset.html",
            [("file", "capabilities", f"{TDS}/ncss/grid/psl/air.2m.2020.nc/dataset.xml")],
        ),
        (
            "/ncss/psl/air.2m.2020.nc/dataset.xml",
            [("file", "capabilities", f"{TDS}/ncss/psl/air.2m.2020.nc/dataset.xml")],
        ),
        ("/iso/psl/air.2m.2020.nc", [("file", "capabilities", f"{TDS}/iso/psl/air.2m.2020.nc")]),
        ("/ncml/psl/air.2m.2020.nc?catalog=x", [("file", "capabilities", f"{TDS}/ncml/psl/air.2m.2020.nc")]),
        (
            "/dap4/psl/air.2m.2020.nc.dmr.xml",
            [("file", "capabilities", f"{TDS}/dap4/psl/air.2m.2020.nc.dmr.xml")],
        ),
        ("/cdmremote/psl/air.2m.2020.nc", []),
    ],
)
def test_every_service_of_a_dataset_leads_to_its_file(
    path: str, more: list[tuple[str, str, str]] | str
) -> None:
    if isinstance(more, str):
        query = f"?service={more.upper()}&request=GetCapabilities"
        more = [("file", "capabilities", f"{TDS}/{more}/psl/air.2m.2020.nc{query}")]

    assert outcome_of(TDS + path) == ("thredds-service", "", [FILE, *more])


@pytest.mark.parametrize(
    "path", ["grib/NCEP/GFS/Best.html", "grib/NCEP/GFS/Best", "grib/NCEP/GFS/Best.dods?t[0]"]
)
def test_an_aggregation_has_no_file_and_is_described(path: str) -> None:
    best = f"{TDS}/dodsC/grib/NCEP/GFS/Best"

    assert outcome_of(f"{TDS}/dodsC/{path}") == (
        "thredds-service",
        "service",
        [("file", "capabilities", f"{best}.das"), ("file", "capabilities", f"{best}.dds")],
    )


@pytest.mark.parametrize(
    ("path", "catalog"),
    [
        ("", "/catalog.xml"),
        ("/", "/catalog.xml"),
        ("/catalog.html", "/catalog.xml"),
        ("/catalog/", "/catalog/catalog.xml"),
        ("/catalog/ornldaac/1604/catalog.html", "/catalog/ornldaac/1604/catalog.xml"),
        ("/catalog/ornldaac/1604/catalog.xml", "/catalog/ornldaac/1604/catalog.xml"),
        ("/catalog/ornldaac/1604/", "/catalog/ornldaac/1604/catalog.xml"),
        ("/catalog/MERRA2//M2TMNPTRB.5.12.4/catalog.html", "/catalog/MERRA2//M2TMNPTRB.5.12.4/catalog.xml"),
        ("/catalog/idd/models.html", "/catalog/idd/models.xml"),
        ("/catalog/a/catalog.html?dataset=a%2Fb_Agg.ncml", "/catalog/a/catalog.xml?dataset=a%2Fb_Agg.ncml"),
        ("/catalog/a/catalog.html?utm_source=x", "/catalog/a/catalog.xml"),
    ],
)
def test_a_catalogue_is_read_as_xml_by_the_reader_of_catalogues(path: str, catalog: str) -> None:
    slug, reading = entered(TDS + path)
    (lead,) = reading.leads

    assert (slug, lead.to.value, lead.url, lead.reader) == (
        "thredds-service",
        "page",
        TDS + catalog,
        "thredds",
    )


def test_what_the_file_server_has_is_a_file_whatever_its_name() -> None:
    url = f"{TDS}/fileServer/psl/README"

    assert outcome_of(url) == ("thredds-service", "", [("file", "thredds-file-server", url)])


def test_a_service_without_a_dataset_is_a_service() -> None:
    assert outcome_of(f"{TDS}/serverInfo.html") == ("thredds-service", "service", [])


def test_a_page_about_thredds_is_none() -> None:
    assert enter(parse_url("https://h.example/docs/thredds-primer/catalog.html")) is None
