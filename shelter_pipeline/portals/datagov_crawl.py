"""The ways through data.gov's `/search`: by organization, as a whole, and by what changed.

Every way is a keyset crawl and can be continued from any page's cursor. An organization
that cannot be read is put aside and tried once more at the end; what was read stands. The
API is not trusted to honour what it is asked for: a filter it ignores ends the crawl by
organization, an order it ignores means that everything is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shelter_pipeline.domain.errors import (
    DamagedError,
    PermanentError,
    RefusedError,
    ShelterError,
    TransientError,
)
from shelter_pipeline.domain.records import DatasetRecord, Json, Page, Refusal
from shelter_pipeline.portals.datagov_record import changed_at, organization_slug, record_of
from shelter_pipeline.portals.progress import BARREN_PAGES, Progress

PER_PAGE = 1000
DOWN_AFTER = 3  # organizations in a row that fail: then it is the portal that does
_BY_CHANGE = "last_harvested_date"
# An index that drifts has a stray hit in a thousand; one that ignores the filter has hundreds.
_STRAYS = 0.01
# What a server says to a cursor that it cannot read, in a 500 of HTML.
_REJECTED = frozenset({"server-error", "http-status", "html-instead"})

Records = tuple[DatasetRecord | Refusal, ...]


@dataclass(frozen=True, slots=True)
class Hits:
    """One answer of `/search`. `sort` is the order that the server says it used."""

    hits: list[Json]
    after: str | None
    sort: str | None
    undecoded: bool
    requests: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a crawl goes on: after which hit, of which organization, and what waits for a second try."""

    after: str | None = None
    organization: str | None = None  # None: the whole catalogue
    failed: tuple[str, ...] = ()
    again: bool = False  # in the second round: what failed in the first
    since: bool = False

    def written(self) -> str:
        """The place as the text of a page's cursor."""
        said: dict[str, Json] = {"after": self.after}
        if self.since:
            said["since"] = True
        if self.organization is not None:
            said |= {"organization": self.organization, "failed": list(self.failed)}
        if self.again:
            said["again"] = True
        return json.dumps(said, separators=(",", ":"))

    @classmethod
    def read(cls, cursor: str | None) -> Place | None:
        """The place that a cursor names; None for a text that names none."""
        try:
            said = json.loads(cursor or "")
        except (ValueError, RecursionError):
            return None
        if not isinstance(said, dict):
            return None
        after, organization, failed = said.get("after"), said.get("organization"), said.get("failed")
        after = after if isinstance(after, str) else None
        organization = organization if isinstance(organization, str) else None
        if after is None and organization is None:
            return None
        return cls(
            after,
            organization,
            tuple(one for one in failed if isinstance(one, str)) if isinstance(failed, list) else (),
            said.get("again") is True,
            said.get("since") is True,
        )


class FilterIgnoredError(Exception):
    """The server does not keep to the organization that it is asked for: all of it must be read at once."""


@dataclass(slots=True)
class _Round:
    """One pass through organizations: which are still to come, and which failed."""

    todo: list[str]
    failed: list[str]
    again: bool = False
    errors: dict[str, ShelterError] = field(default_factory=dict)

    def place(self, slug: str, after: str | None) -> Place | None:
        """Where to go on after a page of `slug`; None when nothing is left to do."""
        rest = [*self.todo, *self.failed] if self.again else self.failed
        if after is not None:
            return Place(after, slug, tuple(rest), self.again)
        if not self.again and self.todo:
            return Place(None, self.todo[0], tuple(rest))
        return Place(None, rest[0], tuple(rest[1:]), again=True) if rest else None

    def put_aside(self, slug: str, error: ShelterError) -> None:
        if slug not in self.failed:
            self.failed.append(slug)
        self.errors[slug] = error


class Crawl:
    """One crawl of one portal; `search` answers the parameters of `/search`, `url` is named in errors."""

    def __init__(self, url: str, search: Callable[[Mapping[str, str]], Hits]) -> None:
        self._url = url
        self._search = search
        self._position = 0
        self._last_beginning: tuple[str, ...] = ()

    def whole(self, after: str | None = None) -> Iterator[Page]:
        """The whole catalogue in the server's own order."""
        for found, records in self._walk({}, after):
            yield _page(found.requests, _dates(found), records, _following(found.after))

    def changes(self, since: datetime, after: str | None = None) -> Iterator[Page]:
        """What was harvested at or after `since`, and what has no date that says it was not; newest first."""
        for found, records in self._walk({"sort": _BY_CHANGE}, after):
            dates = _dates(found)
            kept = [place for place, date in enumerate(dates) if date is None or date >= since]
            known = [date for date in dates if date is not None]
            in_order = found.sort in (None, _BY_CHANGE)
            is_last = found.after is None or (in_order and bool(known) and max(known) < since)
            yield _page(
                found.requests,
                [dates[place] for place in kept],
                tuple(records[place] for place in kept),
                None if is_last else Place(found.after, since=True),
            )
            if is_last:
                return

    def by_organization(self, slugs: Sequence[str], place: Place) -> Iterator[Page]:
        """Every organization in turn, from `place` on; one that fails is tried once more, from its beginning.

        Raises the error of organizations that failed twice when all others are done, at once
        when several in a row fail, and FilterIgnoredError.
        """
        if not place.again:
            todo = [slug for slug in slugs if slug >= (place.organization or "")]
            first = _Round(todo, list(place.failed))
            if not todo and not first.failed:
                yield Page((), None, 0)
            yield from self._pass_through(first, place)
            if not first.failed:
                return
            place = Place(None, first.failed[0], tuple(first.failed[1:]), again=True)
        second = _Round([place.organization or "", *place.failed], [], again=True)
        yield from self._pass_through(second, place)
        if second.failed:
            raise _told(self._url, second)

    def _pass_through(self, round_: _Round, place: Place) -> Iterator[Page]:
        in_a_row = 0
        while round_.todo:
            slug = round_.todo.pop(0)
            after = place.after if slug == place.organization else None
            try:
                for page in self._organization(slug, after, round_):
                    in_a_row = 0
                    yield page
            except (TransientError, PermanentError, DamagedError, RefusedError) as error:
                if isinstance(error, PermanentError) and after is None and not self._position:
                    # Who refuses the very first question may refuse the filter; the whole will show.
                    raise FilterIgnoredError from error
                round_.put_aside(slug, error)
                in_a_row += 1
                if in_a_row >= DOWN_AFTER:
                    raise

    def _organization(self, slug: str, after: str | None, round_: _Round) -> Iterator[Page]:
        beginning = None
        for found, records in self._walk({"org_slug": slug}, after):
            if beginning is None:
                beginning = tuple(one.identifier for one in records if isinstance(one, DatasetRecord))
                # Without a word of organizations, the same answer to two questions tells.
                is_ignored = bool(beginning) and beginning == self._last_beginning
                self._last_beginning = beginning
            if is_ignored or _strays(found.hits, slug) > len(found.hits) * _STRAYS:
                raise FilterIgnoredError
            yield _page(found.requests, _dates(found), records, round_.place(slug, found.after))

    def _walk(self, query: Mapping[str, str], after: str | None) -> Iterator[tuple[Hits, Records]]:
        """Page after page of one search. A cursor from an earlier run that is rejected is let go of."""
        used, empty, is_resumed = {after}, 0, after is not None
        progress = Progress(self._url)
        while True:
            try:
                found = self._search({**query, "after": after} if after else query)
            except ShelterError as error:
                if not is_resumed or error.reason not in _REJECTED:
                    raise
                after, is_resumed = None, False
                continue
            is_resumed = False
            if not found.hits and found.after == after:
                found = replace(found, after=None)  # nothing, and the question given back: the end
            records = self._records(found)
            progress.note_page(records)
            yield found, records
            if found.after is None:
                return
            empty = 0 if found.hits else empty + 1
            if found.after in used:
                raise self._endless(f"the cursor {found.after!r} came twice")
            if empty >= BARREN_PAGES:
                raise self._endless(f"its last {empty} pages are empty, and promise more")
            used.add(found.after)
            after = found.after

    def _records(self, found: Hits) -> Records:
        start = self._position
        self._position += len(found.hits)
        return tuple(
            record_of(hit, position, undecoded=found.undecoded)
            for position, hit in enumerate(found.hits, start)
        )

    def _endless(self, why: str) -> TransientError:
        return TransientError(f"{self._url} could not be read to its end: {why}", reason="server-error")


def _page(requests: int, dates: Iterable[datetime | None], records: Records, place: Place | None) -> Page:
    latest = max((date for date in dates if date is not None), default=None)
    return Page(records, place.written() if place else None, requests, latest)


def _following(after: str | None) -> Place | None:
    return Place(after) if after else None


def _dates(found: Hits) -> list[datetime | None]:
    return [changed_at(hit) for hit in found.hits]


def _strays(hits: list[Json], slug: str) -> int:
    """How many of the hits say that they are of another organization."""
    owners = (organization_slug(hit) for hit in hits)
    return sum(owner is not None and owner.casefold() != slug.casefold() for owner in owners)


def _told(url: str, round_: _Round) -> ShelterError:
    """One error for all that failed twice: it may pass if one of them may."""
    last = round_.errors[round_.failed[-1]]
    names = ", ".join(round_.failed)
    text = f"{url} could not be read to its end: of {names}, tried twice, not all is known; the last time: {last}"
    may_pass = [error for error in round_.errors.values() if not isinstance(error, PermanentError)]
    if may_pass:
        return TransientError(text, reason=may_pass[0].reason)
    return PermanentError(text, reason=last.reason)
