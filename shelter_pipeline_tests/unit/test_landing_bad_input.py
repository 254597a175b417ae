"""No page is too large, too deep or too broken: reading it ends in bounded time, and nothing of it leaves the rules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelter_pipeline.discovery import page_scan
from shelter_pipeline.discovery.leads import To
from shelter_pipeline.discovery.sites import same_site
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.support.ends_soon import ends_soon
from shelter_pipeline_tests.support.landing_replies import PAGE, leads_of, read_page

MEGABYTE = 1024 * 1024
SITE = "https://www.example.gov"


def test_of_too_many_links_a_bounded_number_is_judged_and_that_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_scan, "MOST_LINKS", 500)
    page = b"".join(b'<p><a href="/d/%d.csv">F</a>' % number for number in range(501))

    reading = read_page(page)

    assert len(list(reading.leads)) == 500
    assert any("first 500 links" in note for note in reading.notes)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the high-water mark is read from /proc")
def test_memory_does_not_grow_with_the_page() -> None:
    script = """
import re
from pathlib import Path
from shelter_pipeline_tests.support.landing_replies import read_page

def high_water_kib():
    return int(re.search(r"VmHWM:\\s+([0-9]+)", Path("/proc/self/status").read_text())[1])

read_page("<p>")
page = b"<p>words and words <b>in bold</b></p>" * 100_000
before = high_water_kib()
read_page(page)
print(high_water_kib() - before)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    # Four megabytes of page: its bytes and its text, and no tree of two hundred thousand nodes.
    assert int(done.stdout) < 30 * 1024


def test_links_below_a_hundred_thousand_nested_elements_are_found() -> None:
    page = "<div>" * 100_000 + '<a href="/a.csv">A</a>'

    assert [lead.url for lead in leads_of(page)] == [f"{SITE}/a.csv"]


@pytest.mark.parametrize(
    "part",
    """
    < <! <!-- <!--- -- <![CDATA[ <? </ </x> & &# <script> <title> <h1>x <svg><title> <b></i> <table><tr><td>
    <div\titemscope> <nav> <option\tvalue=/a> <a\thref=/a.csv> <a\thref=" \x00 \ufffd <select> <plaintext>
    <script\ttype=application/ld+json>
    """.replace("\n    ", " ")
    .strip()
    .split(" "),
)
def test_a_quarter_of_a_megabyte_of_anything_ends_soon(part: str) -> None:
    page = part * (MEGABYTE // 4 // len(part))
    with ends_soon():
        read_page(page)


def test_end_tags_that_match_nothing_cost_no_more_in_a_deep_page() -> None:
    page = "<b>" * 50_000 + "</i>" * 100_000
    with ends_soon():
        read_page(page)


@pytest.mark.parametrize(
    ("href", "count"),
    [
        ("/" + "a" * MEGABYTE + ".csv", 0),
        ("/a.csv" + " " * MEGABYTE, 1),
        ("/a.csv#" + "x" * MEGABYTE, 0),
    ],
)
def test_an_attribute_of_a_megabyte_is_one_more_reference(href: str, count: int) -> None:
    leads = leads_of(f'<a href="{href}">A</a><a href="/b.csv">B</a>')

    assert [lead.url for lead in leads][count:] == [f"{SITE}/b.csv"]


def test_an_unclosed_comment_hides_what_follows_and_nothing_before() -> None:
    assert [lead.url for lead in leads_of('<a href="/a.csv">A</a><!-- <a href="/b.csv">B</a>')] == [
        f"{SITE}/a.csv"
    ]


def test_a_zero_byte_in_a_page_harms_no_link() -> None:
    assert [lead.url for lead in leads_of(b'<p>\x00<a href="/a\x00.csv">A\x00</a>')] == [f"{SITE}/a.csv"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"\x00\x00",
        b"\xff\xfe",
        b"\xfe\xff\xd8\x00",
        b"<" * 10_000,
        b"<div>" * 50_000,
        b'<script type="application/ld+json">{broken</script>',
        b'<script type="application/ld+json">' + b"[" * 100_000 + b"</script>",
        b'<script type="application/ld+json">\xff</script>',
        "<p>no links at all</p>".encode("utf-16"),
        bytes(range(256)) * 100,
        b"%PDF-1.7\n" + bytes(range(256)) * 1000,
    ],
)
def test_a_page_without_links_gives_none_whatever_is_in_it(body: bytes) -> None:
    assert leads_of(body) == []


_PIECES = st.sampled_from(
    """
    <a\thref= <a\tdownload\thref=' '> " > </a> /a.csv a/b/ //x.gov/ javascript: http://[ ftp://ftp.example.gov/pub/
    <base\thref=' <link\trel=item\thref= <nav> </nav> <script\ttype=application/ld+json> "/a.nc" } </script> <!-- -->
    {"@type":"DataDownload","contentUrl": Download\tdata <title> </title> <div\titemscope\titemtype=DataDownload>
    <i\titemprop=contentUrl> </div> <meta\tname=citation_pdf_url\tcontent= .. %2e%2e \\ \x00 \ud7ff &amp; # ?a=1
    ;jsessionid=1 @ :80
    """.replace("\n    ", " ")
    .strip()
    .split(" ")
)


@given(st.lists(st.one_of(_PIECES, st.text(max_size=20)), max_size=40).map("".join))
@settings(max_examples=200, deadline=None)
def test_no_page_makes_reading_fail_or_leave_the_rules(html: str) -> None:
    reading = read_page(html.encode("utf-8", "surrogatepass"))
    leads = list(reading.leads)

    assert len({lead.url for lead in leads}) == len(leads)
    assert sum(lead.to is not To.FILE for lead in leads) <= 20
    for lead in leads:
        assert parse_url(lead.url).text == lead.url != PAGE
        assert len(lead.label) <= 200
        declared = lead.why in ("json-ld", "microdata", "rdfa", "link")
        assert declared or same_site(parse_url(lead.url).host, parse_url(PAGE).host)


@given(st.binary(max_size=2000))
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_reading_fail(body: bytes) -> None:
    list(read_page(body).leads)
