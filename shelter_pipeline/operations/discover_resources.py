"""Turn resources into assets: each is classified by rule; what is no file is explored, and the paths are kept.

A landing page is followed only when its dataset lists no file of its own: most pages
are about the data, not the data. What has been looked at is not looked at again until
its address or its promise changes; places are read again after a while, sooner where they
change. Results are kept as they come, so a run that is killed loses only the last of
them, and the next goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from typing import Any

from shelter_pipeline.catalog.discoveries import (
    Discovery,
    Finding,
    ResourceRow,
    discovery_files,
    discovery_summary,
    due_resources,
    record_discoveries,
    waiting_places,
)
from shelter_pipeline.catalog.places import Place, attach_places, reconsidered_resources
from shelter_pipeline.catalog.portals import find_portal, portal_of
from shelter_pipeline.catalog.portals import organization_id as organization_id_of
from shelter_pipeline.discovery.classification_table import classification_rules, using
from shelter_pipeline.discovery.classify import Classification, Kind, classify
from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.operations.crawl import Crawl, CrawlResult
from shelter_pipeline.operations.exploration_ledger import ExplorationLedger
from shelter_pipeline.operations.workplace import Workplace

_DATASETS_AT_ONCE = 500
_RESULTS_KEPT_AT_ONCE = 2000
_FILES = frozenset({Kind.FILE, Kind.ARCHIVE, Kind.DIRECTORY})
# Most XML of catalogues is metadata (ISO 19115, FGDC); where a dataset lists no data, such a record may tell of them.
_RECORDS = frozenset({"xml"})
_PLACES = (Kind.DIRECTORY, Kind.WEB_PAGE, Kind.SERVICE, Kind.REPOSITORY, Kind.CODE)

Progress = Callable[[int], None]


def discover_resources(
    workplace: Workplace,
    slug: str,
    *,
    organization_id: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Look at every resource of the portal of this slug, or of one of its organizations, that is due.

    It ends early when `discovery_pages_per_run` pages have been asked for or
    `discovery_run_seconds` are over; the rest stays due. `progress` is told how many
    resources and pages have been looked at, each time some are kept. Returns `{resources,
    assets, pages, places, by_reason, by_kind, files, waiting, cut_short}`: how many resources
    were classified, how many assets are new, how many pages were asked for and how they
    ended, how many places were put down; and of the portal as it stands now its resources by
    kind and outcome, its files by kind, and the places that are not read to their end.
    """
    with using(classification_rules(workplace.settings.classification_rules)):
        return _discover(workplace, slug, organization_id, progress)


def _discover(
    workplace: Workplace, slug: str, organization_id: int | None, progress: Progress | None
) -> dict[str, Any]:
    portal = workplace.patiently(find_portal, slug)
    told = _Classified(workplace, portal.id, organization_id, progress)
    told.run()
    ledger = ExplorationLedger(workplace, portal.id, organization_id)
    read = _crawl(workplace, ledger, told.looked_at, progress)
    return {
        "resources": told.looked_at,
        "assets": told.assets + ledger.assets,
        "pages": read.pages,
        "places": read.places,
        "by_reason": dict(read.reasons),
        "by_kind": workplace.patiently(discovery_summary, portal.id),
        "files": workplace.patiently(discovery_files, portal.id),
        "waiting": workplace.patiently(waiting_places, portal.id),
        "cut_short": read.cut_short,
    }


def discover_organization(
    workplace: Workplace, organization: str, *, portal: str | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """As `discover_resources`, of one organization; its portal need not be named.

    SetupError if there is no such organization, or none of this portal.
    """
    identity = organization_id_of(workplace.catalog, organization)
    slug = portal_of(workplace.catalog, identity)
    if portal not in (None, slug):
        raise SetupError(
            f"the organization {organization!r} belongs to the portal {slug!r}, not to {portal!r}"
        )
    return discover_resources(workplace, slug, organization_id=identity, progress=progress)


def _crawl(
    workplace: Workplace, ledger: ExplorationLedger, looked_at: int, progress: Progress | None
) -> CrawlResult:
    settings = workplace.settings
    crawl = Crawl(
        ledger,
        door=workplace.door,
        politeness=workplace.politeness,
        robots=workplace.robots,
        connections=settings.fetch_connections,
        max_pages=settings.discovery_pages_per_run,
        max_seconds=settings.discovery_run_seconds,
        max_page_bytes=settings.discovery_max_page_bytes,
        progress=(lambda result: progress(looked_at + result.pages)) if progress else None,
    )
    return crawl.run()


@dataclass(frozen=True, slots=True)
class _Due:
    """A resource to look at, and whether its dataset lists a file anyway, and one that is no mere record."""

    row: ResourceRow
    kind: Classification
    has_file: bool
    has_data: bool


@dataclass(slots=True)
class _Classified:
    """Resources that are told by their addresses: what is a file is one, what is a place waits to be explored."""

    workplace: Workplace
    portal_id: int
    organization_id: int | None
    progress: Progress | None
    looked_at: int = 0
    assets: int = 0
    _discoveries: list[Discovery] = field(default_factory=list)
    _places: list[Place] = field(default_factory=list)

    def run(self) -> None:
        """Look at all that is due, and keep it in portions."""
        for one in self._due():
            self._look_at(one)
            if len(self._discoveries) + len(self._places) >= _RESULTS_KEPT_AT_ONCE:
                self._keep()
        self._keep()
        self._reconsider()

    def _due(self) -> Iterator[_Due]:
        after = 0
        while rows := self.workplace.patiently(
            due_resources,
            self.portal_id,
            after_dataset=after,
            limit=_DATASETS_AT_ONCE,
            organization_id=self.organization_id,
        ):
            after = rows[-1].dataset_id
            for _, group in groupby(rows, key=lambda row: row.dataset_id):
                members = [(row, self._classify(row)) for row in group]
                files = [kind for row, kind in members if row.role != "landing" and kind.kind in _FILES]
                has_data = any(kind.asset_kind not in _RECORDS for kind in files)
                yield from (_Due(row, kind, bool(files), has_data) for row, kind in members if row.due)

    def _classify(self, row: ResourceRow) -> Classification:
        return classify(row.url, format=row.format, media_type=row.media_type)

    def _look_at(self, one: _Due) -> None:
        self.looked_at += 1
        row, kind = one.row, one.kind
        if row.role == "landing" and one.has_file:
            self._tell(row, kind, "not-followed")
        elif kind.kind in (Kind.FILE, Kind.ARCHIVE):
            self._tell(row, kind, "found", findings=[_finding(row, kind)])
            if kind.asset_kind in _RECORDS and not one.has_data:
                self._places.append(_place(row, kind))
        elif kind.kind is Kind.LOGIN_WALL:
            self._tell(row, kind, "login-required", f"a login by the rule {kind.rule}")
        elif kind.urls:
            self._several(row, kind)
        elif kind.url is None:
            reason = "bad-scheme" if kind.rule in ("bad-scheme", "code-scheme") else "bad-url"
            self._tell(row, kind, reason, kind.problem)
        else:
            self._places.append(_place(row, kind))

    def _several(self, row: ResourceRow, kind: Classification) -> None:
        """Of several URLs in one field those that are files are found; the catalogue's promises are of none of them."""
        each = [classify(url) for url in kind.urls]
        files = [one for one in each if one.kind in (Kind.FILE, Kind.ARCHIVE) and one.url]
        outcome = "bad-url" if not files else "found" if len(files) == len(each) else "found-in-part"
        self._tell(
            row,
            kind,
            outcome,
            f"{len(each)} URLs stand in one field, {len(files)} of them are files",
            [Finding(parse_url(one.url), one.asset_kind, "one-of-several") for one in files if one.url],
        )

    def _tell(
        self,
        row: ResourceRow,
        kind: Classification,
        outcome: str,
        detail: str = "",
        findings: Sequence[Finding] = (),
    ) -> None:
        self._discoveries.append(
            Discovery(
                row.id,
                kind.kind.value,
                kind.rule,
                outcome,
                detail,
                tuple(findings),
                kind.repair,
                row.url or "",
            )
        )

    def _reconsider(self) -> None:
        """What sent a web page in place of a file is a page; what was read long ago is read again."""
        after = 0
        while rows := self.workplace.patiently(
            reconsidered_resources,
            self.portal_id,
            organization_id=self.organization_id,
            after=after,
            limit=_RESULTS_KEPT_AT_ONCE,
            places=[kind.value for kind in _PLACES],
            longest=timedelta(days=self.workplace.settings.discovery_longest_days),
        ):
            after = rows[-1].id
            for row in rows:
                kind = self._classify(row)
                if kind.url is not None and kind.kind is not Kind.LOGIN_WALL:
                    is_file = kind.kind in (Kind.FILE, Kind.ARCHIVE)
                    page = Place(
                        row.id, row.dataset_id, parse_url(kind.url), Kind.WEB_PAGE.value, "html-instead"
                    )
                    self._places.append(page if is_file else _place(row, kind))
            self._keep()

    def _keep(self) -> None:
        self.assets += self.workplace.patiently(record_discoveries, self._discoveries)
        self.workplace.patiently(attach_places, self._places)
        self._discoveries, self._places = [], []
        if self.progress:
            self.progress(self.looked_at)


def _place(row: ResourceRow, kind: Classification) -> Place:
    return Place(
        row.id,
        row.dataset_id,
        parse_url(kind.url or ""),
        kind.kind.value,
        kind.rule,
        kind.repair,
        row.url or "",
    )


def _finding(row: ResourceRow, kind: Classification) -> Finding:
    return Finding(
        parse_url(kind.url or ""),
        kind.asset_kind,
        kind.rule,
        row.format,
        row.media_type,
        row.size,
        row.checksum,
    )
