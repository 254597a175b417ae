"""Requests as no client would send them: byte by byte, over sockets of our own."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

_SECONDS = 30.0


@contextmanager
def connections(url: str, count: int) -> Iterator[list[socket.socket]]:
    """So many open connections to a server."""
    place = urlsplit(url)
    with ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection((place.hostname, place.port), timeout=_SECONDS))
            for _ in range(count)
        ]


def converse(url: str, data: bytes) -> bytes:
    """Send this and return everything that comes back until the server closes, or says nothing for a while."""
    with connections(url, 1) as [one]:
        one.settimeout(_SECONDS)
        answer = b""
        try:
            one.sendall(data)
            while piece := one.recv(65536):
                answer += piece
        except (ConnectionError, TimeoutError):
            pass
        return answer


def status_of(answer: bytes) -> int:
    """The status of the first answer; 0 if there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def drip_until_closed(sockets: Sequence[socket.socket], drops: Sequence[bytes]) -> int:
    """Send each its next byte now and then until the server has closed them; returns how many it has not."""
    left = {one: iter(drop) for one, drop in zip(sockets, drops, strict=True)}
    until = time.monotonic() + _SECONDS
    while left and time.monotonic() < until:
        for one in select.select(list(left), [], [], 0.2)[0]:
            try:
                if one.recv(65536):
                    continue
            except ConnectionError:
                pass
            del left[one]
        for one, drop in list(left.items()):
            byte = next(drop, None)
            if byte is not None:
                try:
                    one.send(bytes([byte]))
                except ConnectionError:
                    del left[one]
    return len(left)
