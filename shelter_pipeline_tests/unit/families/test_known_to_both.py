"""The table of places and the families know the same places: what one knows is no mere web page to the other."""

from __future__ import annotations

import pytest

from shelter_pipeline.discovery.classification_table import classification_rules
from shelter_pipeline.discovery.classify import Kind, classify
from shelter_pipeline.discovery.families import FAMILIES, enter
from shelter_pipeline.domain.urls import parse_url

ITEM = "0123456789abcdef0123456789abcdef"
TABLE = "0a5b4508-03ab-431f-940a-bae972ef2382"
# Family -> URLs that it enters.
ENTERED = {
    "zenodo": """
        https://zenodo.org/records/123 https://data.caltech.edu/records/abcde-12345
        https://repository.cern/api/records/abcde-12345/files-archive https://zenodo.org/communities/a""",
    "figshare": """
        https://figshare.com/articles/dataset/title/12345 https://api.figshare.com/v2/articles/12345
        https://ndownloader.figshare.com/files/12345 https://figshare.com/collections/title/12345
        https://agdatacommons.nal.usda.gov/articles/dataset/title/12345""",
    "sciencebase": """
        https://www.sciencebase.gov/catalog/item/5c8c03e4e4b0938824529f7d
        https://www.sciencebase.gov/catalog/items?parentId=5c8c03e4e4b0938824529f7d
        https://www.sciencebase.gov/catalog/file/get/5c8c03e4e4b0938824529f7d""",
    "ncei": """
        https://www.ncei.noaa.gov/access/metadata/landing-page/bin/iso?id=gov.noaa.nodc:0123456
        https://data.nodc.noaa.gov/cgi-bin/iso?id=gov.noaa.nodc:0123456
        https://www.ncei.noaa.gov/metadata/geoportal/rest/metadata/item/gov.noaa.ncdc:C00532/html
        https://www.ncei.noaa.gov/archive/accession/0123456 https://accession.nodc.noaa.gov/0123456
        https://www.ncei.noaa.gov/archive/accession/download/123456 https://www.ncei.noaa.gov/pub/data/ghcn
        https://www.nodc.noaa.gov/archive/arc0001/0001754/ https://www.ncei.noaa.gov/data/global-hourly""",
    "osf": "https://osf.io/f3szh/ https://osf.io/f3szh/download",
    "pangaea": """
        https://doi.pangaea.de/10.1594/PANGAEA.734969 https://doi.pangaea.de/10.1594/PANGAEA.734969?format=zip""",
    "dryad": "https://datadryad.org/dataset/doi:10.5061/dryad.abc https://datadryad.org/api/v2/files/1/download",
    "walled": """
        https://www.icpsr.umich.edu/web/ICPSR/studies/1234 https://www.openicpsr.org/openicpsr/project/1234""",
    "dataverse": """
        https://dataverse.harvard.edu/dataset.xhtml?persistentId=doi:10.7910/DVN/ABC
        https://data.example.org/dataset.xhtml?id=12 https://data.example.org/file.xhtml?fileId=12
        https://data.example.org/citation?persistentId=doi:10.7910/DVN/ABC
        https://data.example.org/api/datasets/:persistentId/?persistentId=doi:10.7910/DVN/ABC
        https://dataverse.harvard.edu/dataverse/a""",
    "arcgis-hub": f"""
        https://data.example.org/datasets/{ITEM}_0/explore https://data.example.org/maps/org::name/about
        https://data.example.org/content/{ITEM} https://data.example.org/datasets/{ITEM}_0/documentation
        https://www.arcgis.com/home/item.html?id={ITEM} https://www.arcgis.com/apps/mapviewer/?webmap={ITEM}
        https://www.arcgis.com/sharing/rest/content/items/{ITEM}
        https://www.arcgis.com/sharing/rest/content/items/{ITEM}/data""",
    "resolver": """
        https://doi.org/10.5066/P9ABC https://dx.doi.org/10.5066/a.csv https://hdl.handle.net/2027/abc
        https://n2t.net/ark:/13030/abc""",
    "socrata": """
        https://data.example.gov/api/views/22ew-dxez/rows.csv https://data.example.gov/api/views/22ew-dxez.json
        https://data.example.gov/resource/22ew-dxez.json https://data.example.gov/api/odata/v4/22ew-dxez
        https://data.example.gov/OData.svc/22ew-dxez https://data.example.gov/d/22ew-dxez/about
        https://data.example.gov/w/22ew-dxez/abcd https://data.example.gov/download/22ew-dxez/application/pdf
        https://data.example.gov/api/v3/views/22ew-dxez/query https://data.example.gov/d/22ew-dxez
        https://data.example.gov/api/views/22ew-dxez/files/0cf6-22
        https://data.example.gov/api/geospatial/22ew-dxez?method=export&format=Shapefile""",
    "ckan-datastore": f"""
        https://data.example.gov/datastore/dump/{TABLE}
        https://data.example.gov/api/3/action/datastore_search?resource_id={TABLE}""",
    "thredds-service": """
        https://t.example.gov/thredds https://t.example.gov/thredds/catalog/a/catalog.html
        https://t.example.gov/thredds/fileServer/a/b.nc https://t.example.gov/thredds/dodsC/a/b.nc.html""",
    "erddap": """
        https://t.example.gov/erddap/tabledap/abc.html https://t.example.gov/erddap/griddap/abc.nc
        https://t.example.gov/erddap/files/abc/ https://t.example.gov/erddap/info/abc/index.html""",
    "ogc": """
        https://t.example.gov/geoserver/ows https://t.example.gov/geoserver/wms/reflect
        https://t.example.gov/cgi-bin/mapserv?map=a&request=GetFeature https://t.example.gov/wfs
        https://t.example.gov/x?request=GetPropertyValue https://t.example.gov/x?service=CSW
        https://t.example.gov/wcs https://t.example.gov/csw https://t.example.gov/sos https://t.example.gov/wmts
        https://t.example.gov/WMTS/1.0.0/WMTSCapabilities.xml https://wms2.example.gov/a""",
    "arcgis-rest": """
        https://t.example.gov/arcgis/rest/services/A/B/FeatureServer/0/query
        https://t.example.gov/arcgis/services/A/B/MapServer https://t.example.gov/arcgis/rest/services/A""",
    "ogc-api": """
        https://t.example.gov/stac/v1/collections/a/items https://t.example.gov/stac/v1
        https://t.example.gov/ogcapi/collections/a
        https://t.example.gov/oapif https://t.example.gov/ogc/features/v1/collections/a""",
    "opendap": """
        https://t.example.gov/opendap/a/b.nc https://t.example.gov/opendap/a/contents.html
        https://t.example.gov/dods/gfs/gfs_00z.info https://t.example.gov/opendap/a/""",
    "bucket-browser": """
        https://a-bucket.s3.amazonaws.com/index.html https://s3.amazonaws.com/a-bucket/index.html
        https://console.cloud.google.com/storage/browser/a-bucket/a
        https://s3.console.aws.amazon.com/s3/buckets/a-bucket""",
    "query-service": """
        https://t.example.gov/odata/v4/A https://t.example.gov/a.svc https://t.example.gov/sparql
        https://t.example.gov/api/graphql""",
}
# Shapes that no word tells, and so no table that is looked up by words. The crawl enters pages all the same.
ONLY_THE_FAMILY = """
    https://data.example.gov/Transportation/Counts/22ew-dxez https://t.example.gov/a.svc/Table"""
# Rule -> a URL of a service or repository that no family knows.
DECLARED = {  # the verdict `service` says which kind it is
    "tile-service": "https://t.example.gov/gwc/service/tms",
    "sdmx": "https://t.example.gov/sdmx/data/a",
    "api-document": "https://t.example.gov/openapi.json",
    "soap": "https://t.example.gov/a.asmx",
    "ncei-access": "https://www.ncei.noaa.gov/access/services/data/v1",
    "usgs-water": "https://waterservices.usgs.gov/nwis/iv",
    "cmr": "https://cmr.earthdata.nasa.gov/search",
    "keyed-api": "https://api.census.gov/data",
    "agency-api": "https://www.fema.gov/api/open/v1/a",
    "tile-template": "https://t.example.gov/%7Bz%7D/%7Bx%7D/%7By%7D.png",
    "api-host": "https://api.example.gov/v1/a",
}
READ_AS_A_PAGE = {
    "earthdata-collection": "https://search.earthdata.nasa.gov/search?q=a",
    "purl": "https://purl.org/a",
    "mendeley": "https://data.mendeley.com/datasets/a/1",
    "hydroshare": "https://www.hydroshare.org/resource/a",
    "kaggle": "https://www.kaggle.com/datasets/a/b",
    "huggingface": "https://huggingface.co/datasets/a/b",
    "dspace": "https://repository.example.edu/handle/1234/5",
    "dataone": "https://search.dataone.org/view/doi",
    "daac": "https://nsidc.org/data/modis/versions/1",
}
KNOWN = frozenset({Kind.REPOSITORY, Kind.SERVICE, Kind.DIRECTORY, Kind.FILE, Kind.ARCHIVE})
EACH = [(slug, url) for slug, urls in ENTERED.items() for url in urls.split()]
NOBODYS = {**DECLARED, **READ_AS_A_PAGE}


def test_every_family_is_held_against_the_table() -> None:
    assert {family.slug for family in FAMILIES} == ENTERED.keys()


@pytest.mark.parametrize(("slug", "url"), EACH, ids=[url for _, url in EACH])
def test_what_a_family_enters_is_no_web_page_to_the_table(slug: str, url: str) -> None:
    entered = enter(parse_url(url))

    assert entered is not None
    assert entered[0] == slug or slug == "resolver"
    assert classify(url).kind in KNOWN


@pytest.mark.parametrize("url", ONLY_THE_FAMILY.split())
def test_what_no_word_tells_is_left_to_the_family(url: str) -> None:
    assert classify(url).kind is Kind.WEB_PAGE
    assert enter(parse_url(url)) is not None


def test_every_service_and_repository_of_the_table_has_a_family_or_is_known_to_have_none() -> None:
    rows = classification_rules().places.rows
    rules = {row.rule for row in rows if row.kind in (Kind.SERVICE, Kind.REPOSITORY)}

    assert rules - {classify(url).rule for _, url in EACH} == NOBODYS.keys()


@pytest.mark.parametrize(("rule", "url"), NOBODYS.items(), ids=NOBODYS)
def test_what_has_no_family_is_entered_by_none(rule: str, url: str) -> None:
    assert classify(url).rule == rule
    assert enter(parse_url(url)) is None


def test_an_identifier_that_ends_like_a_file_is_a_page_of_its_repository() -> None:
    verdict = classify("https://datadryad.org/dataset/doi:10.5061/dryad.abc")

    assert (verdict.kind, verdict.rule) == (Kind.REPOSITORY, "dryad")
