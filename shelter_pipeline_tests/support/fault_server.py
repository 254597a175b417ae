"""A server on loopback that misbehaves on purpose: raw sockets, one path a behaviour.

    with FaultServer() as server:
        server.serves("/cut", head("Content-Length: 20"), b"half of it")
        Door(...).read(server.url("/cut"))
        assert server.requests("/cut") == 1

A behaviour is a sequence of steps: bytes are sent, `Pause` waits (and gives up when the
server stops), `RESET` breaks the connection by RST, `CUT` ends it without TLS's goodbye,
`KEEP` leaves it open for the next request, `SILENCE` holds it open without a word; without
any of them the connection is closed politely. Given several behaviours, a path shows one a
request, the last for ever. A callable is given the request's head and returns the steps;
`on_connect` is played before a request is read. The log (requests, when they came, how many
at once, bytes sent) is the oracle of politeness and of what a resume saves.
"""

from __future__ import annotations

import itertools
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Drip:
    """Bytes one by one, with a pause after each."""

    data: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Endless:
    """The same bytes again and again, until nobody listens."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same bytes so many times."""

    data: bytes
    times: int


RESET = object()
CUT = object()
KEEP = object()
SILENCE = object()

Step = bytes | Pause | Drip | Endless | object
Behaviour = Sequence[Step] | Callable[[str], Sequence[Step]]


def head(*fields: str, status: str = "200 OK", version: str = "HTTP/1.1") -> bytes:
    return "\r\n".join((f"{version} {status}", *fields, "", "")).encode("latin-1")


def whole(body: bytes, *fields: str, status: str = "200 OK") -> tuple[Step, ...]:
    return (head(f"Content-Length: {len(body)}", *fields, status=status) + body, KEEP)


def chunks(*parts: bytes) -> bytes:
    return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts)


def field(request: str, name: str) -> str | None:
    """The value of a request's header field."""
    for line in request.split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name.lower():
            return value.strip()
    return None


@dataclass(frozen=True, slots=True)
class Seen:
    path: str
    head: str
    at: float


class FaultServer:
    def __init__(
        self,
        address: str = "127.0.0.1",
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        on_connect: Sequence[Step] = (),
    ) -> None:
        self._listener = socket.create_server((address, port), backlog=128)
        self._address = address
        self._tls = tls
        self._on_connect = tuple(on_connect)
        self._behaviours: dict[str, list[Behaviour]] = {}
        self._otherwise: Behaviour = whole(b"no such behaviour", status="404 Not Found")
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.log: list[Seen] = []
        self.sent: Counter[str] = Counter()  # bytes by path, heads included
        self.accepted = 0
        self.busy = 0
        self.most_busy = 0
        self.most_connected = 0

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def url(self, path: str, *, host: str | None = None) -> str:
        return f"{'https' if self._tls else 'http'}://{host or self._address}:{self.port}{path}"

    def serves(self, path: str, *steps: Step) -> str:
        return self.serves_in_turn(path, steps)

    def serves_in_turn(self, path: str, *behaviours: Behaviour) -> str:
        self._behaviours[path] = list(behaviours)
        return self.url(path)

    def serves_all_else(self, behaviour: Behaviour) -> None:
        """What a path without a behaviour of its own shows, from now on; so a server can go on for ever."""
        self._otherwise = behaviour

    def requests(self, path: str) -> int:
        return len(self.heads(path))

    def heads(self, path: str) -> list[str]:
        with self._lock:
            return [seen.head for seen in self.log if seen.path == path]

    def gaps(self, path: str) -> list[float]:
        """Seconds between the arrivals of requests for `path`, in their order."""
        with self._lock:
            times = [seen.at for seen in self.log if seen.path == path]
        return [later - earlier for earlier, later in itertools.pairwise(times)]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            open_connections = list(self._connections)
        for connection in open_connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _peer = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.accepted += 1
                self._connections.add(connection)
                self.most_connected = max(self.most_connected, len(self._connections))
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(OSError):
                self._converse(self._shake_hands(connection))
        with self._lock:
            self._connections.discard(connection)

    def _shake_hands(self, connection: socket.socket) -> socket.socket:
        if self._tls is None:
            return connection
        connection.settimeout(10)
        return self._tls.wrap_socket(connection, server_side=True)

    def _converse(self, connection: socket.socket) -> None:
        with connection:
            if self._on_connect and not self._play(connection, (*self._on_connect, KEEP), ""):
                return
            while (request := _read_head(connection)) and self._answer(connection, request):
                pass

    def _answer(self, connection: socket.socket, request: str) -> bool:
        path = request.split(" ", 2)[1]
        with self._lock:
            self.log.append(Seen(path, request, time.monotonic()))
            self.busy += 1
            self.most_busy = max(self.most_busy, self.busy)
            queue = self._behaviours.get(path) or [self._otherwise]
            behaviour = queue.pop(0) if len(queue) > 1 else queue[0]
        try:
            return self._play(connection, behaviour(request) if callable(behaviour) else behaviour, path)
        finally:
            with self._lock:
                self.busy -= 1

    def _play(self, connection: socket.socket, steps: Iterable[Step], path: str) -> bool:
        """Take the steps; whether the connection stays open for another request."""
        for step in steps:
            if step is KEEP:
                return True
            if step is RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            if step is CUT:
                connection.shutdown(socket.SHUT_RDWR)
                return False
            self._do(connection, step, path)
        _say_goodbye(connection)
        return False

    def _do(self, connection: socket.socket, step: Step, path: str) -> None:
        if isinstance(step, Pause):
            self._stopping.wait(step.seconds)
        elif step is SILENCE:
            self._stopping.wait(60)
        else:
            for piece, seconds in _pieces(step):
                connection.sendall(piece)
                with self._lock:
                    self.sent[path] += len(piece)
                if self._stopping.wait(seconds) if seconds else self._stopping.is_set():
                    return


def _pieces(step: Step) -> Iterable[tuple[bytes, float]]:
    """What a step sends, and the pause after each piece."""
    if isinstance(step, bytes):
        return [(step, 0)]
    if isinstance(step, Drip):
        return ((bytes([one]), step.seconds) for one in step.data)
    if isinstance(step, Repeated):
        return itertools.repeat((step.data, 0), step.times)
    if isinstance(step, Endless):
        return itertools.repeat((step.data, 0))
    raise TypeError(f"{step!r} is no step")


def _say_goodbye(connection: socket.socket) -> None:
    """Close so that what was sent is not lost in a reset."""
    with suppress(OSError):
        connection.settimeout(1)
        if isinstance(connection, ssl.SSLSocket):
            connection = connection.unwrap()
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def _read_head(connection: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return ""
        data += more
    return data.partition(b"\r\n\r\n")[0].decode("latin-1")
