"""From one place to the files it leads to, within a budget, with the pages that led there.

A place is a URL that is no file by rule: a directory, a page, a repository, a service. An
exploration holds its pages and decides what is read next; whoever drives it asks, and says
what came. It can be put down after any page and taken up again from its pages. It ends
with an outcome: `found` only if all was read, `found-in-part` if something was left
unread, or the reason why there is no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shelter_pipeline.discovery.asset_kinds import kind_of_extension, kind_of_media_type
from shelter_pipeline.discovery.classify import Kind, extension_of
from shelter_pipeline.discovery.ftp_listing import ONLY_LISTINGS
from shelter_pipeline.discovery.leads import NO_HEADERS, Lead, Reading, Reply, To, What
from shelter_pipeline.discovery.pages import LEFT_IN_WORDS, MOST_LABEL, Budget, Page, PageState
from shelter_pipeline.discovery.reading import declared, enter, read_reply
from shelter_pipeline.discovery.traps import is_trap
from shelter_pipeline.domain.errors import ShelterError, TransientError
from shelter_pipeline.domain.follow_up import follow_up
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.domain.verdicts import REASONS, Next
from shelter_pipeline.fetching.content import ContentRules

FOUND = "found"
FOUND_IN_PART = "found-in-part"
LANDING_PAGE_ONLY = "landing-page-only"
DESCRIPTION = "capabilities"  # of a lead to what a service says of itself, which is no data
_MOST_FOLLOWED = 20  # pages that one page may lead to
_FAILURES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class FoundAsset:
    """One file, and the page that gave it. `size` is an estimate unless `promised`."""

    url: str
    asset_kind: str | None
    via: str  # direct | directory | landing-page | repository | service
    why: str
    page: Page
    size: int | None = None
    promised: bool = False
    checksum: str | None = None
    format: str | None = None
    media_type: str | None = None
    modified: datetime | None = None  # as the page says


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How an exploration stands: the outcome of its resource, and what is to be said of it."""

    outcome: str
    detail: str
    ended: bool  # nothing is left to be read, now or later


class Exploration:
    """One place, with the pages that are known of it.

    `kind` and `rule` are its classification, `content` the signs of walls. Give it the
    `pages` it had when it was put down to take it up again; without any it begins.
    """

    def __init__(
        self,
        url: str,
        kind: Kind,
        rule: str,
        budget: Budget,
        *,
        pages: Iterable[Page] = (),
        content: ContentRules | None = None,
        max_attempts: int = 8,
    ) -> None:
        self.url = url
        self.kind = kind
        self.rule = rule
        self.budget = budget
        self.pages: list[Page] = list(pages)
        self._content = content
        self._max_attempts = max_attempts
        self._known = {page.url for page in self.pages}
        self._files = sum(page.files for page in self.pages)
        self._bytes = sum(page.known_bytes for page in self.pages)

    def begin(self) -> Iterator[FoundAsset]:
        """What the URL alone tells, without a request; read it to the end, then ask for what waits."""
        start = Page(self.url, headers=_headers_for(self.url))
        self.pages.append(start)
        self._known.add(start.url)
        yield from self._enter(start)

    def _enter(self, page: Page) -> Iterator[FoundAsset]:
        """Take what the address of a page tells by itself; one that is to be read all the same goes on waiting."""
        if page.reader:
            return
        url = parse_url(page.url)
        if (entered := enter(url)) is not None:
            reading = entered[1]
        elif self.kind is Kind.SERVICE and page.parent is None:
            reading = declared(self.rule, url)
        else:
            return
        reading = replace(reading, leads=list(reading.leads))
        again = next(
            (lead for lead in reading.leads if lead.url == page.url and lead.to is not To.FILE), None
        )
        if again is not None:
            page.reader, page.headers = again.reader, again.headers
            return
        yield from self._take(page, reading)

    def waiting(self) -> list[Page]:
        """The pages to be read now, those without a rest, in the order in which they were found."""
        return [page for page in self.pages if page.state is PageState.WAITING and not page.rest]

    def take(self, page: Page, came: Reply | ShelterError) -> Iterator[FoundAsset]:
        """The files that a page gives; read it to the end, and the page and what it leads to are known."""
        try:
            if isinstance(came, ShelterError):
                raise came
            reading = read_reply(page, came, self._content)
        except ShelterError as error:
            if error.reason == "too-large" and page.why != "directory" and self.kind is not Kind.DIRECTORY:
                # No page is as large as that, so it is the file itself.
                reading = Reading(What.FILE, [_itself(page, None)])
            else:
                self._fail(page, error)
                return
        yield from self._take(page, reading)

    def rest(self) -> timedelta:
        """How long until something of it may be asked for again; nothing if it may be now, or never."""
        rests = [page.rest for page in self.pages if page.state is PageState.WAITING]
        return min(rests, default=timedelta(0))

    def conclusion(self) -> Conclusion:
        """How it stands now. Ended once nothing waits."""
        waits = any(page.state is PageState.WAITING for page in self.pages)
        outcome, remark = self._outcome()
        return Conclusion(outcome, "; ".join(filter(None, [remark, *self._unread()])), not waits)

    def _take(self, page: Page, reading: Reading) -> Iterator[FoundAsset]:
        page.state, page.what, page.reason = PageState.READ, reading.what.value, reading.outcome
        page.detail = "; ".join(filter(None, [reading.detail, *reading.notes]))
        page.digest = reading.digest
        if page.repeats_one_above():
            page.reason, page.detail = "loop", "it lists what a directory above it lists"
            return
        seen: set[str] = set()
        for lead in reading.leads:
            if lead.url in seen:
                continue
            seen.add(lead.url)
            if lead.to is not To.FILE:
                yield from self._follow(page, lead)
            elif self._affords(page, lead):
                page.files += 1
                page.data_files += lead.why != DESCRIPTION
                page.known_bytes += lead.size or 0
                self._files += 1
                self._bytes += lead.size or 0
                yield self._found(page, lead)

    def _affords(self, page: Page, lead: Lead) -> bool:
        if self._files >= self.budget.max_files:
            page.left["files"] += 1
            return False
        if self._bytes + (lead.size or 0) > self.budget.max_bytes:
            page.left["bytes"] += 1
            return False
        return True

    def _follow(self, page: Page, lead: Lead) -> Iterator[FoundAsset]:
        """Keep a page that is to be read, unless the budget, its distance or its looks forbid it."""
        if lead.url in self._known:
            return
        depth = page.depth + (lead.to is To.DIRECTORY)
        hops = page.hops + (lead.to is To.PAGE)
        reason = ""
        if depth > self.budget.max_depth:
            reason = "too-deep"
        elif hops > self.budget.max_hops or (
            lead.to is To.PAGE and self._followed_from(page) >= _MOST_FOLLOWED
        ):
            reason = "too-far"
        elif len(self.pages) >= self.budget.max_pages:
            reason = "pages"
        elif not lead.reader and is_trap(parse_url(lead.url)):
            reason = "trap"
        if reason:
            page.left[reason] += 1
            return
        below = Page(
            lead.url,
            parent=page,
            depth=depth,
            hops=hops,
            why="directory" if lead.to is To.DIRECTORY and lead.why == "listing" else lead.why,
            label=lead.label[:MOST_LABEL],
            reader=lead.reader,
            headers=lead.headers,
        )
        self._known.add(below.url)
        self.pages.append(below)
        if lead.to is To.PAGE:
            yield from self._enter(below)

    def _followed_from(self, page: Page) -> int:
        return sum(other.parent is page and other.hops > page.hops for other in self.pages)

    def _found(self, page: Page, lead: Lead) -> FoundAsset:
        name = None if lead.asset_kind else kind_of_extension(extension_of(parse_url(lead.url).path) or "")
        kind = lead.asset_kind or (name.slug if name else None)
        return FoundAsset(
            lead.url,
            kind,
            "direct" if lead.url == self.url else self._via(page),
            lead.why,
            page,
            lead.size,
            lead.promised,
            lead.checksum,
            lead.format,
            lead.media_type,
            lead.modified,
        )

    def _via(self, page: Page) -> str:
        if page.what == What.LISTING:
            return "directory"
        if page.what == What.LANDING:
            return "landing-page"
        if page.what == What.FILE:
            return "direct" if page.parent is None else self._via(page.parent)
        return "service" if self.kind is Kind.SERVICE else "repository"

    def _fail(self, page: Page, error: ShelterError) -> None:
        later = error.retry_after_seconds if isinstance(error, TransientError) else None
        after = follow_up(
            error.reason, page.attempts, max_attempts=self._max_attempts, retry_after_seconds=later
        )
        page.reason, page.detail, page.attempts = error.reason, str(error), after.attempts
        if after.state == "pending":
            page.rest = after.rest or page.rest
        else:
            page.state = PageState.FAILED

    def _outcome(self) -> tuple[str, str]:
        """The outcome, and what is to be said of it beside what was left unread."""
        read = [page for page in self.pages if page.state is PageState.READ]
        failed = [page for page in self.pages if page.state is not PageState.READ and page.reason]
        cut = any(page.left for page in self.pages) or any(
            page.state is PageState.WAITING for page in self.pages
        )
        if any(page.data_files for page in read):
            return (FOUND_IN_PART if cut or failed else FOUND), ""
        settled = next((page for page in read if page.reason and page.reason != "loop"), None)
        if settled is not None and not failed:
            return settled.reason, settled.detail
        if failed:
            return min(failed, key=lambda page: not _may_pass(page.reason)).reason, ""
        if cut:
            return FOUND_IN_PART, "no file was found so far"
        if any(page.what == What.LISTING for page in read):
            return "empty", "the directory lists no file"
        said = next((page.detail for page in read if page.detail), "")
        return LANDING_PAGE_ONLY, said or "the page leads to no file"

    def _unread(self) -> Iterator[str]:
        """What was left unread, and why: the budget first, then what failed."""
        left = sum((page.left for page in self.pages), Counter[str]())
        for reason, words in LEFT_IN_WORDS.items():
            if left[reason]:
                yield f"left: {left[reason]} {words}"
        failed = [page for page in self.pages if page.state is not PageState.READ and page.reason]
        yield from (page.detail for page in failed[:_FAILURES_SHOWN])
        if len(failed) > _FAILURES_SHOWN:
            yield f"and {len(failed) - _FAILURES_SHOWN} more pages that failed"


def _headers_for(url: str) -> Mapping[str, str]:
    """A name on an FTP server may turn out to be a file, which is not to be sent then."""
    return ONLY_LISTINGS if url.startswith("ftp:") else NO_HEADERS


def _itself(page: Page, media_type: str | None) -> Lead:
    """What was taken for a page and is none."""
    kind = kind_of_media_type(media_type)
    return Lead(page.url, To.FILE, page.why, asset_kind=kind.slug if kind else None)


def _may_pass(reason: str) -> bool:
    return reason in REASONS and REASONS[reason].next is Next.RETRY
