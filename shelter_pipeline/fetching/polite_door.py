"""The door with manners: every page that is read waits for its turn at the host, as every download does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shelter_pipeline.fetching.door import NO_HEADERS, Door, Reply
from shelter_pipeline.fetching.politeness import Politeness


@dataclass(frozen=True, slots=True)
class PoliteDoor:
    """Reads pages through a door, within the limits that the host is owed; safe to share between threads."""

    door: Door
    politeness: Politeness

    def read(
        self, url: str, *, headers: Mapping[str, str] = NO_HEADERS, max_bytes: int | None = None
    ) -> Reply:
        """A whole small reply in memory, after its turn. Raises as `Door.read`."""
        return self.door.read(url, headers=headers, max_bytes=max_bytes, turn=self.politeness.turn)

    def save(
        self,
        url: str,
        sink: Callable[[bytes], object],
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        max_bytes: int | None = None,
    ) -> Reply:
        """A reply of any size to `sink`, after its turn. As `Door.save`."""
        return self.door.save(url, sink, headers=headers, max_bytes=max_bytes, turn=self.politeness.turn)
