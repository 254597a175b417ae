"""What a robots.txt, and every way of not getting one, means for the URLs of its host."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shelter_pipeline.domain.errors import (
    DamagedError,
    PermanentError,
    RefusedError,
    ShelterError,
    TransientError,
)
from shelter_pipeline.domain.robots import RobotsReply
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.robots_book import Allowed, Ask, Disallowed, Held, RobotsBook
from shelter_pipeline_tests.support.local_site import local_site, open_door

FILE, SECRET = (
    parse_url("https://data.example.org/a.csv"),
    parse_url("https://data.example.org/secret/a.csv?b=1"),
)
RULES = b"User-agent: *\nDisallow: /secret\nCrawl-delay: 10\n"
AWAY = TransientError("no connection", reason="connect-failed")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def delays() -> dict[str, float]:
    return {}


@pytest.fixture
def book(clock: Clock, delays: dict[str, float]) -> RobotsBook:
    return RobotsBook("Shelter/0.1 (rescue)", on_crawl_delay=delays.__setitem__, clock=clock)


def after(book: RobotsBook, reply: RobotsReply) -> RobotsBook:
    assert book.decide(FILE) == Ask("https://data.example.org/robots.txt")
    book.learn(FILE, reply)
    return book


def test_one_asker_is_told_to_ask_and_all_others_wait(book: RobotsBook) -> None:
    with ThreadPoolExecutor(8) as pool:
        decisions = list(pool.map(lambda _: book.decide(FILE), range(50)))

    assert decisions.count(Ask("https://data.example.org/robots.txt")) == 1
    assert {type(decision) for decision in decisions} == {Ask, Held}


def test_an_asker_that_never_answers_is_replaced(book: RobotsBook, clock: Clock) -> None:
    assert isinstance(book.decide(FILE), Ask)

    clock.now += 181

    assert isinstance(book.decide(FILE), Ask)


def test_rules_are_obeyed_and_the_rule_is_named(book: RobotsBook, delays: dict[str, float]) -> None:
    after(book, RobotsReply(200, RULES))

    assert book.decide(FILE) == Allowed()
    assert book.decide(SECRET) == Disallowed("Disallow: /secret")
    assert delays == {"data.example.org:443": 10.0}


def test_the_query_counts_and_robots_txt_itself_is_always_allowed(book: RobotsBook) -> None:
    after(book, RobotsReply(200, b"User-agent: *\nDisallow: /*?b\nDisallow: /robots\n"))

    assert book.decide(parse_url("https://data.example.org/x?b=1")) == Disallowed("Disallow: /*?b")
    assert book.decide(parse_url("https://data.example.org/robots.txt")) == Allowed()


def test_each_origin_has_a_robots_txt_of_its_own(book: RobotsBook) -> None:
    after(book, RobotsReply(200, b"User-agent: *\nDisallow: /\n"))

    for other in ("http://data.example.org/a", "https://data.example.org:8443/a", "https://example.org/a"):
        decision = book.decide(parse_url(other))
        assert decision == Ask(other[: other.rindex("/")] + "/robots.txt")


def test_ftp_knows_no_robots_txt(book: RobotsBook) -> None:
    assert book.decide(parse_url("ftp://data.example.org/a.csv")) == Allowed()


@pytest.mark.parametrize(
    "reply",
    [
        RobotsReply(404, b"User-agent: *\nDisallow: /"),
        RobotsReply(403),
        RobotsReply(401),
        RobotsReply(410),
        RobotsReply(304),
        RobotsReply(200, b"<!doctype html><h1>Welcome</h1>\nUser-agent: *\nDisallow: /\n"),
        RobotsReply(204),
        RobotsReply(200, b"\x00\xff\xfe garbage"),
        RobotsReply(None, error=DamagedError("two lengths", reason="head-invalid")),
        RobotsReply(None, error=PermanentError("six redirects", reason="bad-redirect")),
        RobotsReply(302, error=PermanentError("to nowhere", reason="bad-redirect")),
        RobotsReply(404, error=PermanentError("not found", reason="not-found")),
    ],
    ids=str,
)
def test_where_there_are_no_rules_everything_is_allowed(book: RobotsBook, reply: RobotsReply) -> None:
    after(book, reply)

    assert book.decide(SECRET) == Allowed()


def test_of_a_robots_txt_that_was_cut_for_its_length_the_beginning_counts(book: RobotsBook) -> None:
    after(book, RobotsReply(200, RULES, error=PermanentError("long", reason="too-large")))

    assert book.decide(SECRET) == Disallowed("Disallow: /secret")


@pytest.mark.parametrize(
    ("reply", "kind", "reason"),
    [
        (RobotsReply(500), TransientError, "server-error"),
        (RobotsReply(503), TransientError, "server-error"),
        (RobotsReply(429), TransientError, "rate-limited"),
        (
            RobotsReply(503, error=TransientError("later", reason="rate-limited")),
            TransientError,
            "rate-limited",
        ),
        (RobotsReply(None, error=AWAY), TransientError, "connect-failed"),
        (
            RobotsReply(200, RULES, error=TransientError("cut", reason="connection-lost")),
            TransientError,
            "connection-lost",
        ),
        (RobotsReply(None, error=TransientError("?", reason="dns-failed")), TransientError, "dns-failed"),
        (
            RobotsReply(None, error=PermanentError("expired", reason="tls-failed")),
            PermanentError,
            "tls-failed",
        ),
        (
            RobotsReply(None, error=RefusedError("ours", reason="private-address")),
            RefusedError,
            "private-address",
        ),
    ],
    ids=str,
)
def test_where_it_cannot_be_had_the_files_wait_and_fail_as_it_did(
    book: RobotsBook, reply: RobotsReply, kind: type[ShelterError], reason: str
) -> None:
    after(book, reply)

    held = book.decide(FILE)

    assert isinstance(held, Held)
    assert held.seconds == 60
    assert type(held.error) is kind
    assert held.error.reason == reason
    if isinstance(held.error, TransientError):
        assert held.error.retry_after_seconds == 60


def test_it_is_asked_for_again_after_rests_that_grow_to_an_hour(book: RobotsBook, clock: Clock) -> None:
    found = []
    for _ in range(8):
        after(book, RobotsReply(500))
        held = book.decide(FILE)
        assert isinstance(held, Held)
        found.append(held.seconds)
        clock.now += held.seconds

    assert found == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_a_host_that_names_a_time_is_not_asked_before(book: RobotsBook) -> None:
    error = TransientError("later", reason="rate-limited", retry_after_seconds=7200)
    after(book, RobotsReply(429, error=error))

    held = book.decide(FILE)

    assert isinstance(held, Held)
    assert held.seconds == 7200


def test_after_a_month_of_failures_everything_is_allowed(book: RobotsBook, clock: Clock) -> None:
    after(book, RobotsReply(500))
    clock.now += 29 * 86_400
    after(book, RobotsReply(500))
    assert isinstance(book.decide(FILE), Held)

    clock.now += 86_400
    after(book, RobotsReply(500))

    assert book.decide(FILE) == Allowed()
    clock.now += 86_401
    after(book, RobotsReply(200, RULES))
    assert isinstance(book.decide(SECRET), Disallowed)


def test_what_we_broke_off_ourselves_says_nothing_of_the_host(book: RobotsBook) -> None:
    after(book, RobotsReply(None, error=TransientError("stopped", reason="interrupted")))

    assert isinstance(book.decide(FILE), Ask)


def test_rules_hold_for_a_day(book: RobotsBook, clock: Clock) -> None:
    after(book, RobotsReply(200, RULES))

    clock.now += 86_399
    assert book.decide(FILE) == Allowed()
    clock.now += 2
    assert isinstance(book.decide(FILE), Ask)


def read(url: str) -> RobotsReply:
    reply = open_door().read(url)
    return RobotsReply(reply.head.status, reply.body)


def test_a_thread_may_wait_for_the_decision_and_many_ask_once() -> None:
    book = RobotsBook("Shelter/0.1")
    with local_site() as site:
        site.serves("/robots.txt", RULES)
        allowed, forbidden = parse_url(f"{site.url}/a"), parse_url(f"{site.url}/secret")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: book.admit(allowed, read), range(24)))
        with pytest.raises(RefusedError, match="says Disallow: /secret") as refused:
            book.admit(forbidden, read)

        assert refused.value.reason == "robots"
        assert [asked.path for asked in site.asked] == ["/robots.txt"]


def test_a_thread_that_waits_is_told_what_keeps_the_robots_txt_away(book: RobotsBook) -> None:
    def fail(_url: str) -> RobotsReply:
        raise AWAY

    for _ in range(2):
        with pytest.raises(TransientError, match="no connection") as told:
            book.admit(FILE, fail)
        assert told.value.reason == "connect-failed"


def test_a_thread_does_not_wait_for_ever_for_another_ones_question(clock: Clock) -> None:
    def pass_time(seconds: float) -> None:
        clock.now += seconds

    book = RobotsBook("Shelter/0.1", clock=clock, sleep=pass_time)
    assert isinstance(book.decide(FILE), Ask)
    book.admit(FILE, lambda _url: RobotsReply(404))
    clock.now += 86_401
    hung = RobotsReply(None, error=TransientError("stopped", reason="interrupted"))

    def hang(_url: str) -> RobotsReply:
        pass_time(200)
        return hung

    with pytest.raises(TransientError, match="still being asked for"):
        book.admit(FILE, hang)


def test_an_operator_may_ignore_all_robots_txt() -> None:
    assert RobotsBook("Shelter/0.1", policy="ignore").decide(SECRET) == Allowed()


def test_a_crawl_delay_that_is_gone_is_forgotten(
    book: RobotsBook, clock: Clock, delays: dict[str, float]
) -> None:
    after(book, RobotsReply(200, RULES))
    clock.now += 86_401
    after(book, RobotsReply(404))

    assert delays == {"data.example.org:443": 0.0}
