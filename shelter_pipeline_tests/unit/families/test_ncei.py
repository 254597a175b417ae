"""NOAA NCEI: from landing pages of all its former names to directories, archives and services."""

from __future__ import annotations

import pytest

from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline_tests.unit.families.recorded import brief, entered, read
from shelter_pipeline_tests.unit.families.records_xml import ISO

HOME = "https://www.ncei.noaa.gov"


def record(identity: str) -> str:
    return f"{HOME}/access/metadata/landing-page/bin/iso?id={identity};view=xml;responseType=text/xml"


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        (f"{HOME}/access/metadata/landing-page/bin/iso?id=gov.noaa.ncdc:C00516", "gov.noaa.ncdc:C00516"),
        (
            "http://ncei.noaa.gov/access/metadata/landing-page/bin/iso?id=gov.noaa.ncdc%3AC01552",
            "gov.noaa.ncdc:C01552",
        ),
        (
            f"{HOME}/access/metadata/landing-page/bin/iso?id=gov.noaa.ngdc.mgg.dem:etopo_2022;view=html",
            "gov.noaa.ngdc.mgg.dem:etopo_2022",
        ),
        ("https://data.nodc.noaa.gov/cgi-bin/iso?id=gov.noaa.nodc:0115402;view=iso", "gov.noaa.nodc:0115402"),
        (f"{HOME}/metadata/geoportal/rest/metadata/item/gov.noaa.ncdc:C00861/html", "gov.noaa.ncdc:C00861"),
        (f"{HOME}/metadata/geoportal/rest/metadata/item/gov.noaa.ncdc%3AC00532/html", "gov.noaa.ncdc:C00532"),
        (f"{HOME}/archive/accession/0291437", "gov.noaa.nodc:0291437"),
        ("https://accession.nodc.noaa.gov/0291437", "gov.noaa.nodc:0291437"),
    ],
)
def test_every_page_of_a_record_leads_to_its_iso_xml(url: str, identity: str) -> None:
    assert entered(url) == ("ncei", [("page", record(identity))])


@pytest.mark.parametrize(
    ("url", "lead"),
    [
        (f"{HOME}/data/global-hourly", ("directory", f"{HOME}/data/global-hourly/")),
        (
            "https://www.nodc.noaa.gov/archive/arc0001/0001754/1.1/data",
            ("directory", f"{HOME}/data/oceans/archive/arc0001/0001754/1.1/data/"),
        ),
        (
            "https://www.nodc.noaa.gov/cgi-bin/OAS/prd/accession/download/123467",
            ("file", f"{HOME}/archive/accession/download/123467"),
        ),
        (
            f"{HOME}/archive/archive-management-system/OAS/bin/prd/jquery/accession/download/0254384",
            ("file", f"{HOME}/archive/accession/download/254384"),
        ),
    ],
)
def test_a_url_that_names_its_data_leads_there_at_once(url: str, lead: tuple[str, str]) -> None:
    assert entered(url) == ("ncei", [lead])


@pytest.mark.parametrize(
    "url",
    [
        f"{HOME}/access/metadata/landing-page/bin/iso?id=../../etc/passwd",
        f"{HOME}/access/metadata/landing-page/bin/iso?id=gov.noaa.ncdc:C0%26x",
        f"{HOME}/data/global-hourly/",
        f"{HOME}/products/land-based-station",
        "https://ncei.noaa.gov.example.net/archive/accession/0291437",
    ],
)
def test_other_pages_are_not_ours(url: str) -> None:
    assert entered(url) is None


def test_the_record_leads_to_directories_archives_files_and_services() -> None:
    reading = read("ncei", ISO.encode(), record("gov.noaa.ncdc:C00516"))

    assert brief(reading) == [
        ("directory", f"{HOME}/data/global-summary-of-the-day/access/"),
        ("file", f"{HOME}/archive/accession/download/150968"),
        ("directory", "ftp://ftp.ncdc.noaa.gov/pub/data/gsod"),
        ("page", f"{HOME}/thredds/dodsC/gsod/gsod.nc"),
        ("file", f"{HOME}/files/stations%20list.csv"),
    ]


def test_a_record_without_a_download_is_a_landing_page() -> None:
    assert read("ncei", b"<MD_Metadata/>", record("gov.noaa.ncdc:C00516")).outcome == "landing-page-only"


def test_a_page_in_place_of_the_record_is_an_error() -> None:
    with pytest.raises(PermanentError):
        read("ncei", b"<html><title>Sorry</title></html>", record("gov.noaa.ncdc:C00516"))
