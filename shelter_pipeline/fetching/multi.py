"""Many transfers at once on one thread, with libcurl's multi interface.

libcurl says which sockets it waits for and when it wants to be called again; this loop
waits for both, and looks several times a second whether a transfer has become too slow or
is no longer wanted. Connections are kept and used again for the same host. FTP, which
blocks, runs aside; its ends come out of the same `wait`.
"""

from __future__ import annotations

import os
import selectors
import threading
import time
import weakref
from contextlib import suppress

from shelter_pipeline.fetching.aside import Aside
from shelter_pipeline.fetching.connections import KeptConnections
from shelter_pipeline.fetching.curl import new_handle, new_multi, pycurl
from shelter_pipeline.fetching.ftp_transfer import FtpTransfer
from shelter_pipeline.fetching.http_transfer import HttpTransfer
from shelter_pipeline.fetching.transfer import Transfer

_LOOK_SECONDS = 0.2
_IDLE_HANDLES = 64
# Of hosts that may be asked again; libcurl would keep four for each transfer that runs.
_IDLE_CONNECTIONS = 128

_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
_EVENTS = {
    pycurl.POLL_IN: _READ,
    pycurl.POLL_OUT: _WRITE,
    pycurl.POLL_INOUT: _READ | _WRITE,
}
_MASKS = {
    _READ: pycurl.CSELECT_IN,
    _WRITE: pycurl.CSELECT_OUT,
    _READ | _WRITE: pycurl.CSELECT_IN | pycurl.CSELECT_OUT,
}

Ended = tuple[Transfer, BaseException | None]


class Multi:
    """Runs transfers until they end. Belongs to one thread; only `wake` may be called from others."""

    def __init__(self) -> None:
        self._multi = new_multi()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, _IDLE_CONNECTIONS)
        self._selector = selectors.DefaultSelector()
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._closing = threading.Lock()
        self._closed = False
        self._due: float | None = None
        self._look_at = 0.0
        self._kept = KeptConnections()
        self._alarmed: list[HttpTransfer] = []
        self._live: dict[pycurl.Curl, Transfer] = {}
        self._idle: list[pycurl.Curl] = []
        self._aside = Aside(self.wake)

    def __len__(self) -> int:
        return len(self._live) + len(self._aside)

    @property
    def transfers(self) -> list[Transfer]:
        """Those that run."""
        return [*self._live.values(), *self._aside.transfers]

    def start(self, transfer: Transfer) -> None:
        """Begin a transfer; its end comes out of `wait`."""
        if isinstance(transfer, FtpTransfer):
            self._aside.start(transfer)
            return
        curl = self._idle.pop() if self._idle else new_handle()
        if isinstance(transfer, HttpTransfer):
            transfer.kept, transfer.alarm = self._kept, self._alarmed.append
        transfer.prepare(curl)
        self._live[curl] = transfer
        self._multi.add_handle(curl)

    def wait(self, seconds: float) -> list[Ended]:
        """What has ended: after at most so many seconds, sooner if something ends or `wake` is called."""
        now = time.monotonic()
        pause = min(seconds, _LOOK_SECONDS) if self._live else seconds
        if self._due is not None:
            pause = min(pause, max(self._due - now, 0.0))
        for key, events in self._selector.select(max(pause, 0.0)):
            if key.fd == self._woken:
                with suppress(BlockingIOError):
                    os.read(self._woken, 4096)
            else:
                # A socket that failed shows as both readable and writable.
                self._multi.socket_action(key.fd, _MASKS[events])
        now = time.monotonic()
        if self._due is not None and now >= self._due:
            self._due = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        ended = self._collect() + self._aside.take_ended()
        if self._alarmed:
            ended += self._end_alarmed()
        if now >= self._look_at:
            self._look_at = now + _LOOK_SECONDS
            ended += self._look(now)
        return ended

    def wake(self) -> None:
        """Make `wait` return now, from any thread; nothing once it is closed."""
        with self._closing, suppress(BlockingIOError):  # it is full of calls to wake
            if not self._closed:
                os.write(self._wake, b"w")

    def close(self) -> None:
        """Break off what runs, close all connections."""
        self._aside.close()
        for curl in list(self._live):
            self._end(curl, 0, "", ended_by=GeneratorExit())
        for curl in self._idle:
            curl.close()
        self._multi.close()
        self._selector.close()
        with self._closing:  # the descriptor may soon be somebody else's
            self._closed = True
            os.close(self._woken)
            os.close(self._wake)

    def _collect(self) -> list[Ended]:
        ended: list[Ended] = []
        while True:
            left, well, badly = self._multi.info_read()
            ended += [self._end(curl, 0, "") for curl in well]
            for curl, code, message in badly:
                if not self._begin_afresh(curl):
                    ended.append(self._end(curl, code, curl.errstr() or message))
            if not left:
                return ended

    def _begin_afresh(self, curl: pycurl.Curl) -> bool:
        """Whether it only met a connection with old bytes on it, and is asked again on a new one."""
        transfer = self._live[curl]
        if not (isinstance(transfer, HttpTransfer) and transfer.met_old_bytes):
            return False
        self._multi.remove_handle(curl)
        transfer.begin_afresh(curl)
        self._multi.add_handle(curl)
        return True

    def _end_alarmed(self) -> list[Ended]:
        alarmed, self._alarmed[:] = set(self._alarmed), []
        return [self._end(curl, 0, "") for curl, transfer in list(self._live.items()) if transfer in alarmed]

    def _look(self, now: float) -> list[Ended]:
        ended: list[Ended] = []
        for curl, transfer in list(self._live.items()):
            try:
                transfer.check(now)
            except BaseException as error:  # noqa: BLE001 - it is the end of this transfer, whatever it is
                ended.append(self._end(curl, 0, "", ended_by=error))
        return ended

    def _end(
        self, curl: pycurl.Curl, code: int, message: str, *, ended_by: BaseException | None = None
    ) -> Ended:
        transfer = self._live.pop(curl)
        host = transfer.url.host
        error = transfer.conclude(
            curl, code, message, ended_by=ended_by, is_taken=lambda kept: self._is_taken(kept, host)
        )
        self._kept.note(curl)
        self._multi.remove_handle(curl)
        if len(self._idle) < _IDLE_HANDLES:
            curl.reset()  # lets go of the transfer
            self._idle.append(curl)
        else:
            curl.close()
        return transfer, error

    def _is_taken(self, descriptor: int, host: str) -> bool:
        """Whether another transfer runs on this connection: libcurl hands them on within one call."""
        return any(
            curl.getinfo(pycurl.ACTIVESOCKET) == descriptor
            for curl, transfer in self._live.items()
            if transfer.url.host == host
        )

    # libcurl calls these two while it works.

    def _watch_socket(self, what: int, descriptor: int, _multi: object, _data: object) -> None:
        known = self._selector.get_map().get(descriptor)
        if what == pycurl.POLL_REMOVE:
            if known is not None:
                self._selector.unregister(descriptor)
        elif known is None:
            self._selector.register(descriptor, _EVENTS[what])
        elif known.events != _EVENTS[what]:
            self._selector.modify(descriptor, _EVENTS[what])

    def _set_timer(self, milliseconds: int) -> None:
        self._due = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000


class MultiPerThread:
    """A `Multi` for each thread that asks for one, kept with its connections until the thread ends."""

    def __init__(self) -> None:
        self._local = threading.local()

    def run(self, transfer: Transfer) -> None:
        """Run one transfer to its end on this thread. Raises its error."""
        multi = self._own()
        multi.start(transfer)
        ended: list[Ended] = []
        try:
            while not ended:
                ended = multi.wait(1.0)
        except BaseException:  # an interrupt: nothing may be left running for the next one
            del self._local.multi, self._local.life
            raise
        error = ended[0][1]
        if error is not None:
            raise error

    def _own(self) -> Multi:
        """This thread's. What is local to a thread goes with it, and the connections go with that."""
        multi: Multi | None = getattr(self._local, "multi", None)
        if multi is None:
            multi = self._local.multi = Multi()
            life = self._local.life = _Life()
            weakref.finalize(life, multi.close).atexit = False
        return multi


class _Life:
    """Stands for the life of a thread: it is gone when the thread is."""
