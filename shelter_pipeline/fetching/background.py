"""A thread that does a piece of work when it is woken and from time to time, and outlives every failure of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from shelter_pipeline.domain.errors import CatalogAwayError

_log = logging.getLogger(__name__)
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0


class Background:
    """Calls `work` at most every `tick_seconds` when woken, else every `sweep_seconds`; starts with the first wake.

    Work that fails is done again after pauses that grow; what failed is the log's business.
    """

    def __init__(
        self, name: str, work: Callable[[], None], *, tick_seconds: float, sweep_seconds: float
    ) -> None:
        self._work = work
        self._tick = tick_seconds
        self._sweep = sweep_seconds
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._starting = threading.Lock()

    def wake(self) -> None:
        """There is work; returns at once. Wakes within one tick are one."""
        if self._woken.is_set():
            return
        self._woken.set()
        if self._thread.ident is None:
            with self._starting:
                if self._thread.ident is None and not self._stopped.is_set():
                    self._thread.start()

    def close(self) -> None:
        """Let the piece of work under way come to its end, and do no other."""
        with self._starting:
            self._stopped.set()
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        while not self._stopped.is_set():
            if pause == 0:
                self._woken.wait(self._sweep)
            self._woken.clear()
            if self._stopped.wait(max(self._tick, pause)):
                return
            pause = self._next_pause(pause)

    def _next_pause(self, pause: float) -> float:
        """Do the work; the seconds to wait before it is done again because it failed, 0 if it did not."""
        try:
            self._work()
        except CatalogAwayError as error:
            if pause == 0:
                _log.warning("%s: %s", self._thread.name, error)
        except Exception:  # noqa: BLE001 - whatever it was, the thread must be there when it is over
            _log.warning("%s failed", self._thread.name, exc_info=True)
        else:
            return 0.0
        return min(max(pause * 2, _FIRST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
