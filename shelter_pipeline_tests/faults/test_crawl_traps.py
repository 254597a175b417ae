"""Places made to keep a crawler for ever, or to send it where it must not go: each ends in its budget, with a reason.

Every trap is sprung twice: by `explore`, and by a discovery with its catalog. The logs of
the servers are the witness: of the trap's own, that no more was asked than the budget
allows and nothing that was forbidden; of another on an address that is not allowed, that
nobody ever came.
"""

from __future__ import annotations

import gzip
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.operations.discover_resources import discover_resources
from shelter_pipeline.operations.explore_url import explore_url
from shelter_pipeline.settings import load_settings
from shelter_pipeline_tests.support.fault_server import Endless, FaultServer, Step, head, whole
from shelter_pipeline_tests.support.records import a_dataset, a_portal, a_resource, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

FORBIDDEN = "127.0.0.2"  # a server is there, on an address that is not allowed
PAGES, DEPTH, HOPS, FILES = 12, 3, 2, 100
PAGE_BYTES = 500_000
BUDGET: dict[str, Any] = {
    "discovery_max_pages": PAGES,
    "discovery_max_depth": DEPTH,
    "discovery_max_hops": HOPS,
    "discovery_max_files": FILES,
    "discovery_max_page_bytes": PAGE_BYTES,
    "allowed_networks": "127.0.0.1/32",
    "host_delay_seconds": 0,
}
HTML = "Content-Type: text/html; charset=utf-8"


def html(body: str, head: str = "") -> tuple[Step, ...]:
    text = f"<!doctype html><html><head><title>Data</title>{head}</head><body>{body}</body></html>"
    return whole(text.encode(), HTML)


def listing(*names: str) -> tuple[Step, ...]:
    links = "".join(f'<a href="{name}">{name}</a>  2020-01-02 03:04  7\n' for name in names)
    text = f"<html><head><title>Index of /</title></head><body><h1>Index of /</h1><pre>{links}</pre></body></html>"
    return whole(text.encode(), HTML)


def path_of(request: str) -> str:
    return request.split(" ", 2)[1]


def on_every_path(answer: Callable[[str], tuple[Step, ...]]) -> Callable[[FaultServer, str], None]:
    """A server that has an answer to every path, made from it."""

    def lay(server: FaultServer, _: str) -> None:
        server.serves_all_else(lambda request: answer(path_of(request)))
        server.serves("/robots.txt", *whole(b"", status="404 Not Found"))

    return lay


def on_the_start(
    make: Callable[[str], tuple[Step, ...]], start: str = "/start.html"
) -> Callable[[FaultServer, str], None]:
    """One page; all else is missing. It is told the URL of the server that nobody may ask."""

    def lay(server: FaultServer, forbidden: str) -> None:
        server.serves(start, *make(forbidden))

    return lay


def _bucket(path: str) -> tuple[Step, ...]:
    """A bucket that says of every part that there is another one."""
    number = int(re.sub(r"\D", "", path.partition("continuation-token=")[2]) or 0) + 1
    text = (
        f'<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>'
        f"<IsTruncated>true</IsTruncated><NextContinuationToken>t{number}</NextContinuationToken>"
        f"<Contents><Key>{number}.csv</Key><Size>7</Size></Contents></ListBucketResult>"
    )
    return whole(text.encode(), "Content-Type: application/xml")


def _next(path: str) -> tuple[Step, ...]:
    number = int(path.partition("page=")[2] or 0) + 1
    return html("<p>More</p>", f'<link rel="next" href="/start.html?page={number}">')


def _calendar(path: str) -> tuple[Step, ...]:
    days = "".join(
        f'<a href="/events/2024/{month:02}/{day:02}">Download data</a>'
        for month in range(1, 13)
        for day in range(1, 29)
    )
    return html(f'<a href="?month=2">Data files</a><a href="?month=3">Data files</a>{days}')


_SESSIONS = itertools.count(1)


def _session(_: str) -> tuple[Step, ...]:
    """A page that puts another session into its links each time it is asked."""
    session = next(_SESSIONS)
    return html(
        f'<a href="/start.html;jsessionid={session:032x}">Download data</a>'
        f'<a href="/data.html?PHPSESSID={session:026x}">Data files</a>'
    )


BOMB = gzip.compress(b"<p>nothing</p>" * 20_000_000, compresslevel=1)


def _bomb(_: str) -> tuple[Step, ...]:
    return whole(BOMB, HTML, "Content-Encoding: gzip")


def _endless_page(_: str) -> tuple[Step, ...]:
    return (head(HTML), b"<!doctype html><html><body>", Endless(b"<p>all of our data</p>" * 4000))


def _elsewhere(forbidden: str) -> tuple[Step, ...]:
    return html(
        '<a href="data/a.csv">A</a><a href="data/">Data files</a>', f'<base href="{forbidden}/deep/">'
    )


def _acts(forbidden: str) -> tuple[Step, ...]:
    return html(
        '<form action="/search" method="get"><input name="q"><button>Download data</button></form>'
        '<form action="/delete" method="post"><button>Delete data</button></form>'
        '<a href="javascript:download()">Download data</a><a href="JaVaScRiPt:alert(1)">Data files</a>'
        '<a href="data:text/csv,a,b">Data</a><a href="mailto:data@example.gov">Data</a>'
        '<a href="/logout">Download data</a><a href="/cart?add-to-cart=7">Download data</a>'
        '<a href="/node/7/delete">Data files</a><a href="/files?action=delete&id=1">Data files</a>'
        f'<a href="{forbidden}/data/">Download data</a><img src="{forbidden}/pixel.gif">'
        f'<iframe src="{forbidden}/frame.html"></iframe><script src="{forbidden}/x.js"></script>'
        f'<meta http-equiv="refresh" content="0;url={forbidden}/moved">'
    )


def _declares(forbidden: str) -> tuple[Step, ...]:
    """A page that calls what stands on forbidden addresses its own data."""
    data = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": "Keys",
        "distribution": [
            {"@type": "DataDownload", "contentUrl": "http://169.254.169.254/latest/meta-data/iam"},
            {"@type": "DataDownload", "contentUrl": f"{forbidden}/inside/report"},
            {"@type": "DataDownload", "contentUrl": "http://[::1]/inside/report"},
        ],
    }
    return html("", f'<script type="application/ld+json">{json.dumps(data)}</script>')


def _moves(target: str) -> tuple[Step, ...]:
    return whole(b"", f"Location: {target}", status="302 Found")


def _climbs(_: str) -> tuple[Step, ...]:
    return listing(
        "../../etc/", "%2e%2e/%2e%2e/", "..%2f..%2fsecret/", "/", "//other.example/", "?C=N;O=D", "?C=M&O=A"
    )


def _lies(_: str) -> tuple[Step, ...]:
    """A listing of the directories of others, under names that begin like its own."""
    return listing(
        "http://169.254.169.254/latest/", f"http://{FORBIDDEN}/list/", "ftp://127.0.0.1/pub/", "real/"
    )


@dataclass(frozen=True)
class Trap:
    """What a server does, where discovery begins, how it must end, and what it may have been asked at most."""

    lay: Callable[[FaultServer, str], None]
    outcome: str
    requests: int
    start: str = "/start.html"
    files: int = 0
    bytes: int = 10_000_000
    says: str = ""
    never: str = r"\A\Z"  # what no request may look like


TRAPS = {
    "directories without end": Trap(
        on_every_path(lambda path: listing(f"deeper-than-{len(path)}/")),
        "found-in-part",
        DEPTH + 1,
        "/d/",
        says="too deep",
    ),
    "a directory of three thousand directories": Trap(
        on_every_path(
            lambda path: (
                listing(*(f"{n}/" for n in range(3000))) if path == "/d/" else listing(f"{path[3:-1]}.csv")
            )
        ),
        "found-in-part",
        PAGES,
        "/d/",
        files=PAGES - 1,
        says="budget of pages",
    ),
    "a directory of five thousand files": Trap(
        on_every_path(lambda _: listing(*(f"{n}.csv" for n in range(5000)))),
        "found-in-part",
        1,
        "/d/",
        files=FILES,
        says="budget of files",
    ),
    "a directory within itself": Trap(
        on_every_path(lambda _: listing("again/", "a.csv")), "found", 2, "/d/", files=1
    ),
    "a bucket without end": Trap(on_every_path(_bucket), "found-in-part", PAGES, "/b/", files=PAGES),
    "next pages without end": Trap(on_every_path(_next), "found-in-part", PAGES, says="budget of pages"),
    "pages behind pages without end": Trap(
        on_every_path(lambda path: html(f'<a href="{path.removesuffix(".html")}x.html">Download data</a>')),
        "found-in-part",
        HOPS + 1,
        says="too many links away",
    ),
    "a thousand download pages, each with as many": Trap(
        on_every_path(
            lambda path: html("".join(f'<a href="{path}/{n}">Download data</a>' for n in range(1000)))
        ),
        "found-in-part",
        PAGES,
    ),
    "a calendar": Trap(on_every_path(_calendar), "landing-page-only", 1, never=r"/events/|month="),
    "sessions": Trap(on_every_path(_session), "landing-page-only", 2, never=r"(?i)sess"),
    "two pages that lead to each other": Trap(
        on_every_path(
            lambda path: html(
                f'<a href="{"/b.html" if path == "/start.html" else "/start.html"}">Download data</a>'
            )
        ),
        "landing-page-only",
        2,
    ),
    "a page without end": Trap(on_every_path(_endless_page), "too-large", 1, files=0, bytes=20 * PAGE_BYTES),
    "a page that unpacks to 280 MB": Trap(on_every_path(_bomb), "too-large", 1, files=0),
    "a base that stands elsewhere": Trap(on_the_start(_elsewhere), "found-in-part", 2, files=1),
    "forms, scripts and what acts": Trap(
        on_the_start(_acts),
        "landing-page-only",
        1,
        never=r"search|delete|logout|cart|moved|frame|pixel|x\.js",
    ),
    "data that are declared to stand on forbidden addresses": Trap(
        on_the_start(_declares), "private-address", 1, says="169.254.169.254"
    ),
    "a redirect to the metadata of the cloud": Trap(
        on_the_start(lambda _: _moves("http://169.254.169.254/latest/meta-data/")), "private-address", 1
    ),
    "a redirect to a forbidden server": Trap(
        on_the_start(lambda forbidden: _moves(f"{forbidden}/start.html")), "private-address", 1
    ),
    "a redirect to a file of this machine": Trap(
        on_the_start(lambda _: _moves("file:///etc/passwd")), "bad-redirect", 1
    ),
    "redirects without end": Trap(on_every_path(lambda path: _moves(f"{path}x")), "bad-redirect", 12),
    "names that climb": Trap(
        on_the_start(_climbs, "/d/"), "empty", 1, "/d/", never=r"etc|secret|\.\.|%2e|C=|other"
    ),
    "a listing that leads elsewhere": Trap(
        on_the_start(_lies, "/d/"), "not-found", 2, "/d/", never=r"latest|list|pub"
    ),
    "a circle of names": Trap(
        on_every_path(lambda path: html(f'<a href="{path}/data/files">Download data</a>')),
        "landing-page-only",
        2,
        "/data/files",
    ),
    "rubbish": Trap(
        on_the_start(
            lambda _: whole(b"<!doctype html><a href=\xff\xfe\x00>Data<base <a href='" * 9000, HTML)
        ),
        "not-found",  # what is called data is asked for, and is not there
        2,
    ),
    "a listing of rubbish": Trap(
        on_the_start(
            lambda _: whole(
                b"<title>Index of /</title><pre>" + b'<a href="\x00\xff%zz">\xc3</a>' * 9000, HTML
            ),
            "/d/",
        ),
        "empty",
        3,
        "/d/",
    ),
}


@pytest.fixture
def forbidden() -> Iterator[FaultServer]:
    """A server that answers all that it is asked, where nobody may ask."""
    with FaultServer(FORBIDDEN) as running:
        running.serves_all_else(html("<a href='secret.csv'>Secret</a>"))
        yield running


@pytest.fixture(params=TRAPS.values(), ids=TRAPS.keys())
def trap(request: pytest.FixtureRequest, server: FaultServer, forbidden: FaultServer) -> Trap:
    found: Trap = request.param
    found.lay(server, forbidden.url(""))
    return found


def check(trap: Trap, server: FaultServer, forbidden: FaultServer, outcome: str, detail: str) -> None:
    asked = [seen.path for seen in server.log if seen.path != "/robots.txt"]
    assert (outcome, [path for path in asked if re.search(trap.never, path)]) == (trap.outcome, [])
    assert trap.says in detail
    assert 1 <= len(asked) <= trap.requests, asked
    assert sum(server.sent.values()) <= trap.bytes
    assert forbidden.accepted == 0


def test_exploring_a_trap_ends_in_its_budget(trap: Trap, server: FaultServer, forbidden: FaultServer) -> None:
    found = explore_url(server.url(trap.start), settings=load_settings(**BUDGET))

    check(trap, server, forbidden, found["outcome"], found["detail"])
    assert len(found["files"]) == trap.files


def test_discovering_a_trap_ends_in_its_budget(
    trap: Trap,
    server: FaultServer,
    forbidden: FaultServer,
    catalog: Catalog,
    catalog_url: str,
    tmp_path: Path,
) -> None:
    portal = a_portal(catalog)
    harvested(catalog, portal, [a_dataset("trap", a_resource(server.url(trap.start)))])

    with a_workplace(catalog_url, tmp_path / "store", **BUDGET) as workplace:
        summary = discover_resources(workplace, portal.slug)

    with catalog.begin() as connection:
        (row,) = connection.execute(sa.text("SELECT outcome, outcome_detail FROM resource"))
    check(trap, server, forbidden, row.outcome, row.outcome_detail or "")
    assert (summary["assets"], summary["cut_short"]) == (trap.files, "")
