"""One request and its reply: dialled through the guard, its head checked, its body counted.

libcurl moves the bytes and keeps connections; every decision is taken here, in its
callbacks: which address may be dialled, whether the head can be believed, whether the
body is too large or too slow. An error raised in a callback ends the transfer and comes
out of `conclude` as it was raised. Nothing of the environment (proxy, netrc, cookies,
configuration) takes part. Who runs it, and beside how many others, is `Multi`'s business.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import certifi

from shelter_pipeline.domain.addresses import Network, may_dial
from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.urls import Url
from shelter_pipeline.fetching.curl import forget_key_log, pycurl
from shelter_pipeline.fetching.curl_errors import Circumstances, error_of
from shelter_pipeline.fetching.framing import Framing, Head, HeadReader
from shelter_pipeline.fetching.limits import Limits
from shelter_pipeline.fetching.pace import Pace

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUFFER_BYTES = 256 * 1024
# A short body that nobody wants is read to its end, because a connection costs the host more.
_DRAIN_BYTES = 64 * 1024
_STOP = -1


class Transfer:
    """One request and its reply, redirects not followed. Use once: `prepare`, perform, `conclude`."""

    def __init__(
        self,
        url: Url,
        limits: Limits,
        *,
        seconds: float,
        max_bytes: int,
        method: str = "GET",
        headers: Sequence[str] = (),
        allowed_networks: Sequence[Network] = (),
        on_head: Callable[[Head], None],
        sink: Callable[[bytes], None],
        tick: Callable[[], None] | None = None,
    ) -> None:
        self.url = url
        self.limits = limits
        self._seconds = seconds
        self._max_bytes = max_bytes
        self.method = method
        self.headers = list(headers)
        self.allowed_networks = allowed_networks
        self.head: Head | None = None
        self.request_lines = b""
        self.wire_bytes = 0
        self.surplus = False
        self._on_head = on_head
        self._sink = sink
        self._tick = tick
        self._reader = HeadReader(max_bytes=limits.max_head_bytes, max_lines=limits.max_headers)
        self._pace = Pace(
            window_seconds=limits.stall_window_seconds, min_bytes_per_second=limits.min_bytes_per_second
        )
        self._framing: Framing | None = None
        self._error: BaseException | None = None
        self._unwanted = False
        self._ended_by_us = False
        self._body_bytes = 0
        self._raw_body_bytes = 0
        self._sent_at: float | None = None
        self._deadline = 0.0
        self.address: str | None = None
        self.timing: dict[str, float] = {}  # seconds from the start of the transfer
        self._sockets: list[socket.socket] = []
        self._dialled = False
        self._refused: list[str] = []

    @property
    def redirects(self) -> bool:
        """Whether the reply is a redirect: its body was not given to the sink."""
        return self.head is not None and self.head.status in REDIRECTS

    @property
    def flags(self) -> tuple[str, ...]:
        """What is remarkable about the framing, for the record of the capture."""
        framing = self._framing.flags if self._framing else ()
        return (*framing, "surplus") if self.surplus else framing

    @property
    def reusable(self) -> bool:
        """Whether the handle's connections may serve another request."""
        return not {"surplus", "both-framings"} & set(self.flags)

    @property
    def sent(self) -> bool:
        """Whether the request counts as one: all but what the guard stopped before anything was dialled."""
        return self._dialled or not self._refused

    @property
    def request_headers(self) -> tuple[tuple[str, str], ...]:
        """The fields of the request as they were sent; empty if none was."""
        lines = self.request_lines.decode("latin-1").split("\r\n")[1:]
        return tuple(
            (name, value.strip()) for name, colon, value in (line.partition(":") for line in lines) if colon
        )

    @property
    def connect_failed(self) -> bool:
        """Whether it ended before a request was sent, though it was dialled."""
        return self._dialled and self._sent_at is None

    def prepare(self, curl: pycurl.Curl) -> None:
        """Make a handle ready for this request."""
        limits = self.limits
        self._deadline = time.monotonic() + self._seconds
        forget_key_log()
        curl.reset()
        for option, value in _FIXED_OPTIONS.items():
            curl.setopt(option, value)
        curl.setopt(pycurl.CAINFO, certifi.where())
        curl.setopt(pycurl.URL, self.url.text)
        curl.setopt(pycurl.HTTPHEADER, self.headers)
        curl.setopt(pycurl.CONNECTTIMEOUT_MS, _milliseconds(limits.connect_seconds))
        curl.setopt(pycurl.TIMEOUT_MS, _milliseconds(self._seconds))
        if self.method == "HEAD":
            curl.setopt(pycurl.NOBODY, 1)
        curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)
        curl.setopt(pycurl.HEADERFUNCTION, self._take_line)
        curl.setopt(pycurl.WRITEFUNCTION, self._take_body)
        # The only view of what was really sent, and of bytes beyond a body's end.
        curl.setopt(pycurl.DEBUGFUNCTION, self._observe)

    # Callbacks. pycurl prints what they raise and goes on, so each one catches all and stops the transfer.

    def _open_socket(self, _purpose: int, address: pycurl.CurlSockAddr) -> socket.socket | int:
        try:
            literal = str(address.addr[0])
            if address.family not in (socket.AF_INET, socket.AF_INET6) or not may_dial(
                literal, self.allowed_networks
            ):
                self._refused.append(literal)
                return int(pycurl.SOCKET_BAD)
            own = socket.socket(address.family, address.socktype, address.protocol)
        except OSError as error:
            self._fail(TransientError(f"no socket could be opened: {error}", reason="connect-failed"))
            return int(pycurl.SOCKET_BAD)
        self._sockets.append(own)
        self._dialled = True
        return own

    def _observe(self, kind: int, data: bytes) -> None:
        if kind == pycurl.INFOTYPE_DATA_IN:
            self._raw_body_bytes += len(data)
            self.wire_bytes += len(data)
        elif kind == pycurl.INFOTYPE_HEADER_IN:
            self.wire_bytes += len(data)
        elif kind == pycurl.INFOTYPE_HEADER_OUT:
            self.request_lines = data
            self._sent_at = time.monotonic()

    def _take_line(self, line: bytes) -> int | None:
        try:
            head = self._reader.feed(line)
            if head is not None:
                self._accept(head)
        except ShelterError as error:
            if self.head is None or not self._worth_draining():
                return self._fail(error)
            self._error, self._unwanted = error, True
        except BaseException as error:  # noqa: BLE001 - re-raised by `run`
            return self._fail(error)
        return _STOP if self._ended_by_us else None

    def _accept(self, head: Head) -> None:
        self._framing = head.framing
        self.head = head
        if head.status in REDIRECTS:
            self._unwanted = True
            self._ended_by_us = not self._worth_draining()
            return
        self._on_head(head)
        if self.method != "HEAD" and (self._framing.length or 0) > self._max_bytes:
            raise PermanentError(
                f"the file has {self._framing.length} bytes, more than {self._max_bytes}",
                reason="too-large",
            )

    def _worth_draining(self) -> bool:
        framing = self._framing
        return framing is not None and framing.length is not None and framing.length <= _DRAIN_BYTES

    def _take_body(self, data: bytes) -> int | None:
        self._body_bytes += len(data)
        if self._unwanted:
            return None
        if self._body_bytes > self._max_bytes:
            return self._fail(
                PermanentError(f"the file has more than {self._max_bytes} bytes", reason="too-large")
            )
        try:
            self._sink(data)
        except BaseException as error:  # noqa: BLE001 - re-raised by `run`
            return self._fail(error)
        return None

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
        return _STOP

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
        self.surplus = code == 0 and ended_by is None and self._has_surplus(curl, is_taken)
        self._measure(curl)
        if not self.reusable:
            _shut(curl.getinfo(pycurl.ACTIVESOCKET))
        error = self._error or ended_by or self._error_of(curl, code, message)
        for own in self._sockets:
            own.close()
        return error

    def _error_of(self, curl: pycurl.Curl, code: int, message: str) -> ShelterError | None:
        if code and not (self._ended_by_us or (self._unwanted and self.redirects)):
            out_of_time = time.monotonic() >= self._deadline
            return error_of(code, message, self._circumstances(curl, out_of_time=out_of_time))
        if self.head is None:
            return TransientError("the connection ended before a head", reason="connection-lost")
        return None

    def _measure(self, curl: pycurl.Curl) -> None:
        self.address = curl.getinfo(pycurl.PRIMARY_IP) or None
        moments = {name: curl.getinfo(moment) for name, moment in _MOMENTS}
        self.timing = {name: round(seconds, 6) for name, seconds in moments.items() if seconds > 0}

    def _circumstances(self, curl: pycurl.Curl, *, out_of_time: bool) -> Circumstances:
        return Circumstances(
            resolved=curl.getinfo(pycurl.NAMELOOKUP_TIME) > 0,
            connected=self._sent_at is not None,
            out_of_time=out_of_time,
            length_known=self._framing is not None and self._framing.length is not None,
            redirecting=self._reader.status in REDIRECTS,
            refused=tuple(self._refused),
            dialled=self._dialled,
        )

    def _has_surplus(self, curl: pycurl.Curl, is_taken: Callable[[int], bool]) -> bool:
        """Whether bytes came after the announced end: read by curl and dropped, or waiting in the socket."""
        if self._framing is None or self._framing.length is None:
            return False
        if self._raw_body_bytes > self._framing.length:
            return True
        kept: int = curl.getinfo(pycurl.ACTIVESOCKET)
        return self.url.scheme == "http" and _has_waiting_bytes(kept, self._sockets) and not is_taken(kept)


def _has_waiting_bytes(descriptor: int, own: Sequence[socket.socket]) -> bool:
    """Whether the kept connection, or the one just closed, holds bytes nobody has read."""
    with suppress(OSError):
        if descriptor >= 0:
            with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as kept:
                return bool(kept.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        return any(one.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) for one in own[-1:])
    return False


def _shut(descriptor: int) -> None:
    """Make a kept connection useless, so that no other request is sent on it."""
    with suppress(OSError):
        if descriptor >= 0:
            with socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM) as kept:
                kept.shutdown(socket.SHUT_RDWR)


def _milliseconds(seconds: float) -> int:
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
    pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
    pycurl.FOLLOWLOCATION: 0,
    pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
    pycurl.PROXY: "",
    pycurl.NOPROXY: "*",
    pycurl.NETRC: pycurl.NETRC_IGNORED,
    pycurl.SSL_VERIFYPEER: 1,
    pycurl.SSL_VERIFYHOST: 2,
    pycurl.BUFFERSIZE: _BUFFER_BYTES,
    pycurl.NOPROGRESS: 1,
    pycurl.VERBOSE: 1,
    pycurl.PATH_AS_IS: 1,
}
