"""What reading a directory listing promises, for every server that writes them (our own re-creations)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shelter_pipeline.discovery.listing import is_listing, parse_listing

URL = "https://files.example.gov/pub/data/"

APACHE_PRE = b"""<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">
<html><head><title>Index of /pub/data</title></head><body><h1>Index of /pub/data</h1>
<pre><img src="/icons/blank.gif" alt="Icon "> <a href="?C=N;O=D">Name</a>  <a href="?C=M;O=A">Last modified</a>
<hr><img src="/icons/back.gif" alt="[PARENTDIR]"> <a href="/pub/">Parent Directory</a>                 -
<img src="/icons/folder.gif" alt="[DIR]"> <a href="sub%20dir/">sub dir/</a>      2021-03-04 05:06    -
<img src="/icons/unknown.gif" alt="[   ]"> <a href="a.csv">a.csv</a>         2020-01-02 03:04  1.5K  A table 7
<img src="/icons/unknown.gif" alt="[   ]"> <a href="b.nc">b.nc</a>          2020-01-02 03:04   12M
<hr></pre></body></html>"""

APACHE_TABLE = b"""<html><head><title>Index of /pub/data</title></head><body><h1>Index of /pub/data</h1><table>
<tr><th valign="top"><img src="/icons/blank.gif"></th><th><a href="?C=N;O=D">Name</a></th></tr>
<tr><td><img src="/icons/back.gif"></td><td><a href="/pub/">Parent Directory</a></td><td>&nbsp;</td><td> - </td></tr>
<tr><td valign="top"><img src="/icons/folder.gif"></td><td><a href="sub%20dir/">sub dir/</a></td>
 <td align="right">2021-03-04 05:06  </td><td align="right">  - </td><td>&nbsp;</td></tr>
<tr><td valign="top"><img src="/icons/text.gif"></td><td><a href="a.csv">a.csv</a></td>
 <td align="right">2020-01-02 03:04  </td><td align="right">1.5K</td><td>&nbsp;</td></tr>
<tr><td valign="top"><img src="/icons/text.gif"></td><td><a href="b.nc">b.nc</a></td>
 <td align="right">2020-01-02 03:04  </td><td align="right"> 12M</td><td>&nbsp;</td></tr></table></body></html>"""

NGINX = b"""<html>
<head><title>Index of /pub/data/</title></head>
<body><h1>Index of /pub/data/</h1><hr><pre><a href="../">../</a>
<a href="sub%20dir/">sub dir/</a>              04-Mar-2021 05:06                   -
<a href="a.csv">a.csv</a>                      02-Jan-2020 03:04                1536
<a href="b.nc">b.nc</a>                        02-Jan-2020 03:04            12582912
</pre><hr></body></html>"""

LIGHTTPD = b"""<!DOCTYPE html><html><head><title>Index of /pub/data/</title></head><body><h2>Index of /pub/data/</h2>
<table><thead><tr><th class="n">Name</th></tr></thead><tbody>
<tr class="d"><td class="n"><a href="../">..</a>/</td><td class="m">&nbsp;</td><td class="s">- &nbsp;</td></tr>
<tr class="d"><td class="n"><a href="sub%20dir/">sub dir</a>/</td><td>2021-Mar-04 05:06:00</td><td>-</td></tr>
<tr><td class="n"><a href="a.csv">a.csv</a></td><td class="m">2020-Jan-02 03:04:00</td><td class="s">1.5K</td></tr>
<tr><td class="n"><a href="b.nc">b.nc</a></td><td class="m">2020-Jan-02 03:04:00</td><td class="s">12.0M</td></tr>
</tbody></table></body></html>"""

IIS = b"""<html><head><title>files.example.gov - /pub/data/</title></head><body><H1>files</H1><hr>
<pre><A HREF="/pub/">[To Parent Directory]</A><br><br>
 3/4/2021  5:06 AM        &lt;dir&gt; <A HREF="/pub/data/sub%20dir/">sub dir</A><br>
 1/2/2020  3:04 AM         1536 <A HREF="/pub/data/a.csv">a.csv</A><br>
 1/2/2020  3:04 AM     12582912 <A HREF="/pub/data/b.nc">b.nc</A><br></pre><hr></body></html>"""

LISTINGS = {
    "apache-pre": APACHE_PRE,
    "apache-table": APACHE_TABLE,
    "nginx": NGINX,
    "lighttpd": LIGHTTPD,
    "iis": IIS,
}


@pytest.mark.parametrize("body", LISTINGS.values(), ids=LISTINGS)
def test_every_servers_listing_gives_the_same_entries(body: bytes) -> None:
    entries = parse_listing(body, URL)

    assert [(one.name, one.is_directory, one.size) for one in entries] == [
        ("sub dir", True, None),
        ("a.csv", False, 1536),
        ("b.nc", False, 12 * 2**20),
    ]
    assert entries[0].url == URL + "sub%20dir/"
    assert [one.modified for one in entries] == [
        datetime(2021, 3, 4, 5, 6, tzinfo=UTC),
        datetime(2020, 1, 2, 3, 4, tzinfo=UTC),
        datetime(2020, 1, 2, 3, 4, tzinfo=UTC),
    ]


def test_a_plain_list_without_dates_and_sizes_is_read() -> None:
    links = b"<ul><li><a href='a.txt'>a.txt</a></li><li><a href=b/>b/</a></li></ul>"
    body = b"<title>Directory listing for /</title>" + links

    assert [(one.name, one.is_directory, one.size, one.modified) for one in parse_listing(body, URL)] == [
        ("a.txt", False, None, None),
        ("b", True, None, None),
    ]


@pytest.mark.parametrize(
    "href",
    [
        "../",
        "..",
        "./",
        "/pub/",
        "/",
        "https://elsewhere.example.com/pub/data/a.csv",
        "//elsewhere.example.com/pub/data/a.csv",
        "https://files.example.gov:8443/pub/data/a.csv",
        "sub/../../secret.csv",
        "%2e%2e/secret.csv",
        "sub/%2E%2E/%2E%2E/secret.csv",
        "?C=S;O=A",
        "/pub/data/?C=S;O=A",
        "#top",
        "",
        "mailto:admin@example.gov",
        "javascript:history.back()",
        "http://[broken",
    ],
)
def test_no_link_leads_out_of_the_listed_directory(href: str) -> None:
    body = f'<title>Index of /pub/data</title><a href="{href}">x</a> <a href="a.csv">a.csv</a>'.encode()

    assert [one.name for one in parse_listing(body, URL)] == ["a.csv"]


def test_an_entry_listed_twice_is_one_entry() -> None:
    body = b'<title>Index of /</title><a href="a.csv"><img></a><a href="./a.csv">a.csv</a><a href="a%2Ecsv">a</a>'

    assert len(parse_listing(body, URL)) == 2  # a percent-encoded name may be another file to the server


def test_names_with_html_spaces_and_other_scripts_are_read() -> None:
    body = '<title>Index of /</title><a href="R&amp;D m&auml;rz.csv">x</a><a href="東京.csv">x</a>'.encode()

    assert [one.name for one in parse_listing(body, URL)] == ["R&D märz.csv", "東京.csv"]


def test_bytes_in_no_encoding_cost_no_entry() -> None:
    body = b'<title>Index of /</title><a href="caf\xe9.csv">x</a><a href="a.csv">a.csv</a>'

    assert [one.name for one in parse_listing(body, URL)] == ["café.csv", "a.csv"]


def test_the_directory_of_a_url_without_slash_is_the_one_above_it() -> None:
    body = b'<title>Index of /pub</title><a href="a.csv">a.csv</a>'

    assert [one.url for one in parse_listing(body, "https://x.gov/pub/data")] == ["https://x.gov/pub/a.csv"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"id,name\n1,a\n",
        b"<html><title>Water levels</title><a href='a.csv'>a</a></html>",
        b"<html><h1>An index of prosperity</h1><a href='a.csv'>a</a></html>",
    ],
)
def test_a_page_that_is_no_listing_has_no_entries(body: bytes) -> None:
    assert not is_listing(body)
    assert parse_listing(body, URL) == []


@pytest.mark.parametrize(
    "body",
    [
        b"<a " * 200_000,
        b"<a href='x'>" * 50_000,
        b"<a href='" + b"x" * 500_000,
        b"<" * 500_000,
        b'<a href="a"><!--' * 20_000,
    ],
)
def test_a_hostile_page_is_read_to_its_end(body: bytes) -> None:
    assert len(parse_listing(b"<title>Index of /</title>" + body, URL)) <= 1


def test_a_date_that_cannot_be_is_no_date() -> None:
    body = b'<title>Index of /</title><pre><a href="a.csv">a.csv</a>  2020-13-45 03:04  12</pre>'

    entry = parse_listing(body, URL)[0]

    assert (entry.modified, entry.size) == (None, 12)
