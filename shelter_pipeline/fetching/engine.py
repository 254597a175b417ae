"""Thousands of fetches at once: lanes that move bytes, one thread that makes them durable, in bounded memory.

Fetches wait in queues by host, so that a slow or resting host keeps nobody else waiting.
What has arrived whole is published in groups, for syncing a group costs little more than
syncing one file. How a fetch ended is heard only after its bytes are durable.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import Url, parse_url
from shelter_pipeline.fetching.arrival import Arrival
from shelter_pipeline.fetching.capture import Capture, Promise
from shelter_pipeline.fetching.download import Downloader
from shelter_pipeline.fetching.frontier import Frontier
from shelter_pipeline.fetching.lane import Job, Lane
from shelter_pipeline.fetching.politeness import Politeness, Turn
from shelter_pipeline.fetching.publisher import Publisher
from shelter_pipeline.fetching.steps import Call
from shelter_pipeline.vault.store import BlobStore

_HELPERS = 2
_MOST_LANES = 4
_MANY = 250  # results worth no more waiting
_MOST_SLOW = 3  # slow transfers have at most so many times the places of the others
_ENOUGH_FILES = 32
_BULKY_BYTES = 256 * 1024

Result = tuple[Any, Capture]


class Engine:
    """Fetches what is submitted and gives the captures back, as a context manager around the work.

    `connections` bounds the requests at once over all hosts; each host has its own bound
    in `politeness`. Safe to be used from several threads.
    """

    def __init__(
        self,
        downloader: Downloader,
        store: BlobStore,
        politeness: Politeness,
        *,
        connections: int,
        lanes: int | None = None,
    ) -> None:
        self._connections = connections
        self.frontier: Frontier[Job] = Frontier(self._try_turn, politeness.rest_seconds)
        self._downloader = downloader
        self._politeness = politeness
        self._results: deque[Result] = deque()
        self._something = threading.Condition()
        self._pending = 0
        self._settled = 0
        self._stopping = False
        self._cancelled = False
        self._over = False
        self._error: BaseException | None = None
        self._publisher = Publisher(store, self._group_published, self.broke)
        self._helpers = ThreadPoolExecutor(_HELPERS, "fetch-helper")
        count = lanes or min(os.cpu_count() or 1, _MOST_LANES)
        self._lanes = [Lane(self, f"fetch-{number}") for number in range(count)]

    def __enter__(self) -> Self:
        self._publisher.start()
        for lane in self._lanes:
            lane.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over = True
        self._wake()
        for lane in self._lanes:
            lane.join()
        self._helpers.shutdown(wait=True, cancel_futures=True)
        for lane in self._lanes:
            lane.close()
        self._publisher.close()
        for job in self.frontier.remove(lambda _job: True):
            job.close(self.broke)

    @property
    def pending(self) -> int:
        """How many were submitted and have not been given back."""
        return self._pending

    @property
    def wire_bytes(self) -> int:
        """Bytes received so far, by fetches that have ended and by those that run."""
        return sum(lane.wire_bytes for lane in self._lanes)

    def submit(
        self,
        tag: Any,
        url: str,
        promise: Promise,
        *,
        cancelled: Callable[[], bool] | None = None,
        more: bool = False,
    ) -> None:
        """Fetch `url` when its turn comes; the capture comes back under `tag`.

        `more` says that others follow at once, and that the last of them will start all.
        """

        def is_cancelled() -> bool:
            return self._cancelled or (cancelled is not None and cancelled())

        job = Job(
            tag,
            self._downloader.steps(url, promise, cancelled=is_cancelled),
            lambda error: self._downloader.unasked(url, promise, error),
        )
        with self._something:
            self._pending += 1
        try:
            self.frontier.queue(parse_url(url), job)
        except RefusedError:
            self._refuse(job)
        if not more:
            self._wake()

    def results(self, seconds: float, *, linger_seconds: float = 0.0) -> list[Result]:
        """Captures that are there: waits for the first of them for at most so long, if any is to come.

        Waits for more of them, up to a good many, if it may linger.
        Raises what broke a lane or the publisher.
        """
        with self._something:
            self._something.wait_for(
                lambda: self._results or self._error or not self._pending, timeout=seconds
            )
            if linger_seconds:
                self._something.wait_for(
                    lambda: self._error or len(self._results) >= min(_MANY, self._pending),
                    timeout=linger_seconds,
                )
            if self._error is not None:
                raise self._error
            ready = list(self._results)
            self._results.clear()
            self._pending -= len(ready)
            return ready

    def stop(self) -> None:
        """Begin nothing new, and forget what has not begun; requests that run go on, and no other follows them."""
        self._stopping = True
        self.put_back()

    def cancel(self) -> None:
        """End what runs as `interrupted`, leaving behind what can be continued."""
        self._cancelled = True
        self._wake()

    # For the lanes

    def may_begin(self, lane: Lane) -> bool:
        """Whether there is a place for one more, and it is this lane that should take it.

        Slow transfers hold places of their own. Nothing is begun while the store is behind.
        """
        if self._stopping or self._publisher.is_behind:
            return False
        slow = min(sum(each.slow for each in self._lanes), _MOST_SLOW * self._connections)
        if sum(map(len, self._lanes)) - slow >= self._connections:
            return False
        if self._is_bulky():
            return len(lane) <= min(map(len, self._lanes))
        return lane is self._lanes[0]

    def _is_bulky(self) -> bool:
        """Whether moving bytes is most of the work, as far as is known yet: then every lane takes its share.

        Hashing and writing of many bytes run beside one another on all cores. What else
        there is to do for a file runs on one core at a time, and best on one lane.
        """
        return self._settled < _ENOUGH_FILES or self.wire_bytes > _BULKY_BYTES * self._settled

    @property
    def is_over(self) -> bool:
        """Whether the lanes should end."""
        return self._over

    def _try_turn(self, url: Url) -> Turn | float:
        """While somebody asks for the robots.txt of a host, none of its files is begun."""
        robots = self._downloader.robots
        wait = robots.wait_seconds(url) if robots is not None else 0.0
        return wait or self._politeness.try_turn(url)

    def arrived(self, job: Job, arrival: Arrival) -> None:
        """A fetch has come to its end: its bytes are to be published, or its capture is final."""
        if arrival.partial is not None:
            self._publisher.take(job.tag, arrival)
        elif arrival.capture is not None:
            self._published([(job.tag, arrival.capture)])

    def put_back(self) -> None:
        """What waits or rests from now on is forgotten if nothing is to be begun any more."""
        if not self._stopping:
            return
        dropped = self.frontier.remove(lambda _job: True)
        for job in dropped:
            job.close(self.broke)
        with self._something:
            self._pending -= len(dropped)
            self._something.notify_all()

    def call(self, job: Job, step: Call) -> None:
        """Run what takes its time where it keeps no other fetch waiting."""
        lane = self._lanes[id(job) % len(self._lanes)]

        def done(future: Future[Any]) -> None:
            if future.cancelled():
                job.close(self.broke)
                return
            error = future.exception()
            lane.hand_back(job, None if error else future.result(), error)

        self._helpers.submit(step.function).add_done_callback(done)

    def broke(self, error: BaseException) -> None:
        """Tell whoever waits for results."""
        with self._something:
            self._error = self._error or error
            self._something.notify_all()

    def _refuse(self, job: Job) -> None:
        """What is no URL ends at its first step."""
        try:
            job.steps.send(None)
        except StopIteration as end:
            self.arrived(job, end.value)

    def _published(self, results: list[Result]) -> None:
        with self._something:
            self._results.extend(results)
            self._settled += len(results)
            self._something.notify_all()

    def _group_published(self, results: list[Result]) -> None:
        self._published(results)
        self._wake()  # lanes may have waited for the store

    def _wake(self) -> None:
        for lane in self._lanes:
            lane.wake()
