"""What reading a dataset's page promises: the files it names, on its own site, and nothing else."""

from __future__ import annotations

import json

import pytest

from shelter_pipeline.discovery.landing import parse_landing, same_site

PAGE = "https://www.example.gov/data/rivers"


def urls(html: str, page: str = PAGE) -> list[str]:
    return [link.url for link in parse_landing(html.encode(), page)]


def json_ld(value: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


def test_plain_links_to_files_are_found_with_their_labels() -> None:
    links = parse_landing(
        b'<p><a href="rivers.csv">All <b>rivers</b></a> <a href="/x/lakes.zip">Lakes</a>', PAGE
    )

    assert [(link.url, link.how, link.label) for link in links] == [
        ("https://www.example.gov/data/rivers.csv", "anchor", "All rivers"),
        ("https://www.example.gov/x/lakes.zip", "anchor", "Lakes"),
    ]


def test_downloads_named_in_json_ld_are_found_at_any_depth() -> None:
    dataset = {
        "@context": "https://schema.org",
        "@graph": [
            {
                "@type": "Dataset",
                "url": "https://www.example.gov/data/rivers",
                "distribution": [
                    {
                        "@type": "DataDownload",
                        "contentUrl": "/get?id=7",
                        "encodingFormat": "text/csv",
                        "name": "R",
                    },
                    {"@type": ["DataDownload"], "url": "https://www.example.gov/r.nc"},
                    {"@type": "DataDownload", "contentUrl": "https://www.example.gov/about"},
                ],
                "image": {"@type": "ImageObject", "contentUrl": "https://www.example.gov/logo.png"},
            }
        ],
    }

    links = parse_landing(json_ld(dataset).encode(), PAGE)

    assert [(link.url, link.how, link.format) for link in links] == [
        ("https://www.example.gov/get?id=7", "json-ld", "text/csv"),
        ("https://www.example.gov/r.nc", "json-ld", None),
    ]


@pytest.mark.parametrize(
    ("element", "found"),
    [
        ('<link rel="item" type="application/zip" href="/a">', True),
        ('<link rel="alternate" type="text/csv" href="/a">', True),
        ('<link rel="alternate" type="application/rss+xml" href="/a">', False),
        ('<link rel="alternate" type="application/json" href="/wp-json/1">', False),
        ('<link rel="alternate" hreflang="fr" href="/fr/">', False),
        ('<link rel="stylesheet" href="/a.css">', False),
        ('<meta name="citation_pdf_url" content="/a.pdf">', True),
        ('<meta name="citation_title" content="/a.pdf">', False),
        ('<meta name="citation_abstract_html_url" content="/about">', False),
        ('<a href="logo.png">', False),
        ('<a href="main.js">', False),
        ('<a href="about.us">', False),
        ('<a href="index.html">', False),
        ('<a href="mailto:a@example.gov">', False),
        ("<a href=\"javascript:get('a.csv')\">", False),
        ('<a href="ftp://ftp.example.gov/pub/a.csv">', True),
        ('<a href="ftp://ftp.example.gov/pub/">', False),
        ('<form action="/a.csv">', False),
        ("<a href='http://[broken'>", False),
        ('<a href="/maps/wms?service=WMS&amp;x=a.csv">', False),
    ],
)
def test_only_what_names_a_file_is_a_link(element: str, found: bool) -> None:
    assert bool(urls(element)) is found


@pytest.mark.parametrize(
    ("href", "found"),
    [
        ("https://www.example.gov/a.csv", True),
        ("https://downloads.example.gov/a.csv", True),
        ("https://example.gov/a.csv", True),
        ("https://elsewhere.gov/a.csv", False),
        ("https://www.example.gov.evil.com/a.csv", False),
        ("//cdn.example.com/a.csv", False),
    ],
)
def test_links_leave_the_page_but_not_its_site(href: str, found: bool) -> None:
    assert bool(urls(f'<a href="{href}">x</a>')) is found


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("www.ncei.noaa.gov:443", "ngdc.noaa.gov:443", True),
        ("data.co.uk:443", "other.co.uk:443", False),
        ("www.example.org:443", "example.org:80", True),
        ("files.example.org:443", "www.example.org:443", True),
        ("a.example.org:443", "b.example.org:443", False),
        ("127.0.0.1:80", "127.0.0.1:8080", True),
        ("10.0.0.1:80", "9.0.0.1:80", False),
    ],
)
def test_hosts_of_one_body_are_one_site(one: str, other: str, same: bool) -> None:
    assert same_site(one, other) is same


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("/files/", "https://www.example.gov/files/a.csv"),
        ("https://evil.example.com/", "https://www.example.gov/data/a.csv"),
        ("http://[broken", "https://www.example.gov/data/a.csv"),
    ],
)
def test_a_base_element_counts_while_it_stays_on_the_site(base: str, expected: str) -> None:
    assert urls(f'<base href="{base}"><a href="a.csv">x</a>') == [expected]


def test_a_file_named_in_many_ways_is_one_link_by_the_strongest() -> None:
    page = (
        json_ld({"@type": "DataDownload", "contentUrl": "a.csv"})
        + '<a href="a.csv">A</a><a href="a.csv#x">A</a>'
    )

    assert [(link.url, link.how) for link in parse_landing(page.encode(), PAGE)] == [
        ("https://www.example.gov/data/a.csv", "json-ld")
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\x00",
        b"\xff\xfe",
        b"<" * 10_000,
        b"<div>" * 50_000,
        b'<script type="application/ld+json">{broken</script>',
        b'<script type="application/ld+json">' + b"[" * 100_000 + b"</script>",
        "<p>no links at all</p>".encode("utf-16"),
        bytes(range(256)) * 100,
    ],
)
def test_a_page_without_links_gives_none_whatever_is_in_it(body: bytes) -> None:
    assert parse_landing(body, PAGE) == []
