"""Whether the catalog answers, asked for once a second at most, by one at a time; the others get the last answer."""

from __future__ import annotations

import threading
import time

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.gauges import is_alive
from shelter_pipeline.domain.errors import CatalogAwayError

_REMEMBERED_SECONDS = 1.0


class Pulse:
    """Remembers the last answer. Safe to share between threads."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._until = float("-inf")
        self._error: CatalogAwayError | None = None

    def check(self) -> None:
        """Return if the catalog answered when it was asked last. Raises CatalogAwayError."""
        # Nobody waits for another's question, but for the first: a catalog that hangs must not collect threads here.
        is_first = self._until == float("-inf")
        if time.monotonic() >= self._until and self._lock.acquire(blocking=is_first):
            try:
                if time.monotonic() >= self._until:
                    self._error = self._ask()
                    self._until = time.monotonic() + _REMEMBERED_SECONDS
            finally:
                self._lock.release()
        error = self._error
        if error is not None:
            raise type(error)(str(error))

    def _ask(self) -> CatalogAwayError | None:
        try:
            is_alive(self._catalog)
        except CatalogAwayError as error:
            return error
        return None
