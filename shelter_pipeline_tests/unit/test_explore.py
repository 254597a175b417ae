"""What exploring a place promises: its files with the path to each, or a reason; never outside its budget."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shelter_pipeline.domain.verdicts import REASONS
from shelter_pipeline.operations.explore_url import explore_url
from shelter_pipeline.settings import load_settings
from shelter_pipeline_tests.support.local_site import Answered, LocalSite, local_site

BUDGET = {"max_pages": 20, "max_depth": 3, "max_files": 50}


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


def look(url: str, *, format: str | None = None, **budget: int) -> dict[str, Any]:
    limits = {f"discovery_{name}": value for name, value in (BUDGET | budget).items()}
    settings = load_settings(allowed_networks="127.0.0.0/8", robots="ignore", **limits)
    return explore_url(url, settings=settings, format=format)


def urls(found: dict[str, Any]) -> list[str]:
    return [file["url"] for file in found["files"]]


def listing(*hrefs: str) -> bytes:
    links = "".join(f'<a href="{href}">{href}</a>  2020-01-02 03:04  7\n' for href in hrefs)
    return f"<html><head><title>Index of /</title></head><body><pre>{links}</pre></body></html>".encode()


def html(content: str) -> bytes:
    return f"<!doctype html><html><body>{content}</body></html>".encode()


def test_a_file_by_rule_asks_nothing(site: LocalSite) -> None:
    found = look(f"{site.url}/a.csv")

    assert [(one["url"], one["kind"], one["via"], one["path"]) for one in found["files"]] == [
        (f"{site.url}/a.csv", "csv", "direct", [])
    ]
    assert (found["outcome"], found["requests"], site.asked) == ("found", 0, [])


@pytest.mark.parametrize(
    ("url", "format", "outcome"),
    [
        ("", None, "empty"),
        ("not a url", None, "bad-url"),
        ("https://a.gov/a.csv,https://b.gov/b.csv", None, "several-urls"),
        ("gopher://example.gov/a", None, "bad-scheme"),
        ("https://example.gov/rest/api", "REST API", "service"),
        ("https://urs.earthdata.nasa.gov/oauth/authorize?app=1", None, "login-required"),
    ],
)
def test_what_needs_no_request_ends_with_its_reason(url: str, format: str | None, outcome: str) -> None:
    found = look(url, format=format)

    assert (found["files"], found["outcome"], found["requests"]) == ([], outcome, 0)


def test_a_service_is_described_and_no_file(site: LocalSite) -> None:
    found = look(f"{site.url}/geoserver/wms?service=WMS&request=GetMap")

    assert found["outcome"] == "service"
    assert [(one["why"], one["via"]) for one in found["files"]] == [("capabilities", "service")]


def test_a_directory_is_walked_and_every_file_knows_its_path(site: LocalSite) -> None:
    site.serves("/pub/", listing("../", "README", "a.csv", "sub/"), content_type="text/html")
    site.serves(
        "/pub/sub/", listing("../", "b.tar.gz", "data.000001", "index.html"), content_type="text/html"
    )

    found = look(f"{site.url}/pub/")

    assert [(one["url"].removeprefix(site.url), one["kind"]) for one in found["files"]] == [
        ("/pub/README", None),
        ("/pub/a.csv", "csv"),
        ("/pub/sub/b.tar.gz", "tar"),
        ("/pub/sub/data.000001", None),
        ("/pub/sub/index.html", None),
    ]
    assert found["files"][2]["path"] == [f"{site.url}/pub/", f"{site.url}/pub/sub/"]
    assert {(one["via"], one["why"], one["size"]) for one in found["files"]} == {("directory", "listing", 7)}
    assert (found["outcome"], found["requests"]) == ("found", 2)


def test_a_circle_of_directories_is_walked_once(site: LocalSite) -> None:
    site.serves("/pub/", listing("a/", "a/", "./a/"))
    site.serves("/pub/a/", listing("../", "/pub/", "/pub/a/", "x.csv"))

    found = look(f"{site.url}/pub/")

    assert (len(found["files"]), found["requests"]) == (1, 2)


def test_a_directory_that_leads_back_into_itself_by_another_name_ends(site: LocalSite) -> None:
    for depth in range(10):
        site.serves("/pub/" + "latest/" * depth, listing("../", "latest/", "a.csv", "b.csv"))

    found = look(f"{site.url}/pub/", max_depth=8)

    assert [url.removeprefix(site.url) for url in urls(found)] == ["/pub/a.csv", "/pub/b.csv"]
    assert (found["outcome"], found["requests"]) == ("found", 2)
    assert [page["reason"] for page in found["pages"]] == ["", "loop"]


def test_the_budget_of_pages_is_kept_to_and_told(site: LocalSite) -> None:
    site.serves("/pub/", listing(*(f"{number}/" for number in range(100))))
    for number in range(100):
        site.serves(f"/pub/{number}/", listing("a.csv"))

    found = look(f"{site.url}/pub/", max_pages=5)

    assert (len(site.asked), len(found["files"])) == (5, 4)
    assert found["outcome"] == "found-in-part"
    assert "left: 96 pages beyond the budget of pages" in found["detail"]


def test_the_budget_of_files_is_kept_to_and_told(site: LocalSite) -> None:
    site.serves("/pub/", listing(*(f"{number}.csv" for number in range(100))))

    found = look(f"{site.url}/pub/", max_files=10)

    assert len(found["files"]) == 10
    assert found["outcome"] == "found-in-part"
    assert "left: 90 files beyond the budget of files" in found["detail"]


def test_the_budget_of_bytes_is_kept_to_and_told(site: LocalSite) -> None:
    site.serves("/pub/", listing(*(f"{number}.csv" for number in range(10))))

    found = look(f"{site.url}/pub/", max_bytes=21)

    assert (len(found["files"]), found["outcome"]) == (3, "found-in-part")
    assert "left: 7 files beyond the budget of bytes" in found["detail"]


def test_endless_depth_ends_at_its_level(site: LocalSite) -> None:
    for depth in range(10):
        site.serves("/pub/" + "x/" * depth, listing("x/", f"{depth}.csv"))

    found = look(f"{site.url}/pub/", max_pages=50)

    assert (found["requests"], len(found["files"])) == (4, 4)
    assert found["outcome"] == "found-in-part"
    assert "lie too deep" in found["detail"] or "look like a trap" in found["detail"]


def test_directories_that_the_budget_leaves_unread_are_not_taken_for_empty(site: LocalSite) -> None:
    site.serves("/pub/", listing("a/", "b/"))
    site.serves("/pub/a/", listing("../"))
    site.serves("/pub/b/", listing("b.csv"))

    found = look(f"{site.url}/pub/", max_pages=2)

    assert (found["files"], found["outcome"]) == ([], "found-in-part")


@pytest.mark.parametrize("status", [404, 403, 500])
def test_a_subdirectory_that_fails_costs_nothing_but_itself(site: LocalSite, status: int) -> None:
    site.serves("/pub/", listing("gone/", "a.csv"))
    site.serves("/pub/gone/", b"no", status)

    found = look(f"{site.url}/pub/")

    assert (len(found["files"]), found["outcome"]) == (1, "found-in-part")
    assert f"status {status}" in found["detail"]


def test_of_several_failures_the_one_that_may_pass_is_the_outcome(site: LocalSite) -> None:
    site.serves("/pub/", listing("gone/", "ill/"))
    site.serves("/pub/gone/", b"no", 404)
    site.serves("/pub/ill/", b"later", 500)

    found = look(f"{site.url}/pub/")

    assert (found["files"], found["outcome"]) == ([], "server-error")


def test_a_directory_that_is_no_listing_is_read_as_a_landing_page(site: LocalSite) -> None:
    site.serves("/data/", html('<a href="a.csv">A</a>'))

    found = look(f"{site.url}/data/")

    assert [(one["via"], one["path"]) for one in found["files"]] == [("landing-page", [f"{site.url}/data/"])]


def test_a_page_leads_to_its_files_and_says_how(site: LocalSite) -> None:
    site.serves("/about", html('<a href="a.csv">A</a><a href="/logo.png">L</a><a href="/other">O</a>'))

    found = look(f"{site.url}/about")

    assert [(one["url"], one["via"], one["why"], one["kind"]) for one in found["files"]] == [
        (f"{site.url}/a.csv", "landing-page", "anchor", "csv")
    ]


def test_a_page_of_downloads_behind_the_page_is_read_and_the_path_says_so(site: LocalSite) -> None:
    site.serves("/about", html('<a href="/get">Download the data</a><a href="/contact">Contact</a>'))
    site.serves("/get", html('<a href="/files/a.csv">A</a>'))

    found = look(f"{site.url}/about")

    assert [(one["url"], one["path"]) for one in found["files"]] == [
        (f"{site.url}/files/a.csv", [f"{site.url}/about", f"{site.url}/get"])
    ]
    assert found["pages"][1]["why"] == "download-page"
    assert found["pages"][1]["label"] == "Download the data"
    assert "/contact" not in {asked.path for asked in site.asked}


def test_pages_are_not_followed_farther_than_the_budget_of_links_allows(site: LocalSite) -> None:
    for number in range(9):
        link = f'<a href="/download/{number + 1}">Download data</a>'
        site.serves(f"/download/{number}", html(link))

    found = look(f"{site.url}/download/0", max_hops=2)

    assert (found["requests"], found["outcome"]) == (3, "found-in-part")
    assert "too many links away" in found["detail"]


def test_a_directory_behind_a_page_is_listed(site: LocalSite) -> None:
    site.serves("/about", html('<a href="/pub/data/">Data files</a>'))
    site.serves("/pub/data/", listing("../", "a.nc"))

    found = look(f"{site.url}/about")

    assert [(one["url"], one["via"]) for one in found["files"]] == [
        (f"{site.url}/pub/data/a.nc", "directory")
    ]


def test_links_of_a_redirected_page_are_read_where_it_ended(site: LocalSite) -> None:
    site.serves("/doi", b"", 302, location="/repository/record/")
    site.serves("/repository/record/", html('<a href="a.csv">A</a>'))

    assert urls(look(f"{site.url}/doi")) == [f"{site.url}/repository/record/a.csv"]


def test_a_page_without_files_is_landing_page_only(site: LocalSite) -> None:
    site.serves("/about", html("<a href='/contact'>Contact</a>"), content_type="text/html")

    found = look(f"{site.url}/about")

    assert (found["files"], found["outcome"], found["requests"]) == ([], "landing-page-only", 1)


@pytest.mark.parametrize(
    ("content_type", "body", "asset_kind"),
    [
        ("text/csv", b"id,name\n1,a\n", "csv"),
        ("application/zip", b"PK\x03\x04", "zip"),
        ("application/octet-stream", b"\x89HDF\r\n", None),
        ("application/xml", b"<?xml version='1.0'?><!-- a --><rows/>", "xml"),
        ("text/html", b"id,name\n1,a\n", None),
    ],
)
def test_what_was_taken_for_a_page_and_is_none_is_the_file(
    site: LocalSite, content_type: str, body: bytes, asset_kind: str | None
) -> None:
    url = site.serves("/download", body, content_type=content_type)

    found = look(url)

    assert [(one["url"], one["via"], one["kind"]) for one in found["files"]] == [(url, "direct", asset_kind)]
    assert found["outcome"] == "found"


def test_what_is_too_large_for_a_record_is_the_file(site: LocalSite) -> None:
    url = site.serves("/download", b"x" * 5000, content_type="application/xml")

    assert urls(look(url, max_page_bytes=1000)) == [url]


def test_a_web_page_that_is_too_large_is_no_file(site: LocalSite) -> None:
    url = site.serves("/download", b"x" * 5000, content_type="text/html; charset=utf-8")

    found = look(url, max_page_bytes=1000)

    assert (found["files"], found["outcome"]) == ([], "too-large")


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
        (
            Answered(html('<form action="/login">Password <input type="password" name="p"></form>')),
            "login-page",
        ),
    ],
)
def test_a_page_that_cannot_be_read_ends_with_its_reason(
    site: LocalSite, reply: Answered, outcome: str
) -> None:
    url = site.answers("/pub/", lambda _: reply)

    found = look(url)

    assert (found["files"], found["outcome"], found["requests"]) == ([], outcome, 1)
    assert outcome in REASONS


def test_a_private_address_is_never_asked() -> None:
    found = look("http://10.1.2.3/pub/")

    assert (found["files"], found["outcome"]) == ([], "private-address")
