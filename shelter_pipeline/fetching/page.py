"""A page, listing or catalogue document, asked for and read whole: the steps of one small reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from shelter_pipeline.domain.errors import PermanentError, ShelterError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.exchange import NO_HEADERS, Hop, Trace, Wish, exchange
from shelter_pipeline.fetching.framing import Head
from shelter_pipeline.fetching.limits import Limits
from shelter_pipeline.fetching.passage import Passage
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.fetching.spool import Spool
from shelter_pipeline.fetching.steps import Steps


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply whatever its status; a gzip body is already unfolded. `requests` counts redirects too."""

    url: str
    final_url: str
    head: Head
    body: bytes
    hops: tuple[Hop, ...]
    requests: int = 1


def save_page(
    passage: Passage,
    limits: Limits,
    url: str,
    sink: Callable[[bytes], object],
    *,
    headers: Mapping[str, str] = NO_HEADERS,
    max_bytes: int,
    robots: RobotsBook | None = None,
    wanted: Callable[[Head], bool] | None = None,
) -> Steps[Reply]:
    """The reply's unfolded body to `sink` piece by piece; the reply holds the first 64 KiB of it.

    `max_bytes` bounds both the wire and the unfolded body. What reached the sink counts only
    if this returns. A body whose head is not `wanted` is not waited for: the reply comes
    without it. A directory of an FTP server comes as its listing (`ftp_page`). Raises as
    `exchange`, OversizeError for what is too long, and DamagedError for an encoding that lies.
    """
    cap = min(max_bytes, limits.max_bytes)
    spool = Spool(sink, cap)
    trace = Trace()

    def begin(head: Head) -> None:
        if wanted is not None and not wanted(head):
            raise _UnwantedError("nobody wants the body", reason="interrupted")
        spool.begin(head)

    wish = Wish(url, begin, spool.receive, headers=headers, listing=True)
    try:
        yield from exchange(passage, wish, replace(limits, max_bytes=cap), trace, robots=robots)
        spool.end()
    except _UnwantedError:
        spool.start.clear()
    except PermanentError as error:
        if error.reason != "too-large" or trace.head is None:
            raise
        raise OversizeError(str(error), head=trace.head) from error
    assert trace.head is not None  # noqa: S101 - whoever gets here has seen it
    return Reply(
        parse_url(url).text,
        trace.final_url,
        trace.head,
        bytes(spool.start),
        tuple(trace.hops),
        trace.requests,
    )


def read_page(
    passage: Passage,
    limits: Limits,
    url: str,
    *,
    headers: Mapping[str, str] = NO_HEADERS,
    max_bytes: int,
    robots: RobotsBook | None = None,
    wanted: Callable[[Head], bool] | None = None,
) -> Steps[Reply]:
    """The whole reply in memory, 4xx and 5xx included; a body that is too long is an error, never short."""
    body = bytearray()
    reply = yield from save_page(
        passage, limits, url, body.extend, headers=headers, max_bytes=max_bytes, robots=robots, wanted=wanted
    )
    return replace(reply, body=bytes(body))


class OversizeError(PermanentError):
    """The reply is longer than it may be. `head` says what it would have been, where it is known."""

    default_reason = "too-large"

    def __init__(self, message: str, *, reason: str | None = None, head: Head | None = None) -> None:
        super().__init__(message, reason=reason)
        self.head = head


class _UnwantedError(ShelterError):
    """The head says that nobody wants the body: the transfer ends there."""
