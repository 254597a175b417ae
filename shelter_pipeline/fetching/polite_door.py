"""The door with manners: every page that is read waits for its turn at the host, as every download does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from shelter_pipeline.domain.urls import Url
from shelter_pipeline.fetching.door import NO_HEADERS, Door, Reply
from shelter_pipeline.fetching.politeness import Politeness, Turn


@dataclass(slots=True, eq=False)
class PoliteDoor:
    """Reads pages through a door, within the limits that the host is owed; safe to share between threads.

    `requests` counts those it has made, redirects and failures too. It asks for no robots.txt:
    it is for catalogues, which an operator has named.
    """

    door: Door
    politeness: Politeness
    requests: int = field(default=0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def read(
        self, url: str, *, headers: Mapping[str, str] = NO_HEADERS, max_bytes: int | None = None
    ) -> Reply:
        """A whole small reply in memory, after its turn. Raises as `Door.read`."""
        return self.door.read(url, headers=headers, max_bytes=max_bytes, turn=self._turn)

    def save(
        self,
        url: str,
        sink: Callable[[bytes], object],
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        max_bytes: int | None = None,
    ) -> Reply:
        """A reply of any size to `sink`, after its turn. As `Door.save`."""
        return self.door.save(url, sink, headers=headers, max_bytes=max_bytes, turn=self._turn)

    @contextmanager
    def _turn(self, url: Url) -> Iterator[Turn]:
        with self.politeness.turn(url) as turn:
            with self._lock:
                self.requests += 1
            yield turn
