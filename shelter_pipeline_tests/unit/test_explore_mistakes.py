"""What an exploration makes of readers that fail: one page, one rule or one entry costs itself and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from shelter_pipeline.discovery import explore
from shelter_pipeline.discovery.classify import Kind
from shelter_pipeline.discovery.explore import Exploration
from shelter_pipeline.discovery.leads import Lead, Reading, To, What
from shelter_pipeline.discovery.pages import Budget, Page, PageState
from shelter_pipeline.domain.errors import DamagedError, TransientError

URL = "https://example.gov/pub/"
BUDGET = Budget(100, 100, 10**9, 5, 2, 10**6)
REPLY: Any = object()


def file(name: str) -> Lead:
    return Lead(f"{URL}{name}", To.FILE, "listing")


def begun() -> tuple[Exploration, Page]:
    exploration = Exploration(URL, Kind.DIRECTORY, "trailing-slash", BUDGET)
    assert list(exploration.begin()) == []
    return exploration, exploration.pages[0]


def reads(monkeypatch: pytest.MonkeyPatch, leads: Any) -> None:
    monkeypatch.setattr(explore, "read_reply", lambda *_: Reading(What.LISTING, leads))


def test_a_reader_that_breaks_costs_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Reading:
        raise RecursionError

    monkeypatch.setattr(explore, "read_reply", broken)
    exploration, start = begun()

    assert list(exploration.take(start, REPLY)) == []
    assert (start.state, start.reason) == (PageState.FAILED, "unreadable")
    assert exploration.conclusion().outcome == "unreadable"


@pytest.mark.parametrize("error", [KeyError("a"), DamagedError("the listing ends in the middle")])
def test_entries_before_the_one_that_breaks_a_reader_are_found(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def breaking() -> Iterator[Lead]:
        yield file("a.csv")
        raise error

    reads(monkeypatch, breaking())
    exploration, start = begun()

    assert [found.url for found in exploration.take(start, REPLY)] == [f"{URL}a.csv"]
    assert exploration.conclusion().outcome == "found-in-part"
    assert "1 pages whose rest could not be read" in exploration.conclusion().detail


def test_a_rule_that_breaks_leaves_its_place_to_be_read_as_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> None:
        raise ValueError

    monkeypatch.setattr(explore, "enter", broken)
    exploration, start = begun()

    assert exploration.waiting() == [start]


@pytest.mark.parametrize("to", To)
def test_a_lead_that_is_no_url_costs_itself(monkeypatch: pytest.MonkeyPatch, to: To) -> None:
    reads(monkeypatch, [Lead("https://[nowhere/", to, "listing"), Lead("", to, "listing"), file("a.csv")])
    exploration, start = begun()

    assert [found.url for found in exploration.take(start, REPLY)] == [f"{URL}a.csv"]
    assert (len(exploration.pages), start.left) == (1, {"bad-url": 2})


def test_two_spellings_of_one_url_are_one_page(monkeypatch: pytest.MonkeyPatch) -> None:
    spellings = ["https://EXAMPLE.gov/pub/sub/", "https://example.gov:443/pub/sub/#top", f"{URL}sub/"]
    reads(monkeypatch, [Lead(url, To.DIRECTORY, "listing") for url in spellings])
    exploration, start = begun()

    assert list(exploration.take(start, REPLY)) == []
    assert [page.url for page in exploration.pages] == [URL, f"{URL}sub/"]


@pytest.mark.parametrize("reason", ["interrupted", "host-rests", "server-error"])
def test_what_failed_for_a_while_is_never_asked_for_at_once(reason: str) -> None:
    exploration, start = begun()

    assert list(exploration.take(start, TransientError("later", reason=reason))) == []
    assert start.state is PageState.WAITING
    assert exploration.waiting() == []
    assert exploration.rest() >= timedelta(minutes=1)


def test_an_answer_of_an_api_that_is_too_large_is_no_file() -> None:
    exploration, start = begun()
    record = Page(f"{URL}api/record", start, reader="invenio")
    exploration.pages.append(record)

    assert list(exploration.take(record, DamagedError("too large", reason="too-large"))) == []
    assert (record.state, record.reason) == (PageState.FAILED, "too-large")


def test_what_a_server_is_still_making_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore, "read_reply", lambda *_: Reading(What.PROCESSING, (), "processing"))
    exploration, start = begun()

    assert list(exploration.take(start, REPLY)) == []
    assert (start.state, exploration.conclusion().outcome) == (PageState.WAITING, "processing")
    assert not exploration.conclusion().ended


def test_a_wall_before_one_of_the_pages_leaves_the_place_found_in_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole: Any = Reading(What.LISTING, [file("a.csv"), Lead(f"{URL}sub/", To.DIRECTORY, "listing")])
    wall: Any = Reading(What.LOGIN, (), "login-page", "the page asks for a login")
    monkeypatch.setattr(explore, "read_reply", lambda _page, reply, _rules: reply)
    exploration, start = begun()

    assert len(list(exploration.take(start, whole))) == 1
    assert list(exploration.take(exploration.pages[1], wall)) == []
    assert exploration.conclusion().outcome == "found-in-part"
