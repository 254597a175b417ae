"""What a signal may not break off: it is heard afterwards, by whoever would have heard it."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest

from shelter_pipeline.dispatch.unbroken import unbroken


def test_an_interrupt_waits_until_the_block_is_over() -> None:
    done = []

    def work() -> None:
        with unbroken():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            done.append("all of it")

    with pytest.raises(KeyboardInterrupt):
        work()

    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_whoever_listened_before_hears_of_it_once_and_an_error_of_the_block_is_not_lost() -> None:
    heard: list[int] = []

    def work() -> None:
        with unbroken():
            signal.raise_signal(signal.SIGTERM)
            assert heard == []
            raise ValueError("of the block")

    before = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    try:
        with pytest.raises(ValueError, match="of the block"):
            work()
    finally:
        signal.signal(signal.SIGTERM, before)

    assert heard == [signal.SIGTERM]


def test_a_thread_that_hears_no_signals_is_let_through() -> None:
    handlers: list[Any] = []

    def work() -> None:
        with unbroken():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert handlers == [signal.getsignal(signal.SIGINT)]
