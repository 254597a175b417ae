"""The front page and its events, over a real server and catalog."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.operations.upkeep import refresh_counts
from shelter_pipeline_tests.api.shelves import WAITING, a_shelf
from shelter_pipeline_tests.support.api import ApiUnderTest, an_api
from shelter_pipeline_tests.support.captures import captured
from shelter_pipeline_tests.support.engines import wait_until
from shelter_pipeline_tests.support.event_stream import listening
from shelter_pipeline_tests.support.records import a_dataset, a_resource

HTML = {"Accept": "text/html"}
HOSTILE = "</script><script>alert(1)</script>\u202eltr\u0000 <img src=x onerror=alert(2)>" + "x" * 10_000


@pytest.fixture
def counting(catalog: Catalog, catalog_url: str, tmp_path: Path) -> Iterator[ApiUnderTest]:
    """An API that counts anew whenever it is asked, with places for three listeners."""
    with an_api(catalog_url, tmp_path / "store", api_statistics_seconds=0, api_live_listeners=3) as running:
        yield running


def recount(api: ApiUnderTest) -> None:
    """Count although it has just been done."""
    with api.workplace.catalog.begin() as connection:
        connection.execute(sa.text("UPDATE summary SET seconds = 0"))
        connection.execute(sa.text("UPDATE throughput_mark SET seconds = 0"))
    refresh_counts(api.workplace)


def test_an_empty_catalog_says_what_to_do_first(counting: ApiUnderTest) -> None:
    recount(counting)

    page = counting.get("/", headers=HTML)

    assert page.status_code == 200
    assert "Nothing is in the catalog yet" in page.text
    assert "shelter harvest" in page.text


def test_a_catalog_that_was_never_counted_says_so(counting: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)
    with catalog.begin() as busy:  # somebody else counts, and takes long
        busy.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('shelter summary'))"))
        page = counting.get("/", headers=HTML)

    assert page.status_code == 200
    assert "is being counted" in page.text


def test_the_page_says_where_the_rescue_stands(counting: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)
    recount(counting)

    page = counting.get("/", headers=HTML)
    shown = " ".join(re.sub(r"<[^>]*>", "", page.text).split())

    assert len(page.content) < 100_000
    assert "1 of 3 files of public science data are safe here" in shown
    assert "33.3 %" in shown
    assert "the rescue is younger than an hour" in shown
    assert "NOAA" in shown
    assert "The server has nothing at this address (404)." in shown
    assert "Daily rainfall of Alaska" in shown
    for path in re.findall(r'(?:src|href)="(/static/[^"]*)"', page.text):
        assert counting.get(path).status_code == 200


def test_programs_are_told_where_to_read_on(counting: ApiUnderTest) -> None:
    index = counting.get("/", headers={"Accept": "application/json"})

    assert index.json()["docs"] == "/docs"
    assert index.headers["Vary"] == counting.get("/", headers=HTML).headers["Vary"] == "Accept"


def test_nothing_that_a_portal_says_acts_on_the_page(counting: ApiUnderTest, catalog: Catalog) -> None:
    url = "https://evil.example/%3Cscript%3E.csv"
    hostile = HOSTILE.replace("\u0000", "")
    a_shelf(catalog, a_dataset("evil", a_resource(url, name=hostile), title=hostile))
    captured(catalog, url, "stored", size=10)
    recount(counting)

    page = counting.get("/", headers=HTML)
    told = counting.get("/browse/now").json()["entries"][0]["html"]

    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"<[^>]+\sstyle=", page.text)
    assert re.findall(r"<script(?![^>]*(?: src=| type=\"application/json\"))", page.text) == []
    for text in (page.text, told):
        assert "alert(1)</script" not in text
        assert "<img src=x" not in text
        assert "\u202e" not in text
    assert len(page.content) < 100_000


def test_a_new_capture_is_told_to_who_listens(counting: ApiUnderTest, catalog: Catalog) -> None:
    a_shelf(catalog)
    recount(counting)
    with listening(f"{counting.url}/browse/events") as events:
        assert events.headers["Content-Type"].startswith("text/event-stream")
        assert events.headers["Cache-Control"] == "no-store"
        assert events.await_event("now")["texts"]["live-held"] == "1"
        assert len(events.await_event("activity")["entries"]) == 2

        captured(catalog, WAITING, "stored", size=7)

        assert events.await_event("now")["texts"]["live-held"] == "2"
        [entry] = events.await_event("activity")["entries"]
        assert "Winds aloft" in entry["html"]


def test_how_long_somebody_watched_is_no_time_of_an_answer(counting: ApiUnderTest) -> None:
    with listening(f"{counting.url}/browse/events") as events:
        events.await_event("now")

    told = 'shelter_api_requests_total{method="GET",route="/browse/events",status="200"} 1.0'
    wait_until(lambda: told in counting.get("/metrics").text)
    assert 'shelter_api_request_seconds_count{route="/browse/events"}' not in counting.get("/metrics").text


def test_who_finds_no_place_is_told_when_to_come_again_and_may_ask_instead(counting: ApiUnderTest) -> None:
    url = f"{counting.url}/browse/events"
    with listening(url) as first, listening(url), listening(url):
        first.await_event("now")
        refused = counting.get("/browse/events")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
        assert counting.get("/browse/now").json()["figures"]["texts"]["live-fetching"] == "0"
        assert "shelter_api_live_listeners 3.0" in counting.get("/metrics").text
    while True:  # whoever went away without a word is noticed
        try:
            with listening(url) as late:
                late.await_event("now")
                break
        except AssertionError:
            continue


def test_a_head_of_the_events_ends(counting: ApiUnderTest) -> None:
    answer = counting.ask("HEAD", "/browse/events")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/event-stream")


def test_a_server_that_stops_ends_its_streams_in_order(
    catalog: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        with an_api(catalog_url, tmp_path / "store") as running:
            events = stack.enter_context(listening(f"{running.url}/browse/events"))
            events.await_event("now")
        events.await_end()

    assert events.ended_well
