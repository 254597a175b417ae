"""A TCP proxy that makes a good server's network bad: slow, thin, cut, reset, silent or gone.

    with ToxicProxy(server.port) as proxy:
        proxy.latency_seconds = 0.2
        proxy.sever()

Toxics are attributes: they hold for bytes that pass from now on, in the direction of the
answer. `sever` breaks every connection there is at this moment.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

_ABORT = struct.pack("ii", 1, 0)


class ToxicProxy:
    """In front of a port on loopback, on a port of its own."""

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.latency_seconds = 0.0
        self.bytes_per_second: float | None = None
        self.cut_after_bytes: int | None = None  # of one connection's answers
        self.reset_after_bytes: int | None = None
        self.black_hole = False  # takes everything, passes nothing
        self.down = False  # closes what connects
        self.passed_bytes = 0

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.sever()

    def sever(self) -> None:
        """Break every connection, by RST."""
        with self._lock:
            severed, self._connections = self._connections, set()
        for one in severed:
            _abort(one)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _peer = self._listener.accept()
                if self.down:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._upstream_port))
                with self._lock:
                    self._connections |= {near, far}
                threading.Thread(target=self._pass_questions, args=(near, far), daemon=True).start()
                threading.Thread(target=self._pass_answers, args=(far, near), daemon=True).start()

    def _pass_questions(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := near.recv(65_536):
                far.sendall(data)
            far.shutdown(socket.SHUT_WR)

    def _pass_answers(self, far: socket.socket, near: socket.socket) -> None:
        passed = 0
        with suppress(OSError), near, far:
            while data := far.recv(16_384):
                time.sleep(self.latency_seconds)
                if self.black_hole:
                    continue
                limits = [
                    limit for limit in (self.cut_after_bytes, self.reset_after_bytes) if limit is not None
                ]
                data = data[: max(min(limits) - passed, 0)] if limits else data
                near.sendall(data)
                passed += len(data)
                self.passed_bytes += len(data)
                if limits and passed >= min(limits):
                    if self.reset_after_bytes is not None:
                        _abort(near)
                    break
                if self.bytes_per_second is not None:
                    time.sleep(len(data) / self.bytes_per_second)
            near.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._connections -= {near, far}


def _abort(one: socket.socket) -> None:
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        one.shutdown(socket.SHUT_RDWR)
    one.close()
