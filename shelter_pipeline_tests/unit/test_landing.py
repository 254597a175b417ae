"""What reading a dataset's page promises: the files it names, the few pages behind it, and nothing else."""

from __future__ import annotations

import json

import pytest

from shelter_pipeline.discovery.landing import read_landing
from shelter_pipeline.discovery.leads import To, What
from shelter_pipeline.discovery.sites import same_site
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.support.landing_replies import PAGE, leads_of, page_reply, read_page, told

SITE = "https://www.example.gov"


def files(html: str, page: str = PAGE) -> list[str]:
    return [lead.url for lead in leads_of(html, page) if lead.to is To.FILE]


def follows(html: str, page: str = PAGE) -> list[tuple[str, str]]:
    return [(lead.to.value, lead.url) for lead in leads_of(html, page) if lead.to is not To.FILE]


def json_ld(value: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


def test_plain_links_to_files_are_found_with_their_labels() -> None:
    leads = leads_of('<p><a href="rivers.csv">All <b>rivers</b></a> <a href="/x/lakes.zip">Lakes</a>')

    assert [(lead.url, lead.why, lead.label, lead.asset_kind) for lead in leads] == [
        (f"{SITE}/data/rivers.csv", "anchor", "All rivers", "csv"),
        (f"{SITE}/x/lakes.zip", "anchor", "Lakes", "zip"),
    ]


@pytest.mark.parametrize(
    ("anchor", "label"),
    [
        ('<a href="a.csv" title="Rivers"><i class="icon"></i></a>', "Rivers"),
        ('<a href="a.csv" aria-label="Rivers"></a>', "Rivers"),
        ('<a href="a.csv"><img src="csv.png" alt="Rivers"></a>', "Rivers"),
        ('<a href="a.csv">' + "Rivers " * 100 + "</a>", ("Rivers " * 100)[:200].strip()),
        ('<a href="a.csv">Ri\u202ev\u200bers</a>', "Rivers"),
    ],
)
def test_a_label_is_what_people_read_on_one_line_of_200_characters(anchor: str, label: str) -> None:
    assert [lead.label for lead in leads_of(anchor)] == [label]


@pytest.mark.parametrize(
    ("element", "found"),
    [
        ('<link rel="item" type="application/zip" href="/a">', True),
        ('<link rel="alternate" type="text/csv" href="/a">', True),
        ('<link rel="alternate" type="application/rss+xml" href="/a">', False),
        ('<link rel="alternate" type="application/json" href="/wp-json/1">', False),
        ('<link rel="alternate" type="text/turtle" href="/rivers.ttl">', False),
        ('<link rel="alternate" hreflang="fr" href="/fr/">', False),
        ('<link rel="alternate stylesheet" type="text/csv" href="/a.csv">', False),
        ('<link rel="stylesheet" href="/a.css">', False),
        ('<link rel="icon" href="/favicon.ico">', False),
        ('<link rel="preload" as="font" href="/a.woff2">', False),
        ('<meta name="citation_pdf_url" content="/a.pdf">', True),
        ('<meta name="citation_data_url" content="/a.csv">', True),
        ('<meta name="DC.identifier" content="https://www.example.gov/a.nc">', True),
        ('<meta name="DC.identifier" content="https://doi.org/10.1/a">', False),
        ('<meta property="og:url" content="/about">', False),
        ('<meta property="og:image" content="/a.zip">', False),
        ('<meta name="citation_title" content="/a.pdf">', False),
        ('<meta name="citation_abstract_html_url" content="/about">', False),
        ('<a href="logo.png">', False),
        ('<a href="logo.png" download>', False),
        ('<a href="scan.tif">', True),
        ('<a href="image.jp2">', True),
        ('<a href="main.js">', False),
        ('<a href="about.us">', False),
        ('<a href="index.html">', False),
        ('<a href="/news.rss">', False),
        ('<a href="/sitemap.xml">', False),
        ('<a href="mailto:a@example.gov">', False),
        ("<a href=\"javascript:get('a.csv')\">", False),
        ('<a href="tel:+1.csv">', False),
        ('<a href="data:text/csv,a.csv">', False),
        ('<a href="ftp://ftp.example.gov/pub/a.csv">', True),
        ('<form action="/a.csv">', False),
        ("<a href='http://[broken'>", False),
        ('<a href="/maps/wms?service=WMS&amp;x=a.csv">', False),
        ('<a href="/get/7" download="rivers.csv">', True),
        ('<a href="/get/7" download>', True),
        ('<a href="/login?next=a.csv">', False),
        ('<a href="/get?add-to-cart=7&amp;file=a.csv" download>', False),
        ('<area href="/quad.kmz">', True),
        ('<button data-href="/a.csv">', True),
        ('<div data-url="/api/widget">', False),
        ('<option value="/a.csv">', True),
        ('<option value="a.csv">', False),
        ('<object data="/a.pdf">', True),
        ('<embed src="/a.pdf">', True),
        ('<iframe src="/a.pdf"></iframe>', True),
        ('<iframe src="/map.html"></iframe>', False),
        ('<object data="/a.svg">', False),
        ('<img src="/a.tif">', False),
        ('<!-- <a href="/a.csv"> -->', False),
        ('<a href=" /a b.csv\n">', True),
    ],
)
def test_only_what_names_a_file_is_a_file(element: str, found: bool) -> None:
    assert bool(files(element)) is found


@pytest.mark.parametrize(
    ("frame", "href", "found"),
    [
        ("<nav>{}</nav>", "/a.csv", True),
        ("<nav>{}</nav>", "/a.pdf", False),
        ("<footer>{}</footer>", "/privacy.pdf", False),
        ("<footer>{}</footer>", "/holidays.ics", False),
        ("<header>{}</header>", "/a.zip", True),
        ("<header>{}</header>", "/a.docx", False),
        ("<main><header>{}</header></main>", "/a.pdf", True),
        ('<div class="site-footer wide">{}</div>', "/a.pdf", False),
        ('<div id="nav"><div>{}</div></div>', "/a.pdf", False),
        ('<div role="contentinfo">{}</div>', "/a.pdf", False),
        ("<nav></nav>{}", "/a.pdf", True),
        ("<footer><p></footer>{}", "/a.pdf", True),
        ('<article class="menu">{}</article>', "/a.pdf", True),
    ],
)
def test_the_frame_of_a_site_gives_data_and_no_documents(frame: str, href: str, found: bool) -> None:
    assert bool(files(frame.format(f'<a href="{href}">x</a>'))) is found


def test_nothing_in_the_frame_of_a_site_is_followed() -> None:
    assert follows('<nav><a href="/download/">Download data</a></nav>') == []


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
    assert bool(files(f'<a href="{href}">x</a>')) is found


@pytest.mark.parametrize(
    ("element", "found"),
    [
        (json_ld({"@type": "DataDownload", "contentUrl": "https://b.s3.amazonaws.com/a.csv"}), True),
        ('<link rel="item" href="https://b.s3.amazonaws.com/a.csv">', True),
        ('<link rel="enclosure" type="text/csv" href="https://b.s3.amazonaws.com/a.csv">', False),
        ('<meta name="citation_pdf_url" content="https://b.s3.amazonaws.com/a.pdf">', False),
        ('<a download href="https://b.s3.amazonaws.com/a.csv">', False),
        ('<a class="item cite-as" href="https://b.s3.amazonaws.com/a.csv">', False),
        ('<a rel="item cite-as" href="https://b.s3.amazonaws.com/a.csv">', False),
        (json_ld({"@type": "DataDownload", "url": "https://b.s3.amazonaws.com/a.csv"}), False),
    ],
)
def test_only_what_the_page_declares_to_be_its_data_may_stand_on_another_site(
    element: str, found: bool
) -> None:
    assert bool(files(element)) is found


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("www.ncei.noaa.gov:443", "ngdc.noaa.gov:443", True),
        ("ncei.noaa.gov:443", "ftp.ncdc.noaa.gov:21", True),
        ("noaa.gov:443", "nasa.gov:443", False),
        ("a.co.uk:443", "b.co.uk:443", False),
        ("x.github.io:443", "y.github.io:443", False),
        ("foo.s3.amazonaws.com:443", "bar.s3.amazonaws.com:443", False),
        ("foo.s3.us-west-2.amazonaws.com:443", "bar.s3.us-west-2.amazonaws.com:443", False),
        ("one.opendata.arcgis.com:443", "two.opendata.arcgis.com:443", False),
        ("www.example.org:443", "example.org:80", True),
        ("files.example.org:443", "www.example.org:443", True),
        ("127.0.0.1:80", "127.0.0.1:8080", True),
        ("10.0.0.1:80", "9.0.0.1:80", False),
        ("[2001:db8::1]:80", "[2001:db8::2]:80", False),
        ("localhost:80", "otherhost:80", False),
    ],
)
def test_hosts_of_one_registered_name_are_one_site(one: str, other: str, same: bool) -> None:
    assert same_site(one, other) is same
    assert same_site(other, one) is same


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("/files/", f"{SITE}/files/a.csv"),
        ("https://evil.example.com/", f"{SITE}/data/a.csv"),
        ("http://[broken", f"{SITE}/data/a.csv"),
        ("javascript:alert(1)", f"{SITE}/data/a.csv"),
    ],
)
def test_a_base_element_counts_while_it_stays_on_the_site(base: str, expected: str) -> None:
    assert files(f'<base href="{base}"><a href="a.csv">x</a>') == [expected]


def test_a_file_named_in_many_ways_is_one_lead_that_knows_all_that_was_said() -> None:
    page = '<a href="a.csv#x">Rivers</a><a href="a.csv">A</a>' + json_ld(
        {"@type": "DataDownload", "contentUrl": "a.csv", "contentSize": "12 kB"}
    )

    assert [(lead.url, lead.why, lead.label, lead.size) for lead in leads_of(page)] == [
        (f"{SITE}/data/a.csv", "json-ld", "Rivers", 12_000)
    ]


def test_leads_come_strongest_statement_first() -> None:
    page = (
        '<a href="/1.csv">1</a><a download href="/2.csv">2</a><meta name="citation_data_url" content="/3.csv">'
        '<link rel="item" href="/4.csv">' + json_ld({"@type": "DataDownload", "contentUrl": "/5.csv"})
    )

    assert [lead.why for lead in leads_of(page, PAGE, ("Link", '</6.csv>; rel="item"'))] == [
        "json-ld",
        "link-header",
        "link",
        "meta",
        "download-attribute",
        "anchor",
    ]


@pytest.mark.parametrize(
    ("anchor", "expected"),
    [
        ('<a href="/pub/rivers/">Files</a>', [("directory", f"{SITE}/pub/rivers/")]),
        ('<a href="/rivers/">Data directory</a>', [("directory", f"{SITE}/rivers/")]),
        ('<a href="/pub/data/">Browse</a>', [("directory", f"{SITE}/pub/data/")]),
        (
            '<a href="ftp://ftp.example.gov/incoming/">here</a>',
            [("directory", "ftp://ftp.example.gov/incoming/")],
        ),
        ('<a href="ftp://ftp.example.com/pub/">data</a>', []),
        ('<a href="/get-it">Download data</a>', [("page", f"{SITE}/get-it")]),
        ('<a href="/x">Téléchargement</a>', [("page", f"{SITE}/x")]),
        ('<a href="/x">Descargar</a>', [("page", f"{SITE}/x")]),
        ('<a href="/x">Daten herunterladen</a>', [("page", f"{SITE}/x")]),
        ('<a href="/x">Baixar dados</a>', [("page", f"{SITE}/x")]),
        ('<a href="/x/download">here</a>', [("page", f"{SITE}/x/download")]),
        ('<a href="/x">Datenschutz</a>', []),
        ('<a href="/x">Data policy</a>', []),
        ('<a href="/x">Protección de datos</a>', []),
        ('<a href="/data-protection">Data</a>', []),
        ('<a href="/x">Download Adobe Reader</a>', []),
        ('<a href="/about/">About us</a>', []),
        ('<a href="/x">Explorer</a>', []),
        ('<a href="/data/">Data</a>', []),
        ('<a href="/">Data</a>', []),
        ('<a href="?tab=2">Data</a>', [("page", f"{PAGE}?tab=2")]),
        ('<a href="#data">Data</a>', []),
        ('<a href="/x" rel="nofollow">Download data</a>', []),
        ('<a href="/events/2024/05/06/">Download data</a>', []),
        ('<a href="/list?sort=name">Download data</a>', []),
        ('<a href="https://other.com/download">Download data</a>', []),
    ],
)
def test_pages_and_directories_are_followed_for_what_is_said_of_them(
    anchor: str, expected: list[tuple[str, str]]
) -> None:
    assert follows(anchor) == expected


def test_at_most_20_pages_are_followed_the_best_first_and_the_rest_is_told() -> None:
    page = "".join(f'<a href="/{number}">data</a>' for number in range(30))

    reading = read_page(page + '<a href="/best">Download data</a>')
    leads = list(reading.leads)

    assert (len(leads), leads[0].url) == (20, f"{SITE}/best")
    assert reading.notes == ("pages and directories beyond the first 20: 11",)


@pytest.mark.parametrize(
    ("element", "found"),
    [
        ('<link rel="next" href="?page=2">', True),
        ('<nav><a rel="next" href="/data/rivers?page=2">&gt;</a></nav>', True),
        ('<a rel="next" href="/data/rivers/page/2/">Next</a>', True),
        ('<link rel="next" href="/2024/05/another-story/">', False),
        ('<a class="next" href="?page=2">Next</a>', False),
        ('<a rel="next" href="?month=2024-07">Next</a>', False),
    ],
)
def test_the_next_part_of_the_same_list_is_more_of_the_page(element: str, found: bool) -> None:
    assert [why for why, to, _ in told(element) if to == "more"] == (["next-page"] if found else [])


def test_a_declared_download_that_may_be_a_page_is_asked() -> None:
    page = json_ld({"@type": "DataDownload", "contentUrl": "https://www.example.gov/about"})

    assert told(page) == [("json-ld", "page", f"{SITE}/about")]


def test_a_declared_web_page_on_another_site_is_no_lead() -> None:
    page = json_ld({"@type": "DataDownload", "contentUrl": "https://elsewhere.org/index.html"})

    assert told(page) == []


@pytest.mark.parametrize(("links", "found"), [("", 1), ('<a href="/a.csv">x</a>', 0)])
def test_the_identifier_is_followed_only_where_no_file_is_found(links: str, found: int) -> None:
    page = '<link rel="cite-as" href="https://doi.org/10.5281/zenodo.7">' + links

    assert [to for _, to, _ in told(page) if to == "page"] == ["page"] * found


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("/a.csv;jsessionid=0A1B2C", f"{SITE}/a.csv"),
        ("/a.csv?PHPSESSID=1f&amp;x=1", f"{SITE}/a.csv?x=1"),
        ("/a.csv?utm_source=x", f"{SITE}/a.csv"),
        ("/a.csv?sid=KABR", f"{SITE}/a.csv?sid=KABR"),
    ],
)
def test_session_ids_are_taken_out(href: str, expected: str) -> None:
    assert files(f'<a href="{href}">x</a>') == [expected]


def test_what_was_passed_over_is_told_in_numbers() -> None:
    page = (
        '<a href="/logout">x</a><a href="https://other.org/a.csv">x</a><a href="/arcgis/rest/services">x</a>'
        '<a href="/a.csv;jsessionid=0A">x</a><a href="/list?sort=a">data</a>'
    )

    assert read_page(page).notes == (
        "links passed over as action: 1",
        "links passed over as traps: 1",
        "links to other sites: 1",
        "links to web services: 1",
        "session ids taken out of URLs: 1",
    )


def test_two_pages_that_lead_to_the_same_have_one_digest() -> None:
    one = read_page('<a href="/a.csv">A</a><a href="/b.csv">B</a>')
    other = read_page('<a href="/b.csv">b</a><p><a href="/a.csv">a</a>', f"{PAGE}?view=2")

    assert one.digest == other.digest != read_page('<a href="/a.csv">A</a>').digest
    assert one.digest != b""
    assert read_page("<p>nothing").digest == b""


def test_links_are_resolved_where_the_reply_came_from() -> None:
    reading = read_page(
        '<a href="a.csv">A</a>', "https://repo.example.gov/record/7/", asked="https://doi.org/10.1/7"
    )

    assert [lead.url for lead in reading.leads] == ["https://repo.example.gov/record/7/a.csv"]
    assert reading.what is What.LANDING


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('<a href="/a.csv">Flüsse</a>'.encode(), "text/html"),
        ('<a href="/a.csv">Flüsse</a>'.encode("latin-1"), "text/html; charset=iso-8859-1"),
        ('<a href="/a.csv">Flüsse</a>'.encode("cp1252"), "text/html"),
        ('<a href="/a.csv">Flüsse</a>'.encode("utf-16"), "text/html"),
        ('<meta charset="cp852"><a href="/a.csv">Flüsse</a>'.encode("cp852"), "text/html"),
        ('<a href="/a.csv">Flüsse</a>'.encode("latin-1"), "text/html; charset=no-such-thing"),
    ],
)
def test_a_page_is_read_in_its_own_encoding(body: bytes, content_type: str) -> None:
    reply = page_reply(body, content_type=content_type)

    assert [lead.label for lead in read_landing(reply, parse_url(PAGE)).leads] == ["Flüsse"]
