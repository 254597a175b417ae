"""Is it the thing? Each rule of the table, and that it never speaks against a true dataset."""

from __future__ import annotations

import gzip

import pytest

from shelter_pipeline.fetching.content import Finding
from shelter_pipeline.fetching.content_table import content_rules
from shelter_pipeline.fetching.kinds import Kind
from shelter_pipeline.fetching.signs import Signs

RULES = content_rules()
promised_kinds = RULES.promised_kinds

PAGES = [
    b"<html><body><h1>Not Found</h1></body></html>",
    b"<!DOCTYPE html>\n<html lang='en'><head><title>404</title>",
    b"\xef\xbb\xbf  \r\n<!doctype HTML PUBLIC '-//W3C//DTD HTML 4.01//EN'>",
    b"<?xml version='1.0'?>\n<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML 1.0 Strict//EN'><html>",
    b"<!-- generated --><HTML><BODY>Sorry</BODY></HTML>",
    b"<head><meta charset=utf-8></head>",
    b"<h1>Not Found</h1>",
    b"<center><h1>502 Bad Gateway</h1></center>",
    b"<script>location='/'</script>",
    "<html><body>não encontrado</body></html>".encode("utf-16"),
    b"<title>Object moved</title>",
    b"<p>The file you asked for has moved.</p>",
]
DATA_URLS = [
    "http://h/a.csv",
    "http://h/a.zip",
    "http://h/a.json",
    "http://h/a.nc",
    "http://h/a.pdf",
    "http://h/a.tif",
]
LOGINS = [
    b"<html><title>Sign in</title>",
    b"<html><title>Login | Agency</title>",
    b"<html><body><form><input name=p type=password></form>",
    b'<html><body><form><input class="x" type="password"></form>',
    b"<html><h1>Authentication required</h1>",
    b"<html><head><title>Please complete the captcha</title>",
]
TRUE_FILES = {
    "csv": b"year,catch\n2025,17\n",
    "tsv": b"a\tb\n",
    "txt": b"<sic> as found\n",
    "json": b'{"type": "FeatureCollection"}',
    "geojson": b"[]",
    "xml": b"<?xml version='1.0'?><table><p>1</p></table>",
    "kml": b"<kml xmlns='http://www.opengis.net/kml/2.2'>",
    "zip": b"PK\x03\x04rest",
    "shp": b"PK\x03\x04rest",
    "kmz": b"PK\x03\x04rest",
    "xlsx": b"PK\x03\x04rest",
    "xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest",
    "pdf": b"%PDF-1.7",
    "gz": gzip.compress(b"a"),
    "tar": b"\0" * 257 + b"ustar",
    "nc": b"CDF\x01",
    "h5": b"\0" * 512 + b"\x89HDF\r\n\x1a\n",
    "parquet": b"PAR1",
    "tif": b"II*\x00",
    "gpkg": b"SQLite format 3\x00",
    "html": PAGES[0],
    "php": PAGES[0],
    "unheard-of": PAGES[0],
}


def judge(head: bytes, size: int, promised: tuple[Kind, ...]) -> Finding | None:
    """The first thing that speaks against a file."""
    return next(iter(RULES.findings(Signs(head, (size,), promised))), None)


@pytest.mark.parametrize("url", DATA_URLS)
@pytest.mark.parametrize("page", PAGES)
def test_a_web_page_is_not_a_data_file(page: bytes, url: str) -> None:
    finding = judge(page, len(page), promised_kinds(url))

    assert finding is not None
    assert finding.reason == "html-instead"


@pytest.mark.parametrize("page", LOGINS)
def test_a_page_that_asks_for_a_login_is_named_so(page: bytes) -> None:
    finding = judge(page, len(page), promised_kinds("http://h/a.csv"))

    assert finding is not None
    assert finding.reason == "login-page"


@pytest.mark.parametrize(
    ("url", "format", "media_type"),
    [
        ("http://h/data", "HTML", "text/html"),
        ("http://h/data.html", None, None),
        ("http://h/data.htm", "unknown", "application/octet-stream"),
        ("http://h/data", None, None),
        ("http://h/data.csv", "CSV, HTML", None),
        ("http://h/data.csv", None, "text/html; charset=utf-8"),
        ("http://h/page.aspx?id=1.csv", None, None),
    ],
)
@pytest.mark.parametrize("page", PAGES + LOGINS)
def test_a_true_html_dataset_stays_good(
    page: bytes, url: str, format: str | None, media_type: str | None
) -> None:
    promised = promised_kinds(url, format=format, media_type=media_type, served_as="text/html")

    assert judge(page, len(page), promised) is None


@pytest.mark.parametrize("extension", TRUE_FILES)
def test_a_file_of_its_own_kind_stays_good(extension: str) -> None:
    data = TRUE_FILES[extension]

    assert judge(data, len(data), promised_kinds(f"http://h/data.{extension}?v=1")) is None


@pytest.mark.parametrize(
    "extension", ["zip", "pdf", "nc", "h5", "parquet", "gz", "tif", "xlsx", "gpkg", "7z"]
)
def test_first_bytes_of_another_kind_are_suspect(extension: str) -> None:
    finding = judge(b"year,catch\n", 11, promised_kinds(f"http://h/data.{extension.upper()}"))

    assert finding is not None
    assert finding.reason == "wrong-type"


@pytest.mark.parametrize(
    ("format", "url"),
    [("CSV", "http://h/data.zip"), ("ZIP", "http://h/data.csv"), ("CSV (zipped)", "http://h/1")],
)
def test_any_of_the_kinds_promised_will_do(format: str, url: str) -> None:
    assert judge(b"PK\x03\x04", 4, promised_kinds(url, format=format)) is None


@pytest.mark.parametrize(
    "message",
    [
        *(
            b"Not Found",
            b"404 Not Found",
            b"404 page not found\n",
            b"Error: file not found",
            b"Access Denied",
        ),
        *(b"The requested resource was not found", b"500 Internal Server Error", b'{"error": {"code": 400}}'),
        b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>",
    ],
)
def test_a_few_words_of_apology_are_not_a_table(message: bytes) -> None:
    finding = judge(message, len(message), promised_kinds("http://h/data.csv"))

    assert finding is not None
    assert finding.reason == "wrong-type"


def test_a_picture_is_not_a_table() -> None:
    finding = judge(b"\x89PNG\r\n\x1a\n", 999_999, promised_kinds("http://h/data.csv"))

    assert finding is not None
    assert finding.reason == "wrong-type"


def test_an_extension_of_a_web_page_does_not_excuse_a_promised_archive() -> None:
    finding = judge(PAGES[0], 45, promised_kinds("http://h/get.html", format="ZIP"))

    assert finding is not None
    assert finding.reason == "html-instead"


def test_what_the_server_says_counts_only_where_nothing_was_promised() -> None:
    assert judge(PAGES[0], 45, promised_kinds("http://h/data.csv", served_as="text/html")) is not None
    assert judge(PAGES[0], 45, promised_kinds("http://h/data", served_as="text/csv")) is not None
    assert judge(PAGES[0], 45, promised_kinds("http://h/data", served_as="text/plain")) is None
