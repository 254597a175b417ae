"""Read the pages of many places at once, through the door and its politeness, and keep what they lead to as it comes.

Where places come from and where findings go is the ledger's business: the catalog, for a
rescue, so that a run that is killed loses its last portion and the next one goes on. A run
ends when nothing is left that may be asked for now, or when it has used its pages or time.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from shelter_pipeline.discovery.explore import Exploration, FoundAsset
from shelter_pipeline.discovery.pages import Page, PageState
from shelter_pipeline.discovery.reading import may_be_page
from shelter_pipeline.domain.errors import CatalogAwayError, ShelterError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.door import Door
from shelter_pipeline.fetching.page import Reply
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.fetching.runner import Runner

_LOOK_SECONDS = 0.5
_LINGER_SECONDS = 0.05
# What may be lost with the process: pages, because slow ones take hours to make many results, files, and time.
_PAGES_KEPT_AT_ONCE = 100
_FINDINGS_KEPT_AT_ONCE = 10_000
_SECONDS_UNKEPT = 5.0
# Places in hand: enough for hundreds of hosts, few enough for memory; of one host enough to keep its turns in use.
_IN_HAND = 600
_EACH_HOST = 6
_PAGES_AT_ONCE = 32  # of one place, so that none uses up the pages of a run by what it has in the queue
_LAST_SECONDS = 60.0  # after the time of a run, for what has been asked for and not answered

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True, eq=False)
class Held(Generic[Key]):
    """A place in hand, and what is not kept of it yet."""

    key: Key
    host: str
    exploration: Exploration
    fresh: dict[int, Page] = field(default_factory=dict)  # with something new to say, each after its parent
    found: list[FoundAsset] = field(default_factory=list)
    is_torn: bool = (
        False  # something was being taken when the run was interrupted: it no longer says what is so
    )
    _queue: deque[Page] = field(default_factory=deque)
    _asked: set[int] = field(default_factory=set)  # pages under way, by identity

    def begin(self) -> None:
        """Take what the address tells by itself, unless it was begun before."""
        if self.exploration.pages:
            self._queue.extend(self.exploration.waiting())
        else:
            self._take(self.exploration.begin())

    def hear(self, page: Page, came: Reply | ShelterError) -> None:
        """Take what came of a page."""
        self._asked.discard(id(page))
        self.fresh[id(page)] = page
        self._take(self.exploration.take(page, came))

    def next_pages(self, most: int) -> list[Page]:
        """Pages to be asked for now, up to `most` and up to what one place may have under way."""
        room = max(min(most, _PAGES_AT_ONCE - len(self._asked), len(self._queue)), 0)
        pages = [self._queue.popleft() for _ in range(room)]
        self._asked.update(map(id, pages))
        return pages

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is under way or may be asked for now."""
        return not (self._asked or self._queue)

    @property
    def is_begun(self) -> bool:
        """Whether anything came of it, in this run or before."""
        return bool(self.found) or any(
            page.reason or page.state is not PageState.WAITING for page in self.exploration.pages
        )

    def _take(self, found: Iterator[FoundAsset]) -> None:
        self.is_torn = True
        known = len(self.exploration.pages)
        self.found.extend(found)
        new = self.exploration.pages[known:]
        self.fresh |= {id(page): page for page in new}
        self._queue.extend(page for page in new if page.state is PageState.WAITING)
        self.is_torn = False


class Ledger(Protocol[Key]):
    """Where places come from and where findings go."""

    def take(self, limit: int, *, each: int, full_hosts: Sequence[str]) -> list[Held[Key]]:
        """Up to `limit` places to be read, at most `each` of a host and none of the full ones."""
        ...

    def keep(self, held: Sequence[Held[Key]], put_down: Sequence[Held[Key]]) -> set[Key]:
        """Keep what is new of places, some of which are put down; the answer are those that are ours no more."""
        ...

    def give_back(self, held: Sequence[Held[Key]]) -> None:
        """Let others have places as they were kept last."""
        ...


@dataclass(slots=True)
class CrawlResult:
    """What a run has done so far: pages that were answered or failed, places put down, and how pages ended."""

    pages: int = 0
    places: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    cut_short: str = ""  # why it ended before all was read


class Crawl(Generic[Key]):
    """One run over the places of a ledger."""

    def __init__(
        self,
        ledger: Ledger[Key],
        *,
        door: Door,
        politeness: Politeness,
        robots: RobotsBook | None,
        connections: int,
        max_pages: int,
        max_seconds: float,
        max_page_bytes: int,
        progress: Callable[[CrawlResult], None] | None = None,
    ) -> None:
        self._ledger = ledger
        self._door = door
        self._robots = robots
        self._runner = Runner(politeness, connections=connections, robots=robots)
        self._max_pages = max_pages
        self._max_page_bytes = max_page_bytes
        self._progress = progress
        self._until = time.monotonic() + max_seconds
        self._kept_at = self._took_at = float("-inf")
        self._held: dict[Key, Held[Key]] = {}
        self._by_host: Counter[str] = Counter()
        self._asked = 0
        self._result = CrawlResult()

    def run(self) -> CrawlResult:
        """Read until there is nothing to read now, or the pages or the time are used up.

        Whatever ends it sooner, what was heard is kept and every place is given back.
        """
        with self._runner:
            try:
                while self._has_time() and (self._take() or self._runner.pending or self._may_ask()):
                    self._hear()
                    self._keep()
                self._hear_the_rest()
                self._keep(everything=True)
            except BaseException:
                # If the catalog is away too, the leases run out by themselves; the cause is what must be seen.
                with suppress(CatalogAwayError):
                    self._give_back()
                raise
        return self._result

    def _has_time(self) -> bool:
        if time.monotonic() >= self._until:
            self._result.cut_short = "the time of the run was over"
            return False
        return True

    def _may_ask(self) -> bool:
        """Whether places in hand have pages to ask for and the run has pages left; what is asked for is waited for."""
        if self._asked < self._max_pages:
            return bool(self._held)
        if self._held:
            self._result.cut_short = f"the run ended after {self._asked} pages"
        return False

    def _take(self) -> int:
        """More places if there is room for them; how many."""
        now = time.monotonic()
        is_early = self._runner.pending and now - self._took_at < _LOOK_SECONDS
        if is_early or len(self._held) > _IN_HAND // 2 or self._asked >= self._max_pages:
            return 0
        self._took_at = now
        full = [host for host, count in self._by_host.items() if count >= _EACH_HOST]
        taken = self._ledger.take(_IN_HAND - len(self._held), each=_EACH_HOST, full_hosts=full)
        for held in taken:
            self._let_go(held.key)  # whoever slept longer than a lease may take a place from itself
            self._held[held.key] = held
            self._by_host[held.host] += 1
        for held in taken:
            held.begin()
            self._ask(held)
        return len(taken)

    def _ask(self, held: Held[Key]) -> None:
        pages = held.next_pages(self._max_pages - self._asked)
        self._asked += len(pages)
        for page in pages:
            steps = self._door.page_steps(
                page.url,
                headers=page.headers,
                max_bytes=self._max_page_bytes,
                robots=self._robots,
                wanted=may_be_page,
            )
            self._runner.submit((held, page), parse_url(page.url), steps, more=page is not pages[-1])

    def _hear(self, *, follow: bool = True) -> None:
        held: Held[Key]
        for (held, page), came in self._runner.results(_LOOK_SECONDS, linger_seconds=_LINGER_SECONDS):
            if self._held.get(held.key) is not held:
                continue  # somebody else has it now
            held.hear(page, came)
            self._result.pages += 1
            self._result.reasons[page.reason or "read"] += 1
            if follow:
                self._ask(held)
            if len(held.found) >= _FINDINGS_KEPT_AT_ONCE:
                self._keep()
        if self._progress is not None:
            self._progress(self._result)

    def _hear_the_rest(self) -> None:
        """Hear what is under way; nothing new is begun, and nobody is waited for long."""
        self._runner.stop()
        until = time.monotonic() + _LAST_SECONDS
        while self._runner.pending and time.monotonic() < until:
            self._hear(follow=False)
            self._keep()

    def _keep(self, *, everything: bool = False) -> None:
        """Keep what is new, if it is enough or has waited long, and put down what is over."""
        held = list(self._held.values())
        over = [one for one in held if everything or one.is_over]
        if not (
            everything
            or (over and not self._runner.pending)
            or sum(len(one.fresh) for one in held) >= _PAGES_KEPT_AT_ONCE
            or sum(len(one.found) for one in held) >= _FINDINGS_KEPT_AT_ONCE
            or time.monotonic() - self._kept_at > _SECONDS_UNKEPT
        ):
            return
        untouched = [one for one in over if not one.is_begun]
        self._ledger.give_back(untouched)
        for one in untouched:
            self._let_go(one.key)
        over = [one for one in over if one.is_begun]
        lost = self._ledger.keep(list(self._held.values()), over)
        self._kept_at = time.monotonic()
        for one in self._held.values():
            one.fresh, one.found = {}, []
        self._result.places += sum(one.key not in lost for one in over)
        for key in {one.key for one in over} | lost:
            self._let_go(key)

    def _give_back(self) -> None:
        """What was interrupted in the middle is as it was kept last; of the others all is kept that was heard."""
        torn = [held for held in self._held.values() if held.is_torn]
        for held in torn:
            self._let_go(held.key)
        self._ledger.give_back(torn)
        self._keep(everything=True)

    def _let_go(self, key: Key) -> None:
        if (held := self._held.pop(key, None)) is not None:
            self._by_host[held.host] -= 1
