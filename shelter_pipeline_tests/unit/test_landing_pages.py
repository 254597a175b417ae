"""Pages of the kinds that portals and agencies have, re-created: each gives exactly these leads."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelter_pipeline.discovery.leads import What
from shelter_pipeline_tests.support.landing_replies import PAGE, read_page

PAGES = Path(__file__).parent / "pages"

# Why, to what, where to, and the kind of file.
EXPECTED = {
    "https://data.riverside.gov/dataset/stream-gauges": (
        "ckan",
        [
            (
                "anchor",
                "file",
                "https://data.riverside.gov/dataset/77aa/resource/5a6b/download/readings-2023.csv",
                "csv",
            ),
            (
                "anchor",
                "file",
                "https://data.riverside.gov/dataset/77aa/resource/9c1d/download/stations.geojson?v=2",
                "geojson",
            ),
        ],
    ),
    "https://data.lakeview.gov/d/ab12-cd34": (
        "socrata",
        [
            (
                "json-ld",
                "file",
                "https://data.lakeview.gov/api/views/ab12-cd34/rows.csv?accessType=DOWNLOAD",
                "csv",
            ),
            (
                "json-ld",
                "file",
                "https://data.lakeview.gov/api/views/ab12-cd34/rows.json?accessType=DOWNLOAD",
                "json",
            ),
        ],
    ),
    "https://catalog.data.gov/dataset/soil-moisture-grids": (
        "datagov",
        [
            ("microdata", "file", "https://www.agency.example.gov/soil/moisture-all.nc", "netcdf"),
            ("anchor", "file", "https://catalog.data.gov/files/soil-moisture-2022.zip", "zip"),
        ],
    ),
    "https://www.ncei.noaa.gov/access/metadata/landing-page/bin/iso?id=gov.noaa.ncdc:C00516": (
        "ncei",
        [
            ("anchor", "file", "https://www.ncei.noaa.gov/data/global-summary/doc/readme.txt", "text"),
            ("anchor", "file", "https://www.ncei.noaa.gov/data/global-summary/doc/format.pdf", "pdf"),
            ("directory-link", "directory", "ftp://ftp.ncdc.noaa.gov/pub/data/gsod", None),
            ("directory-link", "directory", "https://www.ncei.noaa.gov/data/global-summary/access/", None),
            (
                "download-page",
                "page",
                "https://www.ncei.noaa.gov/access/search/data-search/global-summary",
                None,
            ),
        ],
    ),
    "https://data.ocean.example.gov/collections/C1234": (
        "earthdata",
        [
            ("anchor", "file", "https://data.ocean.example.gov/docs/oceancolour/userguide_v4.pdf", "pdf"),
            (
                "download-page",
                "page",
                "https://data.ocean.example.gov/access/oceancolour?format=netcdf",
                None,
            ),
            ("directory-link", "directory", "https://data.ocean.example.gov/data/oceancolour/l3/v4/", None),
        ],
    ),
    "https://www.usgs.gov/data/elevation-delta-2019": (
        "usgs",
        [
            ("anchor", "file", "https://www.usgs.gov/media/budget.xlsx", "xlsx"),
            ("anchor", "file", "https://prd.usgs.gov/delta/dem_n38w122.tif", "tiff"),
            ("anchor", "file", "https://prd.usgs.gov/delta/points.laz", "lidar"),
            ("anchor", "file", "https://www.usgs.gov/delta/quads/a1.kmz", "kmz"),
            ("embedded", "file", "https://www.usgs.gov/delta/report/ofr2019.pdf", "pdf"),
            ("option", "file", "https://www.usgs.gov/delta/counties/yolo.zip", "zip"),
            ("option", "file", "https://www.usgs.gov/delta/counties/solano.zip", "zip"),
        ],
    ),
    "https://www.epa.gov/toxics/release-files": (
        "epa",
        [
            (
                "anchor",
                "file",
                "https://www.epa.gov/system/files/other-files/2024-01/release_2022.zip",
                "zip",
            ),
            ("anchor", "file", "https://www.epa.gov/system/files/documents/2024-01/release_docs.pdf", "pdf"),
            ("anchor", "file", "https://www.epa.gov/system/files/open/datasets.json", "json"),
            ("download-page", "page", "https://www.epa.gov/toxics/download-data", None),
        ],
    ),
    "https://www.census.gov/geographies/boundary-files.html": (
        "census",
        [
            ("anchor", "file", "https://www2.census.gov/geo/docs/maps-data/relationship.txt", "text"),
            ("directory-link", "directory", "ftp://ftp2.census.gov/geo/tiger/TIGER2021/", None),
            ("directory-link", "directory", "https://www2.census.gov/geo/tiger/TIGER2023/", None),
            ("directory-link", "directory", "https://www2.census.gov/geo/tiger/TIGER2022/", None),
        ],
    ),
    "https://opendata.state.gov/dataset/air-permits": (
        "dkan",
        [
            ("rdfa", "file", "https://opendata.state.gov/sites/default/files/permits%20all.csv", "csv"),
            ("download-attribute", "file", "https://opendata.state.gov/node/89/download", "xlsx"),
            ("rdfa", "page", "https://opendata.state.gov/permits/viewer", None),
        ],
    ),
    "https://instituto.example.org/censo-agrario/": (
        "wordpress",
        [
            ("anchor", "file", "https://instituto.example.org/wp-content/uploads/2024/05/censo.xlsx", "xlsx"),
            ("directory-link", "directory", "https://instituto.example.org/descarga-de-datos/", None),
        ],
    ),
    "https://geodienst.example.de/geonetwork/srv/api/records/b1": (
        "geonetwork",
        [
            ("json-ld", "file", "https://download.geodienst.example.de/boden/bk50.gpkg", "geopackage"),
            (
                "anchor",
                "file",
                "https://geodienst.example.de/geonetwork/srv/api/records/b1/attachments/legende.pdf",
                "pdf",
            ),
            ("json-ld", "page", "https://geodienst.example.de/boden/herunterladen", None),
        ],
    ),
    "https://repo.univ.example.edu/dataset/2": (
        "repository",
        [
            ("json-ld", "file", "https://repo.univ.example.edu/api/access/datafile/42", "tsv"),
            ("link", "file", "https://univ-repo.s3.us-west-2.amazonaws.com/2/rivers.csv", "csv"),
            ("meta", "file", "https://repo.univ.example.edu/bitstream/1/2/rivers.pdf", "pdf"),
            ("link", "page", "https://repo.univ.example.edu/linkset/2", None),
        ],
    ),
}
WALLS = {
    "login_earthdata": (What.LOGIN, "login-page"),
    "login_shibboleth": (What.LOGIN, "login-page"),
    "robot_cloudflare": (What.LOGIN, "login-page"),
    "robot_incapsula": (What.LOGIN, "login-page"),
    "robot_firewall": (What.LOGIN, "login-page"),
    "missing": (What.LANDING, "not-found"),
    "closed": (What.LANDING, "server-error"),
    "preparing": (What.PROCESSING, "processing"),
    "scripted": (What.LANDING, "landing-page-only"),
}


@pytest.mark.parametrize("url", EXPECTED)
def test_a_recorded_page_gives_exactly_its_leads(url: str) -> None:
    name, expected = EXPECTED[url]

    reading = read_page((PAGES / f"{name}.html").read_bytes(), url)

    assert [(lead.why, lead.to.value, lead.url, lead.asset_kind) for lead in reading.leads] == expected
    assert (reading.what, reading.outcome) == (What.LANDING, "")


@pytest.mark.parametrize("name", WALLS)
def test_a_recorded_wall_gives_its_reason_and_no_lead(name: str) -> None:
    reading = read_page((PAGES / f"{name}.html").read_bytes(), PAGE)

    assert (reading.what, reading.outcome) == WALLS[name]
    assert tuple(reading.leads) == ()
    assert reading.detail


def test_every_recorded_page_is_tested() -> None:
    tested = {name for name, _ in EXPECTED.values()} | set(WALLS)

    assert {path.stem for path in PAGES.glob("*.html")} == tested
