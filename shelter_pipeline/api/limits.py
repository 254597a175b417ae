"""What one request may cost: its rate, its size, its form, its share of the threads, its time.

All of it is decided before any route runs, in memory alone, so that a flood costs little
and meets its own bucket. An answer that does not begin in time is a 503; a thread that
hangs in the meantime keeps the place of its caller, never that of another.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shelter_pipeline.api.buckets import Buckets, Standing
from shelter_pipeline.api.callers import caller_of, client_address
from shelter_pipeline.api.errors import ApiError, answer, unavailable
from shelter_pipeline.api.protocol import STREAMED
from shelter_pipeline.api.security import READS_BY_POST, is_read, lets_locals_write
from shelter_pipeline.api.services import Services
from shelter_pipeline.domain.networks import is_loopback

_FOR_LOCALS = 4  # times as much for the machine's own programs, where they are trusted
_UNLIMITED = frozenset({"/health", "/metrics"})  # cheap, remembered, and asked for when nothing else answers


class Limits:
    """ASGI middleware just inside the guard."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        settings = services.settings
        self._app = app
        self._tokens = services.tokens
        self._trusted = settings.api_trusted_proxies
        self._max_body = settings.api_max_body_bytes
        self._answer_seconds = settings.api_answer_seconds
        self._body_seconds = settings.api_body_seconds
        reads, writes, burst = (
            settings.api_reads_per_second,
            settings.api_writes_per_second,
            settings.api_burst,
        )
        self._buckets = {"reads": Buckets(reads, burst), "writes": Buckets(writes, burst)}
        more = _FOR_LOCALS if lets_locals_write(settings) else 1
        self._of_locals = {
            "reads": Buckets(more * reads, more * burst),
            "writes": Buckets(more * writes, more * burst),
        }
        self._places = Places(settings.api_requests_at_once)
        self._strays: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        self._see_through_proxies(scope, headers)
        if scope["path"] in _UNLIMITED:
            await self._bounded(scope, receive, send, self._answer_seconds)
            return
        caller = caller_of(scope, headers, self._tokens)
        standing, policy = self._charge(scope, caller)
        send = _with_standing(send, standing, policy)
        try:
            if standing.wait_seconds is not None:
                raise _too_many(standing.wait_seconds)
            self._check_form(scope, headers)
            await self._in_turn(scope, receive, send, headers, caller)
        except ApiError as error:
            await answer(error.status, error.reason, error.message, headers=error.headers)(
                scope, receive, send
            )

    def _see_through_proxies(self, scope: Scope, headers: Headers) -> None:
        if not self._trusted or not scope.get("client"):
            return
        peer, port = scope["client"]
        address = client_address(peer, headers.getlist("x-forwarded-for"), self._trusted)
        if address != peer:
            scope["client"] = (address, port)
            if headers.get("x-forwarded-proto") in ("http", "https"):
                scope["scheme"] = headers["x-forwarded-proto"]  # for the addresses in answers

    def _charge(self, scope: Scope, caller: str) -> tuple[Standing, str]:
        name = "reads" if is_read(scope["method"], scope["path"]) else "writes"
        buckets = self._of_locals if is_loopback(caller) else self._buckets
        return buckets[name].take(caller, time.monotonic()), name

    def _check_form(self, scope: Scope, headers: Headers) -> None:
        if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
            raise ApiError(
                415, "encoded-body", "bodies are taken as they are: send it without Content-Encoding"
            )
        if _is_streamed(scope):
            return
        length = headers.get("content-length", "0")
        if int(length) > self._max_body:
            raise self._too_large()
        has_body = "transfer-encoding" in headers or int(length) > 0
        if not has_body or scope["path"].startswith(READS_BY_POST):
            return
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        # A web page can send a form to anywhere, but not JSON without asking first.
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            raise ApiError(
                415,
                "not-json",
                "the body must be JSON and say so: send it with Content-Type: application/json",
            )

    def _too_large(self) -> ApiError:
        return ApiError(413, "too-large", f"the body is larger than {self._max_body} bytes")

    async def _in_turn(
        self, scope: Scope, receive: Receive, send: Send, headers: Headers, caller: str
    ) -> None:
        if _is_streamed(scope):
            await self._app(scope, receive, send)
            return
        give_back = await self._places.take(caller, self._answer_seconds)
        has_body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        seconds = self._answer_seconds + (self._body_seconds if has_body else 0)
        await self._bounded(scope, self._counted(receive), send, seconds, give_back)

    def _counted(self, receive: Receive) -> Receive:
        size = 0

        async def receive_counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._max_body:
                # FastAPI lets this one pass where it turns others into a 400.
                raise HTTPException(413)
            return message

        return receive_counted

    async def _bounded(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        seconds: float,
        give_back: Callable[[], None] = lambda: None,
    ) -> None:
        """The application's answer if it begins within these seconds, and a 503 otherwise.

        The place is given back when the answer begins, or when the application ends if that is later than its time.
        """
        has_begun, is_late = False, False
        giving_up = anyio.CancelScope()

        async def send_in_time(message: Message) -> None:
            nonlocal has_begun
            if not is_late:
                has_begun = True
                give_back()
                await send(message)

        async def run() -> None:
            try:
                with giving_up:
                    await self._app(scope, receive, send_in_time)
            finally:
                give_back()

        task = asyncio.create_task(run())
        try:
            await asyncio.wait({task}, timeout=seconds)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if task.done() or has_begun:
            await task
            return
        is_late = True
        # Whoever waits for a thread stops waiting; whoever is in one stays there until it returns.
        giving_up.cancel()
        self._strays.add(task)
        task.add_done_callback(self._strays.discard)
        await unavailable("too-slow", "the answer takes too long; try again later", 10)(scope, receive, send)


class Places:
    """How many requests of one caller are worked on at once. The event loop owns it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._callers: dict[str, tuple[asyncio.Semaphore, int]] = {}

    async def take(self, caller: str, seconds: float) -> Callable[[], None]:
        """Wait for a place; it is given back by calling the result, once or more often. ApiError 429 after a wait."""
        semaphore, users = self._callers.get(caller, (asyncio.Semaphore(self._limit), 0))
        self._callers[caller] = (semaphore, users + 1)
        try:
            if semaphore.locked():
                await asyncio.wait_for(semaphore.acquire(), seconds)
            else:
                await semaphore.acquire()
        except BaseException as error:
            self._leave(caller)
            if isinstance(error, TimeoutError):
                raise _too_many(2) from None
            raise
        is_held = True

        def give_back() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                semaphore.release()
                self._leave(caller)

        return give_back

    def _leave(self, caller: str) -> None:
        semaphore, users = self._callers[caller]
        if users == 1:
            del self._callers[caller]
        else:
            self._callers[caller] = (semaphore, users - 1)


def _with_standing(send: Send, standing: Standing, policy: str) -> Send:
    """Say what is left, in the fields of draft-ietf-httpapi-ratelimit-headers."""

    async def send_standing(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["RateLimit"] = f'"{policy}";r={standing.left};t={standing.refilled_seconds}'
            headers["RateLimit-Policy"] = f'"{policy}";q={standing.limit}'
        await send(message)

    return send_standing


def _too_many(seconds: int) -> ApiError:
    return ApiError(
        429,
        "too-many-requests",
        f"that is more than one caller may ask for; come again in {seconds} s",
        headers={"Retry-After": str(seconds)},
    )


def _is_streamed(scope: Scope) -> bool:
    return bool(scope["method"] == "PUT" and scope["path"].startswith(STREAMED))
