"""Read the pages of many places at once, through the door and its politeness, and keep what they lead to as it comes.

Where places come from and where findings go is the ledger's business: the catalog, for a
rescue, so that a run that is killed loses its last portion and the next one goes on. A run
ends when nothing is left that may be asked for now, or when it has used its pages or time.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from shelter_pipeline.discovery.explore import Exploration, FoundAsset
from shelter_pipeline.discovery.pages import Page
from shelter_pipeline.discovery.reading import may_be_page
from shelter_pipeline.domain.errors import ShelterError
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
_PAGES_AT_ONCE = 32  # of one place: what has been asked for is waited for when a run ends

Key = TypeVar("Key")


@dataclass(slots=True, eq=False)
class Held(Generic[Key]):
    """A place in hand, and what is not kept of it yet."""

    key: Key
    host: str
    exploration: Exploration
    fresh: dict[int, Page] = field(default_factory=dict)  # with something new to say, each after its parent
    found: list[FoundAsset] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)  # pages under way, by identity

    def begin(self) -> None:
        """Take what the address tells by itself, unless it was begun before."""
        if not self.exploration.pages:
            self._take(self.exploration.begin())

    def hear(self, page: Page, came: Reply | ShelterError) -> None:
        """Take what came of a page."""
        self.asked.discard(id(page))
        self.fresh[id(page)] = page
        self._take(self.exploration.take(page, came))

    def to_ask(self) -> list[Page]:
        """The pages that may be asked for now and are not under way."""
        return [page for page in self.exploration.waiting() if id(page) not in self.asked]

    def _take(self, found: Iterator[FoundAsset]) -> None:
        known = len(self.exploration.pages)
        self.found.extend(found)
        self.fresh |= {id(page): page for page in self.exploration.pages[known:]}


class Ledger(Protocol[Key]):
    """Where places come from and where findings go."""

    def take(self, limit: int, *, each: int, full_hosts: Sequence[str]) -> list[Held[Key]]:
        """Up to `limit` places to be read, at most `each` of a host and none of the full ones."""
        ...

    def keep(self, held: Sequence[Held[Key]], put_down: Sequence[Held[Key]]) -> set[Key]:
        """Keep what is new of places, some of which are put down; the answer are those that are ours no more."""
        ...


@dataclass(slots=True)
class CrawlResult:
    """What a run has done so far: pages asked for, places put down, and how pages ended."""

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
        self._held: dict[int, Held[Key]] = {}
        self._by_host: Counter[str] = Counter()
        self._result = CrawlResult()

    def run(self) -> CrawlResult:
        """Read until there is nothing to read now, or the pages or the time are used up."""
        with self._runner:
            while self._has_time() and (self._take() or self._runner.pending or self._may_ask()):
                self._hear()
                self._keep()
            self._runner.stop()
            while self._runner.pending:
                self._hear(follow=False)
            self._keep(everything=True)
        return self._result

    def _has_time(self) -> bool:
        if time.monotonic() >= self._until:
            self._result.cut_short = "the time of the run was over"
            return False
        return True

    def _may_ask(self) -> bool:
        """Whether places in hand have pages to ask for and the run has pages left; what is asked for is waited for."""
        if self._result.pages < self._max_pages:
            return bool(self._held)
        if self._held:
            self._result.cut_short = f"the run ended after {self._result.pages} pages"
        return False

    def _take(self) -> int:
        """More places if there is room for them; how many."""
        now = time.monotonic()
        is_early = self._runner.pending and now - self._took_at < _LOOK_SECONDS
        if is_early or len(self._held) > _IN_HAND // 2 or self._result.pages >= self._max_pages:
            return 0
        self._took_at = now
        full = [host for host, count in self._by_host.items() if count >= _EACH_HOST]
        taken = self._ledger.take(_IN_HAND - len(self._held), each=_EACH_HOST, full_hosts=full)
        for held in taken:
            self._held[id(held)] = held
            self._by_host[held.host] += 1
            held.begin()
            self._ask(held)
        return len(taken)

    def _ask(self, held: Held[Key]) -> None:
        room = min(self._max_pages - self._result.pages, _PAGES_AT_ONCE - len(held.asked))
        pages = held.to_ask()[: max(room, 0)]
        for page in pages:
            held.asked.add(id(page))
            self._result.pages += 1
            steps = self._door.page_steps(
                page.url,
                headers=page.headers,
                max_bytes=self._max_page_bytes,
                robots=self._robots,
                wanted=may_be_page,
            )
            self._runner.submit((held, page), parse_url(page.url), steps, more=page is not pages[-1])

    def _hear(self, *, follow: bool = True) -> None:
        for (held, page), came in self._runner.results(_LOOK_SECONDS, linger_seconds=_LINGER_SECONDS):
            if id(held) not in self._held:
                continue  # somebody else has it now
            held.hear(page, came)
            self._result.reasons[page.reason or "read"] += 1
            if follow:
                self._ask(held)
            if len(held.found) >= _FINDINGS_KEPT_AT_ONCE:
                self._keep()
        if self._progress is not None:
            self._progress(self._result)

    def _keep(self, *, everything: bool = False) -> None:
        """Keep what is new, if it is enough or has waited long, and put down what is over."""
        fresh = [held for held in self._held.values() if held.fresh or held.found]
        over = [held for held in self._held.values() if everything or not (held.asked or held.to_ask())]
        if not (
            everything
            or (over and not self._runner.pending)
            or sum(len(held.fresh) for held in fresh) >= _PAGES_KEPT_AT_ONCE
            or sum(len(held.found) for held in fresh) >= _FINDINGS_KEPT_AT_ONCE
            or time.monotonic() - self._kept_at > _SECONDS_UNKEPT
        ):
            return
        lost = self._ledger.keep(list(self._held.values()), over)
        self._kept_at = time.monotonic()
        for held in fresh:
            held.fresh, held.found = {}, []
        self._result.places += len(over)
        gone = [held for held in self._held.values() if held.key in lost]
        for held in {id(one): one for one in [*over, *gone]}.values():
            del self._held[id(held)]
            self._by_host[held.host] -= 1
