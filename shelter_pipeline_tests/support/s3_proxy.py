"""A proxy before an S3 server that loses requests, replies and connections, or makes the server less able.

Requests go to the real server; a rule decides for each of them what happens on the way.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from shelter_pipeline_tests.support.seaweedfs import KEY, SECRET

_HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}


@dataclass(frozen=True)
class Request:
    """One request that came by."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    size: int


@dataclass(frozen=True)
class Way:
    """What happens to a request on its way."""

    status: int | None = None  # answered by the proxy, the server hears nothing
    take_bytes: int | None = None  # the connection breaks after so many bytes of the body
    give_bytes: int | None = (
        None  # the connection breaks after so many bytes of the reply's body; -1: before its head
    )
    wait_seconds: float = 0
    forget: tuple[str, ...] = ()  # fields that the server never sees


Rule = Callable[[Request], "Way | None"]


@dataclass
class S3Proxy:
    """Running within its block; `rule` may be changed at any time."""

    port: int
    rule: Rule = lambda _: None
    requests: list[Request] = field(default_factory=list)

    def __enter__(self) -> Self:
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def seen(self, method: str, *words: str) -> list[Request]:
        """Requests of this method whose query has these words."""
        return [one for one in self.requests if one.method == method and set(words) <= set(one.query)]


class _Handler(BaseHTTPRequestHandler):
    owner: S3Proxy
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        with suppress(ConnectionError, http.client.HTTPException):
            super().handle()

    def pass_on(self) -> None:
        parts = urlsplit(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        query = parse_qs(parts.query, keep_blank_values=True)
        request = Request(self.command, parts.path, query, dict(self.headers.items()), size)
        self.owner.requests.append(request)
        way = self.owner.rule(request) or Way()
        time.sleep(way.wait_seconds)
        if way.take_bytes is not None:
            self.rfile.read(min(size, way.take_bytes))
            self._hang_up()
            return
        body = self.rfile.read(size)
        if way.status is not None:
            self._answer(way.status, {"Content-Type": "application/xml"}, b"")
            return
        status, headers, reply = self._ask(request, way, body)
        if way.give_bytes == -1:
            self._hang_up()
            return
        self._answer(status, headers, reply, way.give_bytes)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = pass_on  # noqa: N815 - as http.server wants it

    def _ask(self, request: Request, way: Way, body: bytes) -> tuple[int, dict[str, str], bytes]:
        fields = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        if way.forget:
            fields = self._signed_anew(fields, way.forget)
        server = http.client.HTTPConnection("127.0.0.1", self.owner.port, timeout=30)
        try:
            server.request(request.method, self.path, body, fields)
            reply = server.getresponse()
            headers = {name: value for name, value in reply.getheaders() if name.lower() not in _HOP}
            return reply.status, headers, reply.read()
        finally:
            server.close()

    def _signed_anew(self, fields: dict[str, str], forget: tuple[str, ...]) -> dict[str, str]:
        dropped = {
            *forget,
            "authorization",
            "x-amz-date",
            "x-amz-content-sha256",
            "amz-sdk-invocation-id",
            "amz-sdk-request",
        }
        kept = {name: value for name, value in fields.items() if name.lower() not in dropped}
        anew = AWSRequest(self.command, f"http://{kept['Host']}{self.path}", kept)
        anew.context["client_config"] = Config(s3={"payload_signing_enabled": False})
        S3SigV4Auth(Credentials(KEY, SECRET), "s3", "us-east-1").add_auth(anew)
        return dict(anew.headers.items())

    def _answer(self, status: int, headers: dict[str, str], body: bytes, only: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() != "content-length":
                self.send_header(name, value)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(body[:only])
        if only is not None:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()
