"""The generated portals on one port of loopback, in a process of their own.

Pages leave by sendfile(2) from the file they were generated into, so that the server is
not what limits a harvest; `GET /-/seconds` tells how much CPU time it took all the same.
Run as `python -m benchmarks.server FOLDER`: the first line of its output is its URL.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import socketserver
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from benchmarks.editions import Edition
from benchmarks.portal_replies import CkanReplies, DatagovReplies, Pieces, Stretch, document

_CKAN = re.compile(r"(?:/first-(?P<limit>\d+))?/api/(?:3/)?action/(?P<action>\w+)\Z")
_EDITION = re.compile(r"/-/(?P<edition>first|changed)\Z")


class Site:
    """All portals whose editions stand in a folder."""

    def __init__(self, folder: Path) -> None:
        self._editions = {path.stem: Edition(folder, path.stem) for path in folder.glob("*.about")}
        self._datagov = DatagovReplies(self._editions["datagov"]) if "datagov" in self._editions else None
        self._changed = False
        self._ckan: dict[str | None, CkanReplies] = {}

    def answer(self, target: str, form: dict[str, Any], base: str) -> Pieces | None:
        """The body of the reply, None where there is nothing. ValueError or KeyError for what is asked wrongly."""
        parts = urlsplit(target)
        query = {name: str(value) for name, value in {**dict(parse_qsl(parts.query)), **form}.items()}
        if (said := self._of_the_server(parts.path)) is not None:
            return said
        if parts.path == "/data.json" and "dcat_us" in self._editions:
            return document(self._editions["dcat_us"], changed=self._changed)
        if (asked := _CKAN.match(parts.path)) and "ckan" in self._editions:
            return self._ckan_of(asked["limit"]).answer(asked["action"], query, changed=self._changed)
        if self._datagov is not None:
            return self._datagov.answer(parts.path, query, base=base, changed=self._changed)
        return None

    def _of_the_server(self, path: str) -> Pieces | None:
        if path == "/robots.txt":
            return [b"User-agent: *\nDisallow:\n"]
        if path == "/-/seconds":
            return [msgspec.json.encode(sum(os.times()[:2]))]
        if chosen := _EDITION.match(path):
            self._changed = chosen["edition"] == "changed"
            return [b"{}"]
        return None

    def _ckan_of(self, limit: str | None) -> CkanReplies:
        if limit not in self._ckan:
            self._ckan[limit] = CkanReplies(self._editions["ckan"], int(limit) if limit else None)
        return self._ckan[limit]


class _Handler(socketserver.StreamRequestHandler):
    """HTTP/1.1 as far as a catalogue needs it: GET, HEAD and POST, one request after the other."""

    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        while self._serve_one():
            pass

    def _serve_one(self) -> bool:
        words = self.rfile.readline(65536).decode("latin-1").split()
        if len(words) != 3:
            return False
        headers = self._headers()
        body = self.rfile.read(int(headers.get("content-length", "0")))
        form = msgspec.json.decode(body) if body[:1] == b"{" else {}
        try:
            pieces = self.server.site.answer(words[1], form, f"http://{headers.get('host', '')}")
        except (ValueError, KeyError):
            self._send("400 Bad Request", [b'{"error":"bad request"}'], words[0])
            return True
        missing: Pieces = [b'{"message":"Not Found","detail":{}}']
        self._send(*(("404 Not Found", missing) if pieces is None else ("200 OK", pieces)), words[0])
        return headers.get("connection", "").lower() != "close"

    def _headers(self) -> dict[str, str]:
        headers = {}
        while line := self.rfile.readline(65536).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return headers

    def _send(self, status: str, pieces: Pieces, method: str) -> None:
        length = sum(piece.length if isinstance(piece, Stretch) else len(piece) for piece in pieces)
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        waiting = head.encode()
        for piece in [] if method == "HEAD" else pieces:
            if isinstance(piece, Stretch):
                self.connection.sendall(waiting)
                waiting = b""
                _send_stretch(self.connection, piece)
            else:
                waiting += piece
        self.connection.sendall(waiting)


def _send_stretch(connection: socket.socket, piece: Stretch) -> None:
    source, offset, end = piece.edition.file.fileno(), piece.offset, piece.offset + piece.length
    while offset < end:
        offset += os.sendfile(connection.fileno(), source, offset, end - offset)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, site: Site) -> None:
        self.site = site
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is none of our errors."""


def main() -> None:
    """Serve the folder until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    with _Server(Site(parser.parse_args().folder)) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
