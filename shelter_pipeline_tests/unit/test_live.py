"""One reading for all who listen, none when nobody does, and nothing owed to who is slow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from shelter_pipeline.api.live import Listener, Live, Telling, TooManyListenersError
from shelter_pipeline.domain.errors import CatalogAwayError

Body = Callable[[], Awaitable[None]]


class Catalog:
    """Something to be read, which counts how often it was."""

    def __init__(self) -> None:
        self.reads = 0
        self.is_away = False
        self.telling = Telling({"held": 1}, [(2, "second"), (1, "first")])

    def read(self) -> Telling:
        self.reads += 1
        if self.is_away:
            raise CatalogAwayError("it is away")
        return self.telling


def a_live(
    catalog: Catalog, *, most: int = 50, every_seconds: float = 0.01, heartbeat_seconds: float = 60
) -> Live:
    return Live(catalog.read, most=most, every_seconds=every_seconds, heartbeat_seconds=heartbeat_seconds)


async def told(listener: Listener) -> dict[str, object]:
    """The events of the next piece of the stream, by name."""
    piece = (await anext(listener.events)).decode()
    events = (
        dict(line.split(": ", 1) for line in block.splitlines()) for block in piece.split("\n\n") if block
    )
    return {
        event.get("event", "retry"): json.loads(event.get("data", event.get("retry", ""))) for event in events
    }


async def until(question: Callable[[], bool]) -> None:
    while not question():  # noqa: ASYNC110 - what is awaited happens in a thread
        await asyncio.sleep(0.005)


def test_all_listeners_share_one_reading_and_nobody_reads_without_them() -> None:
    catalog = Catalog()

    async def body() -> None:
        live = a_live(catalog)
        listeners = [live.join(f"caller {number}") for number in range(20)]
        for listener in listeners:
            assert "retry" in await told(listener)
        for listener in listeners:
            assert (await told(listener))["now"] == {"held": 1}
        assert catalog.reads < 20
        for listener in listeners:
            listener.close()
            listener.close()
        assert live.listeners == 0
        await asyncio.sleep(0.05)
        before = catalog.reads
        await asyncio.sleep(0.05)
        assert catalog.reads == before

    asyncio.run(body())


def test_who_comes_and_goes_in_a_loop_has_nothing_read_more_often() -> None:
    catalog = Catalog()

    async def body() -> None:
        live = a_live(catalog, every_seconds=3600)
        for _ in range(20):
            listener = live.join("restless")
            await told(listener)
            assert (await told(listener))["now"] == {"held": 1}
            listener.close()
        assert catalog.reads == 1

    asyncio.run(body())


def test_who_comes_after_a_while_without_anybody_is_told_what_is_new_then() -> None:
    catalog = Catalog()

    async def body() -> None:
        live = a_live(catalog)
        first = live.join("first")
        await told(first)
        await told(first)
        first.close()
        await asyncio.sleep(0.1)
        catalog.telling = Telling({"held": 2})
        second = live.join("second")
        await told(second)
        assert (await told(second))["now"] == {"held": 2}
        second.close()

    asyncio.run(body())


def test_each_entry_is_told_once_and_whoever_is_slow_gets_the_newest() -> None:
    catalog = Catalog()

    async def body() -> None:
        live = a_live(catalog)
        listener = live.join("slow")
        await told(listener)
        assert (await told(listener))["activity"] == {"entries": ["second", "first"]}
        for number in range(3, 7):  # while it does not look
            catalog.telling = Telling({"held": number}, [(number, f"the {number}th"), (2, "second")])
            reads = catalog.reads
            await until(lambda reads=reads: catalog.reads > reads + 1)
        newest = await told(listener)
        assert newest == {"now": {"held": 6}, "activity": {"entries": ["the 6th"]}}
        listener.close()

    asyncio.run(body())


def test_trouble_is_told_and_the_stream_goes_on() -> None:
    catalog = Catalog()
    catalog.is_away = True

    async def body() -> None:
        live = a_live(catalog)
        listener = live.join("somebody")
        await told(listener)
        assert "does not answer" in str((await told(listener))["trouble"])
        catalog.is_away = False
        assert (await told(listener))["now"] == {"held": 1}
        listener.close()

    asyncio.run(body())


def test_who_hears_nothing_new_is_told_that_somebody_is_there() -> None:
    async def body() -> None:
        live = a_live(Catalog(), heartbeat_seconds=0.02)
        listener = live.join("somebody")
        await told(listener)
        await told(listener)
        assert await told(listener) == {"beat": {}}
        listener.close()

    asyncio.run(body())


def test_one_caller_does_not_take_the_places_of_all() -> None:
    async def body() -> None:
        live = a_live(Catalog(), most=50)
        of_one = [live.join("greedy") for _ in range(5)]
        with pytest.raises(TooManyListenersError):
            live.join("greedy")
        others = [live.join(f"caller {number}") for number in range(45)]
        with pytest.raises(TooManyListenersError):
            live.join("one too many")
        of_one[0].close()
        live.join("one too many").close()
        for listener in (*of_one, *others):
            listener.close()

    asyncio.run(body())


def test_a_server_that_ends_ends_its_streams() -> None:
    async def body() -> None:
        live = a_live(Catalog())
        listener = live.join("somebody")
        await told(listener)
        await told(listener)
        live.end()
        with pytest.raises(StopAsyncIteration):
            await anext(listener.events)
        with pytest.raises(TooManyListenersError):
            live.join("somebody else")
        listener.close()

    asyncio.run(body())
