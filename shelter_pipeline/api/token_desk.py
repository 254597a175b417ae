"""Whom a token belongs to, remembered for less than a second: a busy node is one look-up in two hundred requests."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.tokens import TokenRow, find_token

# A revoked token is refused within a second.
_REMEMBERED_SECONDS = 0.5
_REMEMBERED_TOKENS = 20_000
# Whom a request is charged to may be older news than whether it may pass.
_CHARGED_SECONDS = 3600.0


class TokenDesk:
    """Looks tokens up in the catalog. Safe to share between threads."""

    def __init__(self, catalog: Catalog, pepper: bytes) -> None:
        self._catalog = catalog
        self._pepper = pepper
        self._lock = threading.Lock()
        self._good: OrderedDict[bytes, tuple[float, TokenRow]] = OrderedDict()

    def find(self, presented: str) -> TokenRow | None:
        """The token, if it opens anything; at most half a second after it was so. Raises CatalogAwayError."""
        digest = hashlib.sha256(presented.encode(errors="replace")).digest()
        known = self._remembered(digest)
        if known is not None:
            return known
        found = find_token(self._catalog, presented, self._pepper)
        if found is not None:
            with self._lock:
                self._good[digest] = (time.monotonic(), found)
                self._good.move_to_end(digest)
                if len(self._good) > _REMEMBERED_TOKENS:
                    self._good.popitem(last=False)
        return found

    def _remembered(self, digest: bytes) -> TokenRow | None:
        """The token of this SHA-256, if it was good a moment ago."""
        return self._since(digest, _REMEMBERED_SECONDS)

    def prefix_of_late(self, digest: bytes) -> str | None:
        """The prefix of the token of this SHA-256, if it was good within the last hour."""
        row = self._since(digest, _CHARGED_SECONDS)
        return row.prefix if row else None

    def _since(self, digest: bytes, seconds: float) -> TokenRow | None:
        with self._lock:
            at, row = self._good.get(digest, (float("-inf"), None))
            return row if time.monotonic() - at < seconds else None
