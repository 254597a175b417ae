"""How fast it goes, and an estimate that never says more than is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.pace import Hour, Left, NoEstimate, Rate, estimate, rates

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
LEFT = Left(files=3600, bytes=36_000, unsized_files=0, failed_files=0, unfollowed_links=0)


def hour(ago: int, files: int, size: int = 0) -> Hour:
    return Hour(NOW.replace(minute=0) - timedelta(hours=ago), files, size)


def test_each_window_counts_what_was_stored_in_it_over_its_own_time() -> None:
    hours = [hour(0, 10, 100), hour(1, 20, 200), hour(5, 30, 300), hour(100, 40, 400)]

    of_hour, of_day, of_week = rates(hours, now=NOW, first_at=NOW - timedelta(days=30))

    assert (of_hour.files, of_hour.bytes, of_hour.seconds) == (30, 300, 5400)
    assert (of_day.files, of_day.bytes) == (60, 600)
    assert (of_week.files, of_week.bytes) == (100, 1000)


def test_windows_end_where_history_begins() -> None:
    measured = rates([hour(0, 10), hour(1, 20)], now=NOW, first_at=NOW - timedelta(minutes=65))

    assert {rate.seconds for rate in measured} == {65 * 60}


@pytest.mark.parametrize("first_at", [None, NOW - timedelta(minutes=59)])
def test_less_than_an_hour_of_history_gives_no_rate_and_no_estimate(first_at: datetime | None) -> None:
    measured = rates([hour(0, 1000)], now=NOW, first_at=first_at)

    assert measured == ()
    assert estimate(LEFT, measured).reason is NoEstimate.TOO_YOUNG


def test_the_range_is_that_of_the_fastest_and_the_slowest_window() -> None:
    measured = (Rate("hour", 3600, 3600, 0), Rate("day", 86_400, 8640, 0), Rate("week", 604_800, 604_800, 0))

    found = estimate(LEFT, measured)

    assert (found.soonest_seconds, found.latest_seconds) == (3600, 36_000)


def test_it_takes_as_long_as_the_slower_of_files_and_bytes() -> None:
    found = estimate(LEFT, (Rate("hour", 3600, 3600, 3600), Rate("day", 3600, 3600, 3600)))

    assert found.soonest_seconds == 36_000


@pytest.mark.parametrize(
    ("left", "measured", "reason"),
    [
        (Left(0, 0, 0, 9, 9), (Rate("hour", 3600, 1, 1),), NoEstimate.NOTHING_REMAINS),
        (
            LEFT,
            (Rate("hour", 3600, 0, 0), Rate("day", 86_400, 0, 0), Rate("week", 604_800, 99, 9)),
            NoEstimate.IDLE,
        ),
        (Left(10**12, 0, 0, 0, 0), (Rate("hour", 3600, 1, 1), Rate("day", 3600, 1, 1)), NoEstimate.TOO_LONG),
    ],
)
def test_what_nobody_can_know_is_said_with_its_reason(
    left: Left, measured: tuple[Rate, ...], reason: NoEstimate
) -> None:
    found = estimate(left, measured)

    assert (found.soonest_seconds, found.latest_seconds, found.reason) == (None, None, reason)


_AMOUNTS = st.integers(0, 2**63 - 1)


@given(
    st.builds(Left, _AMOUNTS, _AMOUNTS, _AMOUNTS, _AMOUNTS, _AMOUNTS),
    st.lists(st.builds(hour, st.integers(0, 400), _AMOUNTS, _AMOUNTS), max_size=30),
    st.none() | st.timedeltas(timedelta(0), timedelta(days=4000)),
)
def test_an_estimate_is_a_finite_range_or_a_reason(
    left: Left, hours: list[Hour], history: timedelta | None
) -> None:
    first_at = None if history is None else NOW - history

    found = estimate(left, rates(hours, now=NOW, first_at=first_at))

    if found.reason is None:
        assert found.soonest_seconds is not None
        assert found.latest_seconds is not None
        assert 0 < found.soonest_seconds <= found.latest_seconds <= 100 * 366 * 86_400
    else:
        assert found.soonest_seconds is found.latest_seconds is None


@given(st.lists(st.builds(hour, st.integers(0, 400), st.integers(0, 10**9), st.integers(0, 10**15))))
def test_a_longer_window_never_holds_less(hours: list[Hour]) -> None:
    of_hour, of_day, of_week = rates(hours, now=NOW, first_at=NOW - timedelta(days=400))

    assert of_hour.files <= of_day.files <= of_week.files
    assert of_hour.seconds < of_day.seconds < of_week.seconds
