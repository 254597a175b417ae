"""What an asset becomes after a verdict."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.follow_up import LONG_REST, LONGEST_RETRY_AFTER, FollowUp, follow_up
from shelter_pipeline.domain.verdicts import REASONS, Next, holds_file

slugs = st.sampled_from(sorted(REASONS))
MONTH = timedelta(days=30)


@pytest.mark.parametrize("reason", ["stored", "unchanged"])
def test_what_is_held_rests_and_its_failures_are_forgotten(reason: str) -> None:
    assert follow_up(reason, 4, max_attempts=5) == FollowUp("held", MONTH, 0)


def test_a_transient_failure_is_tried_again_later_and_later() -> None:
    assert follow_up("server-error", 0, max_attempts=5) == FollowUp("pending", timedelta(minutes=1), 1)
    assert follow_up("server-error", 2, max_attempts=5) == FollowUp("pending", timedelta(minutes=4), 3)


def test_a_file_whose_attempts_are_used_up_rests_long_and_is_then_tried_anew() -> None:
    assert follow_up("server-error", 4, max_attempts=5) == FollowUp("failed", LONG_REST, 0)


@pytest.mark.parametrize("reason", ["no-space", "store-failed", "interrupted"])
def test_our_own_troubles_are_no_failures_of_the_file(reason: str) -> None:
    after = follow_up(reason, 4, max_attempts=5)

    assert (after.state, after.attempts) == ("pending", 4)


@pytest.mark.parametrize("reason", ["not-found", "html-instead", "robots"])
def test_what_may_come_back_is_looked_at_after_a_month(reason: str) -> None:
    assert follow_up(reason, 2, max_attempts=5) == FollowUp("failed", MONTH, 2)


@pytest.mark.parametrize("reason", ["too-large", "bad-url", "private-address", "excluded"])
def test_what_only_a_person_can_change_has_no_next_attempt(reason: str) -> None:
    assert follow_up(reason, 0, max_attempts=5) == FollowUp("failed", None, 0)


def test_a_server_that_asks_for_time_gets_it_up_to_a_day() -> None:
    asked = follow_up("rate-limited", 0, max_attempts=5, retry_after_seconds=7200)
    asked_too_much = follow_up("rate-limited", 0, max_attempts=5, retry_after_seconds=10**9)

    assert asked.rest == timedelta(hours=2)
    assert asked_too_much.rest == LONGEST_RETRY_AFTER


def test_a_short_wish_does_not_shorten_our_own_rest() -> None:
    assert follow_up("rate-limited", 0, max_attempts=5, retry_after_seconds=1).rest == timedelta(hours=1)


@pytest.mark.parametrize("wish", [float("inf"), 1e300, -1e300, float("nan")])
def test_no_wish_is_too_odd_to_be_answered(wish: float) -> None:
    after = follow_up("rate-limited", 0, max_attempts=5, retry_after_seconds=wish)

    assert after.rest is not None
    assert timedelta(hours=1) <= after.rest <= LONGEST_RETRY_AFTER


def test_an_unknown_reason_is_an_error() -> None:
    with pytest.raises(KeyError):
        follow_up("no-such-reason", 0, max_attempts=5)


@given(slug=slugs, attempts=st.integers(0, 100), most=st.integers(1, 100))
def test_every_asset_ends_somewhere_that_its_reason_allows(slug: str, attempts: int, most: int) -> None:
    after = follow_up(slug, attempts, max_attempts=most)

    assert (after.state == "held") == holds_file(REASONS[slug].verdict)
    if after.state == "pending":
        assert REASONS[slug].next is Next.RETRY
        assert after.rest is not None
        assert after.attempts < most or after.attempts == attempts


@given(slug=st.sampled_from(["connect-failed", "server-error", "too-slow", "dns-failed"]))
def test_a_file_that_always_fails_rests_after_as_many_tries_as_were_set(slug: str) -> None:
    attempts = 0
    states = []

    for _ in range(5):
        after = follow_up(slug, attempts, max_attempts=5)
        attempts = after.attempts
        states.append(after.state)

    assert states == ["pending"] * 4 + ["failed"]
