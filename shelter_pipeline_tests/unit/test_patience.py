"""Waiting for a catalog that is away for a moment, and no longer."""

from __future__ import annotations

import pytest

from shelter_pipeline.dispatch.patience import patiently
from shelter_pipeline.domain.errors import CatalogAwayError, TransientError


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def away_for(times: int) -> list[Exception]:
    return [CatalogAwayError("away") for _ in range(times)]


def test_what_works_at_once_waits_for_nothing() -> None:
    clock = Clock()

    assert patiently(lambda: 7, for_seconds=60, clock=clock, sleep=clock.sleep) == 7
    assert clock.pauses == []


def test_a_catalog_that_comes_back_is_asked_again_with_growing_pauses() -> None:
    clock, troubles = Clock(), away_for(5)

    def ask() -> str:
        if troubles:
            raise troubles.pop()
        return "back"

    assert patiently(ask, for_seconds=60, clock=clock, sleep=clock.sleep) == "back"
    assert clock.pauses == sorted(clock.pauses)
    assert len(clock.pauses) == 5


def test_a_catalog_that_stays_away_is_given_up_in_time() -> None:
    clock = Clock()

    def ask() -> None:
        raise CatalogAwayError("away")

    with pytest.raises(CatalogAwayError, match="away"):
        patiently(ask, for_seconds=30, clock=clock, sleep=clock.sleep)
    assert clock.now <= 30


def test_any_other_error_is_raised_at_once() -> None:
    clock = Clock()

    def ask() -> None:
        raise TransientError("no", reason="no-space")

    with pytest.raises(TransientError):
        patiently(ask, for_seconds=30, clock=clock, sleep=clock.sleep)
    assert clock.pauses == []
