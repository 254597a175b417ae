"""Asking a host's robots.txt before its files, as steps: once for all who wait, and never round the door."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from shelter_pipeline.domain.errors import RefusedError, ShelterError, TransientError
from shelter_pipeline.domain.robots import MOST_BYTES, RobotsReply
from shelter_pipeline.domain.urls import Url
from shelter_pipeline.fetching.framing import Head
from shelter_pipeline.fetching.robots_book import Allowed, Ask, Disallowed, RobotsBook
from shelter_pipeline.fetching.spool import Spool
from shelter_pipeline.fetching.steps import Rest, Step

# Somebody else asks for it meanwhile; who has waited so long comes back another time.
_LONGEST_WAIT_SECONDS = 120.0

# How a robots.txt is fetched: its address, who takes the head and the body.
Fetch = Callable[[str, Callable[[Head], None], Callable[[bytes], None]], Generator[Step, Any, Any]]


def mind_robots(book: RobotsBook, url: Url, fetch: Fetch) -> Generator[Step, Any, None]:
    """Go on once `url` may be asked for. Raises RefusedError `robots` if it may not.

    A robots.txt that cannot be had raises what it failed with, as the file itself would.
    """
    waited = 0.0
    while waited < _LONGEST_WAIT_SECONDS:
        decision = book.decide(url)
        if isinstance(decision, Allowed):
            return
        if isinstance(decision, Disallowed):
            raise RefusedError(f"robots.txt says {decision.rule}", reason="robots")
        if isinstance(decision, Ask):
            yield from _ask(book, url, decision.robots_url, fetch)
        elif decision.error is not None:
            raise decision.error
        else:
            yield Rest(decision.seconds)
            waited += decision.seconds
    raise TransientError("the robots.txt of the host is still being asked for", reason="interrupted")


def _ask(book: RobotsBook, url: Url, robots_url: str, fetch: Fetch) -> Generator[Step, Any, None]:
    body = bytearray()
    spool = Spool(body.extend, MOST_BYTES)
    status: int | None = None
    error: ShelterError | None = TransientError("nobody asked for it to the end", reason="interrupted")

    def begin(head: Head) -> None:
        nonlocal status
        status = head.status
        spool.begin(head)

    try:
        yield from fetch(robots_url, begin, spool.receive)
        spool.end()
        error = None
    except ShelterError as failure:
        error = failure
        if failure.reason == "interrupted":  # the file is not wanted any more: nothing is asked again
            raise
    finally:  # also when whoever drives this breaks it off: somebody else may ask then
        book.learn(url, RobotsReply(status, bytes(body), error))
