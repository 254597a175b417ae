"""Pages into the catalog, in groups: few transactions where pages come fast, no page at risk for long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from shelter_pipeline.catalog.harvests import Harvest, record_group
from shelter_pipeline.catalog.portals import PortalRow
from shelter_pipeline.dispatch.patience import patiently
from shelter_pipeline.domain.errors import PermanentError, ShelterError, TransientError
from shelter_pipeline.domain.records import DatasetRecord, Page, Refusal
from shelter_pipeline.operations.workplace import Workplace

Progress = Callable[[int, int | None], None]
Result = TypeVar("Result")
# A page that was read is merged within this time, so that a kill costs little.
LONGEST_WAIT_SECONDS = 2.0
IDLE_SECONDS = 0.5
# Records may be large: a group of fewer is merged when this much of them is in memory.
MOST_BYTES = 16 * 1024**2
_ALLOWED_REPETITIONS = 1000
# A portal that gives so many times more than it says it has will never end.
_FAR_TOO_MANY = 3
_ALLOWED_SURPLUS = 10_000


def far_too_many(total: int) -> int:
    """More than this, and what a portal gives that has `total` datasets leads nowhere."""
    return _FAR_TOO_MANY * total + _ALLOWED_SURPLUS


class Merger:
    """Merges what a harvest reads, waits for a catalog that is away, and stops what leads nowhere."""

    def __init__(
        self,
        workplace: Workplace,
        portal: PortalRow,
        harvest: Harvest,
        progress: Progress | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.workplace, self.portal, self.harvest = workplace, portal, harvest
        self._progress, self._clock = progress, clock
        self.expected: int | None = None  # what the portal says it has in all
        self.counted_requests = 0  # those that groups have counted
        self._shows_expected = True
        self._is_pending = False
        self._waiting: list[DatasetRecord | Refusal] = []
        self._waiting_bytes = 0
        self._requests = 0
        self._changed_until: datetime | None = None
        self._since = clock()
        self._repeated = 0

    def expect(self, total: int | None, *, all_of_them: bool = True) -> None:
        """How many records the portal has: to end what never ends, and for the progress if all are to come."""
        self.expected, self._shows_expected = total, all_of_them
        self._show()

    def patiently(self, work: Callable[[], Result]) -> Result:
        """What `work` returns, repeated while the catalog is away, as long as the setting says."""
        return patiently(work, for_seconds=self.workplace.settings.harvest_patience_seconds)

    def merge_all(self, pages: Iterable[Page | None], *, end: str | None = None) -> None:
        """Merge every page; after the last one the harvest's cursor is `end`.

        None among the pages is a moment in which none came: what waits is merged if it is time.
        Raises what `pages` raises, after merging all that came before it; TransientError
        when nothing new comes any more, PermanentError when far more comes than there is.
        """
        cursor = self.harvest.cursor
        trouble: ShelterError | None = None
        coming = iter(pages)
        while True:
            try:
                page = next(coming)
            except StopIteration:
                break
            except ShelterError as error:
                trouble = error
                break
            if page is not None:
                cursor = page.cursor or end
                self._take(page)
            if self._is_due():
                self._merge(cursor)
        if self._waiting or self.harvest.cursor != cursor:
            self._merge(cursor)
        if trouble is not None:
            raise trouble

    def merge_page(self, page: Page) -> None:
        """Merge one page that was asked for apart; the cursor stays."""
        self._take(page)
        self._merge(self.harvest.cursor)

    def clear_cursor(self) -> None:
        """There is nothing left to continue."""
        self._merge(None)

    def count_requests(self, requests: int) -> None:
        """Requests that brought no page: they are counted with the next group."""
        self._requests += requests

    def _take(self, page: Page) -> None:
        if not self._is_pending:
            self._since, self._is_pending = self._clock(), True
        self._waiting.extend(page.records)
        self._waiting_bytes += sum(len(record.raw) for record in page.records)
        self._requests += page.requests
        if page.changed_until is not None:
            self._changed_until = max(self._changed_until or page.changed_until, page.changed_until)

    def _is_due(self) -> bool:
        if (
            len(self._waiting) >= self.workplace.settings.harvest_group_records
            or self._waiting_bytes >= MOST_BYTES
        ):
            return True
        return self._is_pending and self._clock() - self._since >= LONGEST_WAIT_SECONDS

    def _merge(self, cursor: str | None) -> None:
        records, self._waiting, self._waiting_bytes, self._is_pending = self._waiting, [], 0, False
        requests, self._requests = self._requests, 0
        counts = self.patiently(
            lambda: record_group(
                self.workplace.catalog,
                self.portal,
                self.harvest,
                records,
                cursor=cursor,
                requests=requests,
                changed_until=self._changed_until,
            )
        )
        self.counted_requests += requests
        self._show()
        self._judge(len(records), counts.seen + counts.refused)

    def _judge(self, received: int, fresh: int) -> None:
        self._repeated = 0 if fresh else self._repeated + received
        # A driver that has to start over repeats at most what was read before.
        if self._repeated > self.harvest.read + _ALLOWED_REPETITIONS:
            raise TransientError(
                f"{self.portal.url} could not be read to its end: its last pages only repeat others",
                reason="server-error",
            )
        if self.expected is not None and self.harvest.read > far_too_many(self.expected):
            raise PermanentError(
                f"{self.portal.url} could not be read to its end: it says it has {self.expected} datasets"
                f" and gave {self.harvest.read}",
                reason="too-large",
            )

    def _show(self) -> None:
        if self._progress:
            self._progress(self.harvest.read, self.expected if self._shows_expected else None)
