"""When the night's work begins: read by the schedule that does it and by whoever asks when it comes next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

HARVEST_HOUR = 2  # of the day, in UTC


def next_harvest(now: datetime) -> datetime:
    """The next time after `now` at which every portal is harvested, in UTC."""
    today = now.astimezone(UTC).replace(hour=HARVEST_HOUR, minute=0, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)
