"""Transfers that block, each on a thread of its own, beside those that share one.

libcurl's FTP waits for a server's closing reply, and for its good-bye, without letting
go of the thread. On a thread that moves hundreds of other files one silent server would
stop them all, so each such transfer has its own. Its login is kept for the next request
to the same host, in one pool for the whole process, because hosts count the logins of an
address.
"""

from __future__ import annotations

import atexit
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from shelter_pipeline.fetching.curl import new_handle, pycurl
from shelter_pipeline.fetching.ftp_transfer import FtpTransfer
from shelter_pipeline.fetching.transfer import Transfer

_MOST_LOGINS = 16
_IDLE_SECONDS = 30.0
_END_SECONDS = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class _Login:
    """An idle handle, and a second hold on its control connection, which libcurl no longer shows."""

    host: str
    curl: pycurl.Curl
    control: socket.socket
    since: float

    def end(self) -> None:
        """Close it without waiting for a good-bye."""
        with suppress(OSError):  # the server was first
            self.control.shutdown(socket.SHUT_RDWR)
        self.control.close()
        self.curl.close()


class Logins:
    """Handles whose connection is logged in and idle, by host. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: deque[_Login] = deque()  # oldest first

    def take(self, host: str) -> pycurl.Curl:
        """A handle that is logged in at `host` (`name:port`), or a fresh one."""
        with self._lock:
            found = next((login for login in reversed(self._idle) if login.host == host), None)
            if found is None:
                return new_handle()
            self._idle.remove(found)
        found.control.close()
        return found.curl

    def give(self, host: str, curl: pycurl.Curl) -> None:
        """Take back a handle whose transfer has ended; the oldest and the longest idle are closed."""
        descriptor = curl.getinfo(pycurl.ACTIVESOCKET)
        if descriptor < 0:
            curl.close()
            return
        control = socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM)
        curl.reset()  # lets go of the transfer
        now = time.monotonic()
        superfluous = []
        with self._lock:
            self._idle.append(_Login(host, curl, control, now))
            while len(self._idle) > _MOST_LOGINS or now - self._idle[0].since > _IDLE_SECONDS:
                superfluous.append(self._idle.popleft())
        for login in superfluous:
            login.end()

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            idle, self._idle = self._idle, deque()
        for login in idle:
            login.end()


LOGINS = Logins()
atexit.register(LOGINS.close)


class Aside:
    """Runs blocking transfers; `wake` is called, from their threads, when one has ended."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._running: dict[FtpTransfer, threading.Thread] = {}
        self._ended: deque[tuple[FtpTransfer, BaseException | None]] = deque()

    def __len__(self) -> int:
        return len(self._running)

    @property
    def transfers(self) -> list[FtpTransfer]:
        """Those that run."""
        return list(self._running)

    def start(self, transfer: FtpTransfer) -> None:
        """Begin a transfer; its end comes out of `take_ended`."""
        thread = threading.Thread(target=self._run, args=(transfer,), name="fetch-ftp", daemon=True)
        self._running[transfer] = thread
        thread.start()

    def take_ended(self) -> list[tuple[Transfer, BaseException | None]]:
        """What has ended since the last call, each with its error."""
        ended: list[tuple[Transfer, BaseException | None]] = []
        while self._ended:
            transfer, error = self._ended.popleft()
            del self._running[transfer]
            ended.append((transfer, error))
        return ended

    def close(self) -> None:
        """Break off what runs, and wait for it, for a few seconds at most."""
        for transfer in self._running:
            transfer.break_off(GeneratorExit())
        until = time.monotonic() + _END_SECONDS
        for thread in self._running.values():
            thread.join(max(until - time.monotonic(), 0.0))

    def _run(self, transfer: FtpTransfer) -> None:
        curl = LOGINS.take(transfer.url.host)
        try:
            error = transfer.run(curl)
        except BaseException as broken:  # noqa: BLE001 - it is the end of this transfer, whatever it is
            error = broken
        keep = transfer.reusable
        if keep:  # first, so that what follows finds it
            LOGINS.give(transfer.url.host, curl)
        self._ended.append((transfer, error))
        self._wake()
        if not keep:
            curl.close()
