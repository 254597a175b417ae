"""How signals reach a running stack: as KeyboardInterrupt while it works, as a count while it stops.

So every loop of the main thread ends at SIGTERM and SIGHUP as it ends at Ctrl-C, and
nothing interrupts the stopping itself; a second signal only makes it hurry. Outside the
main thread, where Python allows no handlers, all of this does nothing.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """The signal handlers of one stack; `count` is how many signals came while it stopped."""

    def __init__(self) -> None:
        self.count = 0
        self._counting = False
        self._former: dict[signal.Signals, Any] = {}

    def install(self) -> None:
        """Take over the signals that ask a process to end."""
        if threading.current_thread() is threading.main_thread() and not self._former:
            self.count = 0
            self._former = {number: signal.signal(number, self._handle) for number in _SIGNALS}

    def restore(self) -> None:
        """Give the signals back."""
        for number, handler in self._former.items():
            signal.signal(number, handler)
        self._former = {}

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        """Within this block a signal is only counted."""
        self._counting = True
        try:
            yield
        finally:
            self._counting = False

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self._counting:
            self.count += 1
        else:
            raise KeyboardInterrupt
