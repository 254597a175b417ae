"""One HTTP request and its reply: its head checked before any body counts, redirects not followed.

The framing of RFC 9112 is the only proof that a body is whole, so a head that contradicts
itself ends the transfer, and bytes beyond the announced end are noticed.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import certifi

from shelter_pipeline.domain.addresses import Network
from shelter_pipeline.domain.errors import DamagedError, ShelterError, TransientError
from shelter_pipeline.domain.urls import Url
from shelter_pipeline.fetching.connections import KeptConnections
from shelter_pipeline.fetching.curl import pycurl
from shelter_pipeline.fetching.curl_errors import error_of
from shelter_pipeline.fetching.framing import Framing, Head, HeadReader
from shelter_pipeline.fetching.limits import Limits
from shelter_pipeline.fetching.transfer import STOP, Transfer

REDIRECTS = frozenset({301, 302, 303, 307, 308})
# A short body that nobody wants is read to its end, because a connection costs the host more.
_DRAIN_BYTES = 64 * 1024
# A byte in a chunk of its own takes six: more than this is no honest framing.
_MOST_FRAMING, _FRAMING_BYTES = 16, 1024 * 1024


class HttpTransfer(Transfer):
    """One request over http or https and its reply, redirects not followed."""

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
        alone: bool = False,
    ) -> None:
        """With `alone` its connection serves no other request, neither before nor after."""
        super().__init__(
            url,
            limits,
            seconds=seconds,
            max_bytes=max_bytes,
            allowed_networks=allowed_networks,
            on_head=on_head,
            sink=sink,
            tick=tick,
        )
        self.method = method
        self._alone = alone
        self.headers = list(headers)
        self.request_lines = b""
        self.surplus = False
        self._reader = HeadReader(max_bytes=limits.max_head_bytes, max_lines=limits.max_headers)
        self._framing: Framing | None = None
        self._unwanted = False
        self._ended_by_us = False
        self._raw_body_bytes = 0
        self._afresh = False
        # Set by who runs it: the connections it may be given, and who is to be told at once that it must end.
        self.kept: KeptConnections | None = None
        self.alarm: Callable[[HttpTransfer], None] | None = None
        self.met_old_bytes = False

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
    def request_headers(self) -> tuple[tuple[str, str], ...]:
        """The fields of the request as they were sent; empty if none was."""
        lines = self.request_lines.decode("latin-1").split("\r\n")[1:]
        return tuple(
            (name, value.strip()) for name, colon, value in (line.partition(":") for line in lines) if colon
        )

    def prepare(self, curl: pycurl.Curl) -> None:
        """Make a handle ready for this request."""
        super().prepare(curl)
        for option, value in _HTTP_OPTIONS.items():
            curl.setopt(option, value)
        curl.setopt(pycurl.CAINFO, certifi.where())
        curl.setopt(pycurl.HTTPHEADER, self.headers)
        if self._alone or self._afresh:
            curl.setopt(pycurl.FRESH_CONNECT, 1)
        if self._alone:
            curl.setopt(pycurl.FORBID_REUSE, 1)
        elif self.url.scheme == "http":  # of what waits in TLS only libcurl knows what it is
            curl.setopt(pycurl.PREREQFUNCTION, self._look_before)
        if self.method == "HEAD":
            curl.setopt(pycurl.NOBODY, 1)

    def begin_afresh(self, curl: pycurl.Curl) -> None:
        """The connection it was given had old bytes on it, and nothing was sent: make it ready for a new one."""
        self._afresh, self.met_old_bytes = True, False
        self.prepare(curl)

    def _look_before(self, _address: str, local_ip: str, _port: int, local_port: int) -> int:
        if self.kept is not None and self.kept.holds_bytes((local_ip, local_port)):
            self.met_old_bytes = True
            return int(pycurl.PREREQFUNC_ABORT)
        return int(pycurl.PREREQFUNC_OK)

    def _observe(self, kind: int, data: bytes) -> None:
        if kind == pycurl.INFOTYPE_DATA_IN:
            self._raw_body_bytes += len(data)
            self.wire_bytes += len(data)
            if self._raw_body_bytes > _MOST_FRAMING * self._body_bytes + _FRAMING_BYTES:
                self._refuse_framing()
        elif kind == pycurl.INFOTYPE_HEADER_IN:
            self.wire_bytes += len(data)
        elif kind == pycurl.INFOTYPE_HEADER_OUT:
            self.request_lines = data
            self._sent_at = time.monotonic()

    def _refuse_framing(self) -> None:
        """Libcurl goes on reading what frames a body as long as it comes, and asks nobody."""
        if self._unwanted or self._error is not None:
            return
        self._fail(DamagedError("the chunks hold hardly anything but their framing", reason="head-invalid"))
        if self.alarm is not None:
            self.alarm(self)

    def _take_line(self, line: bytes) -> int | None:
        try:
            head = self._reader.feed(line)
            if head is not None:
                self._accept(head)
        except ShelterError as error:
            if self.head is None or not self._worth_draining():
                return self._fail(error)
            self._error, self._unwanted = error, True
        except BaseException as error:  # noqa: BLE001 - comes out of `conclude`
            return self._fail(error)
        return STOP if self._ended_by_us else None

    def _accept(self, head: Head) -> None:
        self._framing = head.framing
        self.head = head
        if head.status in REDIRECTS:
            self._unwanted = True
            self._ended_by_us = not self._worth_draining()
            return
        self._on_head(head)
        if self.method != "HEAD":
            self._check_length(self._framing.length)

    def _worth_draining(self) -> bool:
        framing = self._framing
        return framing is not None and framing.length is not None and framing.length <= _DRAIN_BYTES

    def _take_body(self, data: bytes) -> int | None:
        return None if self._unwanted else super()._take_body(data)

    def _look_back(
        self, curl: pycurl.Curl, _code: int, *, well: bool, is_taken: Callable[[int], bool]
    ) -> None:
        self.surplus = well and self._has_surplus(curl, is_taken)

    def _error_of(self, curl: pycurl.Curl, code: int, message: str) -> ShelterError | None:
        if code and not (self._ended_by_us or (self._unwanted and self.redirects)):
            length_known = self._framing is not None and self._framing.length is not None
            redirecting = self._reader.status in REDIRECTS
            seen = self._circumstances(curl, length_known=length_known, redirecting=redirecting)
            return error_of(code, message, seen)
        if self.head is None:
            return TransientError("the connection ended before a head", reason="connection-lost")
        return None

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


_HTTP_OPTIONS: dict[int, object] = {
    pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
    pycurl.FOLLOWLOCATION: 0,
    pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_1_1,
    pycurl.SSL_VERIFYPEER: 1,
    pycurl.SSL_VERIFYHOST: 2,
}
