"""The other side of docs/how-to/node-protocol.md, as the document says it, with faults: for tests of nodes alone.

    with NodeApi() as api:
        api.wants("https://example.gov/a.csv", size=5)
        ...
        assert api.settled == {1: "stored"}

It is no Shelter: it keeps leases, idempotency keys, uploads and challenges in memory, counts
nothing on a node's word, and remembers what it was told. `fault` is asked of every request
and may answer in its place: a status, `"drop"` (nothing is done, the connection breaks) or
`"lose"` (it is done, and the answer gets lost).
"""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

Fault = Callable[[str, str], int | str | None]


@dataclass
class Asset:
    """One file that is wanted; `token` and `until` while it is leased."""

    id: int
    item: dict[str, Any]
    holder: str | None = None
    token: int | None = None
    until: float = 0.0
    begun: bool = False


@dataclass
class NodeApi:
    """An API on loopback for the length of a block."""

    lease_seconds: float = 30.0
    heartbeat_seconds: float = 0.2
    minimum_version: str = "0"
    wants_uploads: bool = True
    fault: Fault = lambda _method, _path: None
    assets: dict[int, Asset] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)  # what a mirror serves
    settled: dict[int, str] = field(default_factory=dict)  # reason by asset, once each
    outcomes: list[tuple[int, str]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    released: list[int] = field(default_factory=list)
    uploads: dict[int, dict[str, Any]] = field(default_factory=dict)
    uploaded: dict[str, bytes] = field(default_factory=dict)
    challenges: dict[int, dict[str, Any]] = field(default_factory=dict)
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    nodes: dict[str, str] = field(default_factory=dict)  # token by name
    invitations: set[str] = field(default_factory=set)
    refuses: set[int] = field(default_factory=set)  # assets whose results make a letter a bad request
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    begun: set[int] = field(default_factory=set)
    allocations: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.lock = threading.RLock()
        self._replies: dict[str, tuple[Any, tuple[int, Any]]] = {}
        self._numbers = Counter[str]()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True
        ).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    # What a test asks for and sees

    def wants(self, url: str, *, purpose: str = "fetch", **more: Any) -> int:
        """One file more is wanted; `more` are fields of its item. Returns its number."""
        with self.lock:
            number = self._next("asset")
            host = urlsplit(url).netloc or "example.org:443"
            item = {
                "id": number,
                "url": url,
                "size_mb": 0.1,
                "size_bytes": None,
                "priority": 5,
                "name": url.rpartition("/")[2],
                "purpose": purpose,
                "sha256": None,
                "mirror": None,
                "host": host,
                "connections": 4,
                "delay_seconds": 0.0,
                "dataset": {"id": 1, "title": "A dataset", "organization": "epa-gov"},
            }
            self.assets[number] = Asset(number, item | more)
            return number

    def mirrors(self, data: bytes) -> int:
        """A file that is held already, of which a copy is wanted."""
        sha256 = hashlib.sha256(data).hexdigest()
        self.files[sha256] = data
        return self.wants(
            "",
            purpose="copy",
            sha256=sha256,
            mirror=f"/files/{sha256}",
            size_bytes=len(data),
            size_mb=len(data) / 1e6,
        )

    def challenges_for(self, sha256: str, data: bytes, *ranges: tuple[int, int]) -> int:
        """A challenge for a file; returns its number."""
        with self.lock:
            number = self._next("challenge")
            self.challenges[number] = {
                "id": number,
                "sha256": sha256,
                "size": len(data),
                "nonce": secrets.token_hex(32),
                "ranges": [list(each) for each in ranges],
                "deadline": "2999-01-01T00:00:00Z",
            }
            return number

    def expire(self, number: int) -> None:
        """Its lease is over, and it is somebody else's."""
        with self.lock:
            asset = self.assets[number]
            asset.holder, asset.token = "somebody-else", self._next("token")

    @property
    def open_assets(self) -> list[int]:
        """Files that nobody has settled."""
        return [number for number in self.assets if number not in self.settled]

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(1 for _, asked, _ in list(self.asked) if asked == path)

    # The protocol

    def answer(self, method: str, path: str, headers: Any, body: Any) -> tuple[int, Any]:
        with self.lock:
            self.asked.append((method, path, body))
            key = headers.get("Idempotency-Key")
            if key and key in self._replies:
                before, reply = self._replies[key]
                return reply if before == body else (409, _error("idempotency-conflict", "another body"))
            reply = self._answer(method, path, headers, body)
            if key:
                self._replies[key] = (body, reply)
            return reply

    def _answer(self, method: str, path: str, headers: Any, body: Any) -> tuple[int, Any]:
        if path == "/health":
            return 200, {"status": "ok"}
        if headers.get("Shelter-Node-Version", "0") < self.minimum_version:
            return 426, _error(
                "too-old", f"Shelter {self.minimum_version} is needed; run: pip install -U shelter"
            )
        token = (headers.get("Authorization") or "").removeprefix("Bearer ")
        node = next((name for name, known in self.nodes.items() if known == token), None)
        if path == "/nodes" and token in ("", *self.invitations):
            return self._register(body)
        if node is None:
            return 401, _error("no-token", "This needs a token.")
        if path == "/nodes":
            return 403, _error("not-allowed", "This token does not let you do that.")
        return self._served(node, method, path, body)

    def _served(self, node: str, method: str, path: str, body: Any) -> tuple[int, Any]:
        if method == "GET":
            return self._listed(path)
        if path.startswith("/challenges/"):
            return self._challenged(int(path.rpartition("/")[2]), body)
        if path == f"/nodes/{node}/sign-off":
            return 200, {
                "status": "signed-off",
                "released": self._release(node, None),
                "copies": len(self.settled),
            }
        serve = {
            "/allocate": self._allocate,
            "/heartbeat": self._heartbeat,
            "/release": self._released,
            "/complete": self._complete,
        }.get(path)
        return serve(node, body) if serve else (404, _error("not-found", "There is no such thing."))

    def _register(self, body: dict[str, Any]) -> tuple[int, Any]:
        name = body.get("name") or f"node-{len(self.nodes) + 1}"
        if name in self.nodes:
            return 409, _error("name-taken", f"{name} is somebody else")
        self.nodes[name] = f"shelter_{secrets.token_urlsafe(32)}"
        return 201, {
            "node_id": name,
            "token": self.nodes[name],
            "lease_seconds": self.lease_seconds,
            "heartbeat_seconds": self.heartbeat_seconds,
            "minimum_version": self.minimum_version,
        }

    def _allocate(self, node: str, body: dict[str, Any]) -> tuple[int, Any]:
        self.allocations.append(body)
        free, given = body["free_space_gb"] * 1e9, []
        for asset in self.assets.values():
            is_free = asset.id not in self.settled and (asset.token is None or asset.until < time.monotonic())
            size = asset.item["size_bytes"] or asset.item["size_mb"] * 1e6
            if not is_free or size > free or len(given) == body.get("limit", 20):
                continue
            free -= size
            asset.holder, asset.token, asset.begun = node, self._next("token"), False
            asset.until = time.monotonic() + self.lease_seconds
            given.append(asset.item | {"token": asset.token, "lease_seconds": self.lease_seconds})
        return 200, given

    def _heartbeat(self, node: str, body: dict[str, Any]) -> tuple[int, Any]:
        held = {asset.token: asset for asset in self.assets.values() if asset.holder == node}
        renewed = [token for token in body["tokens"] if token in held]
        for token in renewed:
            held[token].until = time.monotonic() + self.lease_seconds
        self.begun |= {held[token].id for token in body.get("begun", []) if token in held}
        return 200, {
            "renewed": renewed,
            "lost": [token for token in body["tokens"] if token not in held],
            "lease_seconds": self.lease_seconds,
            "heartbeat_seconds": self.heartbeat_seconds,
            "challenges": len(self.challenges.keys() - self.answers.keys()),
            "uploads": len(self.uploads),
            "message": None,
        }

    def _released(self, node: str, body: dict[str, Any]) -> tuple[int, Any]:
        chosen = None if body.get("all") else set(body.get("asset_ids") or [body.get("asset_id")])
        count = self._release(node, chosen)
        return 200, {"status": "released", "message": f"{count} given back"}

    def _release(self, node: str, chosen: set[Any] | None) -> int:
        mine = [
            asset
            for asset in self.assets.values()
            if asset.holder == node
            and (chosen is None or asset.id in chosen)
            and asset.id not in self.settled
        ]
        for asset in mine:
            asset.holder = asset.token = None
            self.released.append(asset.id)
        return len(mine)

    def _complete(self, node: str, body: dict[str, Any]) -> tuple[int, Any]:
        assert len(body["results"]) <= 200
        if self.refuses & {result["asset_id"] for result in body["results"]}:
            return 422, _error("bad-request", "A result is not as documented.")
        said = [self._settle(node, result) for result in body["results"]]
        return 200, {"results": said, "trust": 0.3}

    def _settle(self, node: str, result: dict[str, Any]) -> dict[str, Any]:
        number, token = result["asset_id"], result["token"]
        asset, proof = self.assets[number], None
        outcome = "settled" if asset.holder == node and asset.token == token else "late"
        self.results.append(result)
        self.outcomes.append((number, outcome))
        if outcome == "settled":
            assert number not in self.settled, f"{number} was settled twice"
            self.settled[number] = result["reason"]
            asset.holder = asset.token = None
        if outcome == "settled" and result["verdict"] == "stored" and self.wants_uploads:
            upload = self._next("upload")
            self.uploads[upload] = {
                "id": upload,
                "sha256": result["sha256"],
                "size": result["size"],
                "deadline": None,
            }
            proof = {"id": upload, "kind": "upload", "upload": f"/uploads/{upload}", "deadline": None}
        return {"asset_id": number, "token": token, "outcome": outcome, "message": "", "proof": proof}

    def _listed(self, path: str) -> tuple[int, Any]:
        if path == "/uploads":
            return 200, {"uploads": list(self.uploads.values())}
        if path == "/challenges":
            return 200, {
                "challenges": [one for one in self.challenges.values() if one["id"] not in self.answers]
            }
        return 404, _error("not-found", "There is no such thing.")

    def _challenged(self, number: int, body: dict[str, Any]) -> tuple[int, Any]:
        self.answers[number] = body
        return 200, {"outcome": "missing" if body.get("missing") else "passed", "trust": 0.4, "message": ""}

    def take_upload(self, number: int, data: bytes) -> tuple[int, Any]:
        with self.lock:
            wanted = self.uploads.pop(number)
            sha256 = hashlib.sha256(data).hexdigest()
            self.uploaded[sha256] = data
            outcome = "counted" if sha256 == wanted["sha256"] else "mismatch"
            return 201, {"sha256": sha256, "size": len(data), "outcome": outcome, "trust": 0.5}

    def _next(self, name: str) -> int:
        self._numbers[name] += 1
        return self._numbers[name]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def _error(slug: str, message: str) -> dict[str, Any]:
    return {"error": slug, "message": message, "problems": []}


def _handler(api: NodeApi) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"api": api})


class _Handler(BaseHTTPRequestHandler):
    api: NodeApi

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def _serve(self, method: str) -> None:
        path = urlsplit(self.path).path
        fault = self.api.fault(method, path)
        if fault == "drop":
            self.close_connection = True
            return
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length)
        if len(data) < length:  # whoever asked was killed in the middle: half a request is none
            self.close_connection = True
            return
        if isinstance(fault, int):
            self._reply(fault, _error("a-fault", "as was asked for"), later=True)
            return
        if method == "GET" and path.startswith("/files/"):
            self._serve_file(self.api.files[path.removeprefix("/files/")])
            return
        if method == "PUT":
            status, answer = self.api.take_upload(int(path.rpartition("/")[2]), data)
        else:
            body = json.loads(data) if data else None
            status, answer = self.api.answer(method, path, self.headers, body)
        if fault == "lose":
            self.close_connection = True
            return
        self._reply(status, answer)

    def _reply(self, status: int, answer: Any, *, later: bool = False) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if later:
            self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(data)

    def _serve_file(self, data: bytes) -> None:
        asked = self.headers.get("Range")
        first = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        with self.api.lock:
            self.api.asked.append(("GET", self.path, first))
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        cut = self.api.fault("FILE", self.path)
        rest = data[first:]
        self.wfile.write(rest[: len(rest) // 2] if cut == "drop" else rest)
        self.close_connection = cut == "drop"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the test's output is its own."""
