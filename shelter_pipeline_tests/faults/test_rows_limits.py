"""Rows C of the fault list, and the truth of a body: time, size and memory are bounded whatever a server does."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shelter_pipeline_tests.support.behaviours import bomb, encoded, noise, redirect
from shelter_pipeline_tests.support.fault_server import (
    SILENCE,
    Drip,
    Endless,
    FaultServer,
    Pause,
    Repeated,
    Step,
    chunks,
    head,
    whole,
)
from shelter_pipeline_tests.support.fetching import bodies_in, fetched, files_in
from shelter_pipeline_tests.support.shelter_process import measured_fetch

WINDOW = 0.5
MEGABYTE = 1_000_000
CAP = 3 * MEGABYTE
SMALL = whole(b"year,catch\n2025,17\n")

ENDLESS: dict[str, tuple[Step, ...]] = {
    "C1-no length": (head(), Endless(bytes(65_536))),
    "C1-chunks without end": (head("Transfer-Encoding: chunked"), Endless(chunks(bytes(65_536)))),
    "C1-chunks of one byte without end": (head("Transfer-Encoding: chunked"), Endless(chunks(b"x") * 5000)),
    "C1-gzip without end": (
        head("Content-Encoding: gzip"),
        Endless(encoded(noise(65_536), "gzip")),
    ),
    "C1-a redirect with an endless body": (head("Location: /", status="302 Found"), Endless(bytes(65_536))),
    "C1-an error page without end": (head(status="404 Not Found"), Endless(bytes(65_536))),
}

SLOW: dict[str, tuple[Step, ...]] = {
    "C4-a byte a second, body": (head("Content-Length: 500"), Drip(b"x" * 500, 0.25)),
    "C4-a byte a second, chunks": (
        head("Transfer-Encoding: chunked"),
        Drip(chunks(*[b"x"] * 90), 0.25),
    ),
    "C4-a byte a second, head": (Drip(head("Content-Length: 5", "X: " + "a" * 900), 0.25),),
    "C4-a byte a second, status line": (Drip(b"HTTP/1.1 200 " + b"OK" * 99, 0.25),),
    "C4-an interim reply a second": (*[b"HTTP/1.1 100 Continue\r\n\r\n", Pause(0.25)] * 60,),
    "C4-silence within the head": (b"HTTP/1.1 200 OK\r\nConte", SILENCE),
    "C4-silence after the head": (head("Content-Length: 5"), SILENCE),
    "C4-silence before the last byte": (head("Content-Length: 300000"), bytes(299_999), SILENCE),
    "C4-a drip after a burst": (head("Content-Length: 300000"), bytes(200_000), Drip(bytes(999), 0.25)),
    "C6-accepts and never answers": (SILENCE,),
}

BODIES: dict[str, tuple[Step, ...]] = {
    "a body of 500 MB": (head(f"Content-Length: {500 * MEGABYTE}"), Repeated(bytes(MEGABYTE), 500)),
    "C1-an endless body": (head(), Endless(bytes(MEGABYTE))),
    "B5-a gzip bomb": whole(bomb("gzip"), "Content-Encoding: gzip"),
    "B5-a brotli bomb": whole(bomb("br"), "Content-Encoding: br"),
    "B5-a zstd bomb": whole(bomb("zstd"), "Content-Encoding: zstd"),
    "chunks of 64 MB": (head("Transfer-Encoding: chunked"), Repeated(chunks(bytes(64 * MEGABYTE)), 3)),
    "a chunk's size of a megabyte": (head("Transfer-Encoding: chunked"), b"0" * MEGABYTE + b"1\r\nx\r\n"),
    "A14-20,000 headers": (head(*["X: a"] * 20_000), b""),
    "A14-a header of 30 MB": (b"HTTP/1.1 200 OK\r\nX: ", Repeated(b"a" * MEGABYTE, 30), b"\r\n\r\n"),
    "a redirect with a body of 100 MB": (
        head("Location: /end", f"Content-Length: {100 * MEGABYTE}", status="302 Found"),
        Repeated(bytes(MEGABYTE), 100),
    ),
}
NARROW = {"A14-20,000 headers": 8, "A14-a header of 30 MB": 8}  # MiB; all others may take 32


@pytest.mark.parametrize(
    "padding",
    [
        pytest.param(b"1;" + b"a" * 65_536, id="C1-extension"),
        pytest.param(b"0" * 65_536, id="C1-zeros"),
    ],
)
def test_a_chunks_line_without_end_does_not_go_on_for_ever(
    server: FaultServer, tmp_path: Path, padding: bytes
) -> None:
    url = server.serves(
        "/endless", head("Transfer-Encoding: chunked"), padding, Endless(padding[-1:] * 65_536)
    )

    said = fetched(url, tmp_path, fetch_max_bytes=CAP, fetch_total_deadline_seconds=1)

    assert said["verdict"] in ("transient", "permanent", "damaged")
    assert server.sent["/endless"] <= 6 * CAP + 16 * MEGABYTE
    assert bodies_in(tmp_path) == []


@pytest.mark.parametrize("case", ENDLESS)
def test_an_endless_body_stops_at_the_cap(server: FaultServer, tmp_path: Path, case: str) -> None:
    url = server.serves("/endless", *ENDLESS[case])

    said = fetched(url, tmp_path, fetch_max_bytes=CAP)

    assert said["verdict"] == "permanent"
    assert said["reason"] == ("too-large" if "200" in str(ENDLESS[case][0]) else said["reason"])
    assert server.requests("/endless") == 1
    # A chunk of one byte is six on the wire, and the kernel's buffers take some more.
    assert server.sent["/endless"] <= 6 * CAP + 16 * MEGABYTE
    assert bodies_in(tmp_path) == []


def test_a_store_never_holds_more_than_the_cap_and_a_megabyte(server: FaultServer, tmp_path: Path) -> None:
    url = server.serves("/C1", head(), Repeated(noise(MEGABYTE), 3), Pause(0.5), Endless(bytes(65_536)))
    most = 0
    with ThreadPoolExecutor(1) as pool:
        fetching = pool.submit(fetched, url, tmp_path, fetch_max_bytes=CAP)
        while not fetching.done():
            most = max(most, sum(path.stat().st_size for path in files_in(tmp_path) if path.exists()))
            time.sleep(0.005)

    assert fetching.result()["reason"] == "too-large"
    assert 0 < most <= CAP + MEGABYTE


@pytest.mark.parametrize(
    "length",
    [str(CAP + 1), str(10**12), "9" * 19, "9" * 20, "9" * 400, str(2**63), str(2**64)],
    ids=lambda length: f"C2-{length[:20]}",
)
def test_a_length_above_the_cap_is_refused_before_the_body(
    server: FaultServer, tmp_path: Path, length: str
) -> None:
    url = server.serves("/file", head(f"Content-Length: {length}"), Pause(0.2), Endless(bytes(65_536)))

    said = fetched(url, tmp_path, fetch_max_bytes=CAP)

    assert (said["verdict"], said["reason"], said["requests"]) == ("permanent", "too-large", 1)
    assert server.sent["/file"] < MEGABYTE * 8
    assert bodies_in(tmp_path) == []


@pytest.mark.parametrize("case", SLOW)
def test_a_server_that_sends_too_little_is_left_after_the_window(
    server: FaultServer, tmp_path: Path, case: str
) -> None:
    url = server.serves("/slow", *SLOW[case])
    began = time.monotonic()

    said = fetched(url, tmp_path, fetch_stall_window_seconds=WINDOW)

    assert time.monotonic() - began <= WINDOW + 2
    assert (said["verdict"], said["reason"], server.requests("/slow")) == ("transient", "too-slow", 1)
    assert bodies_in(tmp_path) == []


def test_a_head_that_comes_fast_and_never_ends_has_its_own_deadline(
    server: FaultServer, tmp_path: Path
) -> None:
    url = server.serves("/C4", b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"a" * 90 + b"\r\n", Pause(0.05)] * 100)
    began = time.monotonic()

    said = fetched(url, tmp_path, fetch_head_timeout_seconds=0.5)

    assert time.monotonic() - began <= 2.5
    assert (said["verdict"], said["reason"]) == ("transient", "too-slow")


def test_the_deadline_covers_all_redirects_together(server: FaultServer, tmp_path: Path) -> None:
    for number in range(5):
        server.serves(f"/{number}", Pause(0.4), *redirect(f"/{number + 1}"))
    server.serves("/5", *SMALL)
    began = time.monotonic()

    said = fetched(server.url("/0"), tmp_path, fetch_total_deadline_seconds=1, fetch_max_attempts=1)

    assert time.monotonic() - began <= 3
    assert (said["verdict"], said["reason"]) == ("transient", "deadline")


def test_the_deadline_covers_all_attempts_together(server: FaultServer, tmp_path: Path) -> None:
    url = server.serves("/file", Pause(0.4), head("Content-Length: 9"), b"x")
    began = time.monotonic()

    said = fetched(url, tmp_path, fetch_total_deadline_seconds=1, fetch_max_attempts=9)

    assert time.monotonic() - began <= 3
    assert (said["verdict"], said["requests"] <= 4) == ("transient", True)


def test_a_server_that_never_accepts_is_left_at_the_connect_limit(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        began = time.monotonic()

        said = fetched(
            f"http://127.0.0.1:{full.getsockname()[1]}/C6",
            tmp_path,
            fetch_connect_timeout_seconds=0.5,
            fetch_max_attempts=1,
        )

        for filler in fillers:
            filler.close()
    assert time.monotonic() - began <= 1.5
    assert (said["verdict"], said["reason"]) == ("transient", "connect-failed")


@pytest.fixture(scope="module")
def usual_peak(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Bytes at the highest of a process that fetches almost nothing."""
    with FaultServer() as server:
        runs = [
            measured_fetch(server.serves("/small", *SMALL), tmp_path_factory.mktemp("usual"))
            for _ in range(2)
        ]
    return max(run.peak_bytes for run in runs)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("case", BODIES)
def test_no_body_takes_more_than_a_little_memory(
    server: FaultServer, tmp_path: Path, usual_peak: int, case: str
) -> None:
    url = server.serves("/file", *BODIES[case])
    server.serves("/end", *SMALL)

    run = measured_fetch(url, tmp_path, fetch_max_bytes=600 * MEGABYTE, fetch_total_deadline_seconds=40)

    assert run.code == 0, run.errors
    assert run.peak_bytes - usual_peak <= NARROW.get(case, 32) * 2**20


@pytest.mark.parametrize(
    "framing", ["length", "chunked", "gzip by length", "gzip in chunks"], ids=lambda name: f"truth-{name}"
)
def test_a_body_cut_at_two_hundred_places_is_never_taken_for_whole(
    server: FaultServer, tmp_path: Path, framing: str
) -> None:
    body = noise(65_536)
    if "gzip" in framing:
        body = encoded(body, "gzip")
    fields = ["Content-Encoding: gzip"] if "gzip" in framing else []
    places = [*range(0, len(body), len(body) // 205), len(body) - 1]
    in_chunks = "chunk" in framing
    wire = (
        chunks(*(body[at : at + 4096] for at in range(0, len(body), 4096))) + b"0\r\n\r\n"
        if in_chunks
        else body
    )
    said = []

    for place in places:
        cut = wire[: place * len(wire) // len(body)]
        if framing == "gzip by length":  # true to the cut: only the encoding can tell
            steps: tuple[Step, ...] = whole(cut, *fields)
        elif in_chunks:
            steps = (head("Transfer-Encoding: chunked", *fields), cut)
        else:
            steps = (head(f"Content-Length: {len(body)}", *fields), cut)
        said.append(fetched(server.serves(f"/{place}", *steps), tmp_path, fetch_max_attempts=1))

    assert len(said) >= 200
    assert not any(one["verdict"] in ("stored", "unchanged") for one in said)
    assert bodies_in(tmp_path) == []
