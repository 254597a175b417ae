"""What waits to be fetched, by host: who may go next, and when it is worth asking again.

Every host has a queue of its own, and hosts take turns, so a host that may not be asked
now keeps nobody else waiting. Safe to share between threads; nothing here blocks.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from shelter_pipeline.domain.urls import Url
from shelter_pipeline.fetching.politeness import Turn

Item = TypeVar("Item")
LONGEST_SLEEP_SECONDS = 0.5
# What waits for a host that rests longer is given back: somebody may fetch it tomorrow.
LONGEST_HOST_REST_SECONDS = 45.0


@dataclass(slots=True)
class _Host(Generic[Item]):
    name: str
    waiting: deque[tuple[Url, Item]] = field(default_factory=deque)
    sleep: int | None = None  # the number of its entry among the sleepers; others are out of date


class Frontier(Generic[Item]):
    """Items that wait for a turn at their host, and items that rest for a while."""

    def __init__(
        self,
        try_turn: Callable[[Url], Turn | float],
        rest_seconds: Callable[[str], float] = lambda _host: 0.0,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._try_turn = try_turn
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host[Item]] = {}
        self._ready: deque[_Host[Item]] = deque()
        self._asleep: list[tuple[float, int, _Host[Item]]] = []
        self._resting: list[tuple[float, int, Item]] = []
        self._stranded: list[tuple[Item, float]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        """How many wait or rest."""
        with self._lock:
            return (
                sum(len(host.waiting) for host in self._hosts.values())
                + len(self._resting)
                + len(self._stranded)
            )

    def queue(self, url: Url, item: Item, *, first: bool = False) -> None:
        """Let an item wait for its turn at the host of `url`; `first` if it was in the middle of something."""
        with self._lock:
            host = self._hosts.get(url.host)
            if host is None:
                host = self._hosts[url.host] = _Host(url.host)
                self._ready.append(host)
            if first:
                host.waiting.appendleft((url, item))
            else:
                host.waiting.append((url, item))

    def rest(self, seconds: float, item: Item) -> None:
        """Let an item rest."""
        with self._lock:
            heapq.heappush(self._resting, (self._clock() + seconds, next(self._order), item))

    def take(self) -> tuple[Item, Turn] | None:
        """The next item whose turn it is; None if there is none now."""
        with self._lock:
            now = self._clock()
            while self._asleep and self._asleep[0][0] <= now:
                _, number, host = heapq.heappop(self._asleep)
                if host.sleep == number:
                    host.sleep = None
                    self._ready.append(host)
            while self._ready:
                host = self._ready.popleft()
                if not host.waiting:
                    del self._hosts[host.name]
                    continue
                turn = self._try_turn(host.waiting[0][0])
                if isinstance(turn, Turn):
                    self._ready.append(host)
                    return host.waiting.popleft()[1], turn
                rest = self._rest_seconds(host.name) if turn > LONGEST_HOST_REST_SECONDS else 0.0
                if rest > LONGEST_HOST_REST_SECONDS:
                    self._stranded += [(item, rest) for _, item in host.waiting]
                    del self._hosts[host.name]
                    continue
                host.sleep = next(self._order)
                wake_at = now + min(max(turn, 0.001), LONGEST_SLEEP_SECONDS)
                heapq.heappush(self._asleep, (wake_at, host.sleep, host))
            return None

    def take_rested(self) -> list[Item]:
        """Items whose rest is over."""
        rested = []
        with self._lock:
            while self._resting and self._resting[0][0] <= self._clock():
                rested.append(heapq.heappop(self._resting)[2])
        return rested

    def take_stranded(self) -> list[tuple[Item, float]]:
        """Items whose host rests for so many seconds, which is longer than anybody waits here."""
        with self._lock:
            stranded, self._stranded = self._stranded, []
            return stranded

    def remove(self, wanted: Callable[[Item], bool]) -> list[Item]:
        """Take out all for which `wanted` is true, whether they wait or rest."""
        removed: list[Item] = []
        with self._lock:

            def is_left(item: Item) -> bool:  # asked once for each: the answer may change
                if wanted(item):
                    removed.append(item)
                    return False
                return True

            for host in self._hosts.values():
                host.waiting = deque(pair for pair in host.waiting if is_left(pair[1]))
            self._resting = [entry for entry in self._resting if is_left(entry[2])]
            self._stranded = [pair for pair in self._stranded if is_left(pair[0])]
            heapq.heapify(self._resting)
        return removed

    def pause(self) -> float:
        """Seconds until something here may have changed by itself."""
        with self._lock:
            if self._ready:
                return 0.0
            moments = [heap[0][0] for heap in self._heaps() if heap]
            return min([LONGEST_SLEEP_SECONDS, *(max(moment - self._clock(), 0.0) for moment in moments)])

    def wake(self, host: str) -> None:
        """A turn at this host has ended: ask for it again now, not when its sleep is over."""
        with self._lock:
            sleeper = self._hosts.get(host)
            if sleeper is not None and sleeper.sleep is not None:
                sleeper.sleep = None
                self._ready.append(sleeper)

    def _heaps(self) -> tuple[list[tuple[float, int, Any]], ...]:
        return (self._asleep, self._resting)
