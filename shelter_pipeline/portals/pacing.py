"""How long to wait because an allowance of requests runs out, before the portal has to say so.

`X-RateLimit-Limit`, `-Remaining` and `-Reset` are nobody's standard. What is read here is
what api.data.gov means by them, a rolling hour, and where others mean the same thing.
"""

from __future__ import annotations

import re
import time

from shelter_pipeline.portals.protocol import Head
from shelter_pipeline.portals.replies import retry_after

WINDOW_SECONDS = 3600.0  # api.data.gov counts over a rolling hour
LONGEST_RETRY_AFTER_SECONDS = 300.0
LONGEST_WAIT_SECONDS = 600.0  # in all, for a portal that answers nothing in between
_SCARCE = 0.1  # of the allowance; what is above it may be spent at once
_EPOCH_SECONDS = 1e9  # a reset beyond this is a moment, not a duration
_EPOCH_MILLISECONDS = 1e12
_COUNT = re.compile(r"\s*([0-9]{1,15})\s*(?:[,;]|\Z)")


def pause_of(limit: int | None, remaining: int | None, reset_seconds: float | None = None) -> float:
    """Seconds to wait before the next request, at most LONGEST_RETRY_AFTER_SECONDS.

    `limit` requests are allowed in a window, `remaining` of them are left, and all of them
    are back in `reset_seconds`; None is what the portal did not say.

    >>> pause_of(1000, 500), pause_of(1000, 50), pause_of(1000, 10, reset_seconds=100)
    (0.0, 3.6, 10.0)
    """
    if remaining is None or (not limit and remaining > 0):
        return 0.0
    if limit and remaining >= limit * _SCARCE:
        return 0.0
    if remaining > 0 and limit:
        # In a rolling window the rate at which requests come back is the rate that lasts.
        seconds = WINDOW_SECONDS / limit if reset_seconds is None else reset_seconds / remaining
    else:
        seconds = WINDOW_SECONDS * _SCARCE if reset_seconds is None else reset_seconds
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def reset_in(value: str | None, *, now: float) -> float | None:
    """The seconds until a reset that is written as seconds, or as a moment since 1970; None for anything else."""
    written = _count(value)
    if written is None:
        return None
    if written >= _EPOCH_MILLISECONDS:
        return max(written / 1000 - now, 0.0)
    return max(written - now, 0.0) if written >= _EPOCH_SECONDS else float(written)


def _count(value: str | None) -> int | None:
    match = _COUNT.match(value or "")
    return int(match[1]) if match else None


class Pace:
    """What the last reply of one portal asks of the next request, and how long it has kept us waiting."""

    def __init__(self) -> None:
        self._due = 0.0
        self.waited = 0.0  # seconds of pauses since the last answer that was one

    def may_wait(self, seconds: float) -> bool:
        """Whether a pause is short enough, alone and with those before it; it counts as taken then."""
        if seconds > LONGEST_RETRY_AFTER_SECONDS or self.waited + seconds > LONGEST_WAIT_SECONDS:
            return False
        self.waited += seconds
        return True

    def note(self, head: Head) -> None:
        """Take the allowance that a reply reports. Where it names no reset, `Retry-After` is one."""
        reset = reset_in(head.get("x-ratelimit-reset"), now=time.time())
        self._due = pause_of(
            _count(head.get("x-ratelimit-limit")),
            _count(head.get("x-ratelimit-remaining")),
            retry_after(head) if reset is None else reset,
        )

    def take(self) -> float:
        """Seconds to wait now; asked again before another reply, none."""
        due, self._due = self._due, 0.0
        return due
