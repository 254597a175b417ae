"""Listings that lie, break off or attack: every one is read in bounded time, and nothing leads out of its directory."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote_to_bytes, urlsplit
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelter_pipeline.discovery.leads import Lead, To
from shelter_pipeline.discovery.listings import entries
from shelter_pipeline.discovery.listings.measures import measures_in
from shelter_pipeline.discovery.listings.place import place_of
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.support.ends_soon import ends_soon
from shelter_pipeline_tests.support.listings import RECORDED, URL, leads_in, reading, urls_in

HEAD = "<html><title>Index of /pub/data</title>"
INVCATALOG = 'xmlns="http://www.unidata.ucar.edu/namespaces/thredds/InvCatalog/v1.0"'
PAGES = [path.read_bytes() for path in sorted(RECORDED.iterdir())]
# Far more than any of them costs, and far less than a search in circles would.
SECONDS = 20


def listing(*hrefs: str) -> str:
    links = "\n".join(f'<a href="{href}">x</a> 2020-01-02 03:04 1K' for href in hrefs)
    return f"{HEAD}<pre><a href='../'>../</a>\n{links}</pre>"


@pytest.mark.parametrize(
    "href",
    [
        "../",
        "..",
        "./",
        "../data/",
        "/pub/",
        "/",
        "/pub/data/",
        "https://elsewhere.example.com/pub/data/a.csv",
        "//elsewhere.example.com/pub/data/a.csv",
        "https://files.example.gov:8443/pub/data/a.csv",
        "https://user@files.example.gov/pub/data/a.csv",
        "ftp://files.example.gov/pub/data/a.csv",
        "sub/../../secret.csv",
        "%2e%2e/secret.csv",
        "%2e%2e%2fsecret.csv",
        "%252e%252e/secret.csv",
        "%25252e%25252e/secret.csv",
        "sub/%2E%2E/%2E%2E/secret.csv",
        "..%5csecret.csv",
        "..\\secret.csv",
        "sub/..;/..;/secret.csv",
        "..;a=b/secret.csv",
        "%c0%ae%c0%ae/secret.csv",
        ".%00./secret.csv",
        "a.csv%00.html",
        "&#46;&#46;/secret.csv",
        ".\t./secret.csv",
        "sub%2f",
        "/pub/data//",
        "/pub/data//sub/",
        ".%2f",
        "?C=S;O=A",
        "/pub/data/?C=S;O=A",
        "sub/?page=2",
        "#top",
        "",
        " ",
        "mailto:admin@example.gov",
        "javascript:history.back()",
        "JavaScript:void(0)",
        "data:text/html,x",
        "http://[broken",
        "y" * 10_000,
    ],
)
def test_no_link_leads_out_of_the_listed_directory(href: str) -> None:
    assert urls_in(listing(href, "a.csv")) == [URL + "a.csv"]


@pytest.mark.parametrize(
    ("href", "below"),
    [
        ("./a.csv", "a.csv"),
        ("/pub/data/a.csv", "a.csv"),
        ("https://FILES.example.gov/pub/data/a.csv#top", "a.csv"),
        ("http://files.example.gov/pub/data/a.csv", "a.csv"),
        ("//files.example.gov/pub/data/sub/", "sub/"),
        ("sub/../a.csv", "a.csv"),
        ("sub//", "sub/"),
        ("a b.csv", "a%20b.csv"),
        ("100%25.csv", "100%25.csv"),
        ("100%2525.csv", "100%2525.csv"),
        ("a&amp;b.csv", "a&b.csv"),
        ("a&amp;amp;b.csv", "a&amp;b.csv"),
        ("m&auml;rz.csv", "m%C3%A4rz.csv"),
        ("東京.csv", "%E6%9D%B1%E4%BA%AC.csv"),
        ("a..b", "a..b"),
        ("...", "..."),
        (".hidden", ".hidden"),
        ("a;b.csv", "a;b.csv"),
        ("./colon:name.csv", "colon:name.csv"),
        ("get.cgi?file=a.csv", "get.cgi?file=a.csv"),
        ("sub/?C=N;O=A", "sub/"),
        ("\u202egpj.exe", "%E2%80%AEgpj.exe"),
    ],
)
def test_what_is_below_is_an_entry_however_it_is_written(href: str, below: str) -> None:
    assert urls_in(listing(href)) == [URL + below]


def test_raw_bytes_of_a_name_stay_the_bytes_they_are() -> None:
    body = listing("NAME", "märz.csv").encode().replace(b"NAME", b"caf\xe9.csv")

    assert [(lead.url, lead.label) for lead in leads_in(body)] == [
        (URL + "caf%E9.csv", "café.csv"),
        (URL + "m%C3%A4rz.csv", "märz.csv"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_page_in_any_unicode_encoding_is_read(encoding: str) -> None:
    assert urls_in(listing("東京.csv").encode(encoding)) == [URL + "%E6%9D%B1%E4%BA%AC.csv"]


def test_an_xml_listing_in_another_encoding_is_read() -> None:
    text = "<ListBucketResult><Contents><Key>m\u00e4rz.csv</Key><Size>7</Size></Contents></ListBucketResult>"

    for encoding in ("utf-16", "iso-8859-1", "windows-1252"):
        declared = f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)
        assert urls_in(declared, "https://b.example.com/") == ["https://b.example.com/m%C3%A4rz.csv"]
    assert urls_in(text.encode("latin-1"), "https://b.example.com/") == ["https://b.example.com/m%E4rz.csv"]


def test_a_label_neither_hides_nor_turns_what_is_around_it() -> None:
    (lead,) = leads_in(listing("%E2%80%AEgpj.exe%07"))

    assert lead.label == "\ufffdgpj.exe\ufffd"


def test_an_entry_listed_again_is_one_entry_and_said() -> None:
    found = reading(listing("a.csv", "b.csv", "a.csv"))

    assert found is not None
    assert [lead.label for lead in found.leads] == ["a.csv", "b.csv"]
    assert "listed twice" in found.notes


@pytest.mark.parametrize(
    "base", ["https://elsewhere.example.com/x/", "http://[broken", "javascript:x", "//10.0.0.1/", "data:,"]
)
def test_a_base_on_another_server_is_not_believed(base: str) -> None:
    body = listing("a.csv").replace("<title>", f"<base href='{base}'><title>")

    assert urls_in(body) == [URL + "a.csv"]


def test_a_base_on_the_same_server_is_what_references_mean() -> None:
    body = listing("a.csv", "data/b.csv").replace("<title>", "<base href='/pub/index.html'><title>")

    assert urls_in(body) == [URL + "b.csv"]


@pytest.mark.parametrize(
    ("text", "size", "year"),
    [
        ("2020-01-02 03:04  1.5K", 1536, 2020),
        ("1601-01-01 00:00  7", 7, None),
        ("1970-01-01 00:00  7", 7, None),
        ("2106-02-07 06:28  7", 7, None),
        ("2038-01-19 03:14  7", 7, 2038),
        ("2020-13-45 03:04  12", 12, None),
        ("0000-00-00 00:00  12", 12, None),
        ("31-Foo-2020 03:04  12", 12, None),
        ("2020-01-02 03:04  99999999999999999999999", None, 2020),
        ("2020-01-02 03:04  999999P", None, 2020),
        ("2020-01-02 03:04  -5", None, 2020),
        ("2020-01-02 03:04  - 7 tables", None, 2020),
        ("2020-01-02 03:04  1.2.3", None, 2020),
        ("2020-01-02 03:04  12 MB", 12 * 2**20, 2020),
        ("2020-01-02 03:04  1,234,567 bytes", 1_234_567, 2020),
        ("2020-01-02 03:04  1,5 Ko", 1536, 2020),
        ("2020-01-02T03:04:05.123Z", None, 2020),
        ("2020-01-02 00:30 +02:00  7", 7, 2020),
        ("2020-01-01 00:30 +0200  7", 7, 2019),
        ("25/12/2020 03:04  7", 7, 2020),
        ("04.03.2021 05:06  7", 7, 2021),
        ("2014-05- 8 00:52:55  7", 7, 2014),
        ("9" * 400, None, None),
        ("", None, None),
    ],
)
def test_a_size_or_date_that_cannot_be_is_none(text: str, size: int | None, year: int | None) -> None:
    measured = measures_in(text)

    assert (measured.size, measured.modified and measured.modified.year) == (size, year)


def test_a_date_after_the_servers_own_clock_is_none() -> None:
    body = f"{HEAD}<pre><a href='a'>a</a> 2031-01-02 03:04 1K\n<a href='b'>b</a> 2030-01-02 03:04 1K\n</pre>"

    dates = [lead.modified for lead in leads_in(body, date="Wed, 02 Jan 2030 00:00:00 GMT")]

    assert dates == [None, datetime(2030, 1, 2, 3, 4, tzinfo=UTC)]


def test_a_listing_that_breaks_off_gives_what_came_before_and_says_so() -> None:
    body = "<ListBucketResult><Contents><Key>a.csv</Key><Size>7</Size></Contents><Contents><Key>b"

    found = reading(body, "https://b.example.com/")

    assert found is not None
    assert [lead.label for lead in found.leads] == ["a.csv"]
    assert found.notes[0].startswith("the listing breaks off: ")


@pytest.mark.parametrize("character", ["\x01", "&#1;", "&#x1F;", "&#0;"])
def test_a_key_that_xml_cannot_hold_costs_that_key_alone(character: str) -> None:
    keys = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in (f"a{character}", "b.csv"))

    assert urls_in(f"<ListBucketResult>{keys}</ListBucketResult>", "https://b.example.com/") == [
        "https://b.example.com/b.csv"
    ]


@pytest.mark.parametrize("root", ["ListBucketResult", f"catalog {INVCATALOG}"])
def test_entities_are_neither_expanded_nor_asked_for(root: str) -> None:
    name = root.partition(" ")[0]
    doubling = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    body = (
        f'<?xml version="1.0"?><!DOCTYPE {name} [<!ENTITY l0 "lol">{doubling}<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        f"<{root}><Contents><Key>&x;&l11;</Key></Contents></{name}>"
    )

    found = reading(body)

    assert found is None or list(found.leads) == []


HOSTILE = {
    "tags that never end": b"<a " * 200_000,
    "anchors without names": b"<a href>" * 100_000,
    "anchors that stay open": b"<a href='x'>" * 15_000,
    "a reference without end": b"<a href='" + b"x" * 600_000,
    "quotes that do not pair": b"<a href=\"'" * 60_000,
    "quotes in turn": b"<a " + b"\"'" * 300_000,
    "angle brackets": b"<" * 600_000,
    "closing brackets": b">" * 600_000,
    "comments": b'<a href="a"><!--' * 15_000,
    "spaces": b"<a href=" + b" " * 600_000,
    "headings": b"<h1><title>Index of " * 40_000,
    "bases": b"<base " * 100_000,
    "entities": b'<a href="' + b"&amp" * 200_000 + b'">',
    "digits": b"<a href=a>a</a>" + b"1-" * 300_000,
    "one line": b"<a href=%41>x</a> 2020-01-02 03:04 1K" * 6_000,
    "nested xml": b"<ListBucketResult>" + b"<Contents>" * 100_000,
    "xml attributes": b"<ListBucketResult " + b"".join(b"a%d='1' " % n for n in range(50_000)) + b">",
    "one xml text": b"<ListBucketResult><Contents><Key>"
    + b"k" * 600_000
    + b"</Key></Contents></ListBucketResult>",
    "one xml tag": b"<ListBucketResult><x a='" + b"k" * 600_000,
    "xml comments": b"<!---->" * 100_000 + b"<ListBucketResult>",
    "datasets in datasets": f"<catalog {INVCATALOG}>".encode() + b"<dataset urlPath='a'>" * 50_000,
    "services in services": f"<catalog {INVCATALOG}>".encode()
    + b"<service name='a'>" * 90
    + b"<service/>" * 20_000,
    "json brackets": b"[" * 600_000,
    "json names": b'[{"name":"' + b"x" * 600_000,
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_a_hostile_page_is_read_to_its_end(attack: str) -> None:
    body = HOSTILE[attack]
    with ends_soon():
        alone = reading(body)
        in_a_listing = reading(f"{HEAD}<a href='../'>../</a>".encode() + body)

        assert len(list(alone.leads) if alone else []) <= 2
        assert len(list(in_a_listing.leads) if in_a_listing else []) <= 2


def test_a_page_of_too_many_entries_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MOST_ENTRIES", 2)

    found = reading(listing("a", "b", "a", "c", "d"))

    assert found is not None
    assert [lead.label for lead in found.leads] == ["a", "b"]
    assert found.notes == ("listed twice", "not read on after 2 entries")


DOTS = ("..", ".", "%2e", "%2E%2e", "%252e", "&#46;", "%c0%ae", "..;")
SLASHES = ("/", "//", "\\", "%2f", "%5c", "/pub/data/", "http://", "https://files.example.gov")
OTHERS = (
    "a",
    "b.csv",
    "data",
    "pub",
    "?",
    "#",
    ";",
    ":",
    "&amp;",
    " ",
    "\t",
    "\x00",
    "%00",
    "ä",
    "\u202e",
    "\udce9",
)
SEGMENTS = st.sampled_from([*DOTS, *SLASHES, *OTHERS, "@", "[", "javascript:", "?C=N", "'"])
HREFS = st.lists(SEGMENTS, max_size=6).map("".join) | st.text(max_size=20)


def is_below(url: str, base: str) -> bool:
    """Whether a URL is in normal form, strictly below a base, and climbs in no decoding of it."""
    parts = urlsplit(url)
    below = parts.path.removeprefix(urlsplit(base).path)
    decoded = unquote_to_bytes(below)
    if decoded.startswith(b"/"):
        return False
    for _ in range(3):
        if b".." in decoded.replace(b"\\", b"/").split(b"/"):
            return False
        decoded = unquote_to_bytes(decoded)
    return parse_url(url).text == url and url.startswith(base) and below not in ("", "/")


def all_below(leads: Iterable[Lead], base: str) -> bool:
    return all(is_below(lead.url, base) and (lead.to is To.FILE or lead.url.endswith("/")) for lead in leads)


@given(
    st.lists(HREFS, max_size=8),
    st.sampled_from([URL, URL + "index.html", "http://h/", "https://h:8443/a%20b/"]),
)
@settings(max_examples=150, deadline=None)
def test_whatever_a_page_links_its_entries_are_below_it(hrefs: list[str], url: str) -> None:
    body = listing(*hrefs, "a.csv").encode(errors="surrogateescape")

    leads = leads_in(body, url)

    assert leads
    assert all_below(leads, place_of(parse_url(url), datetime(2100, 1, 1, tzinfo=UTC)).base)


@given(st.text("aZ09_~!$'()*+,=@&.-/", max_size=8), st.text("0123456789abcdefABCDEF", min_size=2, max_size=2))
@settings(max_examples=300, deadline=None)
def test_the_short_way_to_a_url_gives_what_the_long_way_gives(name: str, escape: str) -> None:
    short = place_of(parse_url(URL), datetime(2100, 1, 1, tzinfo=UTC))
    long = replace(short, reads_from=f"{URL}#")

    for reference in (
        name,
        f"{name}%{escape}",
        f"./{name}",
        f"/pub/data/{name}%{escape}.csv",
        f"%{escape}{name}/",
    ):
        assert short.locate(reference) == long.locate(reference)


@given(st.lists(st.tuples(HREFS, st.sampled_from(["file", "directory", "other"])), min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_whatever_nginx_lists_its_entries_are_below_it(rows: list[tuple[str, str]]) -> None:
    date = "Thu, 02 Jan 2020 03:04:00 GMT"
    body = json.dumps(
        [{"name": name, "type": kind, "mtime": date, "size": 7} for name, kind in rows], ensure_ascii=False
    )

    found = reading(body.encode(errors="surrogateescape"))

    assert found is not None
    assert all_below(found.leads, URL)


@given(st.lists(HREFS, max_size=8), HREFS)
@settings(max_examples=100, deadline=None)
def test_whatever_a_bucket_lists_is_in_it(keys: list[str], marker: str) -> None:
    contents = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in keys)
    prefixes = "".join(f"<CommonPrefixes><Prefix>{escape(key)}</Prefix></CommonPrefixes>" for key in keys)
    cut = f"<IsTruncated>true</IsTruncated><NextMarker>{escape(marker)}</NextMarker>"
    body = f"<ListBucketResult>{contents}{prefixes}{cut}</ListBucketResult>".encode(errors="surrogateescape")

    found = reading(body, "https://s3.example.com/bucket?prefix=a")

    assert found is not None
    for lead in found.leads:
        if lead.to is To.FILE:
            assert lead.url.startswith("https://s3.example.com/bucket/a")
            assert parse_url(lead.url).text == lead.url
            assert b".." not in unquote_to_bytes(lead.url).replace(b"\\", b"/").split(b"/")
        else:
            assert lead.url.startswith("https://s3.example.com/bucket?")
            asked = parse_qs(urlsplit(lead.url).query, errors="surrogateescape")["prefix"][0]
            assert asked.startswith("a")
            assert lead.to is To.MORE or len(asked) > 1


@given(st.lists(HREFS, max_size=8), HREFS)
@settings(max_examples=100, deadline=None)
def test_whatever_a_catalogue_names_is_on_its_server_and_below(references: list[str], base: str) -> None:
    served = "".join(f"<dataset serviceName='s' urlPath={quoteattr(one)}/>" for one in references)
    below = "".join(f"<catalogRef href={quoteattr(one)}/>" for one in references)
    service = f"<service name='s' serviceType='HTTPServer' base={quoteattr(base)}/>"
    body = f"<catalog {INVCATALOG}>{service}{served}{below}</catalog>".encode(errors="surrogateescape")
    url = URL + "catalog.xml"

    found = reading(body, url)

    assert found is not None
    for lead in found.leads:
        assert parse_url(lead.url).text == lead.url
        assert lead.url.startswith("https://files.example.gov/")
        if lead.to is To.DIRECTORY:
            assert is_below(lead.url, URL)
            assert urlsplit(lead.url).path != urlsplit(url).path


@given(
    st.sampled_from(PAGES),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 60), st.binary(max_size=12)), max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_a_damaged_page_never_raises_and_never_leads_to_another_server(
    page: bytes, wounds: list[tuple[float, int, bytes]]
) -> None:
    for place, cut, put in wounds:
        at = int(place * len(page))
        page = page[:at] + put + page[at + cut :]

    found = reading(page, "https://files.example.gov/pub/data/catalog.xml?prefix=pub/")

    for lead in found.leads if found else ():
        assert parse_url(lead.url).host == "files.example.gov:443"


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_no_bytes_raise(body: bytes) -> None:
    for start in (
        b"",
        b"<html><title>Index of /</title>",
        b"<ListBucketResult>",
        b"[",
        f"<catalog {INVCATALOG}>".encode(),
    ):
        found = reading(start + body)
        if found is not None:
            list(found.leads)
