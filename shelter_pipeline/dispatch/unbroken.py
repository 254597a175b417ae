"""Moments that a signal may not break off.

A handler that raises, as Ctrl-C's and Dagster's do, raises between any two steps of the main
thread: also after a condition's lock was taken and before anybody is bound to release it.
Whoever shares that condition then waits for ever.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def unbroken() -> Iterator[None]:
    """What asks the main thread to end is heard when the block is over; for blocks of a second at most."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    ours = {number: handler for number, handler in before.items() if handler is not None}
    try:
        for number in ours:
            signal.signal(number, lambda told, _frame: came.append(told))
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
        for heard in dict.fromkeys(came):
            signal.raise_signal(heard)
