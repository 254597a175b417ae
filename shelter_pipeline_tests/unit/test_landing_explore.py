"""What exploring a resource promises: its files with the path to each, or a reason; never outside its budget."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shelter_pipeline.discovery.classify import Kind
from shelter_pipeline.discovery.explore import Budget, Exploration, explore
from shelter_pipeline.domain.verdicts import REASONS, Next
from shelter_pipeline_tests.support.local_site import Answered, LocalSite, local_site, open_door

BUDGET = Budget(max_pages=20, max_depth=3, max_files=50)


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


def look(
    url: str | None, *, budget: Budget = BUDGET, format: str | None = None, role: str = "download"
) -> Exploration:
    return explore(url, format=format, media_type=None, role=role, reader=open_door(), budget=budget)


def listing(*hrefs: str) -> bytes:
    links = "".join(f'<a href="{href}">{href}</a>  2020-01-02 03:04  7\n' for href in hrefs)
    return f"<html><head><title>Index of /</title></head><body><pre>{links}</pre></body></html>".encode()


def html(content: str) -> bytes:
    return f"<!doctype html><html><body>{content}</body></html>".encode()


def test_a_file_by_rule_asks_nothing(site: LocalSite) -> None:
    found = look(f"{site.url}/a.csv")

    assert [(one.url, one.kind, one.asset_kind, one.via, one.path) for one in found.assets] == [
        (f"{site.url}/a.csv", Kind.FILE, "csv", "direct", ())
    ]
    assert (found.outcome, found.pages_read, site.asked) == ("found", 0, [])


def test_a_file_on_an_ftp_server_is_an_asset_like_any_other() -> None:
    found = look("ftp://ftp.example.gov/pub/IBFS.zip")

    assert [(one.url, one.kind, one.via) for one in found.assets] == [
        ("ftp://ftp.example.gov/pub/IBFS.zip", Kind.ARCHIVE, "direct")
    ]
    assert (found.outcome, found.pages_read) == ("found", 0)


@pytest.mark.parametrize(
    ("url", "format", "outcome"),
    [
        (None, None, "bad-url"),
        ("", None, "bad-url"),
        ("www.example.gov/a.csv", None, "bad-url"),
        ("https://a.gov/a.csv,https://b.gov/b.csv", None, "bad-url"),
        ("gopher://example.gov/a", None, "bad-scheme"),
        ("ftp://ftp.example.gov/pub/", None, "directory"),
        ("ftp://ftp.example.gov/pub/gene", None, "directory"),
        ("https://example.gov/arcgis/rest/services/A/MapServer", None, "service"),
        ("https://example.gov/maps", "WMS", "service"),
    ],
)
def test_what_needs_no_request_ends_with_its_reason(
    url: str | None, format: str | None, outcome: str
) -> None:
    found = look(url, format=format)

    assert (found.assets, found.outcome, found.pages_read) == ((), outcome, 0)
    assert found.detail
    assert outcome in REASONS


def test_a_directory_is_walked_and_every_file_knows_its_path(site: LocalSite) -> None:
    site.serves("/pub/", listing("../", "README", "a.csv", "sub/"), content_type="text/html")
    site.serves(
        "/pub/sub/", listing("../", "b.tar.gz", "data.000001", "index.html"), content_type="text/html"
    )

    found = look(f"{site.url}/pub/")

    assert [(one.url.removeprefix(site.url), one.kind, one.asset_kind) for one in found.assets] == [
        ("/pub/README", Kind.FILE, None),
        ("/pub/a.csv", Kind.FILE, "csv"),
        ("/pub/sub/b.tar.gz", Kind.ARCHIVE, "tar"),
        ("/pub/sub/data.000001", Kind.FILE, None),
        ("/pub/sub/index.html", Kind.FILE, None),
    ]
    assert found.assets[2].path == (f"{site.url}/pub/", f"{site.url}/pub/sub/")
    assert {(one.via, one.size) for one in found.assets} == {("directory", 7)}
    assert (found.outcome, found.pages_read) == ("found", 2)


def test_a_circle_of_directories_is_walked_once(site: LocalSite) -> None:
    site.serves("/pub/", listing("a/", "a/", "./a/"))
    site.serves("/pub/a/", listing("../", "/pub/", "/pub/a/", "x.csv"))

    found = look(f"{site.url}/pub/")

    assert (len(found.assets), found.pages_read) == (1, 2)


def test_the_budget_of_pages_is_kept_to_and_told(site: LocalSite) -> None:
    site.serves("/pub/", listing(*(f"{number}/" for number in range(100))))
    for number in range(100):
        site.serves(f"/pub/{number}/", listing("a.csv"))

    found = look(f"{site.url}/pub/", budget=Budget(max_pages=5, max_depth=3, max_files=50))

    assert (len(site.asked), len(found.assets)) == (5, 4)
    assert (found.outcome, found.passing) == ("found-in-part", False)
    assert "stopped at 5 pages" in found.detail


def test_the_budget_of_files_is_kept_to_and_told(site: LocalSite) -> None:
    site.serves("/pub/", listing(*(f"{number}.csv" for number in range(100))))

    found = look(f"{site.url}/pub/", budget=Budget(max_pages=5, max_depth=3, max_files=10))

    assert len(found.assets) == 10
    assert (found.outcome, found.passing) == ("found-in-part", False)
    assert "stopped at 10 files" in found.detail


def test_a_trap_of_endless_depth_ends_at_its_level(site: LocalSite) -> None:
    for depth in range(10):
        site.serves("/pub/" + "x/" * depth, listing("x/", "a.csv"))

    found = look(f"{site.url}/pub/", budget=Budget(max_pages=50, max_depth=3, max_files=50))

    assert (found.pages_read, len(found.assets)) == (4, 4)
    assert (found.outcome, found.passing) == ("found-in-part", False)
    assert "deeper than 3 levels" in found.detail


def test_directories_that_the_budget_leaves_unread_are_not_taken_for_empty(site: LocalSite) -> None:
    site.serves("/pub/", listing("a/", "b/"))
    site.serves("/pub/a/", listing("../"))
    site.serves("/pub/b/", listing("b.csv"))

    found = look(f"{site.url}/pub/", budget=Budget(max_pages=2, max_depth=3, max_files=50))

    assert (found.assets, found.outcome, found.passing) == ((), "found-in-part", False)
    assert "1 of them unread" in found.detail


@pytest.mark.parametrize(("status", "passing"), [(404, False), (403, False), (503, True), (500, True)])
def test_a_subdirectory_that_fails_costs_nothing_but_itself(
    site: LocalSite, status: int, passing: bool
) -> None:
    site.serves("/pub/", listing("gone/", "a.csv"))
    site.serves("/pub/gone/", b"no", status)

    found = look(f"{site.url}/pub/")

    assert (len(found.assets), found.outcome, found.passing) == (1, "found-in-part", passing)
    assert f"status {status}" in found.detail


def test_of_several_failures_the_one_that_may_pass_is_the_outcome(site: LocalSite) -> None:
    site.serves("/pub/", listing("gone/", "ill/"))
    site.serves("/pub/gone/", b"no", 404)
    site.serves("/pub/ill/", b"later", 503)

    found = look(f"{site.url}/pub/")

    assert (found.assets, found.outcome, found.passing) == ((), "rate-limited", True)


def test_a_directory_that_is_no_listing_is_read_as_a_landing_page(site: LocalSite) -> None:
    site.serves("/data/", html('<a href="a.csv">A</a>'))

    found = look(f"{site.url}/data/")

    assert [(one.via, one.path) for one in found.assets] == [("landing-page", (f"{site.url}/data/",))]


def test_a_page_leads_to_its_files(site: LocalSite) -> None:
    site.serves("/about", html('<a href="a.csv">A</a><a href="/logo.png">L</a><a href="/other">O</a>'))

    found = look(f"{site.url}/about", role="landing")

    assert [(one.url, one.via, one.asset_kind) for one in found.assets] == [
        (f"{site.url}/a.csv", "landing-page", "csv")
    ]


def test_links_of_a_redirected_page_are_read_where_it_ended(site: LocalSite) -> None:
    site.serves("/doi", b"", 302, location="/repository/record/")
    site.serves("/repository/record/", html('<a href="a.csv">A</a>'))

    assert [one.url for one in look(f"{site.url}/doi").assets] == [f"{site.url}/repository/record/a.csv"]


@pytest.mark.parametrize("role", ["download", "access", "landing"])
def test_a_page_without_files_is_landing_page_only(site: LocalSite, role: str) -> None:
    site.serves("/about", html("<a href='/contact'>Contact</a>"), content_type="text/html")

    found = look(f"{site.url}/about", role=role)

    assert (found.assets, found.outcome, found.pages_read) == ((), "landing-page-only", 1)


@pytest.mark.parametrize(
    ("content_type", "body", "asset_kind"),
    [
        ("text/csv", b"id,name\n1,a\n", "csv"),
        ("application/zip", b"PK\x03\x04", "zip"),
        ("application/octet-stream", b"\x89HDF\r\n", None),
        ("application/xml", b"<?xml version='1.0'?><!-- a --><metadata/>", "xml"),
        ("text/html", b"id,name\n1,a\n", None),
    ],
)
def test_what_was_taken_for_a_page_and_is_none_is_the_file(
    site: LocalSite, content_type: str, body: bytes, asset_kind: str | None
) -> None:
    url = site.serves("/download", body, content_type=content_type)

    found = look(url)

    assert [(one.url, one.via, one.asset_kind, one.size) for one in found.assets] == [
        (url, "direct", asset_kind, len(body))
    ]


def test_what_is_too_large_for_a_page_is_the_file(site: LocalSite) -> None:
    url = site.serves("/download", b"x" * 5000)

    found = look(url, budget=Budget(max_pages=5, max_depth=3, max_files=10, max_page_bytes=1000))

    assert [one.url for one in found.assets] == [url]


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Answered(html("Not here"), 404), "not-found"),
        (Answered(html("Gone"), 410), "gone"),
        (Answered(html("Log in"), 401), "login-required"),
        (Answered(html("No"), 403), "forbidden"),
        (Answered(html("Later"), 503), "rate-limited"),
        (Answered(html("Broken"), 500), "server-error"),
        (Answered(b'{"status": "Processing"}', 202), "processing"),
        (Answered(b""), "empty"),
        (Answered(listing("../")), "empty"),
    ],
)
def test_a_page_that_cannot_be_read_ends_with_its_reason(
    site: LocalSite, reply: Answered, outcome: str
) -> None:
    url = site.answers("/pub/", lambda _: reply)

    found = look(url)

    assert (found.assets, found.outcome, found.pages_read) == ((), outcome, 1)
    assert found.passing is (REASONS[outcome].next is Next.RETRY)


def test_a_private_address_is_never_asked() -> None:
    found = look("http://10.1.2.3/pub/")

    assert (found.assets, found.outcome) == ((), "private-address")
