"""The hours of the day in which a volunteer's machine may work, by its own clock. Values only; times are given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from shelter_pipeline.domain.errors import SetupError

DAY_MINUTES = 24 * 60
_SPAN = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*-\s*(\d{1,2})(?::(\d{2}))?", re.ASCII)

Span = tuple[int, int]  # minutes of the day: from the first on, before the second


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """Spans of the day; none means always. A span whose end comes before its start goes over midnight."""

    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, text: str, what: str) -> WorkingHours:
        """Read `22-06`, `22:30-6:15` or several with commas. Raises SetupError that says how to write `what`.

        >>> WorkingHours.of("22-06, 12:30-13", "--hours").spans
        ((1320, 360), (750, 780))
        """
        return cls(tuple(_span(part.strip(), what) for part in text.split(",") if part.strip()))

    def is_open(self, moment: datetime) -> bool:
        """Whether work may go on at this local time."""
        minute = moment.hour * 60 + moment.minute
        return not self.spans or any(_holds(span, minute) for span in self.spans)

    def seconds_to_open(self, moment: datetime) -> float:
        """Seconds until work may begin; 0 if it may now."""
        if self.is_open(moment):
            return 0.0
        minute = moment.hour * 60 + moment.minute
        minutes = min((start - minute) % DAY_MINUTES for start, _ in self.spans)
        return minutes * 60.0 - moment.second - moment.microsecond / 1e6

    def seconds_to_close(self, moment: datetime) -> float | None:
        """Seconds until work must end; 0 if it may not go on, None if it always may."""
        if not self.spans or any(start == end % DAY_MINUTES for start, end in self.spans):
            return None
        at, minutes = moment.hour * 60 + moment.minute, 0
        while (ends := [end - at for start, end in self.spans if _holds((start, end), at)]) and (
            minutes < DAY_MINUTES
        ):
            ahead = max(left % DAY_MINUTES for left in ends)
            minutes, at = minutes + ahead, (at + ahead) % DAY_MINUTES
        if minutes >= DAY_MINUTES:
            return None
        return max(minutes * 60.0 - moment.second - moment.microsecond / 1e6, 0.0)


def _span(text: str, what: str) -> Span:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise SetupError(
            f"{what}: {text[:80]!r} are no hours; write them like 22-06 or 22:30-06:00,12-13",
            reason="bad-setting",
        )
    hour, minute, end_hour, end_minute = (int(part or 0) for part in found.groups())
    start, end = hour * 60 + minute, end_hour * 60 + end_minute
    if minute > 59 or end_minute > 59 or max(start, end) > DAY_MINUTES:  # noqa: PLR2004 - minutes of an hour
        raise SetupError(f"{what}: {text[:80]!r} are no hours of a day, which has 24", reason="bad-setting")
    start, whole_day = start % DAY_MINUTES, (start, end) == (0, DAY_MINUTES)
    if start == end % DAY_MINUTES and not whole_day:
        raise SetupError(f"{what}: {text[:80]!r} ends when it begins", reason="bad-setting")
    return start, end


def _holds(span: Span, minute: int) -> bool:
    start, end = span
    return start <= minute < end if start < end else minute >= start or minute < end
