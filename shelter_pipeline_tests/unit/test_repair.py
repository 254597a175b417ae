"""What a field that is no URL is taken to mean: repaired where there is one reading, and left alone where not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.discovery.classify import Kind, classify
from shelter_pipeline.discovery.repair import LONGEST_FIELD, MOST_URLS, may_need_repair, repair, split_urls
from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline_tests.support.ends_soon import ends_soon

CSV = "https://x.gov/a.csv"


@pytest.mark.parametrize(
    ("written", "meant", "slug"),
    [
        ("hhttps://x.gov/a.csv", CSV, "scheme"),
        ("htttps://x.gov/a.csv", CSV, "scheme"),
        ("htps://x.gov/a.csv", CSV, "scheme"),
        ("ttps://x.gov/a.csv", CSV, "scheme"),
        ("http//x.gov/a.csv", "http://x.gov/a.csv", "scheme"),
        ("http:/x.gov/a.csv", "http://x.gov/a.csv", "scheme"),
        ("http:///x.gov/a.csv", "http://x.gov/a.csv", "scheme"),
        ("http:x.gov/a.csv", "http://x.gov/a.csv", "scheme"),
        ("https;//x.gov/a.csv", CSV, "scheme"),
        ("https.//x.gov/a.csv", CSV, "scheme"),
        ("http://http://x.gov/a.csv", "http://x.gov/a.csv", "scheme"),
        ("http://https://x.gov/a.csv", CSV, "scheme"),
        ("https://http//x.gov/a.csv", "http://x.gov/a.csv", "scheme"),
        ("ftp:/ftp.x.gov/a.csv", "ftp://ftp.x.gov/a.csv", "scheme"),
        ("www.x.gov/a.csv", "https://www.x.gov/a.csv", "scheme"),
        ("WWW.x.gov", "https://www.x.gov/", "scheme"),
        ("ftp.x.gov/pub/a.csv", "ftp://ftp.x.gov/pub/a.csv", "scheme"),
        ("//x.gov/a.csv", CSV, "scheme"),
        (
            "data.x.gov/rows.csv?accessType=DOWNLOAD",
            "https://data.x.gov/rows.csv?accessType=DOWNLOAD",
            "scheme",
        ),
        ("https:\\\\x.gov\\a.csv", CSV, "backslashes"),
        ("https://x.gov\\a.csv", CSV, "backslashes"),
        ("https://x.gov/q?p=a\\b", "https://x.gov/q?p=a%5Cb", "backslashes"),
        ("  https://x.gov/a.csv\n", CSV, "spaces"),
        ("https://x.gov/a file.csv", "https://x.gov/a%20file.csv", "spaces"),
        ("https://x.gov/a b?q=c d", "https://x.gov/a%20b?q=c%20d", "spaces"),
        ("https: //x.gov/a.csv", CSV, "spaces"),
        ("www.x.gov/a file.csv", "https://www.x.gov/a%20file.csv", "scheme,spaces"),
        ("<https://x.gov/a.csv>", CSV, "brackets"),
        ("https://x.gov/a.csv>", CSV, "brackets"),
        ("(https://x.gov/a.csv)", CSV, "brackets"),
        ("https://x.gov/a.csv)", CSV, "brackets"),
        ('"https://x.gov/a.csv"', CSV, "quotes"),
        ("'https://x.gov/a.csv'", CSV, "quotes"),
        ('https://x.gov/a.csv"', CSV, "quotes"),
        ("\u201chttps://x.gov/a.csv\u201d", CSV, "quotes"),
        ("https://x.gov/a.csv,", CSV, "punctuation"),
        ("https://x.gov/a.csv.", CSV, "punctuation"),
        ("https://x.gov/about;", "https://x.gov/about", "punctuation"),
        ("https://x.gov/q?a=1&amp;b=2", "https://x.gov/q?a=1&b=2", "entities"),
        ("https://x.gov/q?a=1&amp;amp;b=2", "https://x.gov/q?a=1&b=2", "entities"),
        ("https://x.gov/q?a=1&#38;b=2", "https://x.gov/q?a=1&b=2", "entities"),
        ("https://x.gov/data/\nsets/a.csv", "https://x.gov/data/sets/a.csv", "line-breaks"),
        ("https://x.gov/q?a=1\r\n  &b=2", "https://x.gov/q?a=1&b=2", "line-breaks"),
        ("https://x.gov/\u200ba.csv\ufeff", CSV, "invisible"),
        ('<a href="https://x.gov/a.csv">CSV</a>', CSV, "markup"),
        ("<p>See <A class=b HREF='https://x.gov/a.csv' target=_blank>x</A>", CSV, "markup"),
        ("<a href=https://x.gov/a.csv>https://x.gov/a.csv</a>", CSV, "markup"),
        ('&lt;a href="https://x.gov/a.csv"&gt;CSV&lt;/a&gt;', CSV, "entities,markup"),
        ("URL:https://x.gov/a.csv", CSV, "label"),
        ("Download the table: https://x.gov/a.csv", CSV, "words"),
        ("URL: https://x.gov/a.csv", CSV, "words"),
        ("https://x.gov/a.csv; https://x.gov/a.csv", CSV, "repeated"),
        ("10.5066/P9NWIRZZ", "https://doi.org/10.5066/P9NWIRZZ", "doi"),
        ("doi:10.5066/P9NWIRZZ", "https://doi.org/10.5066/P9NWIRZZ", "doi"),
        ("doi.org/10.5066/P9NWIRZZ", "https://doi.org/10.5066/P9NWIRZZ", "doi"),
    ],
)
def test_a_field_with_one_reading_is_repaired_and_says_how(written: str, meant: str, slug: str) -> None:
    verdict = classify(written)

    assert (verdict.url, verdict.repair) == (meant, slug)


def test_a_repaired_url_is_classified_as_what_it_becomes() -> None:
    service = "hhttps://services.arcgis.com/x/arcgis/rest/services/Food/FeatureServer/0/query?where=1%3D1"

    assert classify(service).rule == "arcgis-rest"
    assert classify("www.x.gov/a.zip").kind is Kind.ARCHIVE
    assert classify("www.x.gov/pub/").kind is Kind.DIRECTORY
    assert classify("doi:10.5066/P9NWIRZZ").kind is Kind.REPOSITORY


@pytest.mark.parametrize(
    "written",
    [
        "https://x.gov/a.csv (2 MB)",
        "https://x.gov/a.csv see the notes",
        "https://x.gov/a or call x@x.gov",
        "https://x.gov/ a.csv",
        "https://x .gov/a.csv",
        "https://x.gov/a\nb",
        "https://x.gov/a.csv\nand more",
        "http://127.0.0.1:80\\@google.com/",
        "http://user:password@x.gov/a.csv",
        "\\\\files.x.gov\\share\\a.csv",
        "C:\\data\\a.csv",
        "example.com/a.csv",
        "a.csv",
        "gov/a.csv",
        "//localhost/a.csv",
        "http:/etc/passwd",
        "https:///",
        "<<MOCK_SOURCE_URL>>/a.pdf",
        '<a href="/a.csv">CSV</a>',
        "javascript:window.open('https://x.gov/a.csv')",
        "https://x.gov/a.csv\x00",
    ],
)
def test_a_field_with_two_readings_stays_invalid(written: str) -> None:
    verdict = classify(written)

    assert (verdict.kind, verdict.url, verdict.repair, verdict.urls) == (Kind.INVALID, None, "", ())


@pytest.mark.parametrize(
    "written",
    [
        "https://x.gov/a,b;c.csv",
        "https://x.gov/q?ids=1,2,",
        "https://x.gov/q?sites=a;b;",
        "https://en.wikipedia.org/wiki/Washington,_D.C.",
        "https://x.gov/a_(b)",
        "https://x.gov/it's",
        "https://x.gov/q?t=%22a%22",
        "https://x.gov/q?redirect=https://y.gov/b.csv",
        "https://x.gov/q?urls=http://a.gov/1,http://b.gov/2",
        "https://web.archive.org/web/2020/http://y.gov/a.csv",
        "https://https.example.gov/a",
        "http://httpbin.org/a",
        "https://x.gov/q?copy=1&copyright=2&lt=3",
        "https://x.gov/a&b/c&amp/d",
        "https://x.gov.",
        "http://localhost:5000/a.csv",
        "http://http/a.csv",
    ],
)
def test_a_good_url_is_left_as_it_is(written: str) -> None:
    verdict = classify(written)

    assert verdict.url == parse_url(written).text
    assert verdict.repair == ""


@pytest.mark.parametrize(
    ("written", "urls"),
    [
        ("https://a.gov/a.csv,https://b.gov/b.csv", ["https://a.gov/a.csv", "https://b.gov/b.csv"]),
        ("https://a.gov/a.csv; HTTP://B.gov/b.csv.", ["https://a.gov/a.csv", "http://b.gov/b.csv"]),
        ("https://a.gov/1,2.csv | https://b.gov/", ["https://a.gov/1,2.csv", "https://b.gov/"]),
        ("https://a.gov/a\nhttps://b.gov/b\n", ["https://a.gov/a", "https://b.gov/b"]),
        ("<https://a.gov/a>, <https://b.gov/b>", ["https://a.gov/a", "https://b.gov/b"]),
        ("https://a.gov/a<br/>https://b.gov/b", ["https://a.gov/a", "https://b.gov/b"]),
        (
            "CSV: https://a.gov/a.csv JSON: https://b.gov/b.json",
            ["https://a.gov/a.csv", "https://b.gov/b.json"],
        ),
        ("https://a.gov/a.csvhttps://b.gov/b.csv", ["https://a.gov/a.csv", "https://b.gov/b.csv"]),
        ("https://a.gov/a.csv, www.b.gov/b.csv", ["https://a.gov/a.csv", "https://www.b.gov/b.csv"]),
        (
            '<a href="https://a.gov/a">A</a> <a href="https://b.gov/b">B</a>',
            ["https://a.gov/a", "https://b.gov/b"],
        ),
        ("https://a.gov/a https://b.gov/b https://a.gov/a", ["https://a.gov/a", "https://b.gov/b"]),
        ("https://a.gov/a https://", ["https://a.gov/a"]),
        (
            "https://a.gov/a&amp;b https://b.gov/q?c=1&amp;d=2",
            ["https://a.gov/a&b", "https://b.gov/q?c=1&d=2"],
        ),
    ],
)
def test_several_urls_in_one_field_are_each_given(written: str, urls: list[str]) -> None:
    verdict = classify(written)

    assert (verdict.kind, verdict.rule, verdict.url) == (Kind.INVALID, "several-urls", None)
    assert verdict.urls == tuple(urls)


def test_what_could_not_be_read_of_several_urls_is_said() -> None:
    verdict = classify("https://a.gov/a https://user@b.gov/b https://c.gov/c")

    assert verdict.urls == ("https://a.gov/a", "https://c.gov/c")
    assert "not all" in verdict.problem


def test_a_field_gives_a_bounded_number_of_urls() -> None:
    field = " ".join(f"https://a.gov/{number}" for number in range(MOST_URLS + 500))

    assert len(classify(field).urls) == MOST_URLS


@pytest.mark.parametrize(
    "piece",
    [
        *(
            " ",
            "\n",
            ",",
            ";",
            "<",
            ">",
            '"',
            "'",
            "(",
            ")",
            "\\",
            "/",
            ".",
            "a.",
            "-",
            "&",
            "&amp;",
            "&#",
            "&#0",
        ),
        *(
            "<a ",
            "<a href=",
            '<a href="',
            "<a x href",
            "href = ",
            "http",
            "http:",
            "http://",
            "http://a ",
            "http/",
        ),
        *(
            "https://a.gov/,",
            "=https://a",
            ".csvhttps://",
            "www.",
            " www.a.gov",
            "//",
            "10.1234/",
            "url:",
            "\u200b",
        ),
        *("\t\r\n", " .", "a,", "&amp;amp;", "hhttp://", "x.gov.", "[", "{", "|", "!", "\u00a0", "é"),
    ],
)
def test_no_field_keeps_the_repair_busy(piece: str) -> None:
    with ends_soon(3):
        for before in ("", "https://x.gov/"):
            longest = (before + piece * LONGEST_FIELD)[: LONGEST_FIELD - 1]
            classify(longest)
            classify(longest + "\x00")


@pytest.mark.parametrize("piece", ["&", " ", "https://x.gov/a.csv ", "<a href='"])
def test_a_field_of_a_megabyte_is_refused(piece: str) -> None:
    field = "https://x.gov/" + piece * (1_000_000 // len(piece)) + "."
    with ends_soon(1):
        assert classify(field).rule == "bad-url"


ODDITIES = st.sampled_from(
    [
        *(
            "https://",
            "http:",
            "//",
            "/",
            "www.",
            "x.gov",
            ".csv",
            " ",
            ",",
            ";",
            "\n",
            "\\",
            '"',
            "'",
            "<",
            ">",
        ),
        *(
            "&amp;",
            "&#38;",
            "&",
            "(",
            ")",
            "?",
            "#",
            "=",
            "@",
            "\u200b",
            "é",
            "<a href=",
            "10.5066/a",
            "%20",
            ".",
        ),
    ]
)


@given(pieces=st.lists(ODDITIES | st.text(max_size=4), max_size=12))
def test_a_repaired_url_is_in_normal_form_and_needs_no_repair_again(pieces: list[str]) -> None:
    verdict = classify("".join(pieces))

    for url in (verdict.url, *verdict.urls):
        if url is not None:
            assert parse_url(url).text == url
            again = classify(url)
            assert again.url == url or again.rule == "several-urls" or may_need_repair(url)


@given(pieces=st.lists(ODDITIES | st.text(max_size=4), max_size=12))
def test_a_repair_leads_to_no_host_that_was_not_written(pieces: list[str]) -> None:
    written = "".join(pieces)
    verdict = classify(written)

    if verdict.repair and verdict.url and verdict.repair != "doi" and written.isascii():
        host = parse_url(verdict.url).host.rpartition(":")[0]
        shown = written.lower().replace("&amp;", "&").replace("&#38;", "&")
        assert host in shown


@given(text=st.text(max_size=60))
def test_what_is_split_and_repaired_never_raises(text: str) -> None:
    for part in split_urls(text):
        try:
            parse_url(repair(part).text)
        except RefusedError:
            continue
