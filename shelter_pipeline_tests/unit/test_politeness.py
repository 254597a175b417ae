"""Turns on hosts: never more at once than allowed, never sooner than the delay."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network

import pytest

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.domain.urls import Url, parse_url
from shelter_pipeline.fetching.polite_door import PoliteDoor
from shelter_pipeline.fetching.politeness import Observation, Politeness, Turn, is_opened
from shelter_pipeline_tests.support.local_site import local_site, open_door

PUBLIC, OTHER = parse_url("https://data.example.org/a"), parse_url("https://example.com/b")
OPENED = parse_url("http://127.0.0.1:8000/")
LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def polite(clock: Clock, *, connections: int = 2, delay: float = 1.0) -> Politeness:
    return Politeness(
        connections=connections,
        delay_seconds=delay,
        allowed_networks=LOOPBACK,
        clock=clock,
        sleep=clock.sleep,
    )


def test_requests_to_one_host_start_a_delay_apart() -> None:
    clock = Clock()
    politeness = polite(clock)

    for _ in range(3):
        with politeness.turn(PUBLIC):
            pass

    assert clock.slept == [1.0, 1.0]


def test_a_host_does_not_wait_for_another() -> None:
    clock = Clock()
    politeness = polite(clock)

    for url in (PUBLIC, OTHER):
        with politeness.turn(url):
            pass

    assert clock.slept == []


def test_an_opened_host_does_not_wait_between_requests() -> None:
    clock = Clock()
    politeness = polite(clock)

    for _ in range(3):
        with politeness.turn(OPENED):
            pass

    assert clock.slept == []


@pytest.mark.parametrize("url", [PUBLIC, OPENED])
def test_no_host_sees_more_connections_than_allowed(url: object) -> None:
    politeness = polite(Clock(), connections=3, delay=0)
    lock, both = threading.Lock(), threading.Barrier(3, timeout=10)
    now = most = 0

    def visit(_number: int) -> None:
        nonlocal now, most
        with politeness.turn(PUBLIC if url is PUBLIC else OPENED):
            with lock:
                now += 1
                most = max(most, now)
            both.wait()
            with lock:
                now -= 1

    with ThreadPoolExecutor(9) as pool:
        list(pool.map(visit, range(9)))

    assert most == 3


@pytest.mark.parametrize(
    ("host", "opened"),
    [
        ("127.0.0.1:80", True),
        ("localhost:8000", True),
        ("localhost.:8000", True),
        ("[::1]:80", True),
        ("10.0.0.1:80", False),
        ("data.example.org:443", False),
    ],
)
def test_only_the_spelling_of_a_host_opens_it(host: str, opened: bool) -> None:
    assert is_opened(host, LOOPBACK) is opened


def strict(clock: Clock) -> PoliteDoor:
    """A door that may dial loopback, for which loopback is a host like any other."""
    politeness = Politeness(connections=2, delay_seconds=1.0, clock=clock, sleep=clock.sleep)
    return PoliteDoor(open_door(), politeness)


def test_pages_and_their_redirects_are_read_a_delay_apart() -> None:
    clock = Clock()

    with local_site() as site:
        site.serves("/a", b"a")
        site.serves("/b", b"", 302, location="/a")
        reader = strict(clock)
        bodies = [reader.read(site.url + path).body for path in ("/a", "/b")]

    assert bodies == [b"a", b"a"]
    assert clock.slept == [1.0, 1.0]


def visit(politeness: Politeness, url: Url, times: int) -> None:
    for _ in range(times):
        with politeness.turn(url):
            pass


def test_a_host_that_asks_for_more_time_is_given_it_from_the_next_request_on() -> None:
    clock = Clock()
    politeness = polite(clock)
    visit(politeness, PUBLIC, 1)

    politeness.set_delay(PUBLIC.host, 10.0)
    visit(politeness, PUBLIC, 2)
    visit(politeness, OTHER, 2)

    assert clock.slept == [10.0, 10.0, 1.0]


def test_a_host_that_asks_for_less_time_than_the_setting_is_not_hurried() -> None:
    clock = Clock()
    politeness = polite(clock)
    politeness.set_delay(PUBLIC.host, 0.1)

    visit(politeness, PUBLIC, 2)

    assert clock.slept == [1.0]


def test_an_opened_host_is_given_the_time_that_it_asks_for_or_an_operators_own() -> None:
    clock = Clock()
    politeness = polite(clock)
    politeness.set_delay(OPENED.host, 10.0)
    visit(politeness, OPENED, 2)

    politeness.set_delay(OPENED.host, 3.0, exact=True)
    visit(politeness, OPENED, 2)

    assert clock.slept == [10.0, 3.0, 3.0]


@pytest.mark.parametrize(("seconds", "slept"), [(0.25, [0.25]), (0.0, []), (-1.0, [])])
def test_an_operators_own_delay_replaces_the_setting_and_what_the_host_asks(
    seconds: float, slept: list[float]
) -> None:
    clock = Clock()
    politeness = polite(clock)
    politeness.set_delay(PUBLIC.host, seconds, exact=True)
    politeness.set_delay(PUBLIC.host, 10.0)

    visit(politeness, PUBLIC, 2)

    assert clock.slept == slept


def test_a_delay_holds_for_all_threads_together() -> None:
    clock = Clock()
    politeness = polite(clock, connections=8, delay=0)
    politeness.set_delay(PUBLIC.host, 2.0)
    starts: list[float] = []
    sleeping = threading.Lock()

    def note(seconds: float) -> None:
        with sleeping:
            starts.append(seconds)

    politeness._sleep = note
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: visit(politeness, PUBLIC, 1), range(8)))

    assert sorted(starts) == [2.0 * turn for turn in range(1, 8)]


def test_a_turn_is_tried_without_waiting_and_a_refusal_says_for_how_long() -> None:
    clock = Clock()
    politeness = polite(clock)

    first = politeness.try_turn(PUBLIC)

    assert isinstance(first, Turn)
    assert politeness.try_turn(PUBLIC) == 1.0
    assert isinstance(politeness.try_turn(OTHER), Turn)
    clock.now += 1.0
    assert isinstance(politeness.try_turn(PUBLIC), Turn)
    assert clock.slept == []


def test_a_host_with_all_its_connections_in_use_is_free_again_when_one_ends() -> None:
    politeness = polite(Clock(), connections=2, delay=0)
    turns = [politeness.try_turn(PUBLIC) for _ in range(3)]
    assert [isinstance(turn, Turn) for turn in turns] == [True, True, False]
    assert isinstance(turns[0], Turn)

    turns[0].end(Observation(status=200))

    assert isinstance(politeness.try_turn(PUBLIC), Turn)


def test_a_turn_ends_once() -> None:
    turn = polite(Clock()).try_turn(PUBLIC)
    assert isinstance(turn, Turn)
    turn.end(None)

    with pytest.raises(ValueError, match="ended already"):
        turn.end(None)


@pytest.mark.parametrize("url", [PUBLIC, OPENED])
def test_a_host_that_asked_for_a_rest_is_left_alone_and_the_others_are_not(url: Url) -> None:
    clock = Clock()
    politeness = polite(clock, delay=0)
    with politeness.turn(url) as turn:
        turn.end(Observation(status=429, retry_after_seconds=90))

    assert politeness.try_turn(url) == politeness.rest_seconds(url.host) == 90.0
    assert isinstance(politeness.try_turn(OTHER), Turn)
    assert politeness.rest_seconds(OTHER.host) == politeness.rest_seconds("never.met:80") == 0.0
    clock.now += 90
    assert isinstance(politeness.try_turn(url), Turn)
    # One connection, until it answers well again.
    assert not isinstance(politeness.try_turn(url), Turn)


def test_a_thread_waits_for_a_short_rest_and_is_told_of_a_long_one() -> None:
    clock = Clock()
    politeness = polite(clock, delay=0)
    with politeness.turn(PUBLIC) as turn:
        turn.end(Observation(status=503, retry_after_seconds=40))
    with politeness.turn(PUBLIC) as turn:
        turn.end(Observation(status=503, retry_after_seconds=4000))

    with pytest.raises(TransientError, match="left alone") as told, politeness.turn(PUBLIC):
        pass

    assert clock.slept == [40.0]
    assert (told.value.reason, told.value.retry_after_seconds) == ("rate-limited", 4000.0)


def test_a_slow_host_is_given_five_times_its_latency_unless_it_was_opened() -> None:
    for url, pause in ((PUBLIC, 3.0), (OPENED, None)):
        politeness = polite(Clock())
        with politeness.turn(url) as turn:
            turn.end(Observation(status=200, first_byte_seconds=0.6))

        refused = politeness.try_turn(url)

        assert isinstance(refused, Turn) if pause is None else refused == pytest.approx(pause)


def test_a_block_that_fails_frees_its_slot() -> None:
    politeness = polite(Clock(), connections=1, delay=0)
    with pytest.raises(KeyError), politeness.turn(PUBLIC):
        raise KeyError

    assert isinstance(politeness.try_turn(PUBLIC), Turn)


def test_a_start_that_was_not_used_is_given_back() -> None:
    clock = Clock()
    politeness = polite(clock)
    first = politeness.try_turn(PUBLIC)
    assert isinstance(first, Turn)
    clock.now += 1.0
    unused = politeness.try_turn(PUBLIC)
    assert isinstance(unused, Turn)

    unused.end(None)

    assert isinstance(politeness.try_turn(PUBLIC), Turn)
    first.end(None)
    assert politeness.try_turn(PUBLIC) == 1.0


def test_nobody_waits_for_a_host_that_rests_because_nobody_answers_there() -> None:
    clock = Clock()
    politeness = polite(clock)
    for _ in range(5):
        with politeness.turn(OPENED) as turn:
            turn.end(Observation(connect_failed=True))

    with pytest.raises(TransientError, match="5 times in a row") as raised, politeness.turn(OPENED):
        pass
    waited = list(clock.slept)
    clock.sleep(80)
    with politeness.turn(OPENED):
        pass

    assert raised.value.reason == "connect-failed"
    assert waited == []


def test_who_shares_a_host_out_says_how_many_and_how_far_apart() -> None:
    politeness = polite(Clock(), connections=1, delay=1.0)
    politeness.set_usual(PUBLIC.host, connections=3, delay_seconds=0.0)
    politeness.set_usual(OTHER.host, connections=1, delay_seconds=7.0)

    turns = [politeness.try_turn(PUBLIC) for _ in range(4)]
    first = politeness.try_turn(OTHER)
    assert isinstance(first, Turn)
    first.end(Observation(status=200))

    assert [isinstance(turn, Turn) for turn in turns] == [True, True, True, False]
    assert politeness.try_turn(OTHER) == 7.0
