"""Whether the API can be reached, as all threads of a node know it together, and how long to wait when it cannot."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from shelter_pipeline.domain.errors import TransientError
from shelter_pipeline.node.api_client import Api

Tell = Callable[..., None]  # tell(event, **facts): to the screen, from any thread


class Patience:
    """A pause that grows with each failure in a row, a fifth up or down; what was asked for in words is obeyed."""

    def __init__(self, *, first_seconds: float = 1.0, longest_seconds: float = 60.0) -> None:
        self._first, self._longest = first_seconds, longest_seconds
        self._failures = 0
        self._until = 0.0

    @property
    def left_seconds(self) -> float:
        """Seconds until it is worth asking again."""
        return max(self._until - time.monotonic(), 0.0)

    def worked(self) -> None:
        """An answer came."""
        self._failures, self._until = 0, 0.0

    def failed(self, error: TransientError) -> None:
        """None came, or one that says to wait."""
        grown = min(self._first * 2.0 ** min(self._failures, 20), self._longest) * random.uniform(0.8, 1.2)
        self._failures += 1
        self.rest(error.retry_after_seconds if error.retry_after_seconds is not None else grown)

    def rest(self, seconds: float) -> None:
        """Ask nothing for so long."""
        self._until = time.monotonic() + seconds


class Contact:
    """What is known of the API's being there; a change is told once, whoever notices it."""

    def __init__(self, api: Api, tell: Tell) -> None:
        self._api = api
        self._tell = tell
        self._lock = threading.Lock()
        self._away_since: float | None = None

    def heard(self) -> None:
        """An answer came."""
        with self._lock:
            since, self._away_since = self._away_since, None
        if since is not None:
            self._tell("api-back", seconds=round(time.monotonic() - since, 1))

    def lost(self, error: TransientError) -> None:
        """No answer came."""
        with self._lock:
            news = self._away_since is None
            if news:
                self._away_since = time.monotonic()
        if news:
            self._tell("api-away", message=str(error))

    @property
    def away_seconds(self) -> float:
        """For how long it has not been heard; 0 if it is there as far as anybody knows."""
        since = self._away_since
        return time.monotonic() - since if since is not None else 0.0

    def is_there(self) -> bool:
        """Whether the API can be reached now: asked, unless it is known to be away."""
        return self._away_since is None and self._api.is_there()
