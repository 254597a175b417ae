"""The catalog as the ledger of a crawl: places are taken and put down there, page by page."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from weakref import WeakValueDictionary

from shelter_pipeline.catalog.explorations import (
    Keeping,
    PageFinding,
    PageRow,
    Portion,
    Taken,
    new_page_ids,
    record_portions,
    release_explorations,
    renew_explorations,
    take_explorations,
)
from shelter_pipeline.discovery.classify import Kind
from shelter_pipeline.discovery.explore import Exploration, FoundAsset
from shelter_pipeline.discovery.pages import Budget, Page, PageState, Spent
from shelter_pipeline.domain.urls import Url, parse_url
from shelter_pipeline.fetching.content_table import content_rules
from shelter_pipeline.operations.crawl import Held
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.settings import Settings


@dataclass(slots=True)
class ExplorationLedger:
    """Places of one portal, or of one of its organizations. `assets` counts the files that are new to the catalog."""

    workplace: Workplace
    portal_id: int
    organization_id: int | None = None
    assets: int = 0
    _taken: dict[int, Taken] = field(default_factory=dict)
    _known_ids: dict[int, dict[str, int]] = field(default_factory=dict)  # pages of earlier rounds, by URL
    _spent: WeakValueDictionary[int, Spent] = field(default_factory=WeakValueDictionary)  # by dataset
    _renewed_at: float = 0.0

    def take(self, limit: int, *, each: int, full_hosts: Sequence[str]) -> list[Held[int]]:
        """Places that have something to read now."""
        rows = self.workplace.patiently(
            take_explorations,
            self.portal_id,
            organization_id=self.organization_id,
            limit=limit,
            each=each,
            full_hosts=full_hosts,
            lease=self._lease,
        )
        return [self._held(taken, pages) for taken, pages in rows]

    def keep(self, held: Sequence[Held[int]], put_down: Sequence[Held[int]]) -> set[int]:
        """Keep what is new, and the rest of the places for another while."""
        over = {one.key for one in put_down}
        changed = [one for one in held if one.fresh or one.found or one.key in over]
        portions = [self._portion(one, put_down=one.key in over) for one in self._numbered(changed)]
        new, lost = self.workplace.patiently(record_portions, portions, self._keeping)
        self.assets += new
        recorded = {one.key for one in changed}
        self._renew([self._taken[one.key] for one in held if one.key not in recorded])
        self._forget(over | lost)
        return lost

    def give_back(self, held: Sequence[Held[int]]) -> None:
        """Let others have places as they were kept last."""
        self.workplace.patiently(release_explorations, [self._taken[one.key] for one in held])
        self._forget({one.key for one in held})

    @property
    def _lease(self) -> timedelta:
        return timedelta(seconds=self.workplace.settings.lease_seconds)

    @property
    def _keeping(self) -> Keeping:
        settings = self.workplace.settings
        return Keeping(
            self._lease,
            timedelta(hours=settings.discovery_shortest_hours),
            timedelta(days=settings.discovery_longest_days),
        )

    def _renew(self, taken: Sequence[Taken]) -> None:
        now = time.monotonic()
        if now - self._renewed_at > self.workplace.settings.lease_seconds / 3:
            self._renewed_at = now
            self.workplace.patiently(renew_explorations, taken, self._lease)

    def _forget(self, keys: set[int]) -> None:
        for key in keys:
            self._taken.pop(key, None)
            self._known_ids.pop(key, None)

    def _held(self, taken: Taken, rows: Sequence[PageRow]) -> Held[int]:
        self._taken[taken.id] = taken
        self._known_ids[taken.id] = {row.url: row.id for row in rows if row.round < taken.round}
        exploration = Exploration(
            taken.url,
            Kind(taken.kind),
            taken.rule,
            budget_of(self.workplace.settings),
            pages=_pages([row for row in rows if row.round == taken.round]),
            spent=self._spent_of(taken, [row for row in rows if row.round >= taken.round - 1]),
            before={row.url: (row.files, row.known_bytes) for row in rows if row.round == taken.round - 1},
            content=content_rules(self.workplace.settings.content_rules),
            max_attempts=self.workplace.settings.asset_max_attempts,
        )
        return Held(taken.id, taken.host, exploration)

    def _spent_of(self, taken: Taken, rows: Sequence[PageRow]) -> Spent:
        """What the dataset has spent so far, one sum for all its places in hand."""
        spent = self._spent.get(taken.dataset_id)
        if spent is None:
            spent = self._spent[taken.dataset_id] = Spent(*taken.others)
            for row in rows:
                spent.add(1, row.files, row.known_bytes)
        return spent

    def _numbered(self, begun: Sequence[Held[int]]) -> Sequence[Held[int]]:
        """The same, with a number for every page that has none."""
        without = [
            (page, self._known_ids[held.key])
            for held in begun
            for page in held.fresh.values()
            if page.id is None
        ]
        for page, known in without:
            page.id = known.get(page.url)
        new = [page for page, _ in without if page.id is None]
        for page, number in zip(new, self.workplace.patiently(new_page_ids, len(new)), strict=True):
            page.id = number
        return begun

    def _portion(self, held: Held[int], *, put_down: bool) -> Portion:
        taken = self._taken[held.key]
        portion = Portion(
            taken,
            [_row(page, taken) for page in held.fresh.values()],
            [_finding(found) for found in held.found],
        )
        if put_down:
            conclusion = held.exploration.conclusion()
            portion.outcome, portion.detail = conclusion.outcome, conclusion.detail
            portion.ended = conclusion.ended
            portion.rest = held.exploration.rest()
        return portion


def budget_of(settings: Settings) -> Budget:
    """What one dataset may cost."""
    return Budget(
        max_pages=settings.discovery_max_pages,
        max_files=settings.discovery_max_files,
        max_bytes=settings.discovery_max_bytes,
        max_depth=settings.discovery_max_depth,
        max_hops=settings.discovery_max_hops,
        max_page_bytes=settings.discovery_max_page_bytes,
    )


def _pages(rows: Sequence[PageRow]) -> list[Page]:
    pages: dict[int, Page] = {}
    for row in sorted(rows, key=lambda row: (row.depth + row.hops, row.id)):
        pages[row.id] = Page(
            row.url,
            depth=row.depth,
            hops=row.hops,
            why=row.why,
            label=row.label,
            reader=row.reader,
            headers=row.headers,
            id=row.id,
            state=PageState(row.state),
            what=row.what,
            reason=row.reason,
            detail=row.detail,
            files=row.files,
            data_files=row.data_files,
            known_bytes=row.known_bytes,
            left=Counter(row.left_behind),
            digest=row.digest or b"",
            attempts=row.attempts,
            rest=timedelta(seconds=row.rest_seconds),
        )
    # A page that was known in an earlier round may have a smaller number than the one that led to it in this.
    for row in rows:
        if row.parent_id is not None:
            pages[row.id].parent = pages[row.parent_id]
    return list(pages.values())


def _row(page: Page, taken: Taken) -> tuple[PageRow, Url]:
    assert page.id is not None  # noqa: S101 - numbered before
    row = PageRow(
        page.id,
        taken.id,
        page.url,
        page.parent.id if page.parent else None,
        taken.round,
        page.depth,
        page.hops,
        page.why,
        page.label,
        page.reader,
        page.headers,
        page.state.value,
        page.what,
        page.reason,
        page.detail,
        page.files,
        page.data_files,
        page.known_bytes,
        page.left,
        page.digest,
        page.attempts,
        page.rest.total_seconds(),
    )
    return row, parse_url(page.url)


def _finding(found: FoundAsset) -> PageFinding:
    assert found.page.id is not None  # noqa: S101 - numbered before
    return PageFinding(
        found.page.id,
        found.address,
        found.asset_kind,
        found.via,
        found.why,
        found.format,
        found.media_type,
        found.size if found.promised else None,
        None if found.promised else found.size,
        found.checksum,
        found.modified,
    )
