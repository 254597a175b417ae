"""What a host's answers change in how it is asked: pure decisions, one promise a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelter_pipeline.domain.politeness import (
    LONGEST_LEARNED_DELAY_SECONDS,
    HostManners,
    HostRules,
    Lesson,
    Observation,
    after_lessons,
    after_reply,
    connections_at_once,
    delay_between_starts,
    rest_left,
)

RULES = HostRules(connections=4, delay_seconds=1.0)
OPENED = HostRules(connections=4, delay_seconds=0.0, minds_latency=False)
NEW = HostManners()
GOOD, TOO_MUCH, AWAY = Observation(status=200), Observation(status=429), Observation(connect_failed=True)


def told(*observations: Observation, rules: HostRules = RULES, manners: HostManners = NEW) -> HostManners:
    """The manners after these replies, each of which came as soon as the host might be asked again."""
    now = 0.0
    for observation in observations:
        now = max(now, manners.rest_until or 0.0)
        manners = after_reply(manners, observation, rules, now)
    return manners


def rests(*observations: Observation) -> list[float]:
    """How long the host rests after each reply, each having come when the rest before was over."""
    found, manners, now = [], NEW, 0.0
    for observation in observations:
        manners = after_reply(manners, observation, RULES, now)
        found.append(rest_left(manners, now))
        now += found[-1]
    return found


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_says_too_much_rests_and_is_asked_less(status: int) -> None:
    manners = told(Observation(status=status))

    assert rest_left(manners, 0.0) == 30.0
    assert connections_at_once(manners, RULES) == 1
    assert delay_between_starts(manners, RULES) == 2.0


def test_rests_double_up_to_an_hour_and_last_ten_minutes_at_least_from_the_fourth_on() -> None:
    assert rests(*[TOO_MUCH] * 9) == [30, 60, 120, 600, 600, 960, 1920, 3600, 3600]


def test_a_host_that_says_too_much_to_everything_is_asked_at_most_ten_times_an_hour() -> None:
    for asked in (None, 0.0, 1.0):
        later = rests(*[Observation(status=429, retry_after_seconds=asked)] * 12)[3:]

        assert all(3600 / rest <= 10 for rest in later)


@pytest.mark.parametrize(
    ("asked", "rest"), [(0.0, 1.0), (7.0, 7.0), (4000.0, 4000.0), (1e9, 24 * 3600.0)], ids=str
)
def test_what_a_host_asks_for_is_given_within_a_day(asked: float, rest: float) -> None:
    assert rests(Observation(status=503, retry_after_seconds=asked)) == [rest]


def test_chance_lengthens_a_rest_by_a_quarter_at_most_and_never_shortens_it() -> None:
    longest = after_reply(NEW, TOO_MUCH, RULES, 0.0, chance=1.0)

    assert rest_left(longest, 0.0) == 30.0 * 1.25


def test_the_replies_of_one_volley_are_one_strike() -> None:
    once = after_reply(NEW, TOO_MUCH, RULES, 0.0)

    again = after_reply(once, TOO_MUCH, RULES, 0.5)

    assert (again.strikes, again.delay_seconds) == (1, once.delay_seconds)
    assert again.rest_until == 30.5


def test_a_good_reply_does_not_end_a_rest() -> None:
    resting = after_reply(NEW, TOO_MUCH, RULES, 0.0)

    assert after_reply(resting, GOOD, RULES, 1.0).rest_until == resting.rest_until


def test_good_replies_bring_back_what_is_usual_step_by_step() -> None:
    manners = told(*[TOO_MUCH] * 3)
    steps = []

    for _ in range(4):
        manners = told(*[GOOD] * 5, manners=manners)
        steps.append(
            (manners.strikes, connections_at_once(manners, RULES), delay_between_starts(manners, RULES))
        )

    assert steps == [(0, 2, 4.0), (0, 3, 2.0), (0, 4, 1.0), (0, 4, 1.0)]
    assert (manners.connections, manners.delay_seconds, manners.good_replies) == (None, 0.0, 0)


def test_each_good_reply_takes_a_strike_back() -> None:
    assert told(TOO_MUCH, TOO_MUCH, GOOD).strikes == 1
    assert told(*[TOO_MUCH, GOOD] * 9, TOO_MUCH).strikes == 1
    assert rests(*[TOO_MUCH, GOOD] * 9)[::2] == [30.0] * 9


@pytest.mark.parametrize("status", [500, 502, 504, 520])
def test_a_server_error_is_neither_a_strike_nor_a_good_reply(status: int) -> None:
    struck = told(TOO_MUCH)

    assert told(Observation(status=status), manners=struck) == struck


@pytest.mark.parametrize("status", [200, 206, 304, 403, 404, 410])
def test_an_answer_is_a_good_reply_whatever_it_is_about(status: int) -> None:
    assert told(Observation(status=status), manners=told(TOO_MUCH)).good_replies == 1


def test_a_request_that_broke_on_the_way_teaches_nothing() -> None:
    assert told(Observation()) == NEW


def test_a_host_that_cannot_be_reached_rests_from_the_fifth_failure_on() -> None:
    assert rests(*[AWAY] * 9) == [0, 0, 0, 0, 60, 120, 240, 480, 600]
    assert rests(*[AWAY] * 4, Observation(status=500), *[AWAY] * 5)[5:] == [0, 0, 0, 0, 60]


def test_failures_of_a_host_that_rests_already_are_not_counted() -> None:
    resting = told(*[AWAY] * 5)

    assert after_reply(resting, AWAY, RULES, 1.0) == resting


def test_a_slow_host_is_asked_less_often_within_bounds() -> None:
    delays = [
        delay_between_starts(told(Observation(status=200, first_byte_seconds=seconds)), RULES)
        for seconds in (0.05, 0.4, 2.0, 50.0)
    ]

    assert delays == [1.0, 2.0, 10.0, 30.0]


def test_one_slow_reply_among_many_counts_a_fifth() -> None:
    manners = told(
        Observation(status=200, first_byte_seconds=1.0), Observation(status=200, first_byte_seconds=2.0)
    )

    assert manners.latency_seconds == pytest.approx(1.2)


def test_a_host_that_was_opened_rests_and_keeps_its_crawl_delay_but_is_not_slowed() -> None:
    slow = told(Observation(status=429, first_byte_seconds=3.0), rules=OPENED)

    assert rest_left(slow, 0.0) == 30.0
    assert connections_at_once(slow, OPENED) == 1
    assert delay_between_starts(slow, OPENED) == 0.0
    assert delay_between_starts(replace(slow, crawl_delay_seconds=7.0), OPENED) == 7.0


def test_a_crawl_delay_only_ever_lengthens_the_delay() -> None:
    assert delay_between_starts(HostManners(crawl_delay_seconds=0.2), RULES) == 1.0
    assert delay_between_starts(HostManners(crawl_delay_seconds=5.0), RULES) == 5.0


def test_an_operators_exact_delay_replaces_all_others() -> None:
    taught = HostManners(delay_seconds=8.0, latency_seconds=9.0, crawl_delay_seconds=10.0)

    assert delay_between_starts(taught, replace(RULES, exact_delay_seconds=0.5)) == 0.5


def test_the_rules_have_the_last_word_on_connections() -> None:
    assert connections_at_once(HostManners(connections=9), RULES) == 4


OBSERVATIONS = st.builds(
    Observation,
    status=st.none() | st.sampled_from([200, 304, 404, 429, 500, 503]),
    first_byte_seconds=st.none() | st.floats(0, 1e4),
    retry_after_seconds=st.none() | st.floats(0, 86_400),
    connect_failed=st.booleans(),
)


@given(st.lists(st.builds(Lesson, OBSERVATIONS, st.floats(0, 1e6), st.floats(0, 1)), max_size=60))
def test_whatever_a_host_answers_it_is_asked_within_bounds(lessons: Sequence[Lesson]) -> None:
    manners = after_lessons(NEW, lessons, RULES)

    assert 1 <= connections_at_once(manners, RULES) <= 4
    assert 1.0 <= delay_between_starts(manners, RULES) <= LONGEST_LEARNED_DELAY_SECONDS
    assert manners.rest_until is None or manners.rest_until <= 1e6 + 1.25 * 86_400


@given(st.lists(OBSERVATIONS, max_size=20))
def test_enough_good_replies_always_lead_back_to_what_is_usual(observations: list[Observation]) -> None:
    manners = told(*observations, *[GOOD] * 60)

    assert connections_at_once(manners, RULES) == 4
    assert (manners.strikes, manners.delay_seconds, manners.connect_failures) == (0, 0.0, 0)
