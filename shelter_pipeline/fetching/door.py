"""The only way to the open internet.

Every request of Shelter goes through a `Door`: the URL is parsed by one parser, the
socket address is checked when it is dialled, redirects are followed by hand and each
hop is treated like the first, and credentials never leave the host they were meant for.
A door is safe to share between threads; each thread keeps its own connections alive.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from shelter_pipeline.domain.addresses import Network
from shelter_pipeline.domain.errors import PermanentError, RefusedError
from shelter_pipeline.domain.urls import Url, join_url, parse_url
from shelter_pipeline.fetching.curl import pycurl
from shelter_pipeline.fetching.framing import Head
from shelter_pipeline.fetching.limits import Limits
from shelter_pipeline.fetching.spool import Spool
from shelter_pipeline.fetching.transfer import REDIRECTS, Transfer
from shelter_pipeline.settings import Settings

__all__ = ["Door", "Exchange", "Head", "Hop", "Limits", "Reply", "Trace"]

NO_HEADERS: Mapping[str, str] = MappingProxyType({})

# Ports on which other protocols listen: a crafted URL must not speak HTTP to them.
OTHER_PROTOCOLS_PORTS = frozenset(
    {
        *(7, 9, 13, 19, 20, 21, 22, 23, 25, 37, 42, 53, 69, 79, 110, 111, 113, 119, 123, 135, 137, 139, 143),
        *(161, 179, 389, 427, 445, 465, 512, 513, 514, 515, 548, 554, 587, 601, 636, 873, 990, 993, 995),
        *(
            1433,
            1521,
            1723,
            2049,
            2375,
            2376,
            2379,
            2380,
            3306,
            3389,
            3659,
            4190,
            5060,
            5061,
            5432,
            5672,
            5900,
        ),
        *(6000, 6379, 6566, 6667, 9042, 9092, 10250, 11211, 27017),
    }
)
# Fields about the file, not about us: they may follow a redirect to another host.
_TRAVELLING = frozenset({"accept", "range", "if-range", "if-none-match", "if-modified-since"})
_DEFAULT_PAGE_BYTES = 64 * 1024 * 1024

Turn = Callable[[Url], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Hop:
    """One redirect that was followed: who sent it, with which status, and where to, as written."""

    url: str
    status: int
    location: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A reply whose body went to the sink, whole by its own framing."""

    final_url: str
    head: Head
    hops: tuple[Hop, ...]
    wire_bytes: int  # received over all hops, heads included
    requests: int
    request_headers: tuple[tuple[str, str], ...]  # as sent to the final URL
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """A small reply held in memory, whatever its status; a gzip body is already unfolded."""

    url: str
    final_url: str
    head: Head
    body: bytes
    hops: tuple[Hop, ...]


@dataclass(slots=True)
class Trace:
    """What happened so far, kept up to date while it happens: the evidence when an exchange fails."""

    final_url: str = ""
    head: Head | None = None
    hops: list[Hop] = field(default_factory=list)
    wire_bytes: int = 0
    requests: int = 0
    request_headers: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()


class Door:
    """Asks the open internet, within limits, and never a private network unless it was opened."""

    def __init__(
        self,
        limits: Limits,
        *,
        allowed_networks: Sequence[Network] = (),
        allowed_ports: Sequence[int] = (),
        user_agent: str,
        page_max_bytes: int = _DEFAULT_PAGE_BYTES,
    ) -> None:
        self.limits = limits
        self._networks = tuple(allowed_networks)
        self._ports = frozenset(allowed_ports)
        self._user_agent = user_agent
        self._page_max_bytes = page_max_bytes
        self._handles = threading.local()

    @classmethod
    def of(cls, settings: Settings) -> Door:
        """The door as an operator has set it."""
        return cls(
            Limits.of(settings),
            allowed_networks=settings.allowed_networks,
            allowed_ports=settings.allowed_ports,
            user_agent=settings.user_agent,
            page_max_bytes=settings.page_max_bytes,
        )

    def exchange(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] = NO_HEADERS,
        on_head: Callable[[Head], None],
        sink: Callable[[bytes], None],
        limits: Limits | None = None,
        tick: Callable[[], None] | None = None,
        turn: Turn | None = None,
        trace: Trace | None = None,
    ) -> Exchange:
        """Ask for `url`, follow redirects, hand the final head and then its body over.

        `on_head` and `sink` may raise a ShelterError to end the transfer; so may `tick`,
        called at least once a second. `turn` is entered around each request, by hop, and
        is where politeness waits. `trace` is filled as things happen. Raises the error
        whose `reason` says what went wrong: RefusedError before anything is sent, else
        TransientError, PermanentError or DamagedError.
        """
        if method not in ("GET", "HEAD"):
            raise ValueError(f"the method {method!r} is not one that only reads")
        limits = limits or self.limits
        deadline = time.monotonic() + limits.total_seconds
        trace = Trace() if trace is None else trace
        trace.hops.clear()
        trace.head, trace.flags = None, ()
        origin = here = self._admit(parse_url(url))
        while True:
            trace.final_url = here.text
            left = max(deadline - time.monotonic(), 0.001)
            transfer = Transfer(
                here,
                replace(limits, total_seconds=left),
                method=method,
                headers=self._header_lines(headers, same_host=_same_origin(origin, here)),
                allowed_networks=self._networks,
                on_head=on_head,
                sink=sink,
                tick=tick,
            )
            with turn(here) if turn else nullcontext():
                head = self._perform(transfer, trace)
            if head.status not in REDIRECTS:
                break
            here = self._follow(here, head, origin, trace, limits)
        return Exchange(
            here.text,
            head,
            tuple(trace.hops),
            trace.wire_bytes,
            trace.requests,
            trace.request_headers,
            trace.flags,
        )

    def read(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        max_bytes: int | None = None,
        turn: Turn | None = None,
    ) -> Reply:
        """A whole small reply in memory, 4xx and 5xx included; the body is cut off by an error, never short.

        `max_bytes` bounds both the wire and the unfolded body. Raises as `exchange`.
        """
        body = bytearray()
        reply = self.save(url, body.extend, headers=headers, max_bytes=max_bytes, turn=turn)
        return replace(reply, body=bytes(body))

    def save(
        self,
        url: str,
        sink: Callable[[bytes], object],
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        max_bytes: int | None = None,
        turn: Turn | None = None,
    ) -> Reply:
        """As `read`, for replies too large for memory: the unfolded body goes to `sink` piece by piece.

        The reply holds the first 64 KiB of it. What reached the sink counts only if this returns.
        """
        cap = min(max_bytes or self._page_max_bytes, self.limits.max_bytes)
        spool = Spool(sink, cap)
        exchange = self.exchange(
            url,
            headers=headers,
            on_head=spool.begin,
            sink=spool.receive,
            limits=replace(self.limits, max_bytes=cap),
            turn=turn,
        )
        spool.end()
        return Reply(
            parse_url(url).text, exchange.final_url, exchange.head, bytes(spool.start), exchange.hops
        )

    def _perform(self, transfer: Transfer, trace: Trace) -> Head:
        curl = self._handle()
        trace.requests += 1
        try:
            transfer.run(curl)
        except RefusedError:
            trace.requests -= 1  # the guard spoke before anything was sent
            raise
        finally:
            trace.head = transfer.head
            trace.wire_bytes += transfer.wire_bytes
            trace.flags = transfer.flags
            trace.request_headers = _sent(transfer.request_lines)
            if not transfer.reusable:
                self._drop_handle()
        assert transfer.head is not None  # noqa: S101 - `run` raises when there is none
        return transfer.head

    def _handle(self) -> pycurl.Curl:
        curl: pycurl.Curl | None = getattr(self._handles, "curl", None)
        if curl is None:
            curl = self._handles.curl = pycurl.Curl()
        return curl

    def _drop_handle(self) -> None:
        self._handle().close()
        del self._handles.curl

    def _header_lines(self, extra: Mapping[str, str], *, same_host: bool) -> list[str]:
        fields = {"User-Agent": self._user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
        fields |= {name: value for name, value in extra.items() if same_host or name.lower() in _TRAVELLING}
        for name, value in fields.items():
            if not (name + value).isprintable():
                raise ValueError(f"the header field {name!r} holds a control character")
        return [f"{name}: {value}" for name, value in fields.items()]

    def _admit(self, url: Url) -> Url:
        """The URL if its scheme and port are ours to use."""
        if url.scheme not in ("http", "https"):
            raise RefusedError(f"the scheme {url.scheme!r} is not one we fetch", reason="bad-scheme")
        port = int(url.host.rpartition(":")[2])
        if port not in self._ports if self._ports else port in OTHER_PROTOCOLS_PORTS:
            raise RefusedError(f"port {port} is not one that a rescue may use", reason="port-not-allowed")
        return url

    def _follow(self, here: Url, head: Head, origin: Url, trace: Trace, limits: Limits) -> Url:
        """The URL a redirect leads to. A forbidden port is refused, any other fault is permanent."""
        location = _location_of(head)
        try:
            there = self._admit(join_url(here.text, location))
        except RefusedError as error:
            if error.reason == "port-not-allowed":
                raise
            raise PermanentError(
                f"the redirect cannot be followed: {error}", reason="bad-redirect"
            ) from error
        trace.hops.append(Hop(here.text, head.status, location))
        if len(trace.hops) > limits.max_redirects:
            raise PermanentError(f"more than {limits.max_redirects} redirects", reason="bad-redirect")
        if there.text in {origin.text, *(hop.url for hop in trace.hops)}:
            raise PermanentError(f"the redirects lead in a circle to {there.text}", reason="bad-redirect")
        return there


def _location_of(head: Head) -> str:
    """The one Location of a redirect. Servers write UTF-8 and spaces where only ASCII may stand."""
    locations = head.get_all("location")
    if len(locations) != 1 or not locations[0] or "\t" in locations[0]:
        raise PermanentError(
            f"status {head.status} with {len(locations)} usable Location fields", reason="bad-redirect"
        )
    try:
        text = locations[0].encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        text = locations[0]
    return text.replace(" ", "%20")


def _same_origin(one: Url, other: Url) -> bool:
    return (one.scheme, one.host) == (other.scheme, other.host)


def _sent(request: bytes) -> tuple[tuple[str, str], ...]:
    lines = request.decode("latin-1").split("\r\n")[1:]
    return tuple(
        (name, value.strip()) for name, colon, value in (line.partition(":") for line in lines) if colon
    )
