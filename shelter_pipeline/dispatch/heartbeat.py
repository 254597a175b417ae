"""Keeps a holder's claims alive from one thread, and knows which of them were lost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from shelter_pipeline.catalog.claims import renew_claims
from shelter_pipeline.catalog.connection import Catalog

_log = logging.getLogger(__name__)
# A lease survives two missed beats.
_BEATS_PER_LEASE = 3


class Heartbeat:
    """Renews the watched claims each third of a lease, as a context manager around the work.

    A claim that could not be renewed because it is no longer ours is reported by `lost`;
    while the catalog cannot be reached nothing is concluded, for the lease itself decides.
    """

    def __init__(self, catalog: Catalog, *, lease_seconds: float) -> None:
        self._catalog = catalog
        self._lease_seconds = lease_seconds
        self._watched: set[int] = set()
        self._lost: set[int] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def watch(self, tokens: Iterable[int]) -> None:
        """Keep these claims alive from now on."""
        with self._lock:
            self._watched.update(tokens)

    def forget(self, token: int) -> None:
        """Stop renewing a claim that has been settled."""
        with self._lock:
            self._watched.discard(token)
            self._lost.discard(token)

    def lost(self, token: int) -> bool:
        """Whether the claim is known to be somebody else's."""
        with self._lock:
            return token in self._lost

    def _beat(self) -> None:
        while not self._stopped.wait(self._lease_seconds / _BEATS_PER_LEASE):
            with self._lock:
                tokens = sorted(self._watched)
            if not tokens:
                continue
            try:
                alive = renew_claims(self._catalog, tokens, lease_seconds=self._lease_seconds)
            except Exception:  # noqa: BLE001 - whatever it was, the next beat may succeed; the lease decides
                _log.warning("a heartbeat failed", exc_info=True)
                continue
            with self._lock:
                lost = (set(tokens) - alive) & self._watched
                self._lost |= lost
                self._watched &= alive | (self._watched - set(tokens))
            if lost:
                _log.warning("%d claims ran out and are somebody else's now", len(lost))
