"""Thousands of downloads at once: lanes that move bytes, one thread that makes them durable, in bounded memory.

What has arrived whole is published in groups, for syncing a group costs little more than
syncing one file. How a fetch ended is heard only after its bytes are durable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import Url, parse_url
from shelter_pipeline.fetching.arrival import Arrival
from shelter_pipeline.fetching.capture import Capture, Promise
from shelter_pipeline.fetching.download import Downloader
from shelter_pipeline.fetching.lane import Job, Lane
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.fetching.publisher import Publisher
from shelter_pipeline.fetching.runner import Runner, lanes_of
from shelter_pipeline.vault.store import BlobStore

_MOST_LANES = 4
_ENOUGH_FILES = 32
_BULKY_BYTES = 256 * 1024

Result = tuple[Any, Capture]


class Engine(Runner):
    """Fetches what is given to it and gives the captures back, as a context manager around the work."""

    def __init__(
        self,
        downloader: Downloader,
        store: BlobStore,
        politeness: Politeness,
        *,
        connections: int,
        lanes: int | None = None,
    ) -> None:
        super().__init__(
            politeness,
            connections=connections,
            robots=downloader.robots,
            lanes=lanes_of(lanes, _MOST_LANES),
        )
        self._downloader = downloader
        self._publisher = Publisher(store, self._group_published, self.broke)

    def __enter__(self) -> Self:
        self._publisher.start()
        return super().__enter__()

    def fetch(
        self,
        tag: Any,
        url: str,
        promise: Promise,
        *,
        cancelled: Callable[[], bool] | None = None,
        progress: Callable[[int], None] | None = None,
        more: bool = False,
    ) -> None:
        """Fetch `url` when its turn comes; the capture comes back under `tag`.

        `cancelled` is asked before anything is, and several times a second from then on.
        `progress` hears how many bytes are here, in the thread that moves them: it may keep it
        waiting a moment, and end the fetch by raising a ShelterError. `more` as in `submit`.
        """

        def is_cancelled() -> bool:
            return self.is_cancelled or (cancelled is not None and cancelled())

        job = Job(
            tag,
            self._downloader.steps(url, promise, cancelled=is_cancelled, progress=progress),
            lambda error: self._downloader.unasked(url, promise, error),
        )
        self._queue(_url_of(url), job)
        if not more:
            self._wake()

    # For the lanes

    def may_begin(self, lane: Lane) -> bool:
        """As every runner, but nothing is begun while the store is behind."""
        if self._publisher.is_behind or not super().may_begin(lane):
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

    def arrived(self, job: Job, end: Any) -> None:
        """A fetch has come to its end: its bytes are to be published, or its capture is final."""
        if not isinstance(end, Arrival):
            super().arrived(job, end)
        elif end.partial is not None:
            self._publisher.take(job.tag, end)
        elif end.capture is not None:
            super().arrived(job, end.capture)

    def _close(self) -> None:
        self._publisher.close()

    def _group_published(self, results: list[Result]) -> None:
        self._give_back(results)
        self._wake()  # lanes may have waited for the store


def _url_of(text: str) -> Url | None:
    try:
        return parse_url(text)
    except RefusedError:
        return None
