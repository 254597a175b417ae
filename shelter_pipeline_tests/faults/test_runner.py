"""What a runner of pages promises: every page once, errors as values, and no host that keeps another waiting."""

from __future__ import annotations

import time
from typing import Any

from shelter_pipeline.domain.errors import PermanentError, ShelterError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.fetching.page import Reply
from shelter_pipeline.fetching.politeness import Politeness
from shelter_pipeline.fetching.runner import Runner
from shelter_pipeline.fetching.steps import Steps
from shelter_pipeline_tests.support.fault_server import SILENCE, FaultServer, Pause, head, whole
from shelter_pipeline_tests.support.fetching import LOOPBACK, door


def a_runner(**changes: Any) -> Runner:
    return Runner(
        Politeness(connections=2, delay_seconds=0, allowed_networks=LOOPBACK),
        **({"connections": 8} | changes),
    )


def results_of(runner: Runner) -> dict[Any, Any]:
    until = time.monotonic() + 30
    ended: dict[Any, Any] = {}
    while runner.pending and time.monotonic() < until:
        ended |= dict(runner.results(1.0))
    return ended


def test_every_page_comes_back_under_its_tag_whatever_its_status(server: FaultServer) -> None:
    good = [server.serves(f"/{number}", *whole(b"page %d" % number)) for number in range(40)]
    missing = server.serves("/missing", *whole(b"no", status="404 Not Found"))

    with a_runner() as runner:
        for url in [*good, missing]:
            runner.submit(url, parse_url(url), door().page_steps(url), more=True)
        runner.submit("once more", parse_url(good[0]), door().page_steps(good[0]))
        ended = results_of(runner)

    assert [ended[url].body for url in good] == [b"page %d" % number for number in range(40)]
    assert ended[missing].head.status == 404
    assert ended["once more"].body == b"page 0"


def test_an_error_comes_back_as_the_value_and_ends_nothing_else(server: FaultServer) -> None:
    good = server.serves("/good", *whole(b"page"))
    large = server.serves("/large", *whole(b"x" * 5000))

    with a_runner() as runner:
        runner.submit("large", parse_url(large), door().page_steps(large, max_bytes=1000))
        runner.submit("good", parse_url(good), door().page_steps(good))
        ended = results_of(runner)

    assert isinstance(ended["large"], PermanentError)
    assert ended["large"].reason == "too-large"
    assert isinstance(ended["good"], Reply)


def test_a_body_that_nobody_wants_is_not_waited_for(server: FaultServer) -> None:
    url = server.serves(
        "/data.bin", head("Content-Type: application/zip", "Content-Length: 900000"), b"PK", SILENCE
    )

    with a_runner() as runner:
        steps = door().page_steps(url, wanted=lambda reply: reply.get("content-type") != "application/zip")
        runner.submit("zip", parse_url(url), steps)
        reply = results_of(runner)["zip"]

    assert (reply.head.status, reply.head.get("content-type"), reply.body) == (200, "application/zip", b"")


def test_a_silent_host_keeps_no_other_waiting(server: FaultServer) -> None:
    with FaultServer() as silent, a_runner(connections=4) as runner:
        for number in range(20):
            url = silent.serves(f"/{number}", SILENCE)
            runner.submit(url, parse_url(url), door().page_steps(url))
        page = server.serves("/page", *whole(b"page"))
        runner.submit("page", parse_url(page), door().page_steps(page))
        first = runner.results(5.0)
        runner.stop()

    assert [tag for tag, _ in first] == ["page"]


def test_what_a_runner_forgets_when_it_stops_is_no_longer_pending(server: FaultServer) -> None:
    url = server.serves("/slow", Pause(0.5), *whole(b"page"))

    def one_after_another() -> Steps[ShelterError | Reply]:
        yield from door().page_steps(url)
        return (yield from door().page_steps(url))

    with a_runner() as runner:
        runner.submit("two requests", parse_url(url), one_after_another())
        time.sleep(0.2)
        runner.stop()
        assert results_of(runner) == {}
        assert runner.pending == 0
