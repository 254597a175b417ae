"""How much one caller may ask for: token buckets in memory, each caller its own, so that none starves another."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

_MOST_CALLERS = 50_000


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What a caller has left: `wait_seconds` is None where the request may pass."""

    limit: int
    left: int
    refilled_seconds: int
    wait_seconds: int | None


class Buckets:
    """Buckets of `burst` requests that fill at `rate` a second. Not safe between threads: the event loop owns it.

    The callers that were longest away are forgotten where there are too many; they begin with a full bucket again.
    """

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, caller: str, now: float) -> Standing:
        """Take one request out of the caller's bucket, if it holds one; `now` in seconds of a clock that only rises."""
        bucket = self._buckets.setdefault(caller, _Bucket(self._burst, now))
        self._buckets.move_to_end(caller)
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets.popitem(last=False)
        bucket.level = min(self._burst, bucket.level + (now - bucket.at) * self._rate)
        bucket.at = now
        wait = None
        if bucket.level >= 1:
            bucket.level -= 1
        else:
            wait = max(1, math.ceil((1 - bucket.level) / self._rate))
        refilled = math.ceil((self._burst - bucket.level) / self._rate)
        return Standing(self._burst, int(bucket.level), refilled, wait)
