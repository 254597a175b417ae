"""What a volunteer has said of how the machine may be used, and how it is told to stop."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from shelter_pipeline.domain.working_hours import WorkingHours


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, when and how fast; `once` is one allocation and no more."""

    given_bytes: int
    reserve_bytes: int
    rate: int | None  # bytes a second
    hours: WorkingHours
    once: bool
    stop_seconds: float  # for what runs when it is asked to end


@dataclass(frozen=True, slots=True)
class Stops:
    """Asked to end, and asked again: the second time nothing is waited for."""

    asked: threading.Event = field(default_factory=threading.Event)
    hurry: threading.Event = field(default_factory=threading.Event)

    def ask(self) -> None:
        """Ask once more. Safe in a signal handler."""
        if self.asked.is_set():
            self.hurry.set()
        self.asked.set()
