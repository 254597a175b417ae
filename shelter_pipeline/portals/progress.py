"""Whether a crawl still gets anywhere: the bound on portals whose pages never end.

Only a fingerprint of each page is remembered, so a crawl of any size takes little
memory. Pages that mix old records anew are found by whoever merges them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from shelter_pipeline.domain.errors import PermanentError, TransientError
from shelter_pipeline.domain.records import DatasetRecord, Refusal

BARREN_PAGES = 3
MOST_RECORDS = 50_000_000


class Progress:
    """Remembers the pages of one crawl, and stops it when only known ones come."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pages: set[bytes] = set()
        self._barren = 0
        self.taken = 0

    def note_page(self, records: Iterable[DatasetRecord | Refusal]) -> bool:
        """Take note of a page; whether the same records, in whatever order, came as a page before.

        An empty page is never a repetition. Raises TransientError after several repetitions
        in a row, and PermanentError past any catalogue's size.
        """
        identities = sorted(record.identifier or f"refused {record.raw!r}" for record in records)
        fingerprint = hashlib.sha256("\x1f".join(identities).encode(errors="replace")).digest()[:16]
        repeated = bool(identities) and fingerprint in self._pages
        self._pages.add(fingerprint)
        self.taken += len(identities)
        self._barren = self._barren + 1 if repeated else 0
        if self._barren >= BARREN_PAGES:
            raise TransientError(
                f"{self._url} could not be read to its end: its last {BARREN_PAGES} pages repeat others",
                reason="server-error",
            )
        if self.taken > MOST_RECORDS:
            raise PermanentError(
                f"{self._url} could not be read to its end: it gave more than {MOST_RECORDS} records",
                reason="too-large",
            )
        return repeated
