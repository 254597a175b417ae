"""How a node stands at one moment, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass

from shelter_pipeline.node.journal import Kept
from shelter_pipeline.node.shift import Running


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Files kept, room used of the room given, what runs and waits, bytes moved so far, and the API's trust."""

    kept: Kept
    used_bytes: int
    given_bytes: int
    running: tuple[Running, ...]
    waiting: int
    moved_bytes: int
    trust: float | None
