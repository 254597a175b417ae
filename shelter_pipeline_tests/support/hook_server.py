"""A web server on loopback that takes JSON documents by POST, and can refuse, redirect or never end."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


@dataclass
class HookServer:
    """How it answers, and what it was sent, by path."""

    status: int = 200
    location: str = ""
    endless: bool = False
    url: str = ""
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def documents(self) -> list[dict[str, Any]]:
        return [document for _, document in self.taken]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        hook = cast("_Server", self.server).hook
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if hook.status in range(200, 300):
            hook.taken.append((self.path, json.loads(body)))
        self.send_response(hook.status)
        if hook.location:
            self.send_header("Location", hook.location)
        self.end_headers()
        try:
            while hook.endless:
                self.wfile.write(bytes(4096))
        except OSError:
            pass

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    hook: HookServer


@contextmanager
def serving_hooks(hook: HookServer) -> Iterator[HookServer]:
    """The server for the length of a block."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.hook, hook.url = hook, f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        try:
            yield hook
        finally:
            server.shutdown()
