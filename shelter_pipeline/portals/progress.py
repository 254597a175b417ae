"""Whether a crawl still gets anywhere: the bound on portals whose pages never end."""

from __future__ import annotations

from collections.abc import Iterable

from shelter_pipeline.domain.errors import PermanentError, TransientError
from shelter_pipeline.domain.records import DatasetRecord, Refusal

BARREN_PAGES = 3
MOST_RECORDS = 50_000_000


class Progress:
    """Remembers the identities seen in one crawl, and stops it when nothing new comes any more."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._seen: set[str] = set()
        self._barren = 0
        self.taken = 0

    def new_among(self, records: Iterable[DatasetRecord | Refusal]) -> list[DatasetRecord | Refusal]:
        """The records not seen before in this crawl; a refused one is known by how it begins."""
        new = []
        for record in records:
            identity = record.identifier or f"refused {record.raw!r}"
            if identity not in self._seen:
                self._seen.add(identity)
                new.append(record)
        return new

    def note_page(self, received: int, new: int) -> None:
        """Take note of a page of `received` records, `new` of them not seen before.

        Raises TransientError after several pages in a row that only repeat earlier ones, and
        PermanentError past any catalogue's size.
        """
        self.taken += received
        self._barren = self._barren + 1 if received and not new else 0
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
