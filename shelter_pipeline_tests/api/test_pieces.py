"""What is handed out piece by piece is given back at once, also by callers that hang up in the middle."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress

import requests
from fastapi import APIRouter, Response

from shelter_pipeline.api.pieces import Pieces
from shelter_pipeline_tests.support.api import an_own_api
from shelter_pipeline_tests.support.postgres import PostgresForTests

WAIT_SECONDS = 20.0


class Source:
    """Something open, that nobody but its `close` closes: whoever is counted on to collect it waits for ever."""

    def __init__(self) -> None:
        self.is_closed = threading.Event()

    def close(self) -> None:
        self.is_closed.set()


def endless(source: Source) -> Iterator[bytes]:
    while not source.is_closed.is_set():
        yield b"x" * 65_536


def test_the_source_is_closed_at_the_end_on_errors_and_when_the_caller_hangs_up(
    postgres: PostgresForTests,
) -> None:
    routes, sources = APIRouter(), {name: Source() for name in ("whole", "failing", "endless")}

    def failing(_: Source) -> Iterator[bytes]:
        yield b"some"
        raise OSError

    pieces = {"whole": lambda _: iter([b"a", b"b"]), "failing": failing, "endless": endless}

    @routes.get("/pieces/{name}")
    def hand_out(name: str) -> Response:
        return Pieces(sources[name], pieces[name](sources[name]), 200, {}, "text/plain")

    with an_own_api(postgres, routes=[routes]) as api:
        assert api.get("/pieces/whole").content == b"ab"
        with suppress(requests.RequestException):
            api.get("/pieces/failing")
        with requests.get(api.url + "/pieces/endless", stream=True, timeout=WAIT_SECONDS) as answer:
            assert answer.raw.read(10) == b"x" * 10

        assert [name for name in sources if not sources[name].is_closed.wait(WAIT_SECONDS)] == []
