"""What the classification of a URL promises: the inherited rules, the known places, and never an exception."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.discovery.asset_kinds import (
    bundled_kinds,
    kind_of_extension,
    kind_of_format,
    kind_of_media_type,
)
from shelter_pipeline.discovery.classify import Kind, classify

SITE = "https://data.example.gov"
RESOURCE = "1f7db1f1-1400-4572-a860-0977326a5521"


@pytest.mark.parametrize(
    "path", ["/pub/data/", "/pub/data%2F", "/pub/data%2f", "/", "/a.csv/", "/x.aspx/?C=N;O=D"]
)
def test_a_path_that_ends_in_a_slash_is_a_directory(path: str) -> None:
    verdict = classify(SITE + path)

    assert (verdict.kind, verdict.rule) == (Kind.DIRECTORY, "trailing-slash")


@pytest.mark.parametrize(
    ("path", "asset_kind"),
    [
        ("/a.csv", "csv"),
        ("/A.CSV", "csv"),
        ("/a.nc", "netcdf"),
        ("/a.geojson", "geojson"),
        ("/a.unkwn", None),
        ("/a.x", None),
        ("/rows.csv?accessType=DOWNLOAD", "csv"),
        ("/a.pdf;jsessionid=8F", "pdf"),
        ("/a%20b.xlsx", "xlsx"),
        ("/a.csv#part", "csv"),
        ("/v1.2/a.json", "json"),
    ],
)
def test_an_extension_of_the_right_shape_makes_a_file(path: str, asset_kind: str | None) -> None:
    verdict = classify(SITE + path)

    assert (verdict.kind, verdict.asset_kind, verdict.rule) == (Kind.FILE, asset_kind, "extension")


@pytest.mark.parametrize(
    ("path", "asset_kind"),
    [
        ("/a.zip", "zip"),
        ("/a.7z", "7z"),
        ("/a.tar.gz", "tar"),
        ("/a.tar.Z", "tar"),
        ("/a.tar.z", "tar"),
        ("/a.csv.gz", "gzip"),
        ("/a.tgz", "tar"),
        ("/a.rar", "rar"),
    ],
)
def test_an_archive_is_told_from_other_files(path: str, asset_kind: str) -> None:
    verdict = classify(SITE + path)

    assert (verdict.kind, verdict.asset_kind) == (Kind.ARCHIVE, asset_kind)


@pytest.mark.parametrize(
    "path",
    [
        "/about",
        "/a.aspx",
        "/a.htm",
        "/a.HTML",
        "/a.htmlx",
        "/a.shtml",
        "/a.php",
        "/foo.000001",
        "/a.2015",
        "/release/1.0",
        "/a.toolong",
        "/a.",
        "/.csv",
        "/a.c-v",
        "?id=3",
        "",
        "/#/dataset/4",
        "/browser/#!/view",
    ],
)
def test_everything_else_is_a_web_page(path: str) -> None:
    assert classify(SITE + path).kind is Kind.WEB_PAGE


@pytest.mark.parametrize(
    ("format", "media_type", "asset_kind"),
    [
        ("CSV", None, "csv"),
        (".csv", None, "csv"),
        (None, "text/csv; charset=utf-8", "csv"),
        ("https://resources.data.gov/vocab/file-type/TODO/CSV", None, "csv"),
        ("https://www.iana.org/assignments/media-types/application/json", None, "json"),
        ("Esri Shapefile", None, "shapefile"),
        ("CSV, JSON", None, "csv"),
        ("CSV download", None, "csv"),
        ("application/json", None, "json"),
        ("data", "application/json", "json"),
    ],
)
def test_a_declared_format_makes_a_file_of_a_url_that_says_nothing(
    format: str | None, media_type: str | None, asset_kind: str
) -> None:
    verdict = classify(f"{SITE}/download?id=3", format=format, media_type=media_type)

    assert (verdict.kind, verdict.asset_kind) == (Kind.FILE, asset_kind)


@pytest.mark.parametrize(
    ("format", "media_type"),
    [
        ("HTML", None),
        (None, "text/html"),
        ("text/html; charset=utf-8", None),
        (None, "application/unknown"),
        ("web map", None),
        ("data", None),
    ],
)
def test_a_declaration_of_no_file_leaves_a_web_page(format: str | None, media_type: str | None) -> None:
    assert classify(f"{SITE}/download?id=3", format=format, media_type=media_type).kind is Kind.WEB_PAGE


def test_a_declared_zip_is_an_archive() -> None:
    assert classify(f"{SITE}/download?id=3", format="ZIP").kind is Kind.ARCHIVE


def test_the_extension_of_a_url_is_stronger_than_what_is_declared() -> None:
    assert classify(f"{SITE}/a.csv", format="WMS", media_type="text/html").asset_kind == "csv"


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://gis.example.gov/arcgis/rest/services/Roads/MapServer/0", "arcgis-rest"),
        ("https://gis.example.gov/arcgis/rest/services/Roads/FeatureServer/", "arcgis-rest"),
        ("https://gis.example.gov/server/rest/services", "arcgis-rest"),
        ("https://x.gov/geoserver/wms?service=WMS&request=GetCapabilities", "wms"),
        ("https://x.gov/ows?SERVICE=WFS&version=1.0.0", "wfs"),
        ("https://x.gov/cgi-bin/mapserv?map=a&request=GetMap", "ogc-request"),
        ("https://x.gov/thredds/catalog/a/catalog.html", "thredds"),
        ("https://x.gov/thredds/dodsC/a.nc", "opendap"),
        ("https://x.gov/opendap/a/b.nc", "opendap"),
        ("https://x.gov/erddap/tabledap/buoys.html", "erddap"),
        ("https://x.gov/erddap/index.html", "erddap"),
        ("https://x.gov/api/3/action/datastore_search?resource_id=1", "ckan-api"),
        ("https://data.x.gov/resource/abcd-1234.json", "socrata-api"),
        ("https://x.gov/tiles/{z}/{x}/{y}.png", "tile-template"),
        ("https://x.gov/geoserver/wms/kml?layers=a", "wms"),
        ("https://wms.example.ch/Stops", "wms"),
    ],
)
def test_a_web_service_is_known_by_its_url(url: str, rule: str) -> None:
    verdict = classify(url)

    assert (verdict.kind, verdict.rule) == (Kind.SERVICE, rule)


@pytest.mark.parametrize("format", ["WMS", "wfs", "Esri REST", "API", "OGC WMS"])
def test_a_web_service_is_known_by_its_declared_format(format: str) -> None:
    assert classify(f"{SITE}/maps", format=format).kind is Kind.SERVICE


@pytest.mark.parametrize(
    ("path", "rule", "asset_kind"),
    [
        ("/api/views/c99a-c5ux/rows.csv?accessType=DOWNLOAD", "socrata-export", "csv"),
        (f"/datastore/dump/{RESOURCE}", "ckan-datastore-dump", "csv"),
        ("/api/download/v1/items/" + "a" * 32 + "/geojson?layers=0", "arcgis-hub-download", "geojson"),
        ("/thredds/fileServer/a/b.nc", "thredds-file", "netcdf"),
        ("/erddap/tabledap/buoys.csv?time,depth", "erddap-file", "csv"),
    ],
)
def test_a_service_that_hands_out_whole_files_is_a_file(path: str, rule: str, asset_kind: str) -> None:
    verdict = classify(SITE + path)

    assert (verdict.kind, verdict.rule, verdict.asset_kind) == (Kind.FILE, rule, asset_kind)


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://doi.org/10.5066/P9ABC.csv", "doi"),
        ("http://dx.doi.org/10.7927/H4PZ56R2", "doi"),
        ("https://zenodo.org/records/12345", "zenodo"),
        ("https://www.icpsr.umich.edu/web/NACJD/studies/1", "icpsr"),
        ("https://dataverse.harvard.edu/dataset.xhtml?persistentId=doi:10.7910/X", "dataverse"),
    ],
)
def test_a_repository_is_known_by_its_host(url: str, rule: str) -> None:
    verdict = classify(url)

    assert (verdict.kind, verdict.rule) == (Kind.REPOSITORY, rule)


def test_a_file_within_a_repository_is_a_file() -> None:
    assert classify("https://zenodo.org/records/1/files/a.csv?download=1").kind is Kind.FILE


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://a.gov/a.csv,https://b.gov/b.csv", "several-urls"),
        ("https://a.gov/a.csv; http://b.gov/b.csv", "several-urls"),
        ("www.example.gov/x.csv", "bad-url"),
        ("//////not-a-url.example.com/", "bad-url"),
        ("mailto:someone@example.gov", "bad-url"),
        ("hhttps://x.gov/a.csv", "bad-scheme"),
        ("file:///etc/passwd", "bad-url"),
        ("javascript:alert(1)", "bad-url"),
        ("https://x.gov/a file.csv", "bad-url"),
        ("not a url", "bad-url"),
    ],
)
def test_what_cannot_be_asked_for_is_invalid_and_says_why(url: str, rule: str) -> None:
    verdict = classify(url, format="CSV")

    assert (verdict.kind, verdict.rule, verdict.url) == (Kind.INVALID, rule, None)
    assert verdict.problem


@pytest.mark.parametrize("url", [None, "", "  \n"])
def test_no_url_is_empty(url: str | None) -> None:
    assert classify(url).kind is Kind.EMPTY


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("ftp://ftp.example.gov", Kind.DIRECTORY),
        ("ftp://ftp.example.gov/pub/gene", Kind.DIRECTORY),
        ("ftp://ftp.example.gov/pub/", Kind.DIRECTORY),
        ("ftp://ftp.example.gov/pub/IBFS.zip", Kind.ARCHIVE),
    ],
)
def test_ftp_has_files_and_directories_and_no_pages(url: str, kind: Kind) -> None:
    assert classify(url).kind is kind


@given(url=st.text(), format=st.text() | st.none(), media_type=st.text() | st.none())
def test_no_text_whatever_makes_classification_raise(
    url: str, format: str | None, media_type: str | None
) -> None:
    for text in (url, SITE + "/" + url, SITE + "/?" + url):
        verdict = classify(text, format=format, media_type=media_type)

        assert (verdict.url is None) == (verdict.kind in (Kind.INVALID, Kind.EMPTY))


@pytest.mark.parametrize("column", ["extensions", "media_types", "formats"])
def test_nothing_stands_for_two_kinds_of_assets(column: str) -> None:
    values = [value for kind in bundled_kinds() for value in getattr(kind, column)]

    assert len(values) == len(set(values))
    assert len({kind.slug for kind in bundled_kinds()}) == len(bundled_kinds().rows)


def test_names_mean_the_same_wherever_they_are_written() -> None:
    for kind in bundled_kinds():
        assert kind_of_format(kind.slug) == kind
        assert all(kind_of_extension(one) == kind for one in kind.extensions)
        assert all(kind_of_media_type(one.upper() + "; q=1") == kind for one in kind.media_types)
        assert all(kind_of_format(one.upper()) == kind for one in kind.formats)
