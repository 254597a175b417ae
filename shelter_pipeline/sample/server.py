"""The sample portal as running servers: HTTP/1.1 on two or more ports of loopback, a thread a connection.

The portal's paths and all files are answered on all ports, so each is another host
only by its name. Every request is logged before its body is sent, so that a test
can say what was asked, when, and how it was answered.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.sample.catalogue import Catalogue
from shelter_pipeline.sample.editing import Editor
from shelter_pipeline.sample.expectations import Expectations
from shelter_pipeline.sample.files import Files
from shelter_pipeline.sample.pages import plain_page
from shelter_pipeline.sample.replies import Reply, Request, html_reply
from shelter_pipeline.sample.shapes import ckan, datagov, dcat_us
from shelter_pipeline.sample.troubles import PORTAL_PATHS, Trouble, Troubles

_BODY_LIMIT = 1_000_000
_NO_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request that was answered: `at` in seconds of the monotonic clock."""

    at: float
    port: int
    method: str
    path: str  # with the query
    status: int


class SamplePortal:
    """The bundled portal, running from creation to `stop()`; also a context manager.

    Port 0 takes a free port; each of `more_ports` is one host more. `hosts` is the address to
    listen on, or two parted by a comma: the first port's, and that of the others. Raises
    SetupError `port-in-use` naming the address that is taken.
    """

    def __init__(
        self,
        port: int = 0,
        second_port: int = 0,
        hosts: str = "127.0.0.1",
        *,
        more_ports: Sequence[int] = (),
        crawl_delay_seconds: int = 0,
    ) -> None:
        self.requests: list[Exchange] = []
        names = hosts.split(",")
        self._servers: list[_Server] = []
        with contextlib.ExitStack() as undo:
            undo.callback(self._close)
            further = ((names[-1], other) for other in (second_port, *more_ports))
            for name, number in ((names[0], port), *further):
                self._servers.append(_bound(name.strip(), number, self))
            undo.pop_all()
        self.file_bases = tuple(server.base for server in self._servers)
        self.base_url = self.file_bases[0]
        self.edit = Editor(Catalogue(self.base_url, self.file_bases))
        self._troubles = Troubles()
        self._files = Files(self.catalogue.site)
        self._crawl_delay_seconds = crawl_delay_seconds
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(0.05,)) for server in self._servers
        ]
        for thread in self._threads:
            thread.start()

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue as it is now; `edit` changes it."""
        return self.edit.catalogue

    @cached_property
    def expectations(self) -> Expectations:
        """How a correct rescue of this portal, as it is when this is first asked, must end."""
        return Expectations(self.catalogue)

    def misbehave(
        self,
        trouble: Trouble | str,
        *,
        requests: int = 1,
        after: int = 0,
        paths: tuple[str, ...] = PORTAL_PATHS,
        retry_after_seconds: int = 1,
    ) -> None:
        """`requests` requests for what begins with one of `paths` meet this trouble, once `after` were answered."""
        self._troubles.announce(
            Trouble(trouble),
            requests=requests,
            after=after,
            paths=paths,
            retry_after_seconds=retry_after_seconds,
        )

    def behave(self) -> None:
        """End every trouble."""
        self._troubles.end()

    def answer(self, request: Request) -> Reply:
        """The reply to any request."""
        return self._troubles.answer(request) or self._answer(request)

    def _answer(self, request: Request) -> Reply:
        if self.catalogue.site.at(request.path):  # before the protocols: a repository has an /api too
            return self._files.answer(request)
        if request.path == "/data.json":
            return dcat_us.data_json(self.catalogue)
        if request.path == "/robots.txt":
            return datagov.robots(self.catalogue, self._crawl_delay_seconds)
        if request.path == "/" or request.path.startswith("/dataset/"):
            return self._page(request)
        return (
            ckan.answer(self.catalogue, request)
            or datagov.answer(self.catalogue, request)
            or self._files.answer(request)
        )

    def _page(self, request: Request) -> Reply:
        if request.path == "/":
            return html_reply(
                plain_page("Sample portal", "See /search, /data.json and /api/3/action/package_search.")
            )
        row = self.catalogue.by_name.get(request.path.removeprefix("/dataset/"))
        return (
            html_reply(plain_page(row.title, row.record["description"]))
            if row
            else self._files.answer(request)
        )

    def stop(self) -> None:
        """Close both ports and all connections; stopping twice is no error."""
        for server in self._servers:
            server.shutdown()
        self._close()
        for thread in self._threads:
            thread.join()

    def _close(self) -> None:
        for server in self._servers:
            server.close_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # joined when the server closes: no thread outlives its portal
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], portal: SamplePortal) -> None:
        self.portal = portal
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)
        self.base = f"http://{address[0]}:{self.server_address[1]}"

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is none of our errors."""

    def close_all(self) -> None:
        """Stop listening and hang up on everybody."""
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


def _bound(host: str, port: int, portal: SamplePortal) -> _Server:
    try:
        return _Server((host, port), portal)
    except OSError as error:
        raise SetupError(f"cannot listen on {host}:{port}: {error}", reason="port-in-use") from error


class _Handler(BaseHTTPRequestHandler):
    """Reads a request whole, has it answered, and sends the reply as told, faults included."""

    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024  # head and small body leave in one segment
    timeout = 60

    def version_string(self) -> str:
        return "Sample/1"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing to the terminal: the portal keeps its own log."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        body = self._read_body()
        if body is None:
            self.close_connection = True
            self.send_error(413)
            return
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(self.command, parts.path, query, self.headers, body)
        reply = self.server.portal.answer(request)
        port = self.server.server_address[1]
        self.server.portal.requests.append(
            Exchange(time.monotonic(), port, self.command, self.path, reply.status)
        )
        self._send(reply)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def _read_body(self) -> bytes | None:
        """The request's body, so that the next request on the connection starts where it should."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _BODY_LIMIT or "Transfer-Encoding" in self.headers:
            return None
        return self.rfile.read(int(length))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.length is None:
            self.send_header("Transfer-Encoding", "chunked")
        elif reply.status not in _NO_BODY:
            self.send_header("Content-Length", str(reply.length))
        self.end_headers()
        if self.command == "HEAD" or reply.status in _NO_BODY:
            return
        for piece in self._pieces(reply):
            self.wfile.write(piece)

    def _pieces(self, reply: Reply) -> Iterator[bytes]:
        left = reply.dies_after
        for piece in reply.body:
            if left is not None and len(piece) >= left:
                self.close_connection = True
                yield piece[:left]
                return
            left = None if left is None else left - len(piece)
            yield piece if reply.length is not None else b"%x\r\n%b\r\n" % (len(piece), piece)
        if reply.length is None:
            yield b"0\r\n\r\n"
