"""What happens to a catalogue while it is served: datasets vanish, come back, change, move, are harvested anew.

Every edit puts a new catalogue in the old one's place, so a reply is made of one or the
other and never of both. What changes is dated after everything before it, as a portal's
own harvester does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shelter_pipeline.domain.records import Json
from shelter_pipeline.sample.catalogue import Catalogue, Dataset

_STEP = timedelta(minutes=1)


class Editor:
    """The changes that can be made to a catalogue; datasets go by their slugs."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._lock = threading.Lock()
        self._removed: dict[str, Dataset] = {}
        self.catalogue = catalogue

    def withdraw(self, *slugs: str) -> None:
        """The datasets are no longer listed."""
        with self._lock:
            found = {slug: self._find(slug) for slug in slugs}
            self._removed |= found
            gone = {row.id for row in found.values()}
            self.catalogue = self.catalogue.with_rows(
                [row for row in self.catalogue.rows if row.id not in gone]
            )

    def restore(self, *slugs: str) -> None:
        """Datasets that were withdrawn are listed again as they were, newly harvested. KeyError for any other."""
        with self._lock:
            rows = [self._renewed(self._removed[slug], place) for place, slug in enumerate(slugs)]
            for slug in slugs:
                del self._removed[slug]
            self.catalogue = self.catalogue.with_rows([*self.catalogue.rows, *rows])

    def amend(self, slug: str, **fields: Json) -> None:
        """The publisher changed fields of the record."""
        self._edit((slug,), lambda row: replace(row, record={**row.record, **fields}))

    def transfer(self, organization: str, *slugs: str) -> None:
        """The datasets are published by another organization from now on. KeyError if there is none of this slug."""
        publisher = {one.slug: one for one in self.catalogue.publishers}[organization]
        self._edit(slugs, lambda row: replace(row, publisher=publisher))

    def reharvest(self, *slugs: str) -> None:
        """The portal has read the same records again: a new date, a new harvest record, nothing else."""
        self._edit(slugs, lambda row: row)

    def make_popular(self, slug: str, popularity: int) -> None:
        """More or fewer people looked at the dataset; that is no change of it, and gets no new date."""
        with self._lock:
            self._put([replace(self._find(slug), popularity=popularity)])

    def _edit(self, slugs: tuple[str, ...], change: Callable[[Dataset], Dataset]) -> None:
        with self._lock:
            self._put([change(self._renewed(self._find(slug), place)) for place, slug in enumerate(slugs)])

    def _put(self, changed: list[Dataset]) -> None:
        by_id = {row.id: row for row in changed}
        self.catalogue = self.catalogue.with_rows([by_id.get(row.id, row) for row in self.catalogue.rows])

    def _find(self, slug: str) -> Dataset:
        return self.catalogue.by_name[slug]

    def _renewed(self, row: Dataset, place: int) -> Dataset:
        newest = max(datetime.fromisoformat(other.harvested) for other in self.catalogue.rows)
        return replace(row, harvested=(newest + _STEP * (place + 1)).isoformat(timespec="microseconds"))
