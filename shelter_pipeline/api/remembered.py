"""Values that cost too much to be found out for every request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from fastapi import Request

from shelter_pipeline.api.belongings import belonging

# A value is kept for so many times what it took to find out: at most a twentieth of one core goes into it.
_TIMES = 20.0
_MOST_SECONDS = 300.0


class Remembered:
    """One value that is found out anew when it is old: by one caller, while the others are given the old one."""

    def __init__(self, find_out: Callable[[], Any]) -> None:
        self._find_out = find_out
        self._busy = threading.Lock()
        self._value: Any = None
        self._is_known = False
        self._until = 0.0

    def get(self) -> Any:
        """The value, or the error of finding it out."""
        if self._is_known and time.monotonic() < self._until:
            return self._value
        if not self._busy.acquire(blocking=not self._is_known):
            return self._value
        try:
            if not self._is_known or time.monotonic() >= self._until:
                self._renew()
            return self._value
        finally:
            self._busy.release()

    def _renew(self) -> None:
        begun = time.monotonic()
        self._value = self._find_out()
        ended = time.monotonic()
        self._until = ended + min(_TIMES * (ended - begun), _MOST_SECONDS)
        self._is_known = True


def remembered(request: Request, name: str, find_out: Callable[[], Any]) -> Any:
    """The value of this name, remembered by the application that answers the request."""
    return belonging(request.app, f"remembered {name}", lambda: Remembered(find_out)).get()
