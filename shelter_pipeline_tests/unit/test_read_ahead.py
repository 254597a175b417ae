"""Reading ahead changes when things are taken, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from shelter_pipeline.operations.read_ahead import read_ahead


def test_the_same_items_come_in_the_same_order() -> None:
    assert list(read_ahead(iter(range(1000)))) == list(range(1000))
    assert list(read_ahead([])) == []


def test_what_fails_is_raised_after_all_that_came_before_it() -> None:
    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise ConnectionError("gone")

    ahead = read_ahead(failing())

    assert [next(ahead), next(ahead)] == [1, 2]
    with pytest.raises(ConnectionError, match="gone"):
        next(ahead)


def test_no_more_than_the_depth_is_taken_ahead() -> None:
    taken: list[int] = []
    third = threading.Event()

    def counted() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            if number == 2:
                third.set()
            yield number

    ahead = read_ahead(counted(), depth=1)
    assert next(ahead) == 0
    assert third.wait(10)

    assert len(taken) <= 3  # one given, one in the queue, one waiting for room
    ahead.close()


def test_a_reader_who_stops_ends_the_thread() -> None:
    ended = threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 0
        finally:
            ended.set()

    source = endless()
    ahead = read_ahead(source)
    next(ahead)
    ahead.close()

    readers = [thread for thread in threading.enumerate() if thread.name == "read-ahead"]
    for thread in readers:
        thread.join(10)
    assert not any(thread.is_alive() for thread in readers)


def test_whoever_asks_is_told_that_nothing_came_yet() -> None:
    come = threading.Event()

    def late() -> Iterator[int]:
        yield 1
        come.wait(30)
        yield 2

    ahead = read_ahead(late(), idle_seconds=0.01)
    first, nothing = next(ahead), next(ahead)
    come.set()

    assert (first, nothing) == (1, None)
    assert [item for item in ahead if item is not None] == [2]
