"""Whether a transfer is fast enough: a rate over a sliding window, as a function of times and totals."""

from __future__ import annotations

from collections import deque

_SAMPLES = 16
_COARSEST_SECONDS = 0.5


class Pace:
    """Remembers totals over the last window. A burst before the window does not excuse silence in it."""

    def __init__(self, *, window_seconds: float, min_bytes_per_second: int) -> None:
        self._window = window_seconds
        self._least = min_bytes_per_second * window_seconds
        self._step = min(window_seconds / _SAMPLES, _COARSEST_SECONDS)
        self._samples: deque[tuple[float, int]] = deque()

    def too_slow(self, now: float, total: int) -> bool:
        """Whether fewer bytes than the least rate allows arrived in the window that ends `now`."""
        samples = self._samples
        if not samples or now - samples[-1][0] >= self._step:
            samples.append((now, total))
        while len(samples) > 1 and now - samples[1][0] >= self._window:
            samples.popleft()
        began, before = samples[0]
        return now - began >= self._window and total - before < self._least
