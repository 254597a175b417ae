"""The engine's way into the store: what has arrived is published in groups, on a thread of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from shelter_pipeline.domain.errors import ShelterError, TransientError
from shelter_pipeline.fetching.arrival import Arrival
from shelter_pipeline.fetching.capture import Capture
from shelter_pipeline.vault.partial import SPILL_BYTES
from shelter_pipeline.vault.store import Blob, BlobStore

# A larger group waits longer for its results and saves little more.
_GROUP_FILES = 256
# A group of one costs nearly as much as a group of many, so the first waits a moment for others.
_ENOUGH_FILES, _LINGER_SECONDS = 64, 0.02
# What waits in memory: small files, at most 128 KiB each.
_MOST_WAITING = 512
# Larger ones are files, and each of them holds a descriptor until it is published.
_MOST_FILES = 128

Results = list[tuple[Any, Capture]]


class Publisher:
    """Takes arrivals from any thread, publishes them and tells their captures."""

    def __init__(
        self,
        store: BlobStore,
        published: Callable[[Results], None],
        broke: Callable[[BaseException], None],
    ) -> None:
        self._store = store
        self._published = published
        self._broke = broke
        self._waiting: deque[tuple[Any, Arrival]] = deque()
        self._files = 0
        self._something = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="fetch-publisher", daemon=True)

    @property
    def is_behind(self) -> bool:
        """Whether so much waits that nothing new should be begun."""
        return len(self._waiting) >= _MOST_WAITING or self._files >= _MOST_FILES

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def take(self, tag: Any, arrival: Arrival) -> None:
        """Publish this, when its group's turn comes."""
        with self._something:
            self._waiting.append((tag, arrival))
            self._files += _is_file(arrival)
            if len(self._waiting) in (1, _ENOUGH_FILES):
                self._something.notify()

    def close(self) -> None:
        """End; what was not published is discarded."""
        with self._something:
            self._closed = True
            self._something.notify()
        self._thread.join()
        _discard(self._waiting)
        self._waiting.clear()

    def _run(self) -> None:
        try:
            while group := self._next_group():
                try:
                    results = self._publish(group)
                finally:
                    _discard(group)
                self._published(results)
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for results
            self._broke(error)

    def _next_group(self) -> list[tuple[Any, Arrival]]:
        with self._something:
            self._something.wait_for(lambda: self._waiting or self._closed)
            self._something.wait_for(
                lambda: len(self._waiting) >= _ENOUGH_FILES or self._closed, timeout=_LINGER_SECONDS
            )
            if self._closed:
                return []
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), _GROUP_FILES))]
            self._files -= sum(_is_file(arrival) for _, arrival in group)
            return group

    def _publish(self, group: list[tuple[Any, Arrival]]) -> Results:
        good = [arrival for _, arrival in group if arrival.finding is None]
        partials = [arrival.partial for arrival in good if arrival.partial is not None]
        outcomes: dict[int, Blob | ShelterError] = {
            id(partial): outcome
            for partial, outcome in zip(partials, self._store.publish_all(partials), strict=True)
        }
        results = []
        for tag, arrival in group:
            partial = arrival.partial
            assert partial is not None  # noqa: S101 - nothing else is given to a publisher
            results.append((tag, arrival.kept(outcomes.get(id(partial)) or self._keep_suspect(arrival))))
        return results

    def _keep_suspect(self, arrival: Arrival) -> Blob | ShelterError:
        assert arrival.partial is not None  # noqa: S101 - nothing else is given to a publisher
        try:
            return self._store.keep_suspect(arrival.partial)
        except TransientError as error:
            return error


def _is_file(arrival: Arrival) -> bool:
    return arrival.partial is not None and arrival.partial.size >= SPILL_BYTES


def _discard(arrivals: Iterable[tuple[Any, Arrival]]) -> None:
    """Let go of what was not published, whatever became of it."""
    for _, arrival in arrivals:
        if arrival.partial is not None:
            arrival.partial.discard()
