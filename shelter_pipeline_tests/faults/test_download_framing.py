"""Whatever a server does to the frame of a reply, a body is held whole or not at all."""

from __future__ import annotations

import gzip

import brotli
import pytest

from shelter_pipeline.fetching.codings import zstd
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.fault_server import (
    KEEP,
    RESET,
    SILENCE,
    Drip,
    Endless,
    FaultServer,
    chunks,
    head,
    whole,
)
from shelter_pipeline_tests.support.fetching import downloader, files_in

BODY = bytes(range(256)) * 40
LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = "Transfer-Encoding: chunked"
GZIP = gzip.compress(b"station,depth\n" * 50_000, mtime=0)
BR = brotli.compress(b"station,depth\n" * 50_000)
ZSTD = zstd.compress(b"station,depth\n" * 50_000)
BOMBS = {
    "gzip": gzip.compress(bytes(300_000_000), 1, mtime=0)[:1_300_000],
    "br": brotli.compress(bytes(300_000_000), quality=5),
    "zstd": zstd.compress(bytes(300_000_000)),
}

WHOLE = {
    "a length that is true": (whole(BODY), ()),
    "chunks that end": ((head(CHUNKED) + chunks(BODY[:99], BODY[99:]) + b"0\r\n\r\n", KEEP), ()),
    "a trailer after the chunks": ((head(CHUNKED) + chunks(BODY) + b"0\r\nX-Sum: 1\r\n\r\n", KEEP), ()),
    "two lengths that are equal": (whole(BODY, LENGTH), ()),
    "a folded header": (whole(BODY, "X-Long: one\r\n two"), ()),
    "bare line feeds": ((head(LENGTH).replace(b"\r\n", b"\n") + BODY,), ()),
    "an interim reply before it": ((b"HTTP/1.1 103 Early Hints\r\n\r\n", *whole(BODY)), ()),
    "no length, ended by the close": ((head(), BODY), ("length-unverified",)),
    "HTTP/1.0": ((head(version="HTTP/1.0") + BODY,), ("length-unverified",)),
    "chunks and a length": (
        (head(CHUNKED, "Content-Length: 3") + chunks(BODY) + b"0\r\n\r\n", KEEP),
        ("both-framings",),
    ),
    "bytes beyond the end": ((head(LENGTH) + BODY + b"more",), ("surplus",)),
    "bytes beyond the end, a moment later": ((head(LENGTH), BODY + b"more", KEEP), ("surplus",)),
}

BROKEN = {
    "fewer bytes than announced": ((head("Content-Length: 20480"), BODY), "wrong-length"),
    "a reset at the first byte": ((head(LENGTH), RESET), "connection-lost"),
    "a reset in the middle": ((head(LENGTH), BODY[:5000], RESET), "connection-lost"),
    "no last chunk": ((head(CHUNKED), chunks(BODY)), "connection-lost"),
    "a cut within a chunk": ((head(CHUNKED), b"ff\r\n" + BODY[:99]), "connection-lost"),
    "a chunk size that is no number": ((head(CHUNKED), b"ZZ\r\n" + BODY), "connection-lost"),
    "a negative chunk size": ((head(CHUNKED), b"-1\r\n" + BODY), "connection-lost"),
    "a close without a word": ((), "connection-lost"),
    "a reset without a word": ((RESET,), "connection-lost"),
    "a head cut in the middle": ((b"HTTP/1.1 200 OK\r\nContent-Le",), "connection-lost"),
    "two lengths that differ": ((head(LENGTH, "Content-Length: 5") + BODY,), "head-invalid"),
    "a negative length": ((head("Content-Length: -5") + BODY,), "head-invalid"),
    "a signed length": ((head("Content-Length: +10240") + BODY,), "head-invalid"),
    "a length in words": ((head("Content-Length: abc") + BODY,), "head-invalid"),
    "a length with a unit": ((head("Content-Length: 5 bytes") + BODY,), "head-invalid"),
    "a length of 23 digits": ((head("Content-Length: " + "9" * 23) + BODY,), "too-large"),
    "a transfer coding nobody asked for": ((head("Transfer-Encoding: gzip, chunked") + BODY,), "bad-encoding"),
    "no status line": ((b"hello\r\n\r\n" + BODY,), "head-invalid"),
    "NUL in a header": ((head("X-Name: a\x00b", LENGTH) + BODY,), "head-invalid"),
    "a carriage return in a header": ((head("X-Name: a\rb", LENGTH) + BODY,), "head-invalid"),
    "an escape code in a header": ((head("X-Name: \x1b[31m", LENGTH) + BODY,), "head-invalid"),
    "a header of a megabyte": ((head("X-Name: " + "a" * 1_000_000, LENGTH) + BODY,), "head-too-large"),
    "20,000 headers": ((head(*["X-Name: a"] * 20_000, LENGTH) + BODY,), "head-too-large"),
    "5,000 interim replies": ((b"HTTP/1.1 100 Continue\r\n\r\n" * 5000, *whole(BODY)), "head-too-large"),
    "a status line of 64 KiB": ((head(LENGTH, status="200 " + "a" * 300_000) + BODY,), "head-too-large"),
    "no content": ((head(status="204 No Content"), BODY), "empty"),
    "reset content": ((head("Content-Length: 0", status="205 Reset Content"), KEEP), "empty"),
    "zero bytes": (whole(b""), "empty"),
    "a part nobody asked for": (whole(BODY, "Content-Range: bytes 0-9/99", status="206 Part"), "head-invalid"),
    "still at work": (whole(b"please wait", status="202 Accepted"), "processing"),
    "a status of its own": (whole(BODY, status="999 Odd"), "http-status"),
    "an unasked not-modified": ((head(status="304 Not Modified"), KEEP), "http-status"),
    "gzip cut in half": (whole(GZIP[: len(GZIP) // 2], "Content-Encoding: gzip"), "truncated-encoding"),
    "gzip without its last byte": (whole(GZIP[:-1], "Content-Encoding: gzip"), "truncated-encoding"),
    "gzip with a wrong checksum": (whole(GZIP[:-8] + bytes(8), "Content-Encoding: gzip"), "bad-encoding"),
    "gzip that is not": (whole(BODY, "Content-Encoding: gzip"), "bad-encoding"),
    "br cut in half": (whole(BR[: len(BR) // 2], "Content-Encoding: br"), "truncated-encoding"),
    "br that is not": (whole(BODY, "Content-Encoding: br"), "bad-encoding"),
    "zstd cut in half": (whole(ZSTD[: len(ZSTD) // 2], "Content-Encoding: zstd"), "truncated-encoding"),
    "zstd that is not": (whole(BODY, "Content-Encoding: zstd"), "bad-encoding"),
    "an endless body": ((head(), Endless(bytes(65536))), "too-large"),
    "a length above the cap": ((head("Content-Length: 1000001"), SILENCE), "too-large"),
}  # fmt: skip


@pytest.mark.parametrize("case", WHOLE)
def test_a_whole_body_is_stored_and_what_is_odd_about_it_is_flagged(
    server: FaultServer, store: LocalStore, case: str
) -> None:
    steps, flags = WHOLE[case]
    url = server.serves("/file", *steps)

    capture = downloader(store).fetch(url)

    assert (capture.verdict, capture.size, capture.flags) == ("stored", len(BODY), flags)
    with store.open(capture.sha256 or "") as blob:
        assert blob.read() == BODY


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_reply_ends_in_its_reason_and_leaves_nothing_behind(
    server: FaultServer, store: LocalStore, case: str
) -> None:
    steps, reason = BROKEN[case]
    url = server.serves("/file", *steps)

    capture = downloader(store).fetch(url)

    assert capture.reason == reason
    assert capture.requests <= 2
    assert files_in(store.root, "blobs", "partial") == []


@pytest.mark.parametrize(
    "steps",
    [
        (head(LENGTH), Drip(BODY, 0.05)),
        (head("Content-Length: 500000"), b"x" * 300_000, SILENCE),
        (Drip(head(LENGTH, "X-Slow: " + "a" * 9000), 0.05),),
        (SILENCE,),
    ],
    ids=["a drip", "silence after a burst", "a drip in the head", "silence"],
)
def test_a_server_that_sends_too_little_for_too_long_is_left(
    server: FaultServer, store: LocalStore, steps: tuple[object, ...]
) -> None:
    url = server.serves("/slow", *steps)

    capture = downloader(store, stall_window_seconds=0.3).fetch(url)

    assert (capture.verdict, capture.reason, capture.requests) == ("transient", "too-slow", 1)
    assert files_in(store.root) == []


def test_a_transfer_that_is_fast_enough_still_ends_at_the_deadline(
    server: FaultServer, store: LocalStore
) -> None:
    url = server.serves("/long", head(), Endless(b"x" * 50))

    capture = downloader(store, total_seconds=0.4, max_bytes=10**12).fetch(url)

    assert (capture.verdict, capture.reason) == ("transient", "deadline")
    assert files_in(store.root) == []


@pytest.mark.parametrize("encoding", BOMBS)
def test_a_bomb_is_not_unfolded_to_its_end(server: FaultServer, store: LocalStore, encoding: str) -> None:
    url = server.serves("/bomb", *whole(BOMBS[encoding], f"Content-Encoding: {encoding}"))

    capture = downloader(store, max_bytes=10**9).fetch(url)

    assert (capture.verdict, capture.reason) == ("damaged", "bad-encoding")
    assert files_in(store.root) == []


@pytest.mark.parametrize(
    ("wire", "encoding", "flags"),
    [
        (GZIP, "gzip", ("encoded-gzip",)),
        (BR, "br", ("encoded-br",)),
        (ZSTD, "zstd", ("encoded-zstd",)),
        (brotli.compress(GZIP), "gzip, br", ("encoded-gzip", "encoded-br")),
        (BODY, "compress", ("encoded-compress", "encoding-unverified")),
    ],
    ids=["gzip", "br", "zstd", "gzip in br", "unknown"],
)
def test_the_wire_bytes_of_an_encoded_reply_are_what_is_kept(
    server: FaultServer, store: LocalStore, wire: bytes, encoding: str, flags: tuple[str, ...]
) -> None:
    url = server.serves("/data.csv", *whole(wire, f"Content-Encoding: {encoding}"))

    capture = downloader(store).fetch(url)

    assert (capture.verdict, capture.flags) == ("stored", flags)
    with store.open(capture.sha256 or "") as blob:
        assert blob.read() == wire


@pytest.mark.parametrize("cut", range(0, 65_536, 1_999))
def test_a_body_cut_anywhere_is_never_published(server: FaultServer, store: LocalStore, cut: int) -> None:
    body = bytes(65_536)
    url = server.serves("/cut", head(f"Content-Length: {len(body)}"), body[:cut])

    capture = downloader(store, max_attempts=1).fetch(url)

    assert capture.verdict == "transient"
    assert files_in(store.root) == []
