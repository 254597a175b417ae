"""How the allowance of a rate-limited portal is spent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shelter_pipeline.portals.pacing import LONGEST_RETRY_AFTER_SECONDS, pause_of, reset_in
from shelter_pipeline.portals.reading import PageReader
from shelter_pipeline_tests.support.local_site import Answered, LocalSite, local_site, open_door


@pytest.fixture
def site() -> Iterator[LocalSite]:
    with local_site() as running:
        yield running


def left(limit: str, remaining: str, **more: str) -> dict[str, str]:
    return {"X-RateLimit-Limit": limit, "X-RateLimit-Remaining": remaining, **more}


@pytest.mark.parametrize(
    ("limit", "remaining", "reset", "seconds"),
    [
        (None, None, None, 0.0),
        (1000, None, None, 0.0),
        (None, 5, None, 0.0),
        (1000, 1000, None, 0.0),
        (1000, 100, 10.0, 0.0),
        (1000, 99, None, 3.6),
        (1000, 50, 100.0, 2.0),
        (1000, 0, 42.0, 42.0),
        (1000, 0, None, LONGEST_RETRY_AFTER_SECONDS),
        (1000, 0, 10**9, LONGEST_RETRY_AFTER_SECONDS),
        (None, 0, 42.0, 42.0),
        (0, 0, 0.0, 0.0),
        (1, 0, None, LONGEST_RETRY_AFTER_SECONDS),
    ],
)
def test_what_is_left_of_an_allowance_decides_the_pause(
    limit: int | None, remaining: int | None, reset: float | None, seconds: float
) -> None:
    assert pause_of(limit, remaining, reset) == seconds


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("60", 60.0),
        ("60;w=3600", 60.0),
        ("1700000100", 100.0),
        ("1700000100000", 100.0),
        ("1600000000", 0.0),
        ("soon", None),
        ("-5", None),
        ("1e999", None),
        ("", None),
        (None, None),
    ],
)
def test_a_reset_is_read_as_a_duration_or_as_a_moment(written: str | None, seconds: float | None) -> None:
    assert reset_in(written, now=1_700_000_000.0) == seconds


def test_a_reader_slows_down_before_it_has_to_be_told(site: LocalSite) -> None:
    naps: list[float] = []
    url = site.serves_in_turn(
        "/page",
        Answered({}, headers=left("1000", "500")),
        Answered({}, headers=left("1000", "20")),
        Answered({}, headers=left("1000", "0", **{"X-RateLimit-Reset": "9"})),
        Answered({}),
    )
    pages = PageReader(open_door(), max_bytes=1000, sleep=naps.append)

    for _ in range(5):
        pages.json(url)

    assert naps == [3.6, 9.0]


@pytest.mark.parametrize(("retry_after", "nap"), [("30", 30.0), ("3", 9.0)])
def test_a_refusal_is_waited_for_once_as_long_as_either_header_asks(
    site: LocalSite, retry_after: str, nap: float
) -> None:
    naps: list[float] = []
    spent = left("1000", "0", **{"X-RateLimit-Reset": "9", "Retry-After": retry_after})
    url = site.serves_in_turn(
        "/page", Answered({"error": {"code": "OVER_RATE_LIMIT"}}, 429, spent), Answered({"ok": True})
    )

    answer = PageReader(open_door(), max_bytes=1000, sleep=naps.append).json(url)

    assert answer.value == {"ok": True}
    assert naps == [nap]


@pytest.mark.parametrize("status", [200, 429, 503])
def test_an_allowance_that_is_spent_is_waited_for_no_longer_than_retry_after_says(
    site: LocalSite, status: int
) -> None:
    naps: list[float] = []
    spent = left("1000", "0", **{"Retry-After": "7"})
    url = site.serves_in_turn("/page", Answered({}, status, spent), Answered({}))
    pages = PageReader(open_door(), max_bytes=1000, sleep=naps.append)

    pages.json(url)
    pages.json(url)

    assert naps == [7.0]


@pytest.mark.parametrize("nonsense", ["", "many", "-1", "1.5", "9" * 40])
def test_an_allowance_that_cannot_be_read_slows_nothing(site: LocalSite, nonsense: str) -> None:
    naps: list[float] = []
    url = site.serves("/page", {}, x_ratelimit_limit=nonsense, x_ratelimit_remaining=nonsense)
    pages = PageReader(open_door(), max_bytes=1000, sleep=naps.append)

    for _ in range(2):
        pages.json(url)

    assert naps == []
