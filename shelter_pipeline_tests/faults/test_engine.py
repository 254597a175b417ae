"""The engine: thousands of fetches at once, each with its own end, told once and only when its bytes are durable."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.domain.verdicts import Verdict
from shelter_pipeline.fetching.capture import Promise
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.engines import NO_PROMISE, an_engine, open_descriptors, results_of
from shelter_pipeline_tests.support.fault_server import RESET, FaultServer, Pause, Step, head, whole
from shelter_pipeline_tests.support.fetching import files_in

HOSTS = 200
FILES_PER_HOST = 10


@pytest.fixture
def hosts() -> Iterator[list[FaultServer]]:
    """As many hosts as there are loopback addresses for."""
    with ExitStack() as stack:
        yield [stack.enter_context(FaultServer(f"127.0.{1 + n // 100}.{1 + n % 100}")) for n in range(HOSTS)]


def test_two_thousand_files_of_two_hundred_hosts_are_all_stored_under_their_digests(
    store: LocalStore, hosts: list[FaultServer]
) -> None:
    bodies = {
        host.serves(f"/{n}.csv", *whole(body)): body
        for number, host in enumerate(hosts)
        for n in range(FILES_PER_HOST)
        for body in [f"a,b\n{number},{n}\n".encode() * (1 + 37 * n)]
    }
    descriptors: list[int] = []

    with an_engine(store, connections=64) as engine:
        for url in bodies:
            engine.fetch(url, url, NO_PROMISE)
        captures = results_of(engine, look=lambda: descriptors.append(open_descriptors()))
        received = engine.wire_bytes

    assert captures.keys() == bodies.keys()
    assert {capture.reason for capture in captures.values()} == {"stored"}
    for url, body in bodies.items():
        sha256 = hashlib.sha256(body).hexdigest()
        assert (captures[url].sha256, captures[url].size) == (sha256, len(body))
        with store.open(sha256) as blob:
            assert blob.read() == body
    assert received == sum(capture.wire_bytes for capture in captures.values())
    assert files_in(store.root, "partial") == []
    assert {host.requests("/0.csv") for host in hosts} == {1}


def test_every_fetch_has_its_own_end(store: LocalStore, server: FaultServer) -> None:
    wanted = {
        "stored": server.serves("/good.csv", *whole(b"a,b\n1,2\n")),
        "html-instead": server.serves("/page.csv", *whole(b"<!doctype html><html></html>")),
        "not-found": server.serves("/gone.csv", *whole(b"no", status="404 Not Found")),
        "empty": server.serves("/empty.csv", *whole(b"")),
        "bad-url": "http://[",
        "bad-scheme": "gopher://a.example/x",
        "private-address": "http://10.1.2.3/x.csv",
    }

    with an_engine(store) as engine:
        for reason, url in wanted.items():
            engine.fetch(reason, url, NO_PROMISE)
        captures = results_of(engine)

    ends = {tag: capture.reason for tag, capture in captures.items()}
    assert ends == {reason: reason for reason in wanted}
    assert [path.name for path in files_in(store.root, "blobs")] == [captures["stored"].sha256]
    suspects = [captures["html-instead"], captures["empty"]]
    assert {capture.verdict for capture in suspects} == {Verdict.SUSPECT}
    assert {path.name for path in files_in(store.root, "suspect")} == {capture.sha256 for capture in suspects}
    assert files_in(store.root, "partial") == []


def test_a_redirect_to_another_host_waits_for_its_turn_there(store: LocalStore, server: FaultServer) -> None:
    with FaultServer("127.0.3.1") as other:
        there = other.serves("/file.csv", *whole(b"a,b\n1,2\n"))
        for number in range(10):
            server.serves(f"/{number}", *whole(b"", f"Location: {there}", status="302 Found"))

        with an_engine(store, per_host=1) as engine:
            for number in range(10):
                engine.fetch(number, server.url(f"/{number}"), NO_PROMISE)
            captures = results_of(engine)

    assert {(capture.reason, capture.final_url) for capture in captures.values()} == {("stored", there)}
    assert (server.most_busy, other.most_busy) == (1, 1)


def test_a_host_that_asks_for_an_hour_is_asked_for_nothing_else_and_keeps_nobody_waiting(
    store: LocalStore, server: FaultServer
) -> None:
    """Neither what waited for its first turn there nor what a redirect leads there later."""
    with FaultServer("127.0.3.2") as resting:
        for number in range(10):
            resting.serves(f"/{number}", *whole(b"", "Retry-After: 3600", status="429 Slow"))
        there = f"Location: {resting.url('/0')}"
        late = server.serves("/late", Pause(0.5), *whole(b"", there, status="302 Found"))
        good = server.serves("/good.csv", *whole(b"a,b\n1,2\n"))
        began = time.monotonic()

        with an_engine(store, per_host=1) as engine:
            for number in range(10):
                engine.fetch(number, resting.url(f"/{number}"), NO_PROMISE)
            engine.fetch("late", late, NO_PROMISE)
            engine.fetch("good", good, NO_PROMISE)
            captures = results_of(engine)

    assert time.monotonic() - began < 10
    ends = {tag: (capture.reason, capture.requests) for tag, capture in captures.items()}
    assert ends.pop("good") == ("stored", 1)
    assert ends.pop("late") == ("host-rests", 1)
    assert Counter(ends.values()) == {("rate-limited", 1): 1, ("host-rests", 0): 9}
    assert len(resting.log) == 1
    assert {capture.verdict for tag, capture in captures.items() if tag != "good"} == {Verdict.TRANSIENT}


def test_a_transfer_that_broke_is_tried_again_and_goes_on(store: LocalStore, server: FaultServer) -> None:
    body = b"a,b\n" + b"1,2\n" * 20_000
    etag = 'ETag: "v1"'

    def rest(request: str) -> tuple[Step, ...]:
        assert "Range: bytes=50000-" in request
        length = len(body) - 50_000
        fields = (
            etag,
            f"Content-Length: {length}",
            f"Content-Range: bytes 50000-{len(body) - 1}/{len(body)}",
        )
        return (head(*fields, status="206 Partial Content") + body[50_000:],)

    begun = (head(f"Content-Length: {len(body)}", etag) + body[:50_000],)
    url = server.serves_in_turn("/file.csv", begun, rest)

    with an_engine(store) as engine:
        engine.fetch(1, url, NO_PROMISE)
        (capture,) = results_of(engine).values()

    assert (capture.reason, capture.requests) == ("stored", 2)
    assert capture.sha256 == hashlib.sha256(body).hexdigest()


def test_a_host_never_sees_more_requests_at_once_than_it_was_promised(
    store: LocalStore, server: FaultServer
) -> None:
    for number in range(60):
        server.serves(f"/{number}.csv", *whole(f"a,b\n{number},2\n".encode()))

    with an_engine(store, per_host=2, lanes=2) as engine:
        for number in range(60):
            engine.fetch(number, server.url(f"/{number}.csv"), NO_PROMISE)
        captures = results_of(engine)

    assert Counter(capture.reason for capture in captures.values()) == {"stored": 60}
    assert server.most_busy <= 2


@pytest.mark.parametrize("etag", ['"caf\xe9"', '"a\xa0b"', '"a\tb"'])
def test_a_validator_that_no_header_field_may_hold_ends_nobodys_work(
    store: LocalStore, server: FaultServer, etag: str
) -> None:
    url = server.serves("/file.csv", *whole(b"a,b\n1,2\n"))
    held = Promise(etag=etag, held_sha256="0" * 64)

    with an_engine(store) as engine:
        engine.fetch(1, url, held)
        (capture,) = results_of(engine).values()

    assert capture.reason == "stored"
    assert "If-None-Match" not in dict(capture.request_headers)


def test_failing_and_good_transfers_leave_no_descriptor_behind(
    store: LocalStore, server: FaultServer
) -> None:
    good = server.serves("/good.csv", *whole(b"a,b\n1,2\n" * 30_000))
    bad = server.serves("/bad.csv", head("Content-Length: 1000") + b"x", RESET)
    before = open_descriptors()

    with an_engine(store, max_attempts=1) as engine:
        for number in range(200):
            engine.fetch(number, good if number % 2 else bad, NO_PROMISE)
        captures = results_of(engine)

    assert Counter(capture.reason for capture in captures.values()) == {"stored": 100, "connection-lost": 100}
    assert files_in(store.root, "partial") == []
    assert open_descriptors() <= before + server.accepted  # what the server has not closed yet


def test_who_watches_a_file_arrive_hears_its_size_and_may_end_it(
    store: LocalStore, server: FaultServer
) -> None:
    heard: list[int] = []

    def no_more(size: int) -> None:
        raise TransientError(f"{size} bytes are enough", reason="no-space")

    with an_engine(store) as engine:
        engine.fetch("a", server.serves("/a", *whole(b"x" * 600_000)), NO_PROMISE, progress=heard.append)
        engine.fetch("b", server.serves("/b", *whole(b"y" * 600_000)), NO_PROMISE, progress=no_more)
        captures = results_of(engine)

    assert (captures["a"].reason, captures["b"].reason) == ("stored", "no-space")
    assert heard == sorted(heard)
    assert heard[-1] == 600_000
    assert files_in(store.root, "partial") == []
