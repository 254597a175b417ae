"""Looking for garbage less often while thousands of fetches are under way.

An engine holds many objects that live for a while and are freed by their last reference;
going through all of them at every 700 new ones costs an eighth of its time and finds nothing.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_NEW_OBJECTS = 50_000

_lock = threading.Lock()
_users = 0
_usual = gc.get_threshold()


@contextmanager
def rarer_collections() -> Iterator[None]:
    """For the block, in the whole process; several blocks may overlap, and the last one puts all back."""
    global _users, _usual  # noqa: PLW0603 - the interpreter has one collector
    with _lock:
        if not _users:
            _usual = gc.get_threshold()
            gc.set_threshold(max(_usual[0], _NEW_OBJECTS), *_usual[1:])
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                gc.set_threshold(*_usual)
