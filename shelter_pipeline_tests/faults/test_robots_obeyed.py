"""A host's robots.txt is asked once, before its files, and obeyed by everything that fetches them."""

from __future__ import annotations

import time
from pathlib import Path

from shelter_pipeline.fetching.capture import Promise
from shelter_pipeline.fetching.door import Door
from shelter_pipeline.fetching.download import Downloader
from shelter_pipeline.fetching.engine import Engine
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.fetching.robots_book import RobotsBook
from shelter_pipeline.vault.local import LocalStore
from shelter_pipeline_tests.support.fault_server import RESET, SILENCE, FaultServer, whole
from shelter_pipeline_tests.support.fetching import bodies_in, fetched, short_settings

BODY = b"year,value\n2001,4\n" * 20
RULES = b"User-agent: *\nDisallow: /private/\nAllow: /private/open.csv\n"


def test_a_disallowed_file_is_refused_and_not_asked_for(server: FaultServer, tmp_path: Path) -> None:
    server.serves("/robots.txt", *whole(RULES))
    closed = server.serves("/private/a.csv", *whole(BODY))
    opened = server.serves("/private/open.csv", *whole(BODY))

    said = [fetched(url, tmp_path) for url in (closed, opened)]

    assert [(one["verdict"], one["reason"]) for one in said] == [("refused", "robots"), ("stored", "stored")]
    assert (server.requests("/private/a.csv"), said[0]["requests"]) == (0, 0)


def test_a_redirect_leads_to_no_disallowed_file(server: FaultServer, tmp_path: Path) -> None:
    server.serves("/robots.txt", *whole(RULES))
    url = server.serves("/a.csv", *whole(b"", "Location: /private/a.csv", status="302 Found"))

    said = fetched(url, tmp_path)

    assert said["reason"] == "robots"
    assert server.requests("/private/a.csv") == 0


def test_a_robots_txt_that_cannot_be_had_holds_the_file_back(server: FaultServer, tmp_path: Path) -> None:
    server.serves("/robots.txt", RESET)
    url = server.serves("/a.csv", *whole(BODY))

    said = fetched(url, tmp_path)

    assert (said["verdict"], server.requests("/a.csv")) == ("transient", 0)


def test_an_operator_may_have_robots_txt_ignored(server: FaultServer, tmp_path: Path) -> None:
    server.serves("/robots.txt", *whole(RULES))

    said = fetched(server.serves("/private/a.csv", *whole(BODY)), tmp_path, robots="ignore")

    assert (said["verdict"], server.requests("/robots.txt")) == ("stored", 0)


def test_a_hundred_files_at_once_ask_for_one_robots_txt(server: FaultServer, store: LocalStore) -> None:
    settings = short_settings()
    server.serves("/robots.txt", *whole(RULES))
    urls = [server.serves(f"/{'private/' * (n % 2)}{n}.csv", *whole(BODY)) for n in range(100)]
    with Politeness.of(settings) as politeness:
        downloader = Downloader(
            Door.of(settings),
            store,
            max_attempts=1,
            retry_delay_seconds=0.01,
            robots=RobotsBook.of(settings, politeness),
        )
        began = time.monotonic()
        with Engine(downloader, store, politeness, connections=20) as engine:
            for url in urls:
                engine.fetch(url, url, Promise())
            results = []
            while engine.pending and time.monotonic() < began + 60:
                results += engine.results(1.0)

    reasons = {url: capture.reason for url, capture in results}
    assert reasons == {url: "robots" if "private" in url else "stored" for url in urls}
    assert server.requests("/robots.txt") == 1
    assert len(bodies_in(store.root)) == 1


def test_a_fetch_that_is_cancelled_while_robots_txt_is_asked_for_ends_and_asks_no_more(
    server: FaultServer, store: LocalStore
) -> None:
    settings = short_settings()
    server.serves("/robots.txt", SILENCE)
    url = server.serves("/a.csv", *whole(BODY))
    with Politeness.of(settings) as politeness:
        downloader = Downloader(
            Door.of(settings),
            store,
            max_attempts=1,
            retry_delay_seconds=0.01,
            robots=RobotsBook.of(settings, politeness),
        )
        asked = []

        def cancelled() -> bool:
            asked.append(time.monotonic())
            return server.requests("/robots.txt") > 0 and len(asked) < 20

        capture = downloader.fetch(url, cancelled=cancelled)

    assert (capture.reason, capture.requests) == ("interrupted", 0)
    assert (server.requests("/robots.txt"), server.requests("/a.csv")) == (1, 0)
