"""Work that requests may need done first, done in a thread of its own by whoever asks first."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from shelter_pipeline.api.belongings import belonging
from shelter_pipeline.api.services import services_of, unhurried
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.operations.upkeep import refresh_counts, refresh_words
from shelter_pipeline.operations.workplace import Workplace

_log = logging.getLogger(__name__)
UPKEEP_SECONDS = 2.0  # how long whoever asks first waits for words of new datasets, or for counts
_AGAIN_SECONDS = 5.0


class Upkeep:
    """Runs `work` when it is asked for, at most once at a time and not again before its rest is over."""

    def __init__(self, work: Callable[[], object], *, again_seconds: float = _AGAIN_SECONDS) -> None:
        self._work, self._again_seconds = work, again_seconds
        self._lock = threading.Lock()
        self._running: threading.Thread | None = None
        self._next = 0.0

    def ask(self, *, wait_seconds: float, for_others: bool = False) -> None:
        """Have it done, if that is due, and wait for it no longer than this.

        What others have begun is not waited for, unless `for_others`: long work holds up one
        request, and not every request that comes meanwhile.
        """
        with self._lock:
            begun = self._begin()
            running = self._running
        if running is not None and (begun or for_others):
            running.join(wait_seconds)

    def _begin(self) -> bool:
        under_way = self._running is not None and self._running.is_alive()
        if under_way or time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + self._again_seconds
        self._running = threading.Thread(target=self._do, name="upkeep", daemon=True)
        self._running.start()
        return True

    def _do(self) -> None:
        try:
            self._work()
        except ShelterError as error:
            _log.warning("counts and words could not be brought up to date: %s", error)


@dataclass(frozen=True, slots=True)
class Upkeeps:
    """What reads need: the words of new datasets, and counts that are not too old."""

    words: Upkeep
    counts: Upkeep


def upkeep_of(request: Request) -> Upkeeps:
    """The upkeep of the application that answers this request."""
    workplace = services_of(request).workplace
    return belonging(
        request.app,
        "upkeep",
        lambda: Upkeeps(
            Upkeep(lambda: _patiently(workplace, refresh_words)),
            Upkeep(lambda: _patiently(workplace, refresh_counts)),
        ),
    )


def _patiently(workplace: Workplace, work: Callable[[Workplace], object]) -> None:
    with unhurried(workplace) as patient:
        work(patient)


Upkept = Annotated[Upkeeps, Depends(upkeep_of)]
