"""Turn resources into assets: classify each, read listings and landing pages within a budget, keep the paths.

A landing page is followed only when its dataset lists no file of its own: most pages
are about the data, not the data. What has been looked at is not looked at again until
its address or its promise changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from shelter_pipeline.discovery.explore import Budget, explore
from shelter_pipeline.domain.errors import ShelterError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.domain.verdicts import REASONS, Next
from shelter_pipeline.operations.workplace import Workplace

_DATASETS_AT_ONCE = 500
_FILES = frozenset({Kind.FILE, Kind.ARCHIVE, Kind.DIRECTORY})

Progress = Callable[[int], None]


def discover_resources(
    workplace: Workplace,
    slug: str,
    *,
    organization_id: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Look at every resource of the portal of this slug, or of one of its organizations, that is due.

    Returns `{resources, assets, pages, by_kind}`: how many resources were looked at, how
    many assets are new, how many pages were read, and the portal's resources by kind and
    outcome.
    """
    portal = find_portal(workplace.catalog, slug)
    looked_at = assets = pages = after = 0
    with ThreadPoolExecutor(workplace.settings.fetch_threads, "discovery") as pool:
        while rows := due_resources(
            workplace.catalog,
            portal.id,
            after_dataset=after,
            limit=_DATASETS_AT_ONCE,
            organization_id=organization_id,
        ):
            after = rows[-1].dataset_id
            results = list(pool.map(lambda work: _look_at(workplace, *work), _work(rows)))
            assets += record_discoveries(workplace.catalog, [discovery for discovery, _ in results])
            looked_at += len(results)
            pages += sum(read for _, read in results)
            if progress:
                progress(looked_at)
            if pages >= workplace.settings.discovery_pages_per_run:
                break
    return {
        "resources": looked_at,
        "assets": assets,
        "pages": pages,
        "by_kind": discovery_summary(workplace.catalog, portal.id),
    }


def _work(rows: Sequence[ResourceRow]) -> Iterator[tuple[ResourceRow, Classification, bool]]:
    """Each due resource with its classification, and whether its dataset lists a file anyway."""
    for _, group in groupby(rows, key=lambda row: row.dataset_id):
        members = [(row, classify(row.url, format=row.format, media_type=row.media_type)) for row in group]
        has_file = any(kind.kind in _FILES for row, kind in members if row.role != "landing")
        yield from ((row, kind, has_file) for row, kind in members if row.due)


def _look_at(
    workplace: Workplace, row: ResourceRow, kind: Classification, has_file: bool
) -> tuple[Discovery, int]:
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
        reader=workplace.reader,
        budget=budget,
    )
    findings = tuple(
        finding
        for found in result.assets
        if (finding := _finding(row, found.url, found.asset_kind, found.via, found.path, found.size))
        is not None
    )
    passing = result.outcome in REASONS and REASONS[result.outcome].next is Next.RETRY
    discovery = Discovery(
        row.id, kind.kind.value, kind.rule, result.outcome, result.detail, findings, passing
    )
    return discovery, result.pages_read


def _finding(
    row: ResourceRow, url: str, kind: str | None, via: str, path: tuple[str, ...], size: int | None
) -> Finding | None:
    try:
        address = parse_url(url)
    except ShelterError:
        return None
    if via != "direct":
        return Finding(address, kind, via, path, size=size)
    return Finding(address, kind, via, path, row.format, row.media_type, row.size, row.checksum)
