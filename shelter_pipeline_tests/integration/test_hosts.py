"""Hosts in a real catalog: what operators say of them, and robots.txt that is asked for once for all processes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from shelter_pipeline.catalog import hosts
from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.host_ledger import HostLedger
from shelter_pipeline.catalog.host_robots import HostRobots
from shelter_pipeline.cli import app
from shelter_pipeline.domain.errors import SetupError, TransientError
from shelter_pipeline.domain.robots import RobotsReply
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.politeness import Observation, Politeness, Turn
from shelter_pipeline.fetching.robots_book import Allowed, Ask, Decision, Disallowed, Held, RobotsBook

URL = parse_url("https://data.example.org/secret/a.csv")
RULES = b"User-agent: *\nDisallow: /secret\x00\nDisallow: /secret\nCrawl-delay: 7\n"


@pytest.fixture
def shelter(catalog: Catalog, catalog_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The command line on the test's own database; returns the JSON that it printed, or the error."""
    monkeypatch.setenv("SHELTER_DATABASE_URL", catalog_url)

    def run(*arguments: str) -> Any:
        result = CliRunner().invoke(app, ["host", *arguments, "--json"])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            return result.exception
        return json.loads(result.stdout)

    return run


@contextmanager
def book(catalog: Catalog, delays: dict[str, float] | None = None) -> Iterator[RobotsBook]:
    """The book of one more process."""
    noted = delays if delays is not None else {}
    opened = RobotsBook("Shelter/0.1", ledger=HostRobots(catalog), on_crawl_delay=noted.__setitem__)
    try:
        yield opened
    finally:
        opened.close()


def decided(opened: RobotsBook, *, seconds: float = 10) -> Decision | None:
    """What the book says once it no longer says to wait for a moment; None if it says nothing else for so long."""
    end = time.monotonic() + seconds
    while isinstance(decision := opened.decide(URL), Held) and decision.error is None:
        if time.monotonic() > end:
            return None
        time.sleep(0.01)
    return decision


def test_a_robots_txt_is_asked_for_by_one_process_and_known_to_all(catalog: Catalog) -> None:
    with book(catalog) as one, book(catalog) as other:
        assert decided(one) == Ask("https://data.example.org/robots.txt")
        assert decided(other, seconds=0.5) is None

        one.learn(URL, RobotsReply(200, RULES))

        assert decided(other) == Disallowed("Disallow: /secret")


def test_what_a_robots_txt_said_outlives_the_process(catalog: Catalog) -> None:
    with book(catalog) as first:
        decided(first)
        first.learn(URL, RobotsReply(200, RULES))

    with book(catalog) as second:
        assert decided(second) == Disallowed("Disallow: /secret")


def test_a_failure_is_remembered_with_its_reason_and_its_rest(catalog: Catalog) -> None:
    with book(catalog) as first:
        decided(first)
        first.learn(URL, RobotsReply(None, error=TransientError("no route", reason="connect-failed")))

    with book(catalog) as second:
        held = decided(second)

    assert isinstance(held, Held)
    assert 40 < held.seconds <= 60
    assert held.error is not None
    assert (held.error.reason, str(held.error)) == ("connect-failed", "robots.txt: no route")


def test_a_robots_txt_that_is_not_fresh_is_asked_for_anew_by_one(catalog: Catalog) -> None:
    with book(catalog) as first:
        decided(first)
        first.learn(URL, RobotsReply(500))
    with catalog.begin() as connection:
        connection.exec_driver_sql("UPDATE host_robots SET fresh_until = now()")

    with book(catalog) as second, book(catalog) as third:
        assert isinstance(decided(second), Ask)
        assert decided(third, seconds=0.5) is None


def test_an_operators_word_on_robots_txt_holds_for_its_host(catalog: Catalog) -> None:
    hosts.set_host(catalog, URL.host, robots="ignore", why="public records", who="ada")

    with book(catalog) as opened:
        assert decided(opened) == Allowed()


def test_overruling_a_robots_txt_needs_a_reason_and_a_name(catalog: Catalog) -> None:
    for why, who in ((None, "ada"), (" ", "ada"), ("public records", None)):
        with pytest.raises(SetupError, match="say why"):
            hosts.set_host(catalog, URL.host, robots="ignore", why=why, who=who)

    assert hosts.list_hosts(catalog) == []


def test_what_an_operator_sets_is_shown_with_who_and_why(shelter: Callable[..., Any]) -> None:
    shelter("set", "data.example.org", "--delay", "3", "--connections", "1")
    shelter("set", URL.text, "--robots", "ignore", "--why", "public\nrecords", "--who", "ada")

    shown = shelter("show", "data.example.org:443")

    wanted = {"host": URL.host, "delay_seconds": 3.0, "connections": 1, "robots": "ignore"}
    assert wanted.items() <= shown.items()
    assert (shown["robots_why"], shown["robots_who"]) == ("public\nrecords", "ada")
    assert shown["robots_set_at"]
    assert [row["host"] for row in shelter("list")["hosts"]] == [URL.host]


def test_a_host_that_is_told_to_rest_is_asked_by_nobody(
    catalog: Catalog, shelter: Callable[..., Any]
) -> None:
    shelter("rest", "data.example.org", "--hours", "2")

    with Politeness(connections=2, delay_seconds=0, ledger=HostLedger(catalog)) as politeness:
        end = time.monotonic() + 10
        while politeness.rest_seconds(URL.host) == 0 and time.monotonic() < end:
            assert not isinstance(politeness.try_turn(URL), Turn)
            time.sleep(0.01)
        assert politeness.rest_seconds(URL.host) == pytest.approx(7200, abs=30)
    assert shelter("rest", "data.example.org", "--hours", "0")["rests_until"] is None


def test_a_reset_forgets_what_was_taught_and_only_if_asked_what_was_said(
    catalog: Catalog, shelter: Callable[..., Any]
) -> None:
    shelter("set", URL.host, "--delay", "0", "--robots", "obey", "--why", "as agreed")
    with Politeness(connections=2, delay_seconds=0, ledger=HostLedger(catalog)) as politeness:
        with politeness.turn(URL) as turn:
            turn.end(Observation(status=429, first_byte_seconds=1.0))
        politeness.set_delay(URL.host, 7.0)
    with book(catalog) as opened:
        decided(opened)
        opened.learn(URL, RobotsReply(200, RULES))
    taught = shelter("show", URL.host)
    assert (taught["strikes"], taught["latency_seconds"], taught["crawl_delay_seconds"]) == (1, 1.0, 7.0)
    assert [origin["state"] for origin in taught["robots_txt"]] == ["rules"]

    forgotten = shelter("reset", URL.host)

    assert (forgotten["strikes"], forgotten["rests_until"], forgotten["crawl_delay_seconds"]) == (
        0,
        None,
        None,
    )
    assert (forgotten["robots_txt"], forgotten["robots"], forgotten["delay_seconds"]) == ([], "obey", 0.0)
    assert shelter("reset", URL.host, "--settings")["robots"] is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show", "nowhere.example"], "not known"),
        (["reset", "nowhere.example"], "not known"),
        (["set", "data.example.org"], "nothing was said"),
        (["set", "not a host", "--delay", "1"], "is no host"),
        (["set", "data.example.org", "--robots", "ignore"], "say why"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    shelter: Callable[..., Any], arguments: Sequence[str], sentence: str
) -> None:
    error = shelter(*arguments)

    assert isinstance(error, SetupError)
    assert sentence in str(error)


def test_for_people_hosts_are_a_table(
    catalog: Catalog, catalog_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELTER_DATABASE_URL", catalog_url)
    hosts.set_host(catalog, URL.host, delay_seconds=2.0, robots="ignore", why="public records", who="ada")

    listed = CliRunner().invoke(app, ["host", "list"])
    shown = CliRunner().invoke(app, ["host", "show", URL.host])

    assert (listed.exit_code, shown.exit_code) == (0, 0)
    assert URL.host in listed.stdout
    assert "public records" in shown.stdout
