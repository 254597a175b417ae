"""A request and all its redirects, as steps: each hop is admitted, guarded and recorded like the first."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType

from shelter_pipeline.domain.errors import PermanentError, RefusedError
from shelter_pipeline.domain.robots import MOST_BYTES
from shelter_pipeline.domain.urls import Url, join_url, parse_url
from shelter_pipeline.fetching.framing import Head
from shelter_pipeline.fetching.http_transfer import REDIRECTS
from shelter_pipeline.fetching.limits import Limits
from shelter_pipeline.fetching.mind_robots import mind_robots
from shelter_pipeline.fetching.passage import Passage
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.fetching.steps import Ask, Steps
from shelter_pipeline.fetching.transfer import Transfer

MOST_REDIRECTS = 5  # of a robots.txt: RFC 9309 2.3.1.2
_ROBOTS_SECONDS = 60.0
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Hop:
    """One redirect that was followed: who sent it, with which status and fields, and where to, as written."""

    url: str
    status: int
    location: str
    headers: tuple[tuple[str, str], ...] = ()
    address: str | None = None


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
    address: str | None = None
    timing: dict[str, float] = field(default_factory=dict)

    def take(self, transfer: Transfer) -> None:
        """What a transfer that has ended adds."""
        self.requests += transfer.sent
        self.head = transfer.head
        self.wire_bytes += transfer.wire_bytes
        self.flags = transfer.flags
        self.request_headers = transfer.request_headers
        self.address = transfer.address
        self.timing = transfer.timing


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, and who takes it. `on_head`, `sink` and `tick` may raise to end the transfer."""

    url: str
    on_head: Callable[[Head], None]
    sink: Callable[[bytes], None]
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    tick: Callable[[], None] | None = None  # called several times a second
    max_bytes: int | None = None  # fewer than the limits allow
    seconds: float | None = None  # less than the limits allow
    alone: bool = False  # on a connection of its own, which is closed afterwards
    listing: bool = False  # a directory of an FTP server is welcome, as its listing: never for what is kept


def exchange(
    passage: Passage, wish: Wish, limits: Limits, trace: Trace, *, robots: RobotsBook | None = None
) -> Steps[Exchange]:
    """Ask, follow redirects, hand the final head and then its body over; `trace` is filled on the way.

    With `robots` the robots.txt of each host on the way is asked first, and obeyed.
    Raises the error whose `reason` says what went wrong: RefusedError before anything is
    sent, else TransientError, PermanentError or DamagedError. ValueError for a method that
    does more than read.
    """
    if wish.method not in ("GET", "HEAD"):
        raise ValueError(f"the method {wish.method!r} is not one that only reads")
    deadline = time.monotonic() + (limits.total_seconds if wish.seconds is None else wish.seconds)
    trace.hops.clear()
    trace.head, trace.flags = None, ()
    origin = here = passage.admit(parse_url(wish.url), listing=wish.listing)
    while True:
        trace.final_url = here.text
        if robots is not None:
            yield from mind_robots(robots, here, partial(_robots_exchange, passage, limits, wish.tick))
        left = max(deadline - time.monotonic(), 0.001)
        transfer = passage.transfer(here, limits, wish, seconds=left, same_host=_same_origin(origin, here))
        try:
            yield Ask(transfer)
        finally:
            trace.take(transfer)
        head = transfer.head
        assert head is not None  # noqa: S101 - a transfer without a head ends in an error
        if head.status not in REDIRECTS:
            break
        here = _follow(passage, here, transfer, origin, trace, limits)
    return Exchange(
        here.text,
        head,
        tuple(trace.hops),
        trace.wire_bytes,
        trace.requests,
        trace.request_headers,
        trace.flags,
    )


def _robots_exchange(
    passage: Passage,
    limits: Limits,
    tick: Callable[[], None] | None,
    url: str,
    on_head: Callable[[Head], None],
    sink: Callable[[bytes], None],
) -> Steps[Exchange]:
    bounded = replace(
        limits, max_redirects=MOST_REDIRECTS, total_seconds=min(limits.total_seconds, _ROBOTS_SECONDS)
    )
    wish = Wish(url, on_head, sink, tick=tick, max_bytes=MOST_BYTES, alone=True)
    return exchange(passage, wish, bounded, Trace())


def _follow(
    passage: Passage, here: Url, transfer: Transfer, origin: Url, trace: Trace, limits: Limits
) -> Url:
    """The URL a redirect leads to. A forbidden port is refused, any other fault is permanent."""
    head = transfer.head
    assert head is not None  # noqa: S101 - its status was read
    location = _location_of(head)
    try:
        there = passage.admit_redirect(join_url(here.text, location))
    except RefusedError as error:
        if error.reason == "port-not-allowed":
            raise
        raise PermanentError(f"the redirect cannot be followed: {error}", reason="bad-redirect") from error
    trace.hops.append(Hop(here.text, head.status, location, head.headers, transfer.address))
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
