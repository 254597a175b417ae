"""A page, listing or catalogue document, asked for and read whole: the steps of one small reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

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
) -> Steps[Reply]:
    """The reply's unfolded body to `sink` piece by piece; the reply holds the first 64 KiB of it.

    `max_bytes` bounds both the wire and the unfolded body. What reached the sink counts only
    if this returns. Raises as `exchange`, and DamagedError for an encoding that lies.
    """
    cap = min(max_bytes, limits.max_bytes)
    spool = Spool(sink, cap)
    wish = Wish(url, spool.begin, spool.receive, headers=headers)
    reply = yield from exchange(passage, wish, replace(limits, max_bytes=cap), Trace(), robots=robots)
    spool.end()
    return Reply(
        parse_url(url).text, reply.final_url, reply.head, bytes(spool.start), reply.hops, reply.requests
    )


def read_page(
    passage: Passage,
    limits: Limits,
    url: str,
    *,
    headers: Mapping[str, str] = NO_HEADERS,
    max_bytes: int,
    robots: RobotsBook | None = None,
) -> Steps[Reply]:
    """The whole reply in memory, 4xx and 5xx included; a body that is too long is an error, never short."""
    body = bytearray()
    reply = yield from save_page(
        passage, limits, url, body.extend, headers=headers, max_bytes=max_bytes, robots=robots
    )
    return replace(reply, body=bytes(body))
