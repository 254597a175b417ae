"""What a probe promises of servers that lie about HEAD, about ranges, about sizes: a few bytes, and never the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shelter_pipeline.discovery.probe import probe
from shelter_pipeline.domain.probing import OK, Probe
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline_tests.support.behaviours import by_method, redirect
from shelter_pipeline_tests.support.fault_server import (
    KEEP,
    RESET,
    SILENCE,
    Behaviour,
    Endless,
    FaultServer,
    field,
    head,
    whole,
)
from shelter_pipeline_tests.support.fetching import LOOPBACK, door, short_settings

SIZE = 123_456
FILE = (head(f"Content-Length: {SIZE}", "Content-Type: text/csv", 'ETag: "v1"', "Last-Modified: then"), KEEP)
PART = (
    head("Content-Length: 1", f"Content-Range: bytes 0-0/{SIZE}", 'ETag: "v1"', status="206 Partial Content")
    + b"x",
    KEEP,
)
# More than a loopback connection holds on the way: a probe that read on would be heard.
MOST_ON_THE_WAY = 16 * 1024 * 1024


def probed(url: str, **options: Any) -> Probe:
    opened = door()
    return opened.drive(probe(opened.passage, opened.limits, url, **options))


def asked(server: FaultServer, path: str) -> list[str]:
    return [request.split(" ", 1)[0] for request in server.heads(path)]


def test_an_honest_head_is_enough(server: FaultServer) -> None:
    fields = ("Accept-Ranges: bytes", 'Content-Disposition: attachment; filename="a.csv"')
    url = server.serves(
        "/f", head(f"Content-Length: {SIZE}", "Content-Type: Text/CSV; x=y", 'ETag: "v1"', *fields), KEEP
    )

    found = probed(url)

    assert (found.reason, found.status, found.size, found.media_type) == (OK, 200, SIZE, "text/csv")
    assert (found.etag, found.accepts_ranges, found.filename) == ('"v1"', True, "a.csv")
    assert (found.method, found.requests, found.final_url) == ("HEAD", 1, url)
    assert asked(server, "/f") == ["HEAD"]


@pytest.mark.parametrize(
    "refusal",
    [
        "400 Bad Request",
        "403 Forbidden",
        "404 Not Found",
        "405 Method Not Allowed",
        "406 Not Acceptable",
        "410 Gone",
        "500 Internal Server Error",
        "501 Not Implemented",
        "503 Service Unavailable",
    ],
)
def test_a_server_that_refuses_head_is_asked_for_the_first_byte(server: FaultServer, refusal: str) -> None:
    url = server.serves_in_turn(
        "/f", by_method(head=(head("Content-Length: 9", status=refusal), KEEP), get=PART)
    )

    found = probed(url)

    assert (found.reason, found.size, found.accepts_ranges, found.method) == (OK, SIZE, True, "GET")
    assert asked(server, "/f") == ["HEAD", "GET"]
    assert field(server.heads("/f")[1], "Range") == "bytes=0-0"


@pytest.mark.parametrize(
    "lie",
    [
        (head("Content-Type: text/csv"), KEEP),
        (head("Content-Length: 0", "Content-Type: text/csv"), KEEP),
        (head("Transfer-Encoding: chunked", "Content-Type: text/csv"), KEEP),
        (head("Content-Length: 900", "Content-Type: text/html; charset=utf-8"), KEEP),
        (head(status="204 No Content"), KEEP),
    ],
    ids=["no-length", "length-zero", "chunked", "html", "no-content"],
)
def test_a_head_that_cannot_be_true_of_a_file_is_not_believed(server: FaultServer, lie: Behaviour) -> None:
    url = server.serves_in_turn("/f", by_method(head=lie, get=PART))

    found = probed(url)

    assert (found.reason, found.size, found.method, found.requests) == (OK, SIZE, "GET", 2)


@pytest.mark.parametrize(
    "nothing",
    [(RESET,), (), (b"what?\r\n\r\n",), (SILENCE,), (head("Content-Length: 5", "Content-Length: 6"), KEEP)],
    ids=["reset", "closed", "no-http", "silence", "two-lengths"],
)
def test_a_server_that_does_not_answer_head_is_asked_for_the_first_byte(
    server: FaultServer, nothing: Behaviour
) -> None:
    url = server.serves_in_turn("/f", by_method(head=nothing, get=PART))

    found = probed(url)

    assert (found.reason, found.size, found.method) == (OK, SIZE, "GET")


def test_a_server_that_ignores_the_range_and_sends_ten_gigabytes_is_heard_for_no_more_than_its_head(
    server: FaultServer,
) -> None:
    whole_file = (head("Content-Length: 10000000000", 'ETag: "v1"'), Endless(b"x" * 65536))
    url = server.serves_in_turn("/f", by_method(head=(head(status="405 No"), KEEP), get=whole_file))

    found = probed(url)

    assert (found.reason, found.size, found.accepts_ranges) == (OK, 10_000_000_000, False)
    assert server.sent["/f"] < MOST_ON_THE_WAY


def test_a_body_without_end_or_length_is_let_go_at_once(server: FaultServer) -> None:
    endless = (head("Content-Type: text/csv", 'ETag: "v1"'), Endless(b"x" * 65536))
    url = server.serves_in_turn("/f", by_method(head=(head("Content-Type: text/csv"), KEEP), get=endless))

    found = probed(url)

    assert (found.reason, found.size, found.etag) == (OK, None, '"v1"')
    assert server.sent["/f"] < MOST_ON_THE_WAY


@pytest.mark.parametrize(
    ("content_range", "size", "ranges"),
    [
        (f"bytes 0-0/{SIZE}", SIZE, True),
        ("bytes 0-0/*", None, True),
        (f"bytes 5-5/{SIZE}", None, False),
        ("bytes 0-0/0", None, False),
        ("bytes 9-1/3", None, False),
        ("items 0-0/7", None, False),
        ("bytes 0-0/99999999999999999999999999", None, False),
        ("bytes 0-0/9999999999999999999", None, True),
        (None, None, False),
    ],
)
def test_a_part_tells_the_size_only_if_it_is_the_one_asked_for(
    server: FaultServer, content_range: str | None, size: int | None, ranges: bool
) -> None:
    fields = ["Content-Length: 1", *([f"Content-Range: {content_range}"] if content_range else [])]
    part = (head(*fields, status="206 Partial Content") + b"x", KEEP)
    url = server.serves_in_turn("/f", by_method(head=(head(status="405 No"), KEEP), get=part))

    found = probed(url)

    assert (found.reason, found.size, found.accepts_ranges) == (OK, size, ranges)


@pytest.mark.parametrize("length", [2**50 + 1, 10**19, int("9" * 300)])
def test_a_size_that_no_file_has_is_not_believed(server: FaultServer, length: int) -> None:
    url = server.serves("/f", head(f"Content-Length: {length}", "Content-Type: text/csv"), KEEP)

    assert probed(url).size is None


def test_the_size_of_an_encoded_reply_is_not_the_size_of_the_file(server: FaultServer) -> None:
    url = server.serves("/f", head("Content-Length: 77", "Content-Encoding: gzip", 'ETag: "v1-gzip"'), KEEP)

    found = probed(url)

    assert (found.reason, found.size, found.etag, found.requests) == (OK, None, '"v1-gzip"', 1)


@pytest.mark.parametrize(
    ("refusal", "empty"),
    [
        (head("Content-Range: bytes */0", "Content-Length: 0", status="416 No"), True),
        (head("Content-Length: 0"), True),
    ],
)
def test_a_file_of_no_bytes_is_told_as_empty(server: FaultServer, refusal: bytes, empty: bool) -> None:
    url = server.serves_in_turn("/f", by_method(head=(head("Content-Length: 0"), KEEP), get=(refusal, KEEP)))

    found = probed(url)

    assert (found.reason, found.size) == ("empty", 0)


def test_a_server_that_gives_no_first_byte_of_a_file_that_it_showed_is_believed_for_its_head(
    server: FaultServer,
) -> None:
    refusal = (head("Content-Length: 0", status="416 Range Not Satisfiable"), KEEP)
    shown = (head('ETag: "v1"', "Content-Type: text/csv"), KEEP)
    url = server.serves_in_turn("/f", by_method(head=shown, get=refusal))

    found = probed(url)

    assert (found.reason, found.etag, found.size, found.method) == (OK, '"v1"', None, "HEAD")


def test_a_page_in_place_of_a_file_is_told_and_its_size_is_not_the_files(server: FaultServer) -> None:
    url = server.serves("/f", *whole(b"<html>sorry</html>", "Content-Type: text/html"))

    assert (probed(url).reason, probed(url).size) == ("html-instead", None)
    page = probed(url, expects_page=True)
    assert (page.reason, page.size, page.requests) == (OK, 18, 1)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("404 Not Found", "not-found"),
        ("410 Gone", "gone"),
        ("403 Forbidden", "forbidden"),
        ("500 Oh", "server-error"),
    ],
)
def test_a_file_counts_as_missing_only_if_get_says_so_too(
    server: FaultServer, status: str, reason: str
) -> None:
    url = server.serves("/f", *whole(b"", status=status))

    found = probed(url)

    assert (found.reason, found.status, found.requests) == (reason, int(status[:3]), 2)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("401 Who", "login-required"),
        ("451 Law", "legal"),
        ("202 Wait", "processing"),
        ("418 Tea", "http-status"),
    ],
)
def test_what_get_would_not_change_is_not_asked_twice(server: FaultServer, status: str, reason: str) -> None:
    url = server.serves("/f", *whole(b"", status=status))

    found = probed(url)

    assert (found.reason, found.requests) == (reason, 1)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Busy"])
def test_a_host_that_asks_for_rest_is_asked_no_second_time_and_left_alone(
    server: FaultServer, status: str
) -> None:
    url = server.serves("/f", head("Retry-After: 3600", "Content-Length: 0", status=status), KEEP)
    opened, politeness = door(), Politeness(connections=2, delay_seconds=0, allowed_networks=LOOPBACK)

    found = opened.drive(probe(opened.passage, opened.limits, url), turn=politeness.turn)

    assert (found.reason, found.retry_after_seconds, found.requests) == ("rate-limited", 3600, 1)
    assert politeness.rest_seconds(f"127.0.0.1:{server.port}") > 3500


def test_a_redirect_is_followed_and_the_last_address_told(server: FaultServer) -> None:
    last = server.serves("/last", *FILE)
    url = server.serves("/f", *redirect(last))

    found = probed(url)

    assert (found.reason, found.size, found.final_url, found.requests) == (OK, SIZE, last, 2)


@pytest.mark.parametrize("address", ["10.1.2.3", "169.254.169.254", "[::1]"])
def test_a_redirect_into_a_private_network_is_refused(server: FaultServer, address: str) -> None:
    url = server.serves("/f", *redirect(f"http://{address}/secret"))

    found = probed(url)

    assert found.reason == "private-address"
    assert asked(server, "/f") == ["HEAD"]


def test_redirects_without_end_are_not_asked_twice(server: FaultServer) -> None:
    url = server.serves("/f", *redirect(server.url("/f")))

    found = probed(url)

    assert (found.reason, found.status, found.requests) == ("bad-redirect", 302, 1)


def test_nobody_there_is_asked_once(server: FaultServer) -> None:
    with FaultServer() as gone:
        url = gone.url("/f")

    found = probed(url)

    assert (found.reason, found.method, found.status) == ("connect-failed", None, None)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://127.0.0.1:2121/d/", "directory"),
        ("gopher://127.0.0.1/f", "bad-scheme"),
        ("http://127.0.0.1:22/f", "port-not-allowed"),
        ("http://10.0.0.1/f", "private-address"),
        ("no url", "bad-url"),
    ],
)
def test_what_may_not_be_asked_ends_with_its_reason_and_no_request(url: str, reason: str) -> None:
    found = probed(url)

    assert (found.reason, found.requests) == (reason, 0)


@contextmanager
def a_book(server: FaultServer) -> Iterator[RobotsBook]:
    politeness = Politeness(connections=2, delay_seconds=0, allowed_networks=LOOPBACK)
    book = RobotsBook.of(short_settings(), politeness)
    try:
        yield book
    finally:
        book.close()


def test_robots_are_obeyed_before_anything_is_asked(server: FaultServer) -> None:
    server.serves("/robots.txt", *whole(b"User-agent: *\nDisallow: /closed/\n"))
    closed, free = server.serves("/closed/f", *FILE), server.serves("/free/f", *FILE)

    with a_book(server) as book:
        assert probed(closed, robots=book).reason == "robots"
        assert probed(free, robots=book).size == SIZE

    assert asked(server, "/closed/f") == []
    assert asked(server, "/robots.txt") == ["GET"]


def test_a_redirect_to_a_place_closed_by_robots_is_not_followed(server: FaultServer) -> None:
    server.serves("/robots.txt", *whole(b"User-agent: *\nDisallow: /closed/\n"))
    url = server.serves("/f", *redirect(server.serves("/closed/f", *FILE)))

    with a_book(server) as book:
        assert probed(url, robots=book).reason == "robots"

    assert asked(server, "/closed/f") == []


def test_a_connection_serves_many_probes(server: FaultServer) -> None:
    urls = [
        server.serves_in_turn(f"/{n}", by_method(head=(head("Content-Type: text/csv"), KEEP), get=PART))
        for n in range(5)
    ]
    opened = door()

    sizes = [opened.drive(probe(opened.passage, opened.limits, url)).size for url in urls]

    assert sizes == [SIZE] * 5
    assert server.accepted <= 2
