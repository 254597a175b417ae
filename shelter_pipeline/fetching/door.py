"""The only way to the open internet.

Every request of Shelter goes through a `Door`: the URL is parsed by one parser, the
socket address is checked when it is dialled, redirects are followed by hand and each
hop is treated like the first, and credentials never leave the host they were meant for.
A door is safe to share between threads; each thread keeps its own connections alive.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from shelter_pipeline.domain.addresses import Network
from shelter_pipeline.domain.urls import Url
from shelter_pipeline.fetching.exchange import NO_HEADERS, Exchange, Hop, Trace, Wish, exchange
from shelter_pipeline.fetching.framing import Head
from shelter_pipeline.fetching.limits import Limits
from shelter_pipeline.fetching.multi import MultiPerThread
from shelter_pipeline.fetching.observing import observation
from shelter_pipeline.fetching.page import Reply, read_page, save_page
from shelter_pipeline.fetching.passage import Passage
from shelter_pipeline.fetching.politeness import Turn
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.fetching.steps import Result, Steps, drive
from shelter_pipeline.fetching.transfer import Transfer
from shelter_pipeline.settings import Settings

__all__ = ["NO_HEADERS", "Door", "Exchange", "Head", "Hop", "Limits", "Reply", "Trace"]

_DEFAULT_PAGE_BYTES = 64 * 1024 * 1024

TakeTurn = Callable[[Url], AbstractContextManager[Any]]


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
        self.passage = Passage(tuple(allowed_networks), frozenset(allowed_ports), user_agent)
        self._page_max_bytes = page_max_bytes
        self._connections = MultiPerThread()

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

    def drive(
        self,
        steps: Steps[Result],
        *,
        turn: TakeTurn | None = None,
        rest: Callable[[float], None] = time.sleep,
    ) -> Result:
        """Take steps one after another on this thread, each request in its `turn` at the host."""

        def ask(transfer: Transfer) -> None:
            with turn(transfer.url) if turn else nullcontext() as held:
                try:
                    self._connections.run(transfer)
                finally:
                    if isinstance(held, Turn):
                        held.end(observation(transfer) if transfer.sent else None, sent_at=transfer.sent_at)

        return drive(steps, ask=ask, rest=rest)

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
        turn: TakeTurn | None = None,
        trace: Trace | None = None,
    ) -> Exchange:
        """Ask for `url`, follow redirects, hand the final head and then its body over.

        `on_head` and `sink` may raise a ShelterError to end the transfer; so may `tick`,
        called several times a second. `turn` is entered around each request, by hop, and
        is where politeness waits. A directory of an FTP server comes as its listing
        (`ftp_page`). Otherwise as `exchange.exchange`.
        """
        wish = Wish(url, on_head, sink, method, headers, tick, listing=True)
        return self.drive(exchange(self.passage, wish, limits or self.limits, trace or Trace()), turn=turn)

    def read(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        max_bytes: int | None = None,
        turn: TakeTurn | None = None,
    ) -> Reply:
        """A whole small reply in memory, 4xx and 5xx included; the body is cut off by an error, never short.

        `max_bytes` bounds both the wire and the unfolded body. Raises as `exchange`.
        """
        steps = self.page_steps(url, headers=headers, max_bytes=max_bytes)
        return self.drive(steps, turn=turn)

    def save(
        self,
        url: str,
        sink: Callable[[bytes], object],
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        max_bytes: int | None = None,
        turn: TakeTurn | None = None,
    ) -> Reply:
        """As `read`, for replies too large for memory: the unfolded body goes to `sink` piece by piece.

        The reply holds the first 64 KiB of it. What reached the sink counts only if this returns.
        """
        steps = save_page(
            self.passage,
            self.limits,
            url,
            sink,
            headers=headers,
            max_bytes=self._cap(max_bytes),
        )
        return self.drive(steps, turn=turn)

    def page_steps(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        max_bytes: int | None = None,
        robots: RobotsBook | None = None,
        wanted: Callable[[Head], bool] | None = None,
    ) -> Steps[Reply]:
        """The steps of `read`, for a runner that takes thousands of them at once; `wanted` as in `read_page`."""
        return read_page(
            self.passage,
            self.limits,
            url,
            headers=headers,
            max_bytes=self._cap(max_bytes),
            robots=robots,
            wanted=wanted,
        )

    def _cap(self, max_bytes: int | None) -> int:
        return max_bytes or self._page_max_bytes
