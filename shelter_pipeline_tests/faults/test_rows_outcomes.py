"""Rows E6 to E10 and H1 of the fault list: what a status, a wait, a name or a second address leads to."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from shelter_pipeline_tests.support.behaviours import noise
from shelter_pipeline_tests.support.fault_server import FaultServer, whole
from shelter_pipeline_tests.support.fetching import bodies_in, fetched

BODY = noise(5000)
PERMANENT = {
    "E6-401": "login-required",
    "E6-402": "http-status",
    "E6-403": "forbidden",
    "E6-404": "not-found",
    "E6-405": "http-status",
    "E6-406": "http-status",
    "E6-407": "login-required",
    "E6-410": "gone",
    "E6-414": "http-status",
    "E6-451": "legal",
    "E6-300": "http-status",
    "E6-305": "http-status",
    "E6-600": "http-status",
    "E6-999": "http-status",
}
NAMES = [
    *(
        "../../etc/passwd",
        "/etc/passwd",
        "~root",
        "..%2f..%2fetc%2fpasswd",
        "a%00b.csv",
        "C:\\x",
        "\\\\server\\share",
    ),
    *(
        "file.csv:stream",
        "name.",
        "name ",
        "CON",
        "a/b/../../..",
        "....//....//x",
        "-rf",
        "$(id)",
        "`id`",
        "a\tb",
    ),
    *(
        "%2e%2e/%2e%2e/x",
        "caf\xe9",
        "a" * 300,
        ".",
        "..",
        "",
        "a;b",
        'a"b',
        "\u202egpj.exe".encode().decode("latin-1"),
    ),
]


def _later(delta: timedelta) -> str:
    return format_datetime(datetime.now(UTC) + delta, usegmt=True)


# What a Retry-After says. A long wait ends the fetch, one that is over is followed by the next attempt,
# and what is no wait at all counts as none.
LONG: dict[str, Callable[[], str]] = {
    "E7-an hour in seconds": lambda: "3600",
    "E7-10^9 seconds": lambda: "1000000000",
    "E7-10^400 seconds": lambda: "1" + "0" * 400,
    "E7-a date": lambda: _later(timedelta(hours=1)),
    "E7-a date in a hundred years": lambda: _later(timedelta(days=36_500)),
}
OVER: dict[str, Callable[[], str]] = {
    "E7-zero": lambda: "0",
    "E7-a date in the past": lambda: _later(timedelta(hours=-1)),
    "E7-a year before there were any": lambda: "Mon, 01 Jan 0000 00:00:00 GMT",
}
NO_WAIT = {
    "E7-minus one": "-1",
    "E7-a fraction": "1.5",
    "E7-words": "soon",
    "E7-nothing": "",
    "E7-two of them": "1, 2",
    "E7-a date that is none": "Mon, 99 Foo 2026 99:99:99 GMT",
    "E7-digits of another script": "\xb2\xb3",
}


@pytest.mark.parametrize("case", PERMANENT)
def test_a_permanent_status_is_asked_for_once_and_has_its_reason(
    server: FaultServer, tmp_path: Path, case: str
) -> None:
    url = server.serves("/file", *whole(BODY, status=f"{case[3:]} No"))

    said = fetched(url, tmp_path, fetch_max_attempts=5)

    assert (said["verdict"], said["reason"], said["requests"]) == ("permanent", PERMANENT[case], 1)
    assert server.requests("/file") == 1
    assert bodies_in(tmp_path) == []


@pytest.mark.parametrize("status", ["429 Slow", "503 Busy"])
@pytest.mark.parametrize("case", LONG)
def test_a_long_wait_that_is_asked_for_ends_the_fetch(
    server: FaultServer, tmp_path: Path, case: str, status: str
) -> None:
    busy = whole(b"", f"Retry-After: {LONG[case]()}", status=status)
    url = server.serves_in_turn("/file", busy, whole(BODY))

    said = fetched(url, tmp_path, fetch_max_attempts=2)

    assert (said["verdict"], said["reason"], server.requests("/file")) == ("transient", "rate-limited", 1)


@pytest.mark.parametrize("status", ["429 Slow", "503 Busy"])
@pytest.mark.parametrize("case", OVER)
def test_a_wait_that_is_over_leaves_the_host_a_second_all_the_same(
    server: FaultServer, tmp_path: Path, case: str, status: str
) -> None:
    busy = whole(b"", f"Retry-After: {OVER[case]()}", status=status)
    url = server.serves_in_turn("/file", busy, whole(BODY))

    said = fetched(url, tmp_path, fetch_max_attempts=2)

    (gap,) = server.gaps("/file")
    assert said["verdict"] == "stored"
    assert 1 <= gap < 5


@pytest.mark.parametrize(("status", "reason"), [("429 Slow", "rate-limited"), ("503 Busy", "server-error")])
@pytest.mark.parametrize("case", NO_WAIT)
def test_what_is_no_wait_counts_as_none(
    server: FaultServer, tmp_path: Path, case: str, status: str, reason: str
) -> None:
    """One attempt: before the next one a host that says so rests for half a minute."""
    url = server.serves("/file", *whole(b"", f"Retry-After: {NO_WAIT[case]}", status=status))

    said = fetched(url, tmp_path, fetch_max_attempts=1)

    assert (said["verdict"], said["reason"], server.requests("/file")) == ("transient", reason, 1)


def test_a_wait_of_two_seconds_is_waited_for(server: FaultServer, tmp_path: Path) -> None:
    url = server.serves_in_turn("/E7", whole(b"", "Retry-After: 2", status="503 Busy"), whole(BODY))

    said = fetched(url, tmp_path)

    (gap,) = server.gaps("/E7")
    assert said["verdict"] == "stored"
    assert gap >= 2


@pytest.mark.parametrize(
    "status", ["500", "502", "504", "520", "521", "599"], ids=lambda status: f"E8-{status}"
)
def test_a_server_error_is_transient_until_it_works(server: FaultServer, tmp_path: Path, status: str) -> None:
    failing = whole(b"oops", status=f"{status} Oops")
    url = server.serves_in_turn("/file", *[failing] * 5, whole(BODY))

    said = [fetched(url, tmp_path, fetch_max_attempts=2) for _ in range(3)]

    assert [one["verdict"] for one in said] == ["transient", "transient", "stored"]
    assert server.requests("/file") == 6


def test_pauses_between_attempts_grow(server: FaultServer, tmp_path: Path) -> None:
    url = server.serves("/E8", *whole(b"oops", status="500 Oops"))
    began = time.monotonic()

    fetched(url, tmp_path, fetch_max_attempts=4, fetch_retry_delay_seconds=0.2)

    gaps = server.gaps("/E8")
    assert len(gaps) == 3
    assert all(0.1 * 2**number <= gap for number, gap in enumerate(gaps))
    assert time.monotonic() - began < 5


def test_the_same_bytes_at_two_addresses_are_one_blob(server: FaultServer, tmp_path: Path) -> None:
    urls = [server.serves(f"/E10/{number}", *whole(BODY)) for number in range(3)]

    said = [fetched(url, tmp_path) for url in urls]

    assert len({one["sha256"] for one in said}) == len(bodies_in(tmp_path)) == 1


@pytest.mark.parametrize("number", range(len(NAMES)), ids=lambda number: f"H1-{ascii(NAMES[number])[1:30]}")
def test_a_name_that_a_server_gives_is_data_and_never_a_path(
    server: FaultServer, tmp_path: Path, number: int
) -> None:
    name = NAMES[number]
    disposition = f"Content-Disposition: attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    url = server.serves("/file", *whole(BODY, disposition))
    store = tmp_path / "deep" / "er" / "store"

    said = fetched(url, store)

    assert said["verdict"] == "stored"
    outside = [
        path for path in tmp_path.rglob("*") if not (path.is_relative_to(store) or store.is_relative_to(path))
    ]
    assert outside == []
    (blob,) = bodies_in(store)
    assert blob.name == said["sha256"]


@pytest.mark.parametrize(
    "path",
    ["/../../etc/passwd", "/%2E%2E/%2E%2E/x", "/a%00b", "/~root", "/C:%5Cx", "/a/./b", "/" + "a" * 400],
)
def test_a_path_of_a_url_is_asked_for_as_it_stands_and_never_a_path_of_ours(
    server: FaultServer, tmp_path: Path, path: str
) -> None:
    url = server.serves(path, *whole(BODY))

    said = fetched(url, tmp_path / "store")

    assert (said["verdict"], server.requests(path)) == ("stored", 1)
    assert [one.name for one in tmp_path.iterdir()] == ["store"]
