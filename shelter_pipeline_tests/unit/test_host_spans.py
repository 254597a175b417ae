"""Starts within the span that a process has been given: how many, how far apart, and when it is time for more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shelter_pipeline.domain.host_sharing import Standing
from shelter_pipeline.domain.politeness import HostManners, HostRules, Lesson, Observation
from shelter_pipeline.fetching.host_state import HeldSlot, HeldSpan, HostState, margin_seconds

GAP = 1.0 + margin_seconds(1.0)


def sharing_host(*, begins: float, ends: float, slots: int = 8) -> HostState:
    """A host with a delay of a second, of which this process holds slots and a span."""
    rules = HostRules(connections=slots, delay_seconds=1.0, minds_latency=False)
    state = HostState("h.example:80", rules, shared=True)
    state.learn(Standing(HostManners()), 0.0)
    state.slots = {number: HeldSlot(1000.0, 0.0, 0.0) for number in range(1, slots + 1)}
    state.span = HeldSpan(begins, ends, datetime(2026, 1, 1, tzinfo=UTC))
    return state


def starts_of(state: HostState, now: float) -> list[float]:
    """When requests start, as many as the span allows, each as soon as it may."""
    starts = []
    while (pause := state.pause(now)) is not None:
        now += pause
        state.begin(now, now)
        starts.append(now)
    return starts


@pytest.mark.parametrize(("seconds", "count"), [(GAP - 0.01, 0), (GAP, 1), (3 * GAP - 0.01, 2), (3 * GAP, 3)])
def test_each_start_takes_the_delay_and_its_margin_of_the_span(seconds: float, count: int) -> None:
    starts = starts_of(sharing_host(begins=0.0, ends=seconds + 1e-9), 0.0)

    assert starts == pytest.approx([GAP * number for number in range(count)])


def test_a_span_that_has_not_begun_is_waited_for() -> None:
    assert starts_of(sharing_host(begins=5.0, ends=7.0), 1.0) == [5.0]


def test_without_a_span_nothing_starts() -> None:
    state = sharing_host(begins=0.0, ends=0.0)
    state.span = None

    assert state.pause(0.0) is None


def test_a_delay_that_has_grown_takes_more_of_a_span_given_before() -> None:
    state = sharing_host(begins=0.0, ends=6.0)

    state.set_delay(3.0, exact=False)

    assert starts_of(state, 0.0) == [0.0]


def test_it_is_time_for_more_when_half_of_the_starts_are_used_and_not_once_others_follow() -> None:
    state = sharing_host(begins=0.0, ends=4 * GAP + 0.1)
    short = []
    for number in range(3):
        state.begin(GAP * number, GAP * number)
        short.append(state.runs_short(GAP * (number + 1) - 0.5))

    assert short == [False, True, True]
    assert state.span is not None
    state.span.followed = True
    assert not state.runs_short(3 * GAP - 0.5)


def test_of_a_host_with_a_long_delay_no_more_is_asked_for_long_before() -> None:
    state = sharing_host(begins=0.0, ends=31.0)
    state.set_delay(30.0, exact=False)
    state.begin(0.0, 0.0)

    assert [state.runs_short(now) for now in (0.1, 20.0, 30.0)] == [False, False, True]


def test_requests_that_were_all_slept_through_start_a_gap_apart() -> None:
    state = sharing_host(begins=0.0, ends=20.0)
    booked = [state.begin(0.0, GAP * number) for number in range(4)]

    waits = [state.set_out(slot, 10.0) for slot in booked[1:]]

    assert waits == [0.0, pytest.approx(GAP), pytest.approx(GAP)]
    assert state.set_out(booked[2], 10.0 + GAP) == 0.0
    assert state.set_out(booked[3], 10.0 + GAP) == pytest.approx(GAP)


def test_who_sleeps_beyond_the_span_does_not_start() -> None:
    state = sharing_host(begins=0.0, ends=4.0)
    booked = state.begin(0.0, 1.5)

    assert state.set_out(booked, 3.5) is None
    state.end(booked, None, 3.5)
    assert state.pause(3.5) is None


def test_who_is_in_time_starts_even_if_the_span_has_been_replaced_meanwhile() -> None:
    state = sharing_host(begins=0.0, ends=4.0)
    booked = state.begin(0.0, 1.5)
    state.span = HeldSpan(9.0, 12.0, datetime(2026, 1, 1, tzinfo=UTC))

    assert state.set_out(booked, 1.501) == 0.0


def test_the_delay_counts_from_when_a_request_was_sent() -> None:
    state = sharing_host(begins=0.0, ends=10.0)
    slot = state.begin(0.0, 0.0)

    state.sent(slot, 0.4)
    state.end(slot, Lesson(Observation(status=200), 0.6, 0.5), 0.6)

    assert state.pause(0.6) == pytest.approx(0.4 + GAP - 0.6)


def test_what_was_sent_before_another_changes_nothing_for_that_one() -> None:
    state = sharing_host(begins=0.0, ends=10.0)
    first = state.begin(0.0, 0.0)
    state.begin(GAP, GAP)

    state.sent(first, 0.9)

    assert state.pause(GAP) == pytest.approx(GAP)


def test_nothing_begins_at_a_host_while_a_request_to_it_is_not_sent_yet() -> None:
    state = sharing_host(begins=0.0, ends=20.0)
    slot = state.begin(0.0, 0.0)
    state.not_sent_yet(slot, 0.0)

    # Its name is looked up for ten seconds; another would wait for the same, and both arrive together.
    assert all((state.pause(now) or 0.0) > 0 for now in (GAP, 3 * GAP, 10.0))

    state.sent(slot, 10.0)
    assert state.pause(10.0) == pytest.approx(GAP)
    assert state.pause(10.0 + GAP) == 0.0


def test_a_request_that_ends_unsent_holds_nobody_up() -> None:
    state = sharing_host(begins=0.0, ends=20.0)
    slot = state.begin(0.0, 0.0)
    state.not_sent_yet(slot, 0.0)

    state.end(slot, Lesson(Observation(connect_failed=True), 5.0, 0.5), 5.0)

    assert state.pause(5.0) == 0.0


def test_at_a_host_without_a_delay_requests_begin_while_others_connect() -> None:
    state = sharing_host(begins=0.0, ends=20.0)
    state.set_delay(0.0, exact=True)
    state.not_sent_yet(state.begin(0.0, 0.0), 0.0)

    assert state.pause(0.0) == 0.0
