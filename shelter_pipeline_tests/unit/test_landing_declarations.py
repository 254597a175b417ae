"""How a page declares its files: JSON-LD, microdata, RDFa, Link headers and link sets."""

from __future__ import annotations

import json

import pytest

from shelter_pipeline.discovery.json_ld import downloads_in, parsed
from shelter_pipeline.discovery.landing import read_linkset
from shelter_pipeline.discovery.leads import Lead, What
from shelter_pipeline.discovery.statements import bytes_in
from shelter_pipeline.domain.errors import PermanentError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.support.ends_soon import ends_soon
from shelter_pipeline_tests.support.landing_replies import PAGE, leads_of, page_reply, told

SITE = "https://www.example.gov"
MD5 = "9e107d9d372bb6826bd81d3542a419d6"
SHA256 = "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"


def script(value: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


def first(node: dict[str, object]) -> Lead:
    return leads_of(script(node))[0]


def test_downloads_named_in_json_ld_are_found_at_any_depth() -> None:
    dataset = {
        "@context": "https://schema.org",
        "@graph": [
            {
                "@type": "Dataset",
                "url": PAGE,
                "distribution": [
                    {
                        "@type": "DataDownload",
                        "contentUrl": "/get?id=7",
                        "encodingFormat": "text/csv",
                        "name": "R",
                    },
                    {"@type": ["DataDownload"], "url": f"{SITE}/r.nc"},
                    {"@type": "DataDownload", "contentUrl": ["/1.csv", "/2.csv"]},
                ],
                "image": {"@type": "ImageObject", "contentUrl": f"{SITE}/logo.png"},
            }
        ],
    }

    leads = leads_of(script(dataset))

    assert [(lead.url, lead.asset_kind, lead.media_type, lead.label) for lead in leads] == [
        (f"{SITE}/get?id=7", "csv", "text/csv", "R"),
        (f"{SITE}/r.nc", "netcdf", None, ""),
        (f"{SITE}/1.csv", "csv", None, ""),
        (f"{SITE}/2.csv", "csv", None, ""),
    ]


@pytest.mark.parametrize(
    "node",
    [
        {"@type": "DataDownload", "contentUrl": "/a.csv"},
        {"@type": "DataDownload", "contentURL": "/a.csv"},
        {"@type": "schema:DataDownload", "schema:contentUrl": {"@id": "/a.csv"}},
        {"http://schema.org/contentUrl": [{"@value": "/a.csv"}]},
        {"@type": "dcat:Distribution", "dcat:downloadURL": {"@id": "/a.csv"}},
        {"http://www.w3.org/ns/dcat#downloadURL": "/a.csv"},
        {"@type": "dcat:Distribution", "dcat:accessURL": "/a.csv"},
        {"@type": "cr:FileObject", "contentUrl": "/a.csv"},
        {"@type": "DataDownload", "url": "/a.csv"},
    ],
)
def test_a_download_is_known_in_every_spelling_of_its_vocabulary(node: dict[str, object]) -> None:
    assert told(script(node)) == [("json-ld", "file", f"{SITE}/a.csv")]


@pytest.mark.parametrize(
    "node",
    [
        {"@type": "ImageObject", "contentUrl": "/a.tif"},
        {"@type": "cr:FileObject", "contentUrl": "a.csv", "containedIn": {"@id": "archive"}},
        {"@type": "Organization", "url": "/a.csv"},
        {"@type": "DataDownload", "contentUrl": 7},
        {"@type": "DataDownload", "contentUrl": None},
        {"@type": "DataDownload", "contentUrl": "javascript:a.csv"},
        {"@type": "DataDownload", "contentUrl": "/logo.css"},
        {"@type": "DataDownload", "contentUrl": "/wms?service=WMS&request=GetCapabilities"},
        {"contentUrl": {"@id": {"@id": "/a.csv"}}},
        "contentUrl",
        [],
        None,
    ],
)
def test_what_is_no_download_of_data_gives_no_file(node: object) -> None:
    assert told(script(node)) == []


@pytest.mark.parametrize(
    ("claimed", "size", "checksum"),
    [
        ({"contentSize": "12 MB"}, 12_000_000, None),
        ({"contentSize": 2048, "md5": MD5}, 2048, f"md5:{MD5}"),
        ({"dcat:byteSize": {"@value": "2048"}}, 2048, None),
        ({"sha256": SHA256.upper()}, None, f"sha256:{SHA256}"),
        ({"sha256": MD5}, None, None),
        ({"md5": "not-a-digest" * 3}, None, None),
        (
            {
                "spdx:checksum": {
                    "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
                    "spdx:checksumValue": SHA256,
                }
            },
            None,
            f"sha256:{SHA256}",
        ),
        ({"contentSize": "large"}, None, None),
        ({"contentSize": -1}, None, None),
        ({"contentSize": True}, None, None),
    ],
)
def test_sizes_and_checksums_are_taken_where_they_can_be_read(
    claimed: dict[str, object], size: int | None, checksum: str | None
) -> None:
    lead = first({"@type": "DataDownload", "contentUrl": "/a.csv", **claimed})

    assert (lead.size, lead.checksum, lead.promised) == (size, checksum, False)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("12345", 12_345),
        ("1,234 KB", 1_234_000),
        ("1.5 GiB", 1_610_612_736),
        ("42 bytes", 42),
        ("3.2M", 3_200_000),
        ("7 Mo", 7_000_000),
        ("", None),
        ("MB", None),
        ("1.2.3 MB", None),
        ("9" * 400, None),
        ("9999999 PB", None),
        (float("nan"), None),
        (float("inf"), None),
        (10**30, None),
        (None, None),
    ],
)
def test_a_size_for_people_is_bytes(written: object, size: int | None) -> None:
    assert bytes_in(written) == size


@pytest.mark.parametrize(
    ("almost", "value"),
    [
        ('{"a": 1,}', {"a": 1}),
        ("[1, 2, /* more */ ]", [1, 2]),
        ('{"a": 1} // made by hand', {"a": 1}),
        ('{"u": "https://x//y", /* c */ "b": ",]"}', {"u": "https://x//y", "b": ",]"}),
        ('<!-- {"a": 1} -->', {"a": 1}),
        ('//<![CDATA[\n{"a": 1}\n//]]>', {"a": 1}),
        ("{&quot;a&quot;: &quot;b&quot;}", {"a": "b"}),
        ('{"a": "x &amp; y"}', {"a": "x &amp; y"}),
        ('{"a": "line\nbreak"}', {"a": "line\nbreak"}),
        ('{"a": 1', None),
        ("{a: 1}", None),
        ('{"a": 1,,}', None),
        ("", None),
        ("[" * 100_000, None),
    ],
)
def test_json_is_repaired_only_where_the_repair_is_certain(almost: str, value: object) -> None:
    assert parsed(almost) == value


@pytest.mark.parametrize(
    "part", ['"\\', "/*", "/**", ", ", "<!--", "&quot;", '{"a":', '[{"a":1},', "//\n", "*/"]
)
def test_a_hostile_script_is_read_in_bounded_time(part: str) -> None:
    with ends_soon():
        assert list(downloads_in(part * (500_000 // len(part)))) == []


def test_microdata_is_read_scope_by_scope() -> None:
    page = """
    <div itemscope itemtype="https://schema.org/Dataset"><h1 itemprop="name">Rivers</h1>
      <div itemprop="distribution" itemscope itemtype="https://schema.org/DataDownload">
        <a itemprop="contentUrl" href="/get/1">here</a> <span itemprop="encodingFormat">text/csv</span>
        <b itemprop="name">Rivers as  a table</b> <meta itemprop="contentSize" content="3 kB"></div>
      <div itemprop="distribution" itemscope itemtype="https://schema.org/DataDownload">
        <span itemprop="contentUrl">https://b.s3.amazonaws.com/rivers.zip</span></div>
      <div itemprop="image" itemscope itemtype="https://schema.org/ImageObject">
        <link itemprop="contentUrl" href="/map.tif"></div></div>
    """

    assert [(lead.why, lead.url, lead.asset_kind, lead.label, lead.size) for lead in leads_of(page)] == [
        ("microdata", f"{SITE}/get/1", "csv", "Rivers as a table", 3000),
        ("microdata", "https://b.s3.amazonaws.com/rivers.zip", "zip", "", None),
    ]


def test_dcat_in_rdfa_is_read() -> None:
    page = """
    <div typeof="dcat:Dataset"><div rel="dcat:distribution"><div typeof="dcat:Distribution">
      <a rel="dcat:downloadURL" href="https://b.s3.amazonaws.com/rivers">get</a>
      <span property="dct:format">CSV</span></div></div>
      <div typeof="http://www.w3.org/ns/dcat#Distribution">
      <a property="http://www.w3.org/ns/dcat#accessURL" href="/explorer">x</a></div></div>
    """

    assert [(lead.why, lead.to.value, lead.url, lead.asset_kind) for lead in leads_of(page)] == [
        ("rdfa", "file", "https://b.s3.amazonaws.com/rivers", "csv"),
        ("rdfa", "page", f"{SITE}/explorer", None),
    ]


def test_every_link_field_of_the_head_is_read() -> None:
    leads = leads_of(
        "<p>Rivers",
        PAGE,
        (
            "Link",
            '</1>; rel="item"; type="text/csv"; title="One, two; three", <https://b.org/2.zip>;rel=item',
        ),
        ("link", '</style.css>; rel=stylesheet, </3>; rel="describedby"; type="application/ld+json"'),
        ("Link", '</sets/7>; rel="linkset"; type="application/linkset+json"'),
    )

    assert [(lead.why, lead.to.value, lead.url, lead.label, lead.reader) for lead in leads] == [
        ("link-header", "file", f"{SITE}/1", "One, two; three", ""),
        ("link-header", "file", "https://b.org/2.zip", "", ""),
        ("link-header", "page", f"{SITE}/sets/7", "", "linkset"),
    ]


@pytest.mark.parametrize(
    "value",
    ["<", "<>", "</a.csv>", "</a.csv>; rel", '</a.csv>; rel="item', "no link", "</a b\x00>; rel=item", ""],
)
def test_a_broken_link_field_gives_nothing(value: str) -> None:
    assert told("<p>", PAGE, ("Link", value)) == []


@pytest.mark.parametrize("part", ["<", '</a>;a="', "</a>;;", "</a> , ", "; ", "\\"])
def test_a_hostile_link_field_is_read_in_bounded_time(part: str) -> None:
    with ends_soon():
        told("<p>", PAGE, ("Link", part * (200_000 // len(part))))


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (
            "application/linkset+json",
            json.dumps(
                {
                    "linkset": [
                        {
                            "anchor": PAGE,
                            "item": [{"href": "https://b.org/a", "type": "text/csv", "length": 70}],
                            "author": [{"href": "/a.csv"}],
                        }
                    ]
                }
            ),
        ),
        ("application/linkset", '<https://b.org/a>;\n rel="item";\n type="text/csv"; length=70'),
    ],
)
def test_a_link_set_names_files_in_both_its_forms(media_type: str, body: str) -> None:
    reading = read_linkset(
        page_reply(body, f"{SITE}/sets/7", content_type=media_type), parse_url(f"{SITE}/sets/7")
    )

    assert [(lead.why, lead.url, lead.media_type, lead.size) for lead in reading.leads] == [
        ("linkset", "https://b.org/a", "text/csv", 70)
    ]
    assert reading.what is What.RECORD


@pytest.mark.parametrize("body", ["", "[]", '{"linkset": 7}', "<html>"])
def test_json_that_is_no_link_set_is_refused(body: str) -> None:
    reply = page_reply(body, f"{SITE}/sets/7", content_type="application/linkset+json")

    with pytest.raises(PermanentError) as refusal:
        read_linkset(reply, parse_url(f"{SITE}/sets/7"))

    assert refusal.value.reason == "wrong-type"
