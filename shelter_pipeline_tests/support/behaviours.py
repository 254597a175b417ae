"""Behaviours of servers that more than one test needs: ranges, redirects, encodings, bombs.

Each is what `FaultServer.serves` or `serves_in_turn` takes. Nothing here is random, so a
failure shows again.
"""

from __future__ import annotations

import gzip
import random
import sys
import zlib
from collections.abc import Callable
from functools import cache

import brotli

from shelter_pipeline_tests.support.fault_server import (
    KEEP,
    Behaviour,
    FaultServer,
    Step,
    field,
    head,
    whole,
)

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that no encoding makes smaller, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def redirect(location: str, status: str = "302 Found", body: bytes = b"") -> tuple[Step, ...]:
    return whole(body, f"Location: {location}", status=status)


def redirect_chain(server: FaultServer, name: str, length: int, last: str) -> str:
    """The URL from which `length` redirects lead to `last`."""
    for number in range(length):
        there = last if number == length - 1 else f"/{name}/{number + 1}"
        server.serves(f"/{name}/{number}", *redirect(there))
    return server.url(f"/{name}/0")


def cut_after(body: bytes, count: int, *fields: str) -> tuple[Step, ...]:
    """A reply that announces the whole body and breaks after `count` bytes of it."""
    return (head(f"Content-Length: {len(body)}", *fields), body[:count])


def rest_of(
    body: bytes, first: int, *fields: str, last: int | None = None, total: int | None = None
) -> tuple[Step, ...]:
    """A 206 with everything from `first` on; `last` and `total` may be made to lie."""
    last = len(body) - 1 if last is None else last
    span = f"Content-Range: bytes {first}-{last}/{len(body) if total is None else total}"
    return whole(body[first:], span, *fields, status="206 Partial Content")


def ranged(body: bytes, etag: str) -> Callable[[str], tuple[Step, ...]]:
    """An honest server of one version: ranges from a first byte on, under `If-Range`."""

    def answer(request: str) -> tuple[Step, ...]:
        asked, condition = field(request, "Range"), field(request, "If-Range")
        if asked is None or condition not in (None, etag):
            return whole(body, f"ETag: {etag}", "Accept-Ranges: bytes")
        first = int(asked.removeprefix("bytes=").rstrip("-"))
        if first >= len(body):
            return whole(b"", f"Content-Range: bytes */{len(body)}", status="416 Range Not Satisfiable")
        return rest_of(body, first, f"ETag: {etag}")

    return answer


def only_to_ranges(answer: Behaviour, otherwise: Behaviour) -> Callable[[str], tuple[Step, ...]]:
    """`answer` to a request for a part, `otherwise` to one for all."""

    def choose(request: str) -> tuple[Step, ...]:
        chosen = answer if field(request, "Range") else otherwise
        return tuple(chosen(request) if callable(chosen) else chosen)

    return choose


def by_method(*, get: Behaviour, head: Behaviour) -> Callable[[str], tuple[Step, ...]]:
    """Another answer to HEAD than to GET."""

    def choose(request: str) -> tuple[Step, ...]:
        chosen = head if request.startswith("HEAD ") else get
        return tuple(chosen(request) if callable(chosen) else chosen)

    return choose


def chunked(*pieces: bytes, last: bytes = b"0\r\n\r\n") -> tuple[Step, ...]:
    """A chunked reply whose pieces are sent as they stand."""
    return (head("Transfer-Encoding: chunked") + b"".join(pieces) + last, KEEP)


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": zstd.compress,
}


def encoded(body: bytes, *names: str) -> bytes:
    """`body` under each of these content codings, in their order."""
    for name in names:
        body = ENCODERS[name](body)
    return body


@cache
def bomb(name: str, size: int = 300_000_000) -> bytes:
    """A few bytes that unfold to `size` zeros."""
    piece = bytes(1_000_000)
    if name == "br":
        compressor = brotli.Compressor(quality=3)
        return b"".join(
            [*(compressor.process(piece) for _ in range(size // len(piece))), compressor.finish()]
        )
    if name == "zstd":
        folder = zstd.ZstdCompressor()
        return b"".join([*(folder.compress(piece) for _ in range(size // len(piece))), folder.flush()])
    fold = zlib.compressobj(1, wbits=31 if name == "gzip" else 15)
    return b"".join([*(fold.compress(piece) for _ in range(size // len(piece))), fold.flush()])
