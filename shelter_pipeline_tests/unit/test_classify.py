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
        ("https://wms2.example.ch/Stops", "wms"),
        ("https://x.gov/geoserver/gwc/service/wmts", "tile-service"),
        ("https://x.gov/wmts/1.0.0/WMTSCapabilities.xml", "wmts"),
        ("https://x.gov/csw", "csw"),
        ("https://x.gov/ows?service=SOS&request=GetCapabilities", "sos"),
        ("https://x.gov/52n-sos/sos/kvp", "sos"),
        ("https://x.gov/collections/roads/items?f=json", "ogc-features"),
        ("https://x.gov/stac/v1/search", "stac"),
        ("https://stac.example.gov/", "stac"),
        ("https://x.gov/odata/v4/Sites", "odata"),
        ("https://x.gov/sparql?query=SELECT", "sparql"),
        ("https://x.org/public/rest/sdmx/2.1/data", "sdmx"),
        ("https://x.gov/api/graphql", "graphql"),
        ("https://x.gov/v2/swagger.json", "api-document"),
        ("https://x.gov/swagger-ui/index.html", "api-document"),
        ("https://x.gov/data.asmx?op=Get", "soap"),
        ("https://x.gov/service.svc?wsdl", "soap"),
        ("https://api.census.gov/data/2019/acs/acs5?get=NAME", "keyed-api"),
        ("https://developer.nrel.gov/api/alt-fuel-stations/v1", "keyed-api"),
        ("https://api.example.gov/v1/sites", "api-host"),
        ("https://www.fema.gov/api/open/v2/DisasterSummaries", "agency-api"),
        ("https://waterservices.usgs.gov/nwis/iv/?sites=1", "usgs-water"),
        ("https://www.ncei.noaa.gov/access/services/data/v1?dataset=daily", "ncei-access"),
        ("https://cmr.earthdata.nasa.gov/search/granules", "cmr"),
        ("https://data.x.gov/api/views/abcd-1234.json", "socrata-api"),
        ("https://data.x.gov/api/odata/v4/abcd-1234", "socrata-api"),
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
        ("/api/geospatial/abcd-1234?method=export&format=GeoJSON", "socrata-export", "geojson"),
        ("/download/abcd-1234/x-msexcel", "socrata-attachment", None),
        ("/download/abcd-1234/application/pdf", "socrata-attachment", "pdf"),
        (f"/dataset/water/resource/{RESOURCE}/download/archivo.con.puntos", "ckan-download", None),
        (
            f"/api/v3/datasets/{'a' * 32}_0/downloads/data?format=csv&spatialRefId=4326",
            "arcgis-hub-download",
            "csv",
        ),
        (f"/sharing/rest/content/items/{'a' * 32}/data", "arcgis-item-data", None),
        ("/api/access/datafile/:persistentId?persistentId=doi:10.7910/X", "dataverse-file", None),
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
        ("https://data.cimmyt.org/dataset.xhtml?persistentId=hdl:11529/1", "dataverse"),
        ("https://hdl.handle.net/11529/10548", "handle"),
        ("https://dspace.mit.edu/handle/1721.1/110380", "dspace"),
        ("https://n2t.net/ark:/12345/x", "ark"),
        ("https://figshare.com/articles/dataset/x/1", "figshare"),
        ("https://datadryad.org/stash/dataset/doi:10.5061/dryad.1", "dryad"),
        ("https://osf.io/abcde/", "osf"),
        ("https://doi.pangaea.de/10.1594/PANGAEA.1", "pangaea"),
        ("https://www.sciencebase.gov/catalog/item/5ec70f9d82ce476925eddc9e", "sciencebase"),
        ("https://data.mendeley.com/datasets/x/1", "mendeley"),
        ("https://www.hydroshare.org/resource/0123/", "hydroshare"),
        ("https://www.kaggle.com/datasets/noaa/gsod", "kaggle"),
        ("https://www.ncei.noaa.gov/access/metadata/landing-page/bin/iso?id=gov.noaa.ncdc:C00516", "ncei"),
        ("https://search.earthdata.nasa.gov/search?p=C1", "earthdata-collection"),
        ("https://cmr.earthdata.nasa.gov/search/concepts/C1-X.html", "earthdata-collection"),
        ("https://data.nasa.gov/dataset/x", "earthdata-collection"),
        (f"https://x.opendata.arcgis.com/datasets/{'a' * 32}_0", "arcgis-hub"),
        ("https://gis.example.gov/datasets/county::roads/about", "arcgis-hub"),
        (f"https://www.arcgis.com/home/item.html?id={'a' * 32}", "arcgis-item"),
        ("https://data.example.gov/d/abcd-1234", "socrata-page"),
    ],
)
def test_a_repository_is_known_by_its_host(url: str, rule: str) -> None:
    verdict = classify(url)

    assert (verdict.kind, verdict.rule) == (Kind.REPOSITORY, rule)


@pytest.mark.parametrize(
    ("url", "asset_kind"),
    [
        ("https://zenodo.org/records/1/files/a.csv?download=1", "csv"),
        ("https://zenodo.org/api/records/1/files/a.csv/content", "csv"),
        ("https://figshare.com/ndownloader/files/123", None),
        ("https://datadryad.org/stash/downloads/file_stream/123", None),
        ("https://osf.io/download/abcde/", None),
        ("https://www.sciencebase.gov/catalog/file/get/5ec70f9d82ce476925eddc9e?name=a.csv", None),
        ("https://doi.pangaea.de/10.1594/PANGAEA.1?format=textfile", None),
        ("https://drive.google.com/uc?export=download&id=1", None),
        ("https://docs.google.com/spreadsheets/d/1/export?format=csv", "csv"),
    ],
)
def test_a_file_within_a_repository_is_a_file(url: str, asset_kind: str | None) -> None:
    verdict = classify(url)

    assert (verdict.kind, verdict.asset_kind) == (Kind.FILE, asset_kind)


@pytest.mark.parametrize(
    "url",
    [
        "https://zenodo.org/api/records/1/files-archive",
        "https://github.com/a/b/archive/refs/heads/main.zip",
        "https://github.com/a/b/releases/download/v1/data.tar.gz",
        "https://api.github.com/repos/a/b/zipball/main",
        "https://github.com/a/b/tarball/main",
        "https://codeload.github.com/a/b/zip/main",
        "https://gitlab.com/a/b/-/archive/main/b-main.tar.gz",
        "https://bitbucket.org/a/b/get/main.zip",
    ],
)
def test_a_bundle_of_a_repository_is_an_archive(url: str) -> None:
    assert classify(url).kind is Kind.ARCHIVE


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/a/b",
        "https://github.com/a/b/",
        "https://github.com/a/b/tree/main/data",
        "https://github.com/a/b/blob/main/data.csv",
        "https://github.com/a/b.git",
        "https://gitlab.com/a/b",
        "https://gitlab.example.gov/a/b/-/blob/main/a.csv",
        "https://bitbucket.org/a/b/src",
        "https://sourceforge.net/projects/a/",
        "https://code.example.gov/a/b.git",
        "git+https://github.com/a/b.git",
    ],
)
def test_a_forge_leads_to_code(url: str) -> None:
    assert classify(url, format="CSV").kind is Kind.CODE


@pytest.mark.parametrize(
    "url", ["git://x.org/a/b.git", "git@github.com:a/b.git", "ssh://git@x.org/b", "svn+ssh://x.org/b"]
)
def test_code_by_a_protocol_that_we_do_not_speak_has_no_url(url: str) -> None:
    verdict = classify(url)

    assert (verdict.kind, verdict.rule, verdict.url) == (Kind.CODE, "code-scheme", None)
    assert verdict.problem


@pytest.mark.parametrize(
    "url",
    [
        "https://raw.githubusercontent.com/a/b/main/data.csv",
        "https://github.com/a/b/raw/main/data.csv",
        "https://github.com/a/b/blob/main/data.csv?raw=true",
        "https://gitlab.com/a/b/-/raw/main/data.csv",
        "https://sourceforge.net/projects/a/files/data.csv/download",
    ],
)
def test_what_a_forge_hands_out_raw_is_a_file(url: str) -> None:
    verdict = classify(url)

    assert (verdict.kind, verdict.asset_kind) == (Kind.FILE, "csv")


@pytest.mark.parametrize(
    "url",
    [
        "https://urs.earthdata.nasa.gov/oauth/authorize?client_id=1",
        "https://search.example.gov/login",
        "https://x.gov/login.aspx?ReturnUrl=%2Fa.csv",
        "https://x.gov/users/sign_in",
        "https://x.gov/accounts/signin/",
        "https://x.gov/Shibboleth.sso/Login?target=a",
        "https://x.edu/idp/profile/SAML2/Redirect/SSO",
        "https://x.gov/sso?SAMLRequest=fZJ",
        "https://x.gov/oauth2/authorize?response_type=code",
        "https://x.gov/auth/realms/a/protocol/openid-connect/auth?client_id=a",
        "https://www.icpsr.umich.edu/cgi-bin/bob/zipcart2?study=1&path=ICPSR",
        "https://www.openicpsr.org/openicpsr/project/1/version/V1/download/terms",
        "https://www.kaggle.com/datasets/noaa/gsod/download",
    ],
)
def test_a_login_is_known_by_its_url(url: str) -> None:
    assert classify(url, format="ZIP").kind is Kind.LOGIN_WALL


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://login.example.gov/files/report.pdf", Kind.FILE),
        ("https://x.gov/data/login-counts.csv", Kind.FILE),
        ("https://x.gov/logins", Kind.WEB_PAGE),
        ("https://x.gov/login/report", Kind.WEB_PAGE),
        ("https://x.gov/authorize/", Kind.DIRECTORY),
        ("https://www.login.gov/about", Kind.WEB_PAGE),
        ("https://x.gov/services/wms-guide.pdf", Kind.FILE),
        ("https://x.gov/rest/of/the/data.csv", Kind.FILE),
        ("https://x.gov/resource/wetlands.csv", Kind.FILE),
        ("https://api.example.gov/data.json", Kind.FILE),
        ("https://notgithub.com/a", Kind.WEB_PAGE),
        ("https://github.com.example.gov/a", Kind.WEB_PAGE),
        ("https://x.gov/?next=https://github.com/a", Kind.DIRECTORY),
        ("https://a.github.io/data.csv", Kind.FILE),
    ],
)
def test_what_only_resembles_a_known_place_is_none(url: str, kind: Kind) -> None:
    assert classify(url).kind is kind


def test_a_host_that_is_a_service_by_its_name_only_yields_to_a_declared_format() -> None:
    url = "https://api.example.gov/export?id=3"

    assert classify(url).kind is Kind.SERVICE
    assert classify(url, format="CSV").kind is Kind.FILE


@pytest.mark.parametrize("extension", ["aspx", "htm", "html", "htmlx", "shtml", "HTML"])
def test_the_five_pages_are_pages_whatever_is_declared_of_them(extension: str) -> None:
    verdict = classify(f"{SITE}/a.{extension};v=1", format="CSV", media_type="text/csv")

    assert (verdict.kind, verdict.rule) == (Kind.WEB_PAGE, "page-extension")


@pytest.mark.parametrize("extension", ["php", "cfm", "asp", "do"])
def test_other_pages_that_a_server_makes_are_files_only_where_that_is_declared(extension: str) -> None:
    assert classify(f"{SITE}/export.{extension}").kind is Kind.WEB_PAGE
    assert classify(f"{SITE}/export.{extension}", format="CSV").asset_kind == "csv"


def test_an_extension_that_nobody_knows_takes_the_declared_kind() -> None:
    verdict = classify(f"{SITE}/a.q1", format="CSV")

    assert (verdict.kind, verdict.asset_kind, verdict.rule) == (Kind.FILE, "csv", "extension")


# The rules of the original system, as a table: what a path is by its end alone.
INHERITED = {
    Kind.DIRECTORY: ["a/", "a%2F", "a%2f", "a.csv/", "a.csv%2F", "10.5066/", "a.html/"],
    Kind.FILE: [
        *("a.csv", "a.nc", "a.x", "a.dat", "a.abcde", "a.Z1", "a.h5", "a.mp3", "a.geojson", "a.GeoJSON"),
        *("a.7", "a.7abcd", "a.grb2", "a.v1", "a.b.c"),
    ],
    Kind.ARCHIVE: ["a.zip", "a.7z", "a.tar.Z", "a.tar.z", "a.Z", "a.gz"],
    Kind.WEB_PAGE: [
        *("a", "a.aspx", "a.htm", "a.html", "a.htmlx", "a.shtml", "a.HTM", "a.Aspx"),
        *("foo.000001", "a.1", "a.2015", "10.5066/P9NWIRZZ", "10.5067.8", "v1.0", "a.6z", "a.8bit"),
        *("a.abcdef", "a.sas7bdat", "a.netcdf", "a.", "a..", ".csv", "a.c_v", "a.c-v", "a. csv", "a.é"),
    ],
}


@pytest.mark.parametrize(
    ("kind", "path"), [(kind, path) for kind, paths in INHERITED.items() for path in paths]
)
def test_the_rules_of_the_original_system_hold_exactly(kind: Kind, path: str) -> None:
    assert classify(f"{SITE}/pub/{path}").kind is kind


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("example.com/a.csv", "bad-url"),
        ("//////not-a-url.example.com/", "bad-url"),
        ("mailto:someone@example.gov", "bad-url"),
        ("gopher://x.gov/a.csv", "bad-scheme"),
        ("s3://bucket/a.csv", "bad-scheme"),
        ("file:///etc/passwd", "bad-url"),
        ("javascript:alert(1)", "bad-url"),
        ("not a url", "bad-url"),
        ("TBD", "bad-url"),
        ("https://x.gov/" + "a" * 10_000, "bad-url"),
    ],
)
def test_what_cannot_be_asked_for_is_invalid_and_says_why(url: str, rule: str) -> None:
    verdict = classify(url, format="CSV")

    assert (verdict.kind, verdict.rule, verdict.url) == (Kind.INVALID, rule, None)
    assert verdict.problem
    assert not verdict.repair


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

        without = verdict.kind in (Kind.INVALID, Kind.EMPTY) or verdict.rule == "code-scheme"
        assert (verdict.url is None) == without
        assert (verdict.url is None) == bool(verdict.problem)
        assert not verdict.urls or verdict.rule == "several-urls"


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
