"""How slowly a caller may speak, how much it may say before it is heard, and how slowly it may listen.

uvicorn waits for ever: for a head, for a body, for a caller to take an answer. Here each
has a deadline, so that they hold without a proxy, and a caller that keeps many connections
half open keeps nobody else out: where all places are taken, the one that has been
waiting longest loses its own. What is refused here has the same shape as every other
refusal of the API.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shelter_pipeline.api.errors import failure_body, unauthorized_body
from shelter_pipeline.settings import Settings

MAX_HEAD_BYTES = 64 * 1024
STREAMED = "/uploads/"  # a PUT below this path may be long, and has a least rate instead of a deadline
_LINGER_SECONDS = 2.0
_RATE_WINDOW_SECONDS = 15.0

Refused = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """What one connection may take."""

    head_seconds: float
    body_seconds: float
    min_upload_rate: int
    max_headers: int
    max_connections: int
    refused: Refused  # told the slug of whatever is refused here, for the metrics

    @classmethod
    def of(cls, settings: Settings, refused: Refused) -> Deadlines:
        """As the settings say."""
        return cls(
            head_seconds=settings.api_head_seconds,
            body_seconds=settings.api_body_seconds,
            min_upload_rate=settings.api_upload_min_bytes_per_second,
            max_headers=settings.api_max_headers,
            max_connections=settings.api_max_connections,
            refused=refused,
        )


def protocol_of(deadlines: Deadlines) -> type[PatientProtocol]:
    """The protocol of a server that keeps these deadlines."""
    return type("PatientProtocol", (PatientProtocol,), {"deadlines": deadlines})


class PatientProtocol(HttpToolsProtocol):
    """One connection. The timers follow what arrives; how long an answer takes is the application's to bound."""

    deadlines: Deadlines

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.access_log = False  # uvicorn's would spell out queries; ours is `api.access_log`
        self.waiting_since: float | None = None  # None while a whole head is being answered
        self._head = bytearray()
        self._head_size = 0
        self._streamed = 0
        self._is_in_body = False
        self._is_refused = False
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None

    # The connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Give it a place, if need be that of whoever has waited longest."""
        super().connection_made(transport)
        self.waiting_since = self.loop.time()
        self._expect(self.deadlines.head_seconds, self._on_late_head)
        if len(self.connections) > self.deadlines.max_connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget its timers."""
        self._expect(None)
        if self._writing is not None:
            self._writing.cancel()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def _make_room(self) -> None:
        waiting = [
            (one.waiting_since, index, one)
            for index, one in enumerate(self.connections)
            if isinstance(one, PatientProtocol) and one.waiting_since is not None and one is not self
        ]
        if waiting:
            min(waiting)[2].transport.abort()
            self.deadlines.refused("evicted")
        else:
            self._refuse(503, "busy", "too many connections are open; try again soon", retry=True)

    # What arrives

    def data_received(self, data: bytes) -> None:
        """Take what arrived, unless nobody listens any more."""
        if self._is_refused:
            return
        if self._reading is None and not self._is_in_body:
            self.waiting_since = self.loop.time()
            self._expect(self.deadlines.head_seconds, self._on_late_head)
        if self.waiting_since is not None:
            self._head += data
        super().data_received(data)
        if self.waiting_since is not None and len(self._head) > MAX_HEAD_BYTES and not self._is_refused:
            self._refuse_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count what heads hold."""
        self._head_size += len(name) + len(value)
        super().on_header(name, value)

    def on_url(self, url: bytes) -> None:
        """Count the target too."""
        self._head_size += len(url)
        super().on_url(url)

    def on_headers_complete(self) -> None:
        """Begin to answer, and wait for the body."""
        size, self._head_size = self._head_size, 0
        if self._is_refused:
            return
        if size > MAX_HEAD_BYTES or len(self.headers) > self.deadlines.max_headers:
            self._refuse_head()
            return
        if self.parser.get_http_version() not in ("1.0", "1.1"):
            self.send_400_response("")
            return
        self._head.clear()
        self.waiting_since, self._is_in_body = None, True
        super().on_headers_complete()
        if self.scope["method"] == "PUT" and self.scope["path"].startswith(STREAMED):
            self._streamed = 0
            self._expect(_RATE_WINDOW_SECONDS, self._look_at_rate)
        else:
            self._expect(self.deadlines.body_seconds, self._on_late_body)

    def on_body(self, body: bytes) -> None:
        """Count it, and hand it on."""
        if not self._is_refused:
            self._streamed += len(body)
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Everything is here: the time is the application's from now on."""
        if self._is_refused:
            return
        self._expect(None)
        self._is_in_body = False
        super().on_message_complete()
        if self.cycle.response_complete:  # it was answered before it was whole
            self._await_next()

    def on_response_complete(self) -> None:
        """The next request may come, or nothing."""
        super().on_response_complete()
        if not self._is_in_body and self._reading is None:
            self.waiting_since = self.loop.time()

    def _await_next(self) -> None:
        self.waiting_since = self.loop.time()
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def timeout_keep_alive_handler(self) -> None:
        """Nothing came: close, and do not wait for a caller that takes nothing."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(_LINGER_SECONDS, self.transport.abort)

    # What leaves

    def pause_writing(self) -> None:
        """The caller takes nothing: bound how long."""
        super().pause_writing()
        if self._writing is None:
            self._writing = self.loop.call_later(self.deadlines.body_seconds, self._on_late_listener)

    def resume_writing(self) -> None:
        """It took some."""
        super().resume_writing()
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def _on_late_listener(self) -> None:
        self.deadlines.refused("slow-reader")
        self.transport.abort()

    # Deadlines

    def _expect(self, seconds: float | None, late: Callable[[], None] | None = None) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._reading = self.loop.call_later(seconds, late) if seconds is not None and late else None

    def _on_late_head(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            # Another request of this connection is still being answered.
            self._expect(self.deadlines.head_seconds, self._on_late_head)
        elif self._head:
            self._refuse(408, "too-slow", "the head of the request took too long to arrive")
        else:
            self.deadlines.refused("silent")
            self.transport.abort()

    def _on_late_body(self) -> None:
        if self.flow.read_paused:  # while we do not read, it is not the caller that is slow
            self._expect(self.deadlines.body_seconds, self._on_late_body)
            return
        self._refuse(408, "too-slow", "the body of the request took too long to arrive")

    def _look_at_rate(self) -> None:
        # While we do not read, it is not the caller that is slow.
        if (
            self._streamed < self.deadlines.min_upload_rate * _RATE_WINDOW_SECONDS
            and not self.flow.read_paused
        ):
            self._refuse(
                408,
                "too-slow",
                f"an upload has to bring {self.deadlines.min_upload_rate} bytes a second; send it again",
            )
            return
        self._streamed = 0
        self._expect(_RATE_WINDOW_SECONDS, self._look_at_rate)

    # Refusals

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words are for its log
        """What is no HTTP gets the common shape too."""
        if not self._is_refused:
            self._refuse(400, "bad-http", "this is no HTTP/1.1 request, or an ambiguous one")

    def _refuse_head(self) -> None:
        line = bytes(self._head[self._head.rfind(b"\n", 0, MAX_HEAD_BYTES) + 1 :][:14]).lower()
        if line == b"authorization:" or any(
            name == b"authorization" and len(value) > MAX_HEAD_BYTES // 2 for name, value in self.headers
        ):
            # A token that long opens nothing, and gets the words that every other such token gets.
            self._answer(401, unauthorized_body(), ((b"www-authenticate", b"Bearer"),))
            return
        limit = f"{self.deadlines.max_headers} headers and {MAX_HEAD_BYTES // 1024} KiB"
        self._refuse(431, "head-too-large", f"the head of the request is larger than {limit}")

    def _refuse(self, status: int, reason: str, message: str, *, retry: bool = False) -> None:
        self.deadlines.refused(reason)
        self._answer(status, failure_body(reason, message), ((b"retry-after", b"2"),) if retry else ())

    def _answer(self, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        """Say it if nothing else was begun, listen to nothing any more, and close soon."""
        self._is_refused = True
        self._expect(None)
        self._unset_keepalive_if_required()
        begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if begun:
            self.transport.abort()
            return
        lines = [
            STATUS_LINE[status],
            *(b"%s: %s\r\n" % pair for pair in self.server_state.default_headers),
            *(b"%s: %s\r\n" % pair for pair in headers),
            b"content-type: application/json\r\nx-content-type-options: nosniff\r\nconnection: close\r\n",
            b"content-length: %d\r\n\r\n" % len(body),
            body,
        ]
        self.transport.write(b"".join(lines))
        # A caller that is still sending would lose the answer to a reset if we closed at once.
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._reading = self.loop.call_later(_LINGER_SECONDS, self.transport.abort)
