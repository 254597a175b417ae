"""Each status has its verdict; what seconds can cure is asked for again, nothing else is."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.download import Downloader, Promise
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.fault_server import RESET, FaultServer, field, head, whole
from shelter_pipeline_tests.support.fetching import USER_AGENT, door, downloader, files_in

BODY = b"year,catch\n2025,17\n"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("401 Unauthorized", "login-required"),
        ("407 Proxy Authentication Required", "login-required"),
        ("403 Forbidden", "forbidden"),
        ("404 Not Found", "not-found"),
        ("410 Gone", "gone"),
        ("451 Unavailable For Legal Reasons", "legal"),
        ("400 Bad Request", "http-status"),
        ("418 I'm a teapot", "http-status"),
        ("300 Multiple Choices", "http-status"),
    ],
)
def test_a_permanent_status_is_asked_for_once(
    server: FaultServer, store: LocalStore, status: str, reason: str
) -> None:
    url = server.serves("/file", *whole(BODY, status=status))

    capture = downloader(store, max_attempts=5).fetch(url)

    assert (capture.verdict, capture.reason, capture.status) == ("permanent", reason, int(status[:3]))
    assert server.requests("/file") == 1
    assert files_in(store.root) == []


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "503 Busy", "504 Late", "520 Odd"])
def test_a_server_error_is_asked_again_until_it_works(
    server: FaultServer, store: LocalStore, status: str
) -> None:
    failing = whole(b"oops", status=status)
    url = server.serves_in_turn("/file", failing, failing, whole(BODY))

    capture = downloader(store, max_attempts=3).fetch(url)

    assert (capture.verdict, capture.requests) == ("stored", 3)


def test_attempts_end_where_the_plan_ends(server: FaultServer, store: LocalStore) -> None:
    url = server.serves("/file", *whole(b"oops", status="500 Oops"))

    capture = downloader(store, max_attempts=3).fetch(url)

    assert (capture.verdict, capture.reason, capture.requests) == ("transient", "server-error", 3)
    assert server.requests("/file") == 3


def _retry_after(value: str | timedelta) -> str:
    """A value as it stands, or the date that is so far from now when the test runs."""
    if isinstance(value, str):
        return value
    return format_datetime(datetime.now(UTC) + value, usegmt=True)


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [("7", 7, 7), ("0", 0, 0), (timedelta(seconds=20), 1, 20), (timedelta(hours=-1), 0, 0)],
    ids=["seconds", "zero", "a date", "a date in the past"],
)
def test_a_short_retry_after_is_obeyed_within_the_fetch(
    server: FaultServer, store: LocalStore, value: str | timedelta, least: float, most: float
) -> None:
    busy = whole(b"", f"Retry-After: {_retry_after(value)}", status="503 Busy")
    url = server.serves_in_turn("/file", busy, whole(BODY))
    slept: list[float] = []
    patient = Downloader(
        door(total_seconds=60), store, max_attempts=2, retry_delay_seconds=0.01, sleep=slept.append
    )

    capture = patient.fetch(url)

    assert (capture.verdict, capture.requests) == ("stored", 2)
    assert least <= sum(slept) <= most


@pytest.mark.parametrize(
    ("value", "seconds"), [("31", 31), ("1000000000", 86_400), (timedelta(hours=2), 7200)]
)
def test_a_long_retry_after_ends_the_fetch_and_is_passed_on(
    server: FaultServer, store: LocalStore, value: str | timedelta, seconds: float
) -> None:
    url = server.serves(
        "/file", *whole(b"", f"Retry-After: {_retry_after(value)}", status="429 Too Many Requests")
    )

    capture = downloader(store, max_attempts=5).fetch(url)

    assert (capture.reason, capture.requests) == ("rate-limited", 1)
    assert capture.retry_after_seconds == pytest.approx(seconds, abs=600)


@pytest.mark.parametrize("value", ["-1", "soon", "1.5", "12 parsecs"])
def test_a_retry_after_that_says_nothing_is_ignored(
    server: FaultServer, store: LocalStore, value: str
) -> None:
    url = server.serves("/file", *whole(b"", f"Retry-After: {_retry_after(value)}", status="503 Busy"))

    capture = downloader(store, max_attempts=2).fetch(url)

    assert (capture.reason, capture.retry_after_seconds, capture.requests) == ("server-error", None, 2)


def test_what_we_hold_is_asked_about_and_not_fetched_again(server: FaultServer, store: LocalStore) -> None:
    url = server.serves_in_turn(
        "/file", whole(BODY, 'ETag: "one"'), (head('ETag: "one"', status="304 Not Modified"),)
    )
    first = downloader(store).fetch(url)

    second = downloader(store).fetch(url, Promise(etag=first.etag, held_sha256=first.sha256))

    assert (second.verdict, second.sha256, second.size) == ("unchanged", first.sha256, len(BODY))
    assert field(server.heads("/file")[1], "If-None-Match") == '"one"'


def test_the_same_bytes_again_are_unchanged_even_without_a_validator(
    server: FaultServer, store: LocalStore
) -> None:
    url = server.serves("/file", *whole(BODY))
    first = downloader(store).fetch(url)

    second = downloader(store).fetch(url, Promise(held_sha256=first.sha256))

    assert second.verdict == "unchanged"
    assert len(files_in(store.root, "blobs")) == 1


def test_the_same_bytes_at_two_addresses_become_one_blob(server: FaultServer, store: LocalStore) -> None:
    one, two = server.serves("/one", *whole(BODY)), server.serves("/two", *whole(BODY))

    captures = [downloader(store).fetch(url) for url in (one, two)]

    assert [capture.verdict for capture in captures] == ["stored", "stored"]
    assert len(files_in(store.root, "blobs")) == 1


def test_every_request_names_us_and_asks_for_plain_bytes(server: FaultServer, store: LocalStore) -> None:
    url = server.serves("/file", *whole(BODY))

    capture = downloader(store).fetch(url)

    sent = server.heads("/file")[0]
    assert field(sent, "User-Agent") == USER_AGENT
    assert field(sent, "Accept-Encoding") == "identity"
    assert ("User-Agent", USER_AGENT) in capture.request_headers


def test_a_cancelled_fetch_ends_soon_and_leaves_nothing(server: FaultServer, store: LocalStore) -> None:
    url = server.serves("/file", head("Content-Length: 500000"), b"x" * 400_000, RESET)
    received: list[int] = []

    capture = downloader(store).fetch(url, progress=received.append, cancelled=lambda: bool(received))

    assert (capture.verdict, capture.reason) == ("transient", "interrupted")
    assert files_in(store.root) == []


def test_connections_to_one_host_are_kept_alive(server: FaultServer, store: LocalStore) -> None:
    urls = [server.serves(f"/{number}", *whole(BODY)) for number in range(5)]
    fetch = downloader(store).fetch

    for url in urls:
        fetch(url)

    assert server.accepted == 1


def test_threads_share_one_downloader(server: FaultServer, store: LocalStore) -> None:
    bodies = {
        server.serves(f"/{number}", *whole(b"%d" % number * 5000)): b"%d" % number * 5000
        for number in range(90)
    }
    shared = downloader(store)

    with ThreadPoolExecutor(12) as pool:
        captures = list(pool.map(shared.fetch, bodies))

    assert {capture.verdict for capture in captures} == {"stored"}
    for capture in captures:
        assert capture.sha256 == hashlib.sha256(bodies[capture.url]).hexdigest()


def test_redirects_take_their_turn_on_each_host(server: FaultServer, store: LocalStore) -> None:
    there = server.serves("/there", *whole(BODY))
    here = server.serves("/here", *whole(b"", f"Location: {there}", status="302 Found"))
    slept: list[float] = []
    politeness = Politeness(connections=1, delay_seconds=5, clock=lambda: 0.0, sleep=slept.append)
    polite = Downloader(door(), store, max_attempts=1, retry_delay_seconds=0, politeness=politeness)

    capture = polite.fetch(here)

    assert capture.verdict == "stored"
    assert slept == [5]
    assert parse_url(there).host == parse_url(here).host
