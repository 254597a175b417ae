"""Thousands of step sequences at once: lanes move bytes, hosts take turns, and what each comes to is given back.

What waits, waits in queues by host, so that a slow or resting host keeps nobody else
waiting. The engine that downloads files is one of these; pages and probes need no more.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.urls import Url
from shelter_pipeline.fetching.frontier import Frontier
from shelter_pipeline.fetching.lane import Job, Lane
from shelter_pipeline.fetching.politeness import Politeness, Turn
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.fetching.steps import Call, Steps

_HELPERS = 2
_MANY = 250  # results worth no more waiting
_MOST_SLOW = 3  # slow transfers have at most so many times the places of the others

Result = tuple[Any, Any]


class Runner:
    """Runs what is submitted and gives the results back, as a context manager around the work.

    `connections` bounds the requests at once over all hosts; each host has its own bound
    in `politeness`. With `robots`, nothing of a host is begun while somebody asks for its
    robots.txt. Safe to be used from several threads.
    """

    def __init__(
        self,
        politeness: Politeness,
        *,
        connections: int,
        robots: RobotsBook | None = None,
        lanes: int = 1,
    ) -> None:
        self.frontier: Frontier[Job] = Frontier(self._try_turn, politeness.rest_seconds)
        self._connections = connections
        self._politeness = politeness
        self._robots = robots
        self._results: deque[Result] = deque()
        self._something = threading.Condition()
        self._pending = 0
        self._settled = 0
        self._stopping = False
        self._cancelled = False
        self._over = False
        self._error: BaseException | None = None
        self._helpers = ThreadPoolExecutor(_HELPERS, "fetch-helper")
        self._lanes = [Lane(self, f"fetch-{number}") for number in range(lanes)]

    def __enter__(self) -> Self:
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
        self._close()
        for job in self.frontier.remove(lambda _job: True):
            job.close(self.broke)

    @property
    def pending(self) -> int:
        """How many were submitted and have not been given back."""
        return self._pending

    @property
    def wire_bytes(self) -> int:
        """Bytes received so far, by what has ended and by what runs."""
        return sum(lane.wire_bytes for lane in self._lanes)

    def submit(self, tag: Any, url: Url, steps: Steps[Any], *, more: bool = False) -> None:
        """Take `steps`, whose first request is for `url`, when its turn comes; what they return comes back under `tag`.

        A ShelterError that they raise comes back in place of it. `more` says that others
        follow at once, and that the last of them will start all.
        """
        self._queue(url, Job(tag, _to_the_end(steps), lambda error: error))
        if not more:
            self._wake()

    def results(self, seconds: float, *, linger_seconds: float = 0.0) -> list[Result]:
        """Results that are there: waits for the first of them for at most so long, if any is to come.

        Waits for more of them, up to a good many, if it may linger.
        Raises what broke a lane.
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
        """Let whoever looks at `is_cancelled` end what runs."""
        self._cancelled = True
        self._wake()

    @property
    def is_cancelled(self) -> bool:
        """Whether what runs should end."""
        return self._cancelled

    # For the lanes

    def may_begin(self, lane: Lane) -> bool:  # noqa: ARG002 - who builds on it decides by lane
        """Whether there is a place for one more, and it is this lane that should take it.

        Slow transfers hold places of their own.
        """
        slow = min(sum(each.slow for each in self._lanes), _MOST_SLOW * self._connections)
        return not self._stopping and sum(map(len, self._lanes)) - slow < self._connections

    @property
    def is_over(self) -> bool:
        """Whether the lanes should end."""
        return self._over

    def arrived(self, job: Job, end: Any) -> None:
        """A job has come to its end."""
        self._give_back([(job.tag, end)])

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
        """Run what takes its time where it keeps no other job waiting."""
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

    # For those who build on it

    def _close(self) -> None:
        """Whatever else has to end, once the lanes have."""

    def _queue(self, url: Url | None, job: Job) -> None:
        """Let a job wait for its turn; without a URL it ends at its first step."""
        with self._something:
            self._pending += 1
        if url is not None:
            self.frontier.queue(url, job)
            return
        try:
            job.steps.send(None)
        except StopIteration as end:
            self.arrived(job, end.value)

    def _try_turn(self, url: Url) -> Turn | float:
        """While somebody asks for the robots.txt of a host, none of its files is begun."""
        wait = self._robots.wait_seconds(url) if self._robots is not None else 0.0
        return wait or self._politeness.try_turn(url)

    def _give_back(self, results: list[Result]) -> None:
        with self._something:
            self._results.extend(results)
            self._settled += len(results)
            self._something.notify_all()

    def _wake(self) -> None:
        for lane in self._lanes:
            lane.wake()


def _to_the_end(steps: Steps[Any]) -> Steps[Any]:
    try:
        return (yield from steps)
    except ShelterError as error:
        return error


def lanes_of(count: int | None, most: int) -> int:
    """So many lanes as asked for, or one a core and at most `most`."""
    return count or min(os.cpu_count() or 1, most)
