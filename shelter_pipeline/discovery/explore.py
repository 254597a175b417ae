"""From one resource to the files it leads to, within a budget, with the path that led there.

A file is taken at its word and asks nothing. A directory is walked, a page is read for its
files, and what turns out to be no page is the file itself. Every exploration ends with an
outcome: `found` only if all was read, `found-in-part` if something was left unread, or the
reason why there is no file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from shelter_pipeline.discovery.asset_kinds import AssetKind, kind_of_extension, kind_of_media_type
from shelter_pipeline.discovery.classify import Classification, Kind, classify, extension_of
from shelter_pipeline.discovery.landing import Link, parse_landing
from shelter_pipeline.discovery.listing import Entry, is_listing, parse_listing
from shelter_pipeline.domain.errors import PermanentError, ShelterError
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.domain.verdicts import REASONS, Next
from shelter_pipeline.portals.protocol import Reader, Reply
from shelter_pipeline.portals.replies import looks_like_html, status_problem

FOUND = "found"
FOUND_IN_PART = "found-in-part"
LANDING_PAGE_ONLY = "landing-page-only"
_FAILURES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Budget:
    """What one resource may cost: pages read, levels of directories, files found, bytes of one page."""

    max_pages: int
    max_depth: int
    max_files: int
    max_page_bytes: int = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FoundAsset:
    """One file. `path` holds the pages that were followed to it; `size` is what a listing says, if one did."""

    url: str
    kind: Kind
    asset_kind: str | None
    via: str  # direct | directory | landing-page
    path: tuple[str, ...] = ()
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Exploration:
    """What came of one resource: its files, or the reason slug why there are none.

    A `passing` one may end differently tomorrow: a server failed for a while only.
    """

    assets: tuple[FoundAsset, ...]
    outcome: str
    detail: str
    pages_read: int
    passing: bool = False


@dataclass(frozen=True, slots=True)
class _Page:
    """A page to be read: how deep it is, and the pages that led to it."""

    url: str
    depth: int = 0
    path: tuple[str, ...] = ()


@dataclass(slots=True)
class _Walk:
    """What a walk has found so far, and what it could not do."""

    reader: Reader
    budget: Budget
    assets: dict[str, FoundAsset] = field(default_factory=dict)
    failures: list[ShelterError] = field(default_factory=list)
    pages_read: int = 0
    listings: int = 0
    too_deep: int = 0
    stopped: str = ""

    def keep(self, assets: Iterable[FoundAsset]) -> None:
        """Take assets in, each once, until the budget is spent."""
        for asset in assets:
            if len(self.assets) >= self.budget.max_files and asset.url not in self.assets:
                self.stopped = f"stopped at {self.budget.max_files} files"
                return
            self.assets.setdefault(asset.url, asset)

    def read(self, page: _Page) -> Reply:
        """The page, if it came whole and with a status that stands for success."""
        self.pages_read += 1
        reply = self.reader.read(page.url, max_bytes=self.budget.max_page_bytes)
        if (problem := status_problem(reply.head.status)) is not None:
            kind, reason = problem
            raise kind(f"{page.url} answered status {reply.head.status}", reason=reason)
        if not reply.body:
            raise PermanentError(f"{page.url} answered with nothing", reason="empty")
        return reply


def explore(
    resource_url: str | None,
    *,
    format: str | None,
    media_type: str | None,
    role: str,
    reader: Reader,
    budget: Budget,
) -> Exploration:
    """The files that a resource leads to; a URL that is a file by rule is one without a request.

    `role` is what the catalogue calls the resource (download, access, landing). A failure is
    an outcome: ShelterErrors of the reader come back as their reason.
    """
    verdict = classify(resource_url, format=format, media_type=media_type)
    if (settled := _without_asking(verdict)) is not None:
        return settled
    walk = _Walk(reader, budget)
    start = _Page(verdict.url or "")
    try:
        _walk_from(start, walk)
    except ShelterError as error:
        if error.reason == "too-large" and verdict.kind is not Kind.DIRECTORY:
            # No page is as large as that, so it is the file itself.
            walk.keep([_file_itself(start, None)])
        else:
            return Exploration((), error.reason, str(error), walk.pages_read, _may_pass(error))
    return _ended(walk, role)


def _without_asking(verdict: Classification) -> Exploration | None:
    """The end of what needs no request, or None for pages and directories on the web."""
    if verdict.kind is Kind.SERVICE:
        return Exploration((), "service", f"a web service by the rule {verdict.rule}", 0)
    if verdict.url is None:
        reason = "bad-scheme" if verdict.rule == "bad-scheme" else "bad-url"
        return Exploration((), reason, verdict.problem, 0)
    if verdict.kind in (Kind.FILE, Kind.ARCHIVE):
        return Exploration(
            (FoundAsset(verdict.url, verdict.kind, verdict.asset_kind, "direct"),), FOUND, "", 0
        )
    if parse_url(verdict.url).scheme == "ftp":
        return Exploration((), "directory", "directories of FTP servers are not listed yet", 0)
    return None


def _walk_from(start: _Page, walk: _Walk) -> None:
    """Breadth first, so that a budget that runs out has seen the upper levels whole."""
    waiting = deque([start])
    seen = {start.url}
    while waiting and not walk.stopped:
        if walk.pages_read >= walk.budget.max_pages:
            walk.stopped = f"stopped at {walk.budget.max_pages} pages, {len(waiting)} of them unread"
            return
        page = waiting.popleft()
        try:
            below = _take(page, walk.read(page), walk)
        except ShelterError as error:
            if page is start:
                raise
            walk.failures.append(error)
            continue
        fresh = [directory for directory in below if directory.url not in seen]
        seen.update(directory.url for directory in fresh)
        waiting.extend(fresh)


def _take(page: _Page, reply: Reply, walk: _Walk) -> list[_Page]:
    """Keep the files a page gives; returns the directories below it that may be read."""
    if not looks_like_html(reply.body, reply.head.get("content-type")):
        walk.keep([_file_itself(page, reply)])
        return []
    path = (*page.path, page.url)
    if not is_listing(reply.body):
        walk.keep(_linked(link, path) for link in parse_landing(reply.body, reply.final_url))
        return []
    walk.listings += 1
    entries = parse_listing(reply.body, reply.final_url)
    walk.keep(_listed(entry, path) for entry in entries if not entry.is_directory)
    below = [_Page(entry.url, page.depth + 1, path) for entry in entries if entry.is_directory]
    if page.depth >= walk.budget.max_depth:
        walk.too_deep += len(below)
        return []
    return below


def _listed(entry: Entry, path: tuple[str, ...]) -> FoundAsset:
    """In a listing everything that is no directory is a file, whatever its name ends in."""
    kind = kind_of_extension(extension_of(parse_url(entry.url).path) or "")
    return FoundAsset(entry.url, _kind_for(kind), kind.slug if kind else None, "directory", path, entry.size)


def _linked(link: Link, path: tuple[str, ...]) -> FoundAsset:
    verdict = classify(link.url, format=link.format, media_type=link.format)
    return FoundAsset(link.url, verdict.kind, verdict.asset_kind, "landing-page", path)


def _file_itself(page: _Page, reply: Reply | None) -> FoundAsset:
    """What was taken for a page and is none: its media type and, after redirects, its name tell the kind."""
    kind = None
    if reply is not None:
        name = kind_of_extension(extension_of(parse_url(reply.final_url).path) or "")
        kind = name or kind_of_media_type(reply.head.get("content-type"))
    size = len(reply.body) if reply is not None else None
    via = "directory" if page.path else "direct"
    return FoundAsset(page.url, _kind_for(kind), kind.slug if kind else None, via, page.path, size)


def _kind_for(kind: AssetKind | None) -> Kind:
    return Kind.ARCHIVE if kind is not None and kind.family == "archive" else Kind.FILE


def _ended(walk: _Walk, role: str) -> Exploration:
    outcome, remark = _outcome(walk, role)
    detail = "; ".join([*([remark] if remark else []), *_unread(walk)])
    passing = any(map(_may_pass, walk.failures))
    return Exploration(tuple(walk.assets.values()), outcome, detail, walk.pages_read, passing)


def _outcome(walk: _Walk, role: str) -> tuple[str, str]:
    """How a walk ended, and what is to be said of it beside what was left unread."""
    cut = bool(walk.stopped or walk.too_deep)
    if walk.assets:
        return (FOUND_IN_PART if cut or walk.failures else FOUND), ""
    if walk.failures:
        return min(walk.failures, key=lambda error: not _may_pass(error)).reason, ""
    if cut:
        return FOUND_IN_PART, "no file was found so far"
    if walk.listings:
        return "empty", "the directory lists no file"
    return LANDING_PAGE_ONLY, f"the page, a {role} of its dataset, leads to no file"


def _unread(walk: _Walk) -> list[str]:
    """What was left unread, and why: the budget first, then what failed."""
    remarks = [walk.stopped] if walk.stopped else []
    if walk.too_deep:
        remarks.append(f"{walk.too_deep} directories lie deeper than {walk.budget.max_depth} levels")
    remarks.extend(str(error) for error in walk.failures[:_FAILURES_SHOWN])
    if len(walk.failures) > _FAILURES_SHOWN:
        remarks.append(f"and {len(walk.failures) - _FAILURES_SHOWN} more failures")
    return remarks


def _may_pass(error: ShelterError) -> bool:
    return error.reason in REASONS and REASONS[error.reason].next is Next.RETRY
