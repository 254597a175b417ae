"""What every request over FTP keeps to: passive, anonymous, binary or text, and ended by the server's own word.

The dialogue ends in a head like that of HTTP, so that everything above reads it as any
other. A body is whole if the data connection ended and the closing reply (226 or 250)
came; what ends in any other way is an error. What is asked for is the business of
`FtpFile` and `FtpPage`.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from shelter_pipeline.domain.addresses import Network
from shelter_pipeline.domain.errors import RefusedError, ShelterError, TransientError
from shelter_pipeline.domain.urls import Url
from shelter_pipeline.fetching.curl import pycurl
from shelter_pipeline.fetching.curl_errors import error_of
from shelter_pipeline.fetching.framing import Head
from shelter_pipeline.fetching.ftp_paths import LEAST_FREE_PORT, last_name
from shelter_pipeline.fetching.ftp_replies import Dialogue, FtpReply, error_of_refusal
from shelter_pipeline.fetching.limits import Limits
from shelter_pipeline.fetching.transfer import STOP, Transfer, milliseconds

_LOOK_SECONDS = 0.2
WHOLE, UNCHANGED = 200, 304  # HTTP's words for the two good ends
_TRANSFER_BEGINS = frozenset({125, 150})
_TRANSFER_ENDED = frozenset({226, 250})
# After these the login is as good as before.
AT_REST = frozenset(
    {0, pycurl.E_REMOTE_FILE_NOT_FOUND, pycurl.E_FTP_COULDNT_RETR_FILE, pycurl.E_REMOTE_ACCESS_DENIED}
)


class FtpTransfer(Transfer):
    """One request over FTP. Use once: `run` does all of it, and blocks while it does."""

    data_commands: ClassVar[frozenset[str]]  # those that are answered over a data connection

    def __init__(
        self,
        url: Url,
        limits: Limits,
        *,
        seconds: float,
        max_bytes: int,
        headers: Mapping[str, str],
        contact: str,
        allowed_networks: Sequence[Network] = (),
        on_head: Callable[[Head], None],
        sink: Callable[[bytes], None],
        tick: Callable[[], None] | None = None,
    ) -> None:
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
        self._name = last_name(url)
        self._port = int(url.host.rpartition(":")[2])
        self._headers = headers
        self._contact = contact
        self._dialogue = Dialogue(max_bytes=limits.max_head_bytes)
        self._command = ""  # the one of `data_commands` that brings the body
        self._at_rest = False
        self._look_at = 0.0

    @property
    def reusable(self) -> bool:
        """Whether the login may serve another request."""
        return self._at_rest

    @property
    def request_headers(self) -> tuple[tuple[str, str], ...]:
        """The commands as they were sent, each with its argument."""
        return tuple(self._dialogue.said)

    @abstractmethod
    def run(self, curl: pycurl.Curl) -> BaseException | None:
        """The whole request, on a handle that may have a login left; returns the error. Blocks."""

    def _perform(self, curl: pycurl.Curl) -> tuple[int, str]:
        """Let libcurl work until it ends, or until the deadline of the whole; its code and message, 0 for well."""
        curl.setopt(pycurl.TIMEOUT_MS, milliseconds(self._deadline - time.monotonic()))
        try:
            curl.perform()
        except pycurl.error as error:
            return int(error.args[0]), curl.errstr()
        return 0, ""

    def break_off(self, error: BaseException) -> None:
        """End it soon, with this error; may be called from any thread."""
        self._fail(error)

    def prepare(self, curl: pycurl.Curl) -> None:
        """Make a handle ready for this request."""
        super().prepare(curl)
        for option, value in _FTP_OPTIONS.items():
            curl.setopt(option, value)
        curl.setopt(pycurl.PASSWORD, self._contact)
        curl.setopt(pycurl.FTP_RESPONSE_TIMEOUT, max(1, int(self.limits.head_seconds)))
        curl.setopt(pycurl.XFERINFOFUNCTION, self._watch)

    def _may_dial(self, literal: str, port: int) -> bool:
        """As for any socket; and what a server names for its data is not a port of another protocol."""
        if port != self._port and port < LEAST_FREE_PORT:
            self._fail(RefusedError(f"the server wants to send from port {port}", reason="port-not-allowed"))
            return False
        return super()._may_dial(literal, port)

    def _observe(self, kind: int, data: bytes) -> None:
        if kind in (pycurl.INFOTYPE_DATA_IN, pycurl.INFOTYPE_HEADER_IN):
            self.wire_bytes += len(data)
        elif kind == pycurl.INFOTYPE_HEADER_OUT:
            self._dialogue.say(data)
            self._sent_at = self._sent_at or time.monotonic()

    def _take_line(self, line: bytes) -> int | None:
        try:
            reply = self._dialogue.hear(line)
            if reply is not None and self.head is None and self._begins(reply):
                self._command = reply.command
                self._accept(WHOLE)
        except BaseException as error:  # noqa: BLE001 - comes out of `conclude`
            return self._fail(error)
        return STOP if self._error is not None else None

    def _begins(self, reply: FtpReply) -> bool:
        return reply.code in _TRANSFER_BEGINS and reply.command in self.data_commands

    def _try_accept(self, status: int) -> None:
        """As `_accept`, outside of libcurl's callbacks."""
        try:
            self._accept(status)
        except BaseException as error:  # noqa: BLE001 - comes out of `conclude`
            self._fail(error)

    def _accept(self, status: int) -> None:
        """The head is complete: hand it over. Raises what `on_head` does."""
        self.head = self._head(status)
        self._on_head(self.head)

    def _head(self, status: int) -> Head:
        """The head that HTTP would have sent, and after its fields the server's own words."""
        words = [("FTP-Reply", f"{reply.code} {reply.text}") for reply in self._dialogue.replies]
        return Head(status, "FTP", (*self._fields(status), *words))

    @abstractmethod
    def _fields(self, status: int) -> list[tuple[str, str]]:
        """What is known of the body, as header fields."""

    def _take_body(self, data: bytes) -> int | None:
        if self.head is None:
            return None  # libcurl's own summary of a file that it was only asked about
        return super()._take_body(data)

    def _watch(self, *_counts: int) -> int:
        """Called by libcurl while it waits, once a second at least; anything but 0 ends the transfer."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_SECONDS
            try:
                self.check(now)
            except BaseException as error:  # noqa: BLE001 - comes out of `conclude`
                self._fail(error)
        return int(self._error is not None)

    def _look_back(
        self, _curl: pycurl.Curl, code: int, *, well: bool, is_taken: Callable[[int], bool]
    ) -> None:
        del is_taken  # a login serves one transfer at a time
        self._at_rest = self._error is None and (well or code in AT_REST)
        if self.head is not None:
            self.head = self._head(self.head.status)  # with what came after the data

    def _error_of(self, curl: pycurl.Curl, code: int, message: str) -> ShelterError | None:
        if code == 0:
            return self._shortcoming()
        refusal = self._dialogue.refusal
        if refusal is None:
            return self._broken(curl, code, message)
        error, status = error_of_refusal(refusal)
        if self.head is not None:  # the data had begun: whatever it says, something broke
            return TransientError(str(error), reason="connection-lost")
        self.head = self._head(status)
        return error

    def _shortcoming(self) -> ShelterError | None:
        """What is missing of a transfer that libcurl is content with; None if it is whole."""
        closing = self._dialogue.answer(self._command)
        if self.head is None or closing is None or closing.code not in _TRANSFER_ENDED:
            return TransientError("the server did not say that all was sent", reason="connection-lost")
        return None

    def _broken(self, curl: pycurl.Curl, code: int, message: str) -> ShelterError:
        """Ended without a word of the server's; who was reached and kept silent is slow, not away."""
        seen = self._circumstances(curl)
        reached = seen.connected or curl.getinfo(pycurl.CONNECT_TIME) > 0
        if code == pycurl.E_OPERATION_TIMEDOUT and reached and not seen.out_of_time:
            return TransientError(message, reason="too-slow")
        return error_of(code, message, seen)


_FTP_OPTIONS: dict[int, object] = {
    pycurl.PROTOCOLS: pycurl.PROTO_FTP,
    pycurl.FTP_SSL: pycurl.FTPSSL_NONE,
    pycurl.USERNAME: "anonymous",
    pycurl.FTP_USE_EPSV: 1,
    pycurl.FTP_SKIP_PASV_IP: 1,
    # One command for the folder, as most clients send it, not one for each of its parts.
    pycurl.FTP_FILEMETHOD: pycurl.FTPMETHOD_SINGLECWD,
    pycurl.FTP_CREATE_MISSING_DIRS: 0,
    pycurl.TRANSFERTEXT: 0,
    pycurl.OPT_FILETIME: 1,
    # Read to the end of the data connection, so that a file which grows is noticed and not cut to SIZE.
    pycurl.IGNORE_CONTENT_LENGTH: 1,
    pycurl.NOPROGRESS: 0,
}
