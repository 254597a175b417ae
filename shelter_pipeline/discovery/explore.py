"""From one place to the files it leads to, within a budget, with the pages that led there.

A place is a URL that is no file by rule: a directory, a page, a repository, a service. An
exploration holds its pages and decides what is read next; whoever drives it asks, and says
what came. It can be put down after any page and taken up again from its pages. It ends
with an outcome: `found` only if all was read, `found-in-part` if something was left
unread, or the reason why there is no file.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from shelter_pipeline.discovery.asset_kinds import kind_of_extension
from shelter_pipeline.discovery.classify import Kind, extension_of
from shelter_pipeline.discovery.conclusions import Conclusion, conclude
from shelter_pipeline.discovery.ftp_listing import ONLY_LISTINGS
from shelter_pipeline.discovery.leads import NO_HEADERS, Lead, Reading, Reply, To, What
from shelter_pipeline.discovery.pages import MOST_LABEL, Budget, Page, PageState, Spent
from shelter_pipeline.discovery.reading import declared, enter, read_reply
from shelter_pipeline.discovery.traps import is_trap
from shelter_pipeline.domain.errors import PermanentError, RefusedError, ShelterError, TransientError
from shelter_pipeline.domain.follow_up import follow_up
from shelter_pipeline.domain.urls import Url, parse_url, read_url
from shelter_pipeline.fetching.content import ContentRules
from shelter_pipeline.fetching.page import OversizeError

_log = logging.getLogger(__name__)

UNREADABLE = "unreadable"
DESCRIPTION = "capabilities"  # of a lead to what a service says of itself, which is no data
NOTHING_BEFORE: Mapping[str, tuple[int, int]] = MappingProxyType({})
_MOST_FOLLOWED = 20  # pages that one page may lead to
_SHORTEST_REST = timedelta(minutes=1)  # before a page that failed is asked for again


@dataclass(frozen=True, slots=True)
class FoundAsset:
    """One file, and the page that gave it. `size` is an estimate unless `promised`."""

    address: Url
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

    @property
    def url(self) -> str:
        """Its address as text."""
        return self.address.text


class Exploration:
    """One place, with the pages that are known of it.

    `kind` and `rule` are its classification, `content` the signs of walls. Give it the
    `pages` it had when it was put down to take it up again; without any it begins. `spent`
    is what is spent of the budget so far, those pages counted; others may share it. `before`
    are the files and bytes of pages in the last round, by URL: they are in `spent` until the
    page is read again, so that nobody else takes their room.
    """

    def __init__(
        self,
        url: str,
        kind: Kind,
        rule: str,
        budget: Budget,
        *,
        pages: Iterable[Page] = (),
        spent: Spent | None = None,
        before: Mapping[str, tuple[int, int]] = NOTHING_BEFORE,
        content: ContentRules | None = None,
        max_attempts: int = 8,
    ) -> None:
        self.url = url
        self.kind = kind
        self.rule = rule
        self.budget = budget
        self.pages: list[Page] = list(pages)
        self._spent = spent or Spent()
        self._before = before
        self._content = content
        self._max_attempts = max_attempts
        self._known = {page.url for page in self.pages}
        self._followed = Counter(id(page.parent) for page in self.pages if _is_farther(page))

    def begin(self) -> Iterator[FoundAsset]:
        """What the URL alone tells, without a request; read it to the end, then ask for what waits."""
        start = Page(self.url, headers=_headers_for(self.url))
        self._add(start)
        yield from self._enter(start)

    def _enter(self, page: Page) -> Iterator[FoundAsset]:
        """Take what the address of a page tells by itself; one that is to be read all the same goes on waiting."""
        if page.reader or (reading := self._told_by_address(page)) is None:
            return
        again = next(
            (lead for lead in reading.leads if lead.url == page.url and lead.to is not To.FILE), None
        )
        if again is not None:
            page.reader, page.headers = again.reader, again.headers
            return
        yield from self._take(page, reading)

    def _told_by_address(self, page: Page) -> Reading | None:
        url = parse_url(page.url)
        try:
            if (entered := enter(url)) is not None:
                reading = entered[1]
            elif self.kind is Kind.SERVICE and page.parent is None:
                reading = declared(self.rule, url)
            else:
                return None
            return replace(reading, leads=list(reading.leads))
        except Exception:  # noqa: BLE001 - told; one place never ends the reading of all others
            _log.exception("the rules for %s failed: it is read as any page", page.url)
            return None

    def waiting(self) -> list[Page]:
        """The pages to be read now, those without a rest, in the order in which they were found."""
        return [page for page in self.pages if page.state is PageState.WAITING and not page.rest]

    def take(self, page: Page, came: Reply | ShelterError) -> Iterator[FoundAsset]:
        """The files that a page gives; read it to the end, and the page and what it leads to are known."""
        try:
            reading = self._read(page, came)
        except ShelterError as error:
            self._fail(page, error)
            return
        yield from self._take(page, reading)

    def _read(self, page: Page, came: Reply | ShelterError) -> Reading:
        if isinstance(came, ShelterError):
            is_listing = page.why == "directory" or self.kind is Kind.DIRECTORY
            if came.reason == "too-large" and not (is_listing or page.reader or _says_html(came)):
                # No record is as large as that, so it is the file itself.
                return Reading(What.FILE, [Lead(page.url, To.FILE, page.why)])
            raise came
        try:
            reading = read_reply(page, came, self._content)
        except ShelterError:
            raise
        except Exception as error:
            _log.exception("the reply of %s could not be read", page.url)
            raise PermanentError(f"{page.url} could not be read", reason=UNREADABLE) from error
        if reading.what is What.PROCESSING:
            raise TransientError(reading.detail or "the server is still making it", reason="processing")
        return reading

    def rest(self) -> timedelta:
        """How long until something of it may be asked for again; nothing if it may be now, or never."""
        rests = [page.rest for page in self.pages if page.state is PageState.WAITING]
        return min(rests, default=timedelta(0))

    def conclusion(self) -> Conclusion:
        """How it stands now. Ended once nothing waits."""
        return conclude(self.pages)

    def _take(self, page: Page, reading: Reading) -> Iterator[FoundAsset]:
        page.state, page.what, page.reason = PageState.READ, reading.what.value, reading.outcome
        page.detail = "; ".join(filter(None, [reading.detail, *reading.notes]))
        page.digest = reading.digest
        if page.repeats_one_above():
            page.reason, page.detail = "loop", "it lists what a directory above it lists"
            return
        if page.url in self._before:
            files, size = self._before[page.url]
            self._spent.add(0, -files, -size)
        for lead, url in _distinct(page, reading.leads):
            if lead.to is not To.FILE:
                yield from self._follow(page, lead, url)
            elif self._affords(page, lead):
                page.files += 1
                page.data_files += lead.why != DESCRIPTION
                page.known_bytes += lead.size or 0
                self._spent.add(0, 1, lead.size or 0)
                yield self._found(page, lead, url)

    def _affords(self, page: Page, lead: Lead) -> bool:
        if self._spent.files >= self.budget.max_files:
            page.left["files"] += 1
            return False
        if self._spent.bytes + (lead.size or 0) > self.budget.max_bytes:
            page.left["bytes"] += 1
            return False
        return True

    def _follow(self, page: Page, lead: Lead, url: Url) -> Iterator[FoundAsset]:
        """Keep a page that is to be read, unless the budget, its distance or its looks forbid it."""
        if url.text in self._known:
            return
        depth = page.depth + (lead.to is To.DIRECTORY)
        hops = page.hops + (lead.to is To.PAGE)
        reason = ""
        if depth > self.budget.max_depth:
            reason = "too-deep"
        elif hops > self.budget.max_hops or (
            lead.to is To.PAGE and self._followed[id(page)] >= _MOST_FOLLOWED
        ):
            reason = "too-far"
        elif self._spent.pages >= self.budget.max_pages:
            reason = "pages"
        elif not lead.reader and is_trap(url):
            reason = "trap"
        if reason:
            page.left[reason] += 1
            return
        below = Page(
            url.text,
            parent=page,
            depth=depth,
            hops=hops,
            why="directory" if lead.to is To.DIRECTORY and lead.why == "listing" else lead.why,
            label=lead.label[:MOST_LABEL],
            reader=lead.reader,
            headers=lead.headers,
        )
        self._add(below)
        if lead.to is To.PAGE:
            yield from self._enter(below)

    def _add(self, page: Page) -> None:
        self._known.add(page.url)
        self._followed[id(page.parent)] += _is_farther(page)
        self.pages.append(page)
        self._spent.add(page.url not in self._before, 0, 0)

    def _found(self, page: Page, lead: Lead, url: Url) -> FoundAsset:
        name = None if lead.asset_kind else kind_of_extension(extension_of(url.path) or "")
        kind = lead.asset_kind or (name.slug if name else None)
        return FoundAsset(
            url,
            kind,
            "direct" if url.text == self.url else self._via(page),
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
            page.rest = max(after.rest or _SHORTEST_REST, _SHORTEST_REST)
        else:
            page.state = PageState.FAILED


def _distinct(page: Page, leads: Iterable[Lead]) -> Iterator[tuple[Lead, Url]]:
    """Leads that are fit to be asked for, each once; what breaks off among them leaves the page read in part."""
    seen: set[str] = set()
    try:
        for lead in leads:
            if (url := _readable(lead.url)) is None:
                page.left["bad-url"] += 1
            elif url.text not in seen:
                seen.add(url.text)
                yield lead, url
    except ShelterError as error:
        page.left[UNREADABLE] += 1
        page.detail = "; ".join(filter(None, [page.detail, str(error)]))
    except Exception:  # noqa: BLE001 - told
        _log.exception("the rest of %s could not be read", page.url)
        page.left[UNREADABLE] += 1


def _readable(url: str) -> Url | None:
    try:
        return read_url(url)
    except RefusedError:
        return None


def _is_farther(page: Page) -> bool:
    """Whether it is a page that another page led to, and no part or directory of it."""
    return page.parent is not None and page.hops > page.parent.hops


def _says_html(error: ShelterError) -> bool:
    head = error.head if isinstance(error, OversizeError) else None
    return head is not None and "html" in (head.get("content-type") or "").lower()


def _headers_for(url: str) -> Mapping[str, str]:
    """A name on an FTP server may turn out to be a file, which is not to be sent then."""
    return ONLY_LISTINGS if url.startswith("ftp:") else NO_HEADERS
