"""How fast the rescue goes and how long it may still take: a range that is honest, or no estimate and why.

The range is between the fastest and the slowest of the last hour, day and week, each of
which would have to go on as it was. What nobody can know yet is said beside it, and is not
counted in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

_LEAST_HISTORY = timedelta(hours=1)
_SPANS = (("hour", timedelta(hours=1)), ("day", timedelta(days=1)), ("week", timedelta(days=7)))
_LONGEST_SECONDS = 100 * 365.25 * 86_400  # beyond a century it is no estimate


@dataclass(frozen=True, slots=True)
class Hour:
    """What was stored in the hour that begins then."""

    begins: datetime
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Rate:
    """What was stored over a window until now. An hour's begins with a full hour: it is one to two hours long."""

    window: str  # hour, day, week
    seconds: float
    files: int
    bytes: int

    @property
    def files_per_second(self) -> float:
        """Files stored a second."""
        return self.files / self.seconds

    @property
    def bytes_per_second(self) -> float:
        """Bytes stored a second."""
        return self.bytes / self.seconds


@dataclass(frozen=True, slots=True)
class Left:
    """What is still to be fetched: wanted, not held, not given up. `bytes` are of the sizes that are known."""

    files: int
    bytes: int
    unsized_files: int  # of these, whose size nobody knows before they are fetched
    failed_files: int  # not counted in: they failed, and are looked at again later
    unfollowed_links: int  # not counted in: links that may lead to files, which nobody has followed yet


class NoEstimate(StrEnum):
    """Why there is none."""

    NOTHING_REMAINS = "nothing-remains"
    TOO_YOUNG = "too-young"  # less than an hour of history
    IDLE = "idle"  # nothing stored in the last day
    TOO_LONG = "too-long"  # more than a century at this pace


@dataclass(frozen=True, slots=True)
class Estimate:
    """From when to when it may be done, in seconds from now; or why nobody can say."""

    soonest_seconds: float | None
    latest_seconds: float | None
    reason: NoEstimate | None


def rates(hours: Iterable[Hour], *, now: datetime, first_at: datetime | None) -> tuple[Rate, ...]:
    """The rates of the last hour, day and week, as far back as there is history; none without an hour of it.

    `first_at` is when the first capture of all ended; `hours` begin at full hours of UTC.
    """
    if first_at is None or now - first_at < _LEAST_HISTORY:
        return ()
    known = list(hours)
    return tuple(_rate(name, span, known, now, first_at) for name, span in _SPANS)


def estimate(left: Left, measured: Sequence[Rate]) -> Estimate:
    """How long what is left takes at these rates.

    In each window it takes as long as the slower of files and bytes. A window in which
    nothing was stored says nothing about how long it takes, only that it stands still.
    """
    if left.files <= 0:
        return _none(NoEstimate.NOTHING_REMAINS)
    if not measured:
        return _none(NoEstimate.TOO_YOUNG)
    if not any(rate.files for rate in measured if rate.window != "week"):
        return _none(NoEstimate.IDLE)
    durations = [_duration(left, rate) for rate in measured if rate.files]
    if min(durations) > _LONGEST_SECONDS:
        return _none(NoEstimate.TOO_LONG)
    return Estimate(min(durations), min(max(durations), _LONGEST_SECONDS), None)


def _duration(left: Left, rate: Rate) -> float:
    by_files = left.files / rate.files_per_second
    # Where only some sizes are known, the bytes of those are the least that is to come.
    by_bytes = left.bytes / rate.bytes_per_second if rate.bytes else 0.0
    return max(by_files, by_bytes)


def _rate(name: str, span: timedelta, hours: list[Hour], now: datetime, first_at: datetime) -> Rate:
    begins = (now - span).replace(minute=0, second=0, microsecond=0)
    within = [hour for hour in hours if begins <= hour.begins <= now]
    seconds = (now - max(begins, first_at)).total_seconds()
    return Rate(name, seconds, sum(hour.files for hour in within), sum(hour.bytes for hour in within))


def _none(reason: NoEstimate) -> Estimate:
    return Estimate(None, None, reason)
