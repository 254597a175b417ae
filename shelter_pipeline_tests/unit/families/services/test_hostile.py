"""What every service family promises of URLs and replies that nobody foresaw."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.discovery.families import FAMILIES, enter, family
from shelter_pipeline.discovery.leads import Reading, To
from shelter_pipeline.domain.errors import RefusedError, ShelterError
from shelter_pipeline.domain.urls import MAX_URL_LENGTH, Url, parse_url
from shelter_pipeline_tests.support.ends_soon import ends_soon
from shelter_pipeline_tests.support.local_site import local_site, open_door
from shelter_pipeline_tests.unit.families.services.answers import answer

# Hosts that stand in the code, not in what a server says.
FIXED = {
    "hub.arcgis.com:443",
    "storage.googleapis.com:443",
}
CATALOGS = "thredds"
PATHS = st.sampled_from(
    """
    /api/views/22ew-dxez/rows.csv /api/views/22ew-dxez /resource/22ew-dxez.json /d/22ew-dxez/about
    /api/views/22ew-dxez/files/0cf6-22 /download/22ew-dxez/application/pdf /api/geospatial/22ew-dxez
    /api/odata/v4/22ew-dxez /Transportation/Counts/22ew-dxez/data
    /arcgis/rest/services/A/B/FeatureServer/0/query /rest/services/A/ImageServer /arcgis/rest/services/A
    /arcgis/services/A/MapServer/WMSServer /erddap/griddap/jplMURSST41.nc /erddap/info/a/index.html /erddap/
    /thredds/dodsC/a/b.nc.html /thredds/ncss/grid/a.nc/dataset.xml /thredds/wms/a/agg.ncml /thredds/catalog/a/
    /thredds/catalog/a/catalog.html /opendap/hyrax/a/b.h5.dmr.xml /opendap/a/contents.html /dods/gfs/gfs_00z.info
    /datastore/dump/0a5b4508-03ab-431f-940a-bae972ef2382 /data/api/3/action/datastore_search
    /api/stac/v1/collections/a/items /ogc/features/v1/collections/a /geoserver/ows /geoserver/wms/reflect
    /cgi-bin/mapserv /WMTS/1.0.0/WMTSCapabilities.xml /feed.svc/a /odata/v4/a /sparql /api/graphql
    /index.html /a-bucket/index.html /storage/browser/a-bucket/a/b /s3/buckets/a-bucket
    """.split()  # noqa: SIM905
)
JUNK = st.text("abA0./-_%&=?;,:+~$!*'()[]|@\u00e9\u202e\"<>", max_size=12) | st.sampled_from(
    ["..", "/../", "//", "%2e%2e/", "%00", "%ff", "%2F", "/" * 300, "a" * 300, "\u0130", "\uff0f"]
)


@st.composite
def paths(draw: st.DrawFn) -> str:
    """A path that some family knows, with something put into it, or in place of a part of it."""
    path = draw(PATHS)
    begin = draw(st.integers(0, len(path)))
    end = draw(st.integers(begin, min(begin + 12, len(path))))
    return path if draw(st.booleans()) else path[:begin] + draw(JUNK) + path[end:]


QUERIES = st.sampled_from(
    [
        *(
            "",
            "?",
            "?f=json",
            "?service=WMS",
            "?SERVICE=wfs&map=%2Fa&REQUEST=x",
            "?request=GetMap&&=&a",
            "?prefix=a/b",
        ),
        "?dataset=a%2Fb",
        "?method=export&format=Shapefile",
        "?resource_id=0a5b4508-03ab-431f-940a-bae972ef2382",
        "?" + "&".join(["map=x"] * 40),
    ]
)
HOSTS = st.sampled_from(
    """
    data.example.gov services.arcgis.com wms.example.gov a-bucket.s3.amazonaws.com s3.amazonaws.com
    console.cloud.google.com s3.console.aws.amazon.com [2001:db8::1]:8080 h.example:81
    """.split()  # noqa: SIM905
)
URLS = st.builds(
    "{}://{}{}{}".format, st.sampled_from(["http", "https"]), HOSTS, paths(), QUERIES | JUNK.map("?".__add__)
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from([-1, 2**70, ""]),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=8), children, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    """
    id viewType columns metadata attachments accessPoints additionalAccessPoints urls blobId blobFilename name error
    code message layers tables currentVersion serviceItemId capabilities maxRecordCount type geometryType geo
    table columnNames rows datasetID accessible files
    """.split()  # noqa: SIM905
)
VALUES = st.sampled_from(
    [
        "22ew-dxez",
        "href",
        "blobby",
        "tabular",
        "geo",
        "0123456789abcdef0123456789abcdef",
        "Query",
        "public",
        0,
        True,
    ]
)
OBJECTS = st.dictionaries(FIELDS, VALUES | JSON, max_size=8)
TOLD = st.dictionaries(FIELDS, VALUES | JSON | OBJECTS | st.lists(OBJECTS, max_size=4), max_size=12)
ASKED = {
    "socrata": "https://data.example.gov/api/views/22ew-dxez.json",
    "arcgis-rest": "https://services.arcgis.com/a/arcgis/rest/services/B/FeatureServer?f=json",
    "erddap": "https://h.example/erddap/tabledap/allDatasets.json?datasetID=%22a%22",
}


def check(url: Url, reading: Reading) -> None:
    """Every lead is in normal form, on the host itself or one that stands in the code, and known to its reader."""
    for lead in reading.leads:
        target = parse_url(lead.url)
        assert target.text == lead.url
        assert len(lead.url) <= MAX_URL_LENGTH
        assert not lead.reader or lead.reader == CATALOGS or family(lead.reader) is not None
        if lead.why == "access-point":
            assert not lead.reader
        elif target.host not in FIXED and not target.host.endswith(".s3.amazonaws.com:443"):
            assert target.host.rpartition(":")[0] == url.host.rpartition(":")[0]
        assert lead.label.isprintable()


@given(URLS)
def test_no_url_makes_a_family_raise_or_lead_astray(text: str) -> None:
    try:
        url = parse_url(text)
    except RefusedError:
        return

    found = enter(url)

    if found is not None:
        check(url, found[1])


@pytest.mark.parametrize("slug", sorted(ASKED))
@given(told=TOLD | JSON)
def test_no_json_makes_a_family_raise_anything_else_or_lead_astray(slug: str, told: Any) -> None:
    url, reader = parse_url(ASKED[slug]), family(slug)
    assert reader is not None

    try:
        reading = reader.read(answer(json.dumps(told).encode()), url)
    except ShelterError:
        return

    check(url, reading)


@pytest.mark.parametrize("slug", sorted(ASKED))
@given(body=st.binary(max_size=200))
def test_no_bytes_make_a_family_raise_anything_else(slug: str, body: bytes) -> None:
    reader = family(slug)
    assert reader is not None

    with pytest.raises(ShelterError):
        reader.read(answer(body), parse_url(ASKED[slug]))


@pytest.mark.parametrize(
    "path",
    [
        "a/" * 3_700,
        "rest/services/" * 520,
        "a" * 7_380,
        "erddap/" + "griddap/" * 900,
        "opendap/" + "a." * 3_600,
        "collections/" * 610,
        "a.svc" * 1_450,
        "thredds/catalog/" * 460,
        "%2e" * 2_400,
        "?" + "map=a&" * 1_200 + "service=WMS",
        "?" + "&" * 7_300,
        "api/views/22ew-dxez/rows." + "a" * 7_000,
    ],
)
def test_the_longest_urls_are_told_at_once(path: str) -> None:
    url = parse_url(f"https://h.example/{path}")
    with ends_soon(1):
        found = enter(url)
    if found is not None:
        check(url, found[1])


def test_a_url_without_room_for_what_would_be_added_is_no_familys() -> None:
    url = parse_url("https://h.example/geoserver/wms?map=" + "a" * (MAX_URL_LENGTH - 100))

    assert enter(url) is None


@pytest.mark.parametrize("slug", sorted(ASKED))
@pytest.mark.parametrize(
    "body",
    [
        b'{"id":"22ew-dxez","viewType":"href","layers":[' + b",".join([b'{"id":1}'] * 100_000) + b"]}",
        b'{"metadata":{"attachments":['
        + b",".join([b'{"assetId":"a"}'] * 60_000)
        + b']},"id":"22ew-dxez","columns":[]}',
        b'{"table":{"columnNames":["datasetID"],"rows":[' + b",".join([b'["a"]'] * 150_000) + b"]}}",
        b'{"error":{"code":7,"message":"' + b"a" * 1_000_000 + b'"}}',
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        b" " * 1_000_000,
        b"<" * 1_000_000,
    ],
    ids=["layers", "attachments", "rows", "message", "depth", "deep objects", "white space", "angles"],
)
def test_a_megabyte_of_nonsense_ends_soon_and_gives_few_leads(slug: str, body: bytes) -> None:
    reader = family(slug)
    assert reader is not None
    with ends_soon():
        try:
            leads = list(reader.read(answer(body), parse_url(ASKED[slug])).leads)
        except ShelterError:
            leads = []
    assert len(leads) < 1_100


def test_each_family_is_found_by_its_slug_and_none_by_another() -> None:
    assert [family(each.slug) for each in FAMILIES] == list(FAMILIES)
    assert family("thredds") is None


@pytest.mark.parametrize(
    "each", [each for each in FAMILIES if each.slug not in ASKED], ids=lambda each: each.slug
)
def test_a_family_that_asks_nothing_reads_nothing(each: Any) -> None:
    with pytest.raises(ShelterError):
        each.read(answer(b"{}"), parse_url("https://h.example/"))


def test_a_question_that_is_asked_through_the_door_is_read() -> None:
    with local_site() as site:
        told = {
            "currentVersion": 10.91,
            "maxRecordCount": 1000,
            "layers": [{"id": 0, "type": "Feature Layer"}],
        }
        service = site.serves("/arcgis/rest/services/Sites/MapServer", told)
        found = enter(parse_url(service))
        assert found is not None
        slug, reading = found
        (lead,) = reading.leads
        reply = open_door().read(lead.url, headers=lead.headers)
        reader = family(lead.reader)
        assert reader is not None

        answered = reader.read(reply, parse_url(lead.url))

    assert (slug, lead.to, site.asked[0].query["f"]) == ("arcgis-rest", To.PAGE, "json")
    assert site.asked[0].headers["Accept"] == "application/json"
    assert answered.outcome == "service"
