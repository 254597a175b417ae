"""One batch of everything that can go wrong at once: each file ends in its own verdict, and the good ones are held.

The same promises as of single fetches, kept by the engine that runs many of them at once.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.operations.ledger import add_portal
from shelter_pipeline.operations.plan_organization import plan_organization
from shelter_pipeline.operations.rescue_batch import BatchResult, rescue_batch
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline_tests.support.behaviours import (
    bomb,
    chunked,
    cut_after,
    encoded,
    noise,
    ranged,
    redirect,
    rest_of,
)
from shelter_pipeline_tests.support.fault_server import (
    RESET,
    SILENCE,
    Behaviour,
    Drip,
    Endless,
    FaultServer,
    chunks,
    head,
    whole,
)
from shelter_pipeline_tests.support.fetching import SHORT_SETTINGS, bodies_in, files_in
from shelter_pipeline_tests.support.invariants import assert_invariants
from shelter_pipeline_tests.support.records import a_dataset, a_resource, discovered, harvested
from shelter_pipeline_tests.support.workplaces import a_workplace

BODY = noise(10_240)
FIRST, SECOND, THIRD = (noise(100_000, number) for number in (1, 2, 3))
CUT = cut_after(FIRST, 40_000, 'ETag: "1"')
LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = "Transfer-Encoding: chunked"

# What each path shows, request by request, and the reason its capture ends in.
PATHS: dict[str, tuple[list[Behaviour], str]] = {
    "A1-short": ([(head("Content-Length: 20480"), BODY)], "wrong-length"),
    "A3-surplus": ([(head(LENGTH) + BODY + b"more",)], "stored"),
    "A4-no-length": ([(head(), BODY)], "stored"),
    "A5-no-last-chunk": ([(head(CHUNKED), chunks(BODY))], "connection-lost"),
    "A7-both": ([(head(CHUNKED, "Content-Length: 3") + chunks(BODY) + b"0\r\n\r\n",)], "stored"),
    "A10-empty": ([whole(b"")], "empty"),
    "A10-204": ([(head(status="204 No Content"),)], "empty"),
    "A13-nul": ([(head("X: a\x00b", LENGTH) + BODY,)], "head-invalid"),
    "A14-headers": ([(head(*["X: a"] * 20_000, LENGTH) + BODY,)], "head-too-large"),
    "A15-closed": ([()], "connection-lost"),
    "A15-reset": ([(head(LENGTH), BODY[:99], RESET)], "connection-lost"),
    "A-chunk-size": ([(head(CHUNKED), b"2_8_00\r\n" + BODY)], "connection-lost"),
    "A-two-lengths": ([(head(LENGTH, "Content-Length: 5") + BODY,)], "head-invalid"),
    "B1-gzip": ([whole(encoded(BODY, "gzip"), "Content-Encoding: gzip")], "stored"),
    "B2-gzip-cut": ([whole(encoded(BODY, "gzip")[:99], "Content-Encoding: gzip")], "truncated-encoding"),
    "B3-no-gzip": ([whole(BODY, "Content-Encoding: gzip")], "bad-encoding"),
    "C1-endless": ([(head(), Endless(bytes(65_536)))], "too-large"),
    "C2-too-long": ([(head("Content-Length: 99999999"), SILENCE)], "too-large"),
    "C4-drip": ([(head("Content-Length: 500"), Drip(b"x" * 500, 0.2))], "too-slow"),
    "C4-drip-in-head": ([(Drip(head("X: " + "a" * 500), 0.2),)], "too-slow"),
    "C6-silence": ([(SILENCE,)], "too-slow"),
    "D11-inside": ([redirect("http://10.0.0.1/")], "private-address"),
    "D12-file": ([redirect("file:///etc/passwd")], "bad-redirect"),
    "D14-loop": ([redirect("/D14-loop")], "bad-redirect"),
    "D14-none": ([whole(b"", status="302 Found")], "bad-redirect"),
    "E6-404": ([whole(BODY, status="404 Not Found")], "not-found"),
    "E6-410": ([whole(BODY, status="410 Gone")], "gone"),
    "E6-451": ([whole(BODY, status="451 Legal")], "legal"),
    "E7-429": ([whole(b"", "Retry-After: 3600", status="429 Slow")], "rate-limited"),
    "E8-500": ([whole(b"", status="500 Oops")], "server-error"),
    "E8-then-good": ([whole(b"", status="502 Oops"), whole(BODY)], "stored"),
    "F1-resumed": ([CUT, ranged(FIRST, '"1"')], "stored"),
    "F2-ignored": ([CUT, whole(SECOND, 'ETag: "2"')], "stored"),
    "F3-earlier": ([CUT, rest_of(THIRD, 32_768, 'ETag: "1"'), whole(THIRD, 'ETag: "3"')], "stored"),
    "chunked": ([chunked(chunks(BODY[:99], BODY[99:]))], "stored"),
    "redirected": ([redirect("/good-0")], "stored"),
    **{f"good-{number}": ([whole(noise(5000, 100 + number))], "stored") for number in range(20)},
}  # fmt: skip
RESTING = {"E7-429"}  # on a host of its own: nobody asks it for anything else for an hour
RIGHT = {
    "F1-resumed": FIRST,
    "F2-ignored": SECOND,
    "F3-earlier": THIRD,
    "redirected": noise(5000, 100),
    "B1-gzip": encoded(BODY, "gzip"),
    **{f"good-{number}": noise(5000, 100 + number) for number in range(20)},
}

_ENDS = (
    "SELECT asset.url, asset.state, capture.reason, capture.sha256, capture.size"
    " FROM capture JOIN asset ON asset.id = capture.asset_id"
)


@pytest.fixture
def workplace(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[Workplace]:
    settings = SHORT_SETTINGS | {
        "fetch_max_attempts": 3,
        "fetch_stall_window_seconds": 1,
        "host_connections": 64,
    }
    with a_workplace(catalog_url, tmp_path / "store", **settings) as opened:
        yield opened


@pytest.fixture
def another() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


def rescued(workplace: Workplace, urls: list[str]) -> list[BatchResult]:
    """What came of the batches over these URLs, one for each host."""
    portal = add_portal(workplace, "datagov:https://portal.example")
    resources = [a_resource(url, key=f"r{number}", position=number) for number, url in enumerate(urls)]
    harvested(workplace.catalog, portal, [a_dataset("1", *resources)])
    discovered(workplace.catalog, portal)
    keys = plan_organization(workplace, "epa-gov", urgent=False)["new"]
    return [rescue_batch(workplace, key, run_id="faults") for key in keys]


def rows(workplace: Workplace, query: str) -> list[Any]:
    with workplace.catalog.begin() as connection:
        return list(connection.execute(sa.text(query)).all())


@pytest.mark.timeout(60)
def test_each_file_of_a_batch_ends_in_its_own_verdict_and_the_good_ones_are_held(
    server: FaultServer, another: FaultServer, workplace: Workplace
) -> None:
    urls = {
        (another if name in RESTING else server).serves_in_turn(f"/{name}", *behaviours): name
        for name, (behaviours, _) in PATHS.items()
    }
    began = time.monotonic()

    results = rescued(workplace, list(urls))

    assert time.monotonic() - began <= 20
    assert sum(result.settled for result in results) == len(PATHS)
    assert sum(result.late for result in results) == 0
    captures = rows(workplace, _ENDS)
    assert {urls[row.url]: row.reason for row in captures} == {name: end for name, (_, end) in PATHS.items()}
    good = {name for name, (_, reason) in PATHS.items() if reason == "stored"}
    assert {urls[row.url] for row in captures if row.state == "held"} == good
    for row in captures:
        if row.state == "held":
            assert row.sha256 == hashlib.sha256(RIGHT.get(urls[row.url], BODY)).hexdigest()
    assert {path.name for path in bodies_in(workplace.store.root)} == {
        row.sha256 for row in captures if row.size
    }
    assert_invariants(workplace.catalog, workplace.store)


def test_what_is_gone_or_forbidden_is_left_alone_for_a_month(
    server: FaultServer, workplace: Workplace
) -> None:
    """E6."""
    statuses = ("401", "403", "404", "410", "451")
    urls = [server.serves(f"/{status}", *whole(b"", status=f"{status} No")) for status in statuses]

    rescued(workplace, urls)

    rests = rows(workplace, "SELECT url, next_attempt_at > now() + interval '29 days' AS rests FROM asset")
    assert {row.url: row.rests for row in rests} == dict.fromkeys(urls, True)
    assert {server.requests(f"/{status}") for status in statuses} == {1}


def test_slow_files_do_not_keep_the_quick_ones_waiting(server: FaultServer, workplace: Workplace) -> None:
    slow = [server.serves(f"/slow/{number}", SILENCE) for number in range(20)]
    quick = [server.serves(f"/quick/{number}", *whole(noise(900, number))) for number in range(200)]

    (result,) = rescued(workplace, [*slow, *quick])

    last = max(seen.at for seen in server.log if seen.path.startswith("/quick/"))
    first = min(seen.at for seen in server.log if seen.path.startswith("/slow/"))
    assert last - first < 10
    assert (result.reasons["stored"], result.reasons["too-slow"]) == (len(quick), len(slow))
    assert_invariants(workplace.catalog, workplace.store)


@pytest.mark.timeout(60)
def test_bombs_in_a_batch_go_off_nowhere(server: FaultServer, workplace: Workplace) -> None:
    """B5."""
    names = ("gzip", "deflate", "br", "zstd")
    urls = [
        server.serves(f"/{name}/{number}", *whole(bomb(name), f"Content-Encoding: {name}"))
        for name in names
        for number in range(3)
    ]
    good = server.serves("/good", *whole(BODY))

    (result,) = rescued(workplace, [*urls, good])

    assert result.reasons["stored"] == 1
    assert set(result.reasons) <= {"stored", "too-large", "bad-encoding"}
    assert len(files_in(workplace.store.root, "blobs")) == 1
