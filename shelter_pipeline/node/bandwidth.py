"""A rate that everything a node moves keeps to together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_BURST_SECONDS = 0.25  # what was not used may be made up for, but not more


class Bandwidth:
    """Bytes a second over all threads that `take` them; None is as fast as it goes.

    Whoever has moved bytes waits until they are paid for; the kernel's buffers fill up
    meanwhile, and the sender slows down.
    """

    def __init__(
        self,
        rate: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._paid_until = clock()

    @property
    def rate(self) -> int | None:
        """Bytes a second; None if there is no bound."""
        return self._rate

    def take(self, count: int) -> None:
        """Wait until `count` bytes more fit the rate."""
        if self._rate is None:
            return
        with self._lock:
            now = self._clock()
            self._paid_until = max(self._paid_until, now - _BURST_SECONDS) + count / self._rate
            wait = self._paid_until - now
        if wait > 0:
            self._sleep(wait)
