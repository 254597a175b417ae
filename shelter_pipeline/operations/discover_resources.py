"""Turn resources into assets: classify each, read listings and landing pages within a budget, keep the paths.

A landing page is followed only when its dataset lists no file of its own: most pages
are about the data, not the data. What has been looked at is not looked at again until
its address or its promise changes, but for what failed for a while: that is looked at
once in every run, after all that is new. Results are kept as they come, so a run that is
killed loses only the last of them, and the next goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from shelter_pipeline.catalog.discoveries import (
    Discovery,
    Finding,
    ResourceRow,
    discovery_summary,
    due_resources,
    record_discoveries,
)
from shelter_pipeline.catalog.portals import find_portal
from shelter_pipeline.discovery.classify import Classification, Kind, classify
from shelter_pipeline.discovery.explore import Budget, FoundAsset, explore
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.operations.workplace import Workplace

_DATASETS_AT_ONCE = 500
# What may be lost with the process. Pages too, because slow ones may take hours to make a hundred results.
_RESULTS_KEPT_AT_ONCE = 100
_FINDINGS_KEPT_AT_ONCE = 10_000
_PAGES_KEPT_AT_ONCE = 500
_FILES = frozenset({Kind.FILE, Kind.ARCHIVE, Kind.DIRECTORY})

Progress = Callable[[int], None]
_Work = tuple[ResourceRow, Classification, bool]
_Result = tuple[Discovery, int]


def discover_resources(
    workplace: Workplace,
    slug: str,
    *,
    organization_id: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Look at every resource of the portal of this slug, or of one of its organizations, that is due.

    It ends early when `discovery_pages_per_run` pages have been read; the rest stays due.
    `progress` is told how many resources have been looked at, each time some are kept.
    Returns `{resources, assets, pages, by_kind}`: how many resources were looked at, how
    many assets are new, how many pages were read, and the portal's resources by kind and
    outcome.
    """
    portal = find_portal(workplace.catalog, slug)
    run = _Run(workplace, portal.id, organization_id, progress)
    threads = workplace.settings.fetch_threads
    with ThreadPoolExecutor(threads, "discovery") as pool:
        for result in _as_they_end(pool, lambda work: _look_at(workplace, *work), run.work(), threads):
            run.take(result)
    run.keep()
    return {
        "resources": run.looked_at,
        "assets": run.assets,
        "pages": run.pages,
        "by_kind": discovery_summary(workplace.catalog, portal.id),
    }


@dataclass(slots=True)
class _Run:
    """What is still to look at, and what has come of it: kept in portions, counted for the budget."""

    workplace: Workplace
    portal_id: int
    organization_id: int | None
    progress: Progress | None
    looked_at: int = 0
    assets: int = 0
    pages: int = 0
    _waiting: list[Discovery] = field(default_factory=list)
    _waiting_findings: int = 0
    _waiting_pages: int = 0
    _passing: set[int] = field(default_factory=set)  # no more than pages of a run's budget

    def work(self) -> Iterator[_Work]:
        """What to look at next, until the pages are used up: first what is new, then what failed for a while."""
        for again in (False, True):
            for work in self._due(again=again):
                if self.pages >= self.workplace.settings.discovery_pages_per_run:
                    return
                if work[0].id not in self._passing:
                    yield work

    def _due(self, *, again: bool) -> Iterator[_Work]:
        after = 0
        while rows := due_resources(
            self.workplace.catalog,
            self.portal_id,
            after_dataset=after,
            limit=_DATASETS_AT_ONCE,
            organization_id=self.organization_id,
            again=again,
        ):
            after = rows[-1].dataset_id
            yield from _work(rows)

    def take(self, result: _Result) -> None:
        """Count a result, and keep it with the others as soon as they are enough."""
        discovery, pages = result
        self.looked_at += 1
        self.pages += pages
        if discovery.passing:
            self._passing.add(discovery.resource_id)
        self._waiting.append(discovery)
        self._waiting_findings += len(discovery.findings)
        self._waiting_pages += pages
        if (
            len(self._waiting) >= _RESULTS_KEPT_AT_ONCE
            or self._waiting_findings >= _FINDINGS_KEPT_AT_ONCE
            or self._waiting_pages >= _PAGES_KEPT_AT_ONCE
        ):
            self.keep()

    def keep(self) -> None:
        """Record what waits."""
        if not self._waiting:
            return
        self.assets += record_discoveries(self.workplace.catalog, self._waiting)
        self._waiting = []
        self._waiting_findings = self._waiting_pages = 0
        if self.progress:
            self.progress(self.looked_at)


def _as_they_end(
    pool: ThreadPoolExecutor, look: Callable[[_Work], _Result], works: Iterable[_Work], at_once: int
) -> Iterator[_Result]:
    """Results as they come, with no more than `at_once` under way: the next is drawn when one has been taken."""
    under_way: set[Future[_Result]] = set()
    for work in works:
        under_way.add(pool.submit(look, work))
        if len(under_way) >= at_once:
            ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            yield from _results(ended)
    while under_way:
        ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
        yield from _results(ended)


def _results(ended: set[Future[_Result]]) -> Iterator[_Result]:
    while ended:  # a result that was taken is not held on to
        yield ended.pop().result()


def _work(rows: Sequence[ResourceRow]) -> Iterator[_Work]:
    """Each due resource with its classification, and whether its dataset lists a file anyway."""
    for _, group in groupby(rows, key=lambda row: row.dataset_id):
        members = [(row, classify(row.url, format=row.format, media_type=row.media_type)) for row in group]
        has_file = any(kind.kind in _FILES for row, kind in members if row.role != "landing")
        yield from ((row, kind, has_file) for row, kind in members if row.due)


def _look_at(workplace: Workplace, row: ResourceRow, kind: Classification, has_file: bool) -> _Result:
    if row.role == "landing" and has_file:
        return Discovery(row.id, kind.kind.value, kind.rule, "not-followed"), 0
    settings = workplace.settings
    budget = Budget(
        max_pages=settings.discovery_max_pages,
        max_depth=settings.discovery_max_depth,
        max_files=settings.discovery_max_files,
    )
    result = explore(
        row.url,
        format=row.format,
        media_type=row.media_type,
        role=row.role,
        reader=workplace.crawler,
        budget=budget,
    )
    findings = tuple(finding for found in result.assets if (finding := _finding(row, found)) is not None)
    discovery = Discovery(
        row.id, kind.kind.value, kind.rule, result.outcome, result.detail, findings, result.passing
    )
    return discovery, result.pages_read


def _finding(row: ResourceRow, found: FoundAsset) -> Finding | None:
    try:
        address = parse_url(found.url)
    except ShelterError:
        return None
    if found.via != "direct":
        return Finding(address, found.asset_kind, found.via, found.path, size=found.size)
    return Finding(
        address,
        found.asset_kind,
        found.via,
        found.path,
        row.format,
        row.media_type,
        row.size,
        row.checksum,
    )
