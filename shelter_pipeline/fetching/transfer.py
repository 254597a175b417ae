"""What every transfer keeps to, whatever protocol it speaks: the guard, the pace, the cap, the deadline.

libcurl moves the bytes and keeps connections; every decision is taken here and in the
protocols' own modules, in its callbacks: which address may be dialled, whether the reply
can be believed, whether the body is too large or too slow. An error raised in a callback
ends the transfer and comes out of `conclude` as it was raised. Nothing of the environment
(proxy, netrc, cookies, configuration) takes part. Who runs it, and beside how many
others, is `Multi`'s business.
"""

from __future__ import annotations

import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress

from shelter_pipeline.domain.addresses import Network, may_dial
from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.urls import Url
from shelter_pipeline.fetching.curl import pycurl
from shelter_pipeline.fetching.curl_errors import Circumstances
from shelter_pipeline.fetching.framing import Head
from shelter_pipeline.fetching.limits import Limits
from shelter_pipeline.fetching.pace import Pace

STOP = -1  # what a callback of libcurl's returns to end the transfer
_BUFFER_BYTES = 256 * 1024
_CLOCK_SECONDS = 0.01  # libcurl counts in whole milliseconds, and so may be a little early


class Transfer(ABC):
    """One request and its reply. Use once: `prepare`, perform, `conclude`."""

    def __init__(
        self,
        url: Url,
        limits: Limits,
        *,
        seconds: float,
        max_bytes: int,
        allowed_networks: Sequence[Network] = (),
        on_head: Callable[[Head], None],
        sink: Callable[[bytes], None],
        tick: Callable[[], None] | None = None,
    ) -> None:
        self.url = url
        self.limits = limits
        self._seconds = seconds
        self._max_bytes = max_bytes
        self.allowed_networks = allowed_networks
        self.head: Head | None = None
        self.wire_bytes = 0
        self.address: str | None = None
        self.timing: dict[str, float] = {}  # seconds from the start of the transfer
        self._on_head = on_head
        self._sink = sink
        self._tick = tick
        self._pace = Pace(
            window_seconds=limits.stall_window_seconds, min_bytes_per_second=limits.min_bytes_per_second
        )
        self._error: BaseException | None = None
        self._body_bytes = 0
        self._sent_at: float | None = None
        self._begun = False
        self._deadline = 0.0
        self._sockets: list[socket.socket] = []
        self._dialled = False
        self._refused: list[str] = []

    @property
    @abstractmethod
    def flags(self) -> tuple[str, ...]:
        """What is remarkable about the reply, for the record of the capture."""

    @property
    @abstractmethod
    def reusable(self) -> bool:
        """Whether the handle's connections may serve another request."""

    @property
    @abstractmethod
    def request_headers(self) -> tuple[tuple[str, str], ...]:
        """What was asked, as it was sent; empty if nothing was."""

    @property
    def sent_at(self) -> float | None:
        """When the request was sent, by `time.monotonic`; None if it was not."""
        return self._sent_at

    @property
    def sent(self) -> bool:
        """Whether the request counts as one: all that had their turn, but what the guard let dial nothing."""
        return self._begun and (self._dialled or not self._refused)

    @property
    def connect_failed(self) -> bool:
        """Whether it ended before a request was sent, though it was dialled."""
        return self._dialled and self._sent_at is None

    def prepare(self, curl: pycurl.Curl) -> None:
        """Make a handle ready for this request."""
        limits = self.limits
        self._begun = True
        self._deadline = time.monotonic() + self._seconds
        curl.reset()
        for option, value in _FIXED_OPTIONS.items():
            curl.setopt(option, value)
        curl.setopt(pycurl.URL, self.url.text)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, milliseconds(limits.connect_seconds))
        curl.setopt(pycurl.TIMEOUT_MS, milliseconds(self._seconds))
        curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        curl.setopt(pycurl.HEADERFUNCTION, self._take_line)
        curl.setopt(pycurl.WRITEFUNCTION, self._take_body)
        # The only view of what was really sent, and of bytes beyond a body's end.
        curl.setopt(pycurl.DEBUGFUNCTION, self._observe)

    # Callbacks. pycurl prints what they raise and goes on, so each one catches all and stops the transfer.

    def _open_socket(self, _purpose: int, address: pycurl.CurlSockAddr) -> socket.socket | int:
        try:
            literal, port = str(address.addr[0]), int(address.addr[1])
            if address.family not in (socket.AF_INET, socket.AF_INET6) or not self._may_dial(literal, port):
                self._refused.append(literal)
                return int(pycurl.SOCKET_BAD)
            own = socket.socket(address.family, address.socktype, address.protocol)
        except OSError as error:
            self._fail(TransientError(f"no socket could be opened: {error}", reason="connect-failed"))
            return int(pycurl.SOCKET_BAD)
        self._sockets.append(own)
        self._dialled = True
        return own

    def _may_dial(self, literal: str, _port: int) -> bool:
        return may_dial(literal, self.allowed_networks)

    @abstractmethod
    def _observe(self, kind: int, data: bytes) -> None:
        """Count what goes over the wire, and note when the request was sent."""

    @abstractmethod
    def _take_line(self, line: bytes) -> int | None:
        """The next line of the reply's head."""

    def _take_body(self, data: bytes) -> int | None:
        self._body_bytes += len(data)
        if self._body_bytes > self._max_bytes:
            return self._fail(
                PermanentError(f"the file has more than {self._max_bytes} bytes", reason="too-large")
            )
        try:
            self._sink(data)
        except BaseException as error:  # noqa: BLE001 - comes out of `conclude`
            return self._fail(error)
        return None

    def _check_length(self, length: int | None) -> None:
        if (length or 0) > self._max_bytes:
            raise PermanentError(
                f"the file has {length} bytes, more than {self._max_bytes}", reason="too-large"
            )

    def check(self, now: float) -> None:
        """To be asked several times a second while it runs; raises what ends it, and what `tick` raises."""
        if self._tick is not None:
            self._tick()
        if self._sent_at is None:
            return
        if self.head is None and now - self._sent_at > self.limits.head_seconds:
            raise TransientError(f"no whole head within {self.limits.head_seconds} s", reason="too-slow")
        if self._pace.too_slow(now, self.wire_bytes):
            raise TransientError(
                f"fewer than {self.limits.min_bytes_per_second} bytes a second"
                f" over {self.limits.stall_window_seconds} s",
                reason="too-slow",
            )

    def _fail(self, error: BaseException) -> int:
        if self._error is None:
            self._error = error
        return STOP

    # After the transfer

    def conclude(
        self,
        curl: pycurl.Curl,
        code: int,
        message: str,
        *,
        ended_by: BaseException | None = None,
        is_taken: Callable[[int], bool] = lambda _descriptor: False,
    ) -> BaseException | None:
        """The end, with curl's code (0: well), or ended by an error of the one who ran it. Returns the error.

        `is_taken` tells whether a kept connection already serves another transfer.
        """
        self._look_back(curl, code, well=code == 0 and ended_by is None, is_taken=is_taken)
        self._measure(curl)
        if not self.reusable:
            shut(curl.getinfo(pycurl.ACTIVESOCKET))
        error = self._error or ended_by or self._error_of(curl, code, message)
        for own in self._sockets:
            own.close()
        return error

    @abstractmethod
    def _look_back(
        self, curl: pycurl.Curl, code: int, *, well: bool, is_taken: Callable[[int], bool]
    ) -> None:
        """Note what only shows at the end, while the connection is still there."""

    @abstractmethod
    def _error_of(self, curl: pycurl.Curl, code: int, message: str) -> ShelterError | None:
        """What curl's code means here; None if the reply is whole."""

    def _measure(self, curl: pycurl.Curl) -> None:
        self.address = curl.getinfo(pycurl.PRIMARY_IP) or None
        moments = {name: curl.getinfo(moment) for name, moment in _MOMENTS}
        self.timing = {name: round(seconds, 6) for name, seconds in moments.items() if seconds > 0}

    def _circumstances(
        self, curl: pycurl.Curl, *, length_known: bool = False, redirecting: bool = False
    ) -> Circumstances:
        return Circumstances(
            resolved=curl.getinfo(pycurl.NAMELOOKUP_TIME) > 0,
            connected=self._sent_at is not None,
            out_of_time=time.monotonic() >= self._deadline - _CLOCK_SECONDS,
            length_known=length_known,
            redirecting=redirecting,
            refused=tuple(self._refused),
            dialled=self._dialled,
        )


def shut(descriptor: int) -> None:
    """Make a kept connection useless, so that nothing more is sent on it."""
    with suppress(OSError):
        if descriptor >= 0:
            with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as kept:
                kept.shutdown(socket.SHUT_RDWR)


def milliseconds(seconds: float) -> int:
    """For curl, to which zero means no limit."""
    return max(1, int(seconds * 1000))


_MOMENTS = (
    ("name_lookup", pycurl.NAMELOOKUP_TIME),
    ("connect", pycurl.CONNECT_TIME),
    ("tls", pycurl.APPCONNECT_TIME),
    ("first_byte", pycurl.STARTTRANSFER_TIME),
    ("total", pycurl.TOTAL_TIME),
)
_FIXED_OPTIONS: dict[int, object] = {
    pycurl.NOSIGNAL: 1,
    pycurl.PROXY: "",
    pycurl.NOPROXY: "*",
    pycurl.NETRC: pycurl.NETRC_IGNORED,
    pycurl.BUFFERSIZE: _BUFFER_BYTES,
    pycurl.NOPROGRESS: 1,
    pycurl.VERBOSE: 1,
    pycurl.PATH_AS_IS: 1,
}
