"""Stops this process at a named point of its work, so that another one can kill it exactly there.

Production code knows nothing of it: the points are calls of the operating system and
statements to the database, wrapped in the process that is to die.

- `after-fsync`: bytes are durable, alone or with a group of others, and perhaps have no name yet;
- `after-rename`: a blob has its name, and no row says so;
- `before-settle`: nothing of the capture has been sent to the catalog;
- `after-copy-row`: the rows are written, and not committed.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shelter_pipeline.vault import durability

POINTS = ("after-fsync", "after-rename", "after-copy-row", "before-settle")


class _Stop:
    """Counts how often a point was passed, and stops the process at the n-th time, before another thread goes on."""

    def __init__(self, point: str, nth: int) -> None:
        self._point = point
        self._left = nth
        self._lock = threading.Lock()

    def passed(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                sys.stdout.write(f"at {self._point}\n")
                sys.stdout.flush()
                os.kill(os.getpid(), signal.SIGSTOP)


def stop_at(point: str, nth: int) -> None:
    """Arrange for this process to stop when it passes `point` for the `nth` time."""
    passed = _Stop(point, nth).passed
    if point == "after-fsync":
        _after("fsync", passed, lambda descriptor: stat.S_ISREG(os.fstat(descriptor).st_mode))
        _after_syncfs(passed)
    elif point == "after-rename":
        for name in ("replace", "rename", "link"):
            _after(name, passed, lambda _source, target, *_: "/blobs/" in os.fspath(target))
    elif point == "after-copy-row":
        _on_statement("after_cursor_execute", passed, "INSERT INTO copy")
    elif point == "before-settle":
        _on_statement("before_cursor_execute", passed, "SET state = 'settled'")
    else:
        raise ValueError(f"there is no point {point!r}")


def tell_of_first_claim(tell: Callable[[], None]) -> None:
    """Call `tell` when this process has asked for its first claims."""
    told = threading.Event()

    def passed() -> None:
        if not told.is_set():
            told.set()
            tell()

    _on_statement("after_cursor_execute", passed, "INSERT INTO claim")


def _after(name: str, passed: Callable[[], None], matters: Callable[..., bool]) -> None:
    real = getattr(os, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        result = real(*arguments, **named)
        if matters(*arguments):
            passed()
        return result

    setattr(os, name, wrapped)


def _after_syncfs(passed: Callable[[], None]) -> None:
    real = durability._syncfs()

    def wrapped(descriptor: int) -> int:
        result = real(descriptor)
        passed()
        return result

    durability._syncfs = lambda: wrapped  # type: ignore[assignment]


def _on_statement(event: str, passed: Callable[[], None], words: str) -> None:
    @sa.event.listens_for(Engine, event)
    def _listen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if words in statement:
            passed()
