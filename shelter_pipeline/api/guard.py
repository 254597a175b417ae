"""The outermost layer: every request is counted and logged, every answer carries what keeps browsers safe.

What nobody foresaw ends here as a 500 that says nothing; the traceback goes to the log.
"""

from __future__ import annotations

import logging
import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shelter_pipeline.api.access_log import log_request
from shelter_pipeline.api.errors import internal
from shelter_pipeline.api.metrics import Metrics

_log = logging.getLogger(__name__)
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    # Nothing that is served here may run, rescued pages least of all; pages of our own say what they need.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
}
_EXPOSED = (
    "ETag, Link, Location, Retry-After, RateLimit, RateLimit-Policy, Content-Range, Content-Disposition"
)
_READS = frozenset({"GET", "HEAD"})
_BAD_REQUEST = 400


class Guard:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, whatever happens."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, seen = time.perf_counter(), _Seen()

        async def send_guarded(message: Message) -> None:
            seen.note(message)
            if message["type"] == "http.response.start":
                _protect(scope, message)
            await send(message)

        with self._metrics.in_progress.track_inprogress():
            try:
                await self._app(scope, receive, send_guarded)
            except Exception:
                _log.exception("a request failed")
                if seen.status is not None:
                    raise  # half an answer must not look like a whole one
                await internal()(scope, receive, send_guarded)
        self._note(scope, seen, time.perf_counter() - began)

    def _note(self, scope: Scope, seen: _Seen, seconds: float) -> None:
        status = seen.status or 499  # the caller went away
        route = getattr(scope.get("route"), "path", "other")
        # How long somebody watched is no time of an answer.
        self._metrics.answered(scope["method"], route, status, None if seen.is_watch else seconds)
        who = scope.get("state", {}).get("who", "-")
        log_request(scope, who=who, status=status, seconds=seconds, size=seen.size)


class _Seen:
    """What went out."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.size = 0
        self.is_watch = False

    def note(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kind = MutableHeaders(raw=message["headers"]).get("content-type", "")
            self.is_watch = kind.startswith("text/event-stream")
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))


def _protect(scope: Scope, message: Message) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    if scope["method"] not in _READS or message["status"] >= _BAD_REQUEST:
        headers.setdefault("Cache-Control", "no-store")
    has_token = any(name == b"authorization" for name, _ in scope["headers"])
    if has_token:
        headers.setdefault("Cache-Control", "private, no-store")
    elif scope["method"] in _READS:
        # What everybody may read, pages of everybody may read; nothing else is said to other origins.
        headers.setdefault("Access-Control-Allow-Origin", "*")
        headers.setdefault("Access-Control-Expose-Headers", _EXPOSED)
