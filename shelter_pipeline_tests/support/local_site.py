"""A real web server on loopback that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shelter_pipeline.fetching.door import Door
from shelter_pipeline.fetching.limits import Limits


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answered:
    """One reply: bytes, or anything else as JSON."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class LocalSite:
    """Pages by path; a path may answer differently each time, and by its query."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []
        self._answers: dict[str, Callable[[Asked], Answered]] = {}

    def serves(self, path: str, body: Any, status: int = 200, **headers: str) -> str:
        """Always this reply; a header `content_type` is sent as `content-type`. Returns the URL."""
        return self.answers(path, lambda _: Answered(body, status, _named(headers)))

    def serves_in_turn(self, path: str, *replies: Answered) -> str:
        """The first reply to the first request and so on; the last one from then on."""
        waiting = list(replies)
        return self.answers(path, lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0])

    def answers(self, path: str, answer: Callable[[Asked], Answered]) -> str:
        self._answers[path] = answer
        return self.url + path

    def reply_to(self, asked: Asked) -> Answered:
        self.asked.append(asked)
        answer = self._answers.get(asked.path)
        return answer(asked) if answer else Answered(b"no such page", 404)


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@contextmanager
def local_site() -> Iterator[LocalSite]:
    """A site for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 64 * 1024  # head and small body leave in one segment

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            answered = site.reply_to(Asked(parts.path, query, dict(self.headers.items())))
            body = answered.bytes()
            self.send_response(answered.status)
            for name, value in answered.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with suppress(ConnectionError):  # whoever asked may have seen enough
                self.wfile.write(body)
                self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: the test's output is its own."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = LocalSite(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def open_door(**overrides: Any) -> Door:
    """A real door that may dial loopback."""
    limits = {
        "connect_seconds": 5,
        "head_seconds": 20,
        "total_seconds": 60,
        "stall_window_seconds": 30,
        "min_bytes_per_second": 1,
        "max_bytes": 2**30,
        "max_redirects": 5,
    }
    return Door(
        Limits(**(limits | overrides)),
        allowed_networks=[ip_network("127.0.0.0/8")],
        user_agent="shelter-tests",
    )
