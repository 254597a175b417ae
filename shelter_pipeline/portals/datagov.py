"""catalog.data.gov as it has been since April 2026: a search without a total, and witnesses beside it.

The API says nowhere how much a crawl should bring, so the crawl ends where the cursors do
and is held against `/organizations`, `/stats` and the sitemap, which is made from another
database. The gateway at api.gsa.gov answers the same questions, with a key that goes to no
other host; once it fails, the catalogue's own host is asked for the rest of a driver's life.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

from shelter_pipeline.domain.errors import PermanentError, SetupError, ShelterError, TransientError
from shelter_pipeline.domain.records import Json, Listing, OrganizationRecord, Page, Witness
from shelter_pipeline.portals.datagov_crawl import PER_PAGE, Crawl, FilterIgnoredError, Hits, Place
from shelter_pipeline.portals.datagov_record import (
    changed_at,
    is_slug,
    listed_organization,
    record_of,
)
from shelter_pipeline.portals.fields import Notes, count
from shelter_pipeline.portals.reading import Answer, PageReader
from shelter_pipeline.portals.sitemap import dataset_lists, same_host
from shelter_pipeline.portals.splitting import Unreadable, parse_page

Result = TypeVar("Result")
# With more organizations than that, those that claim to be empty are not asked.
MANY_ORGANIZATIONS = 500
_GATEWAY = re.compile(r"/v[0-9]+\Z")
_FEWEST_PER_PAGE = 10
_FEWER = 10
_REFUSED = "http-status"
# What a smaller page may mend: one that the server will not give, or that we cannot hold.
_OF_THE_SIZE = frozenset({_REFUSED, "too-large"})
_NOT_THERE = frozenset({"not-found", "gone"})
_HARVEST_RECORD = re.compile(r"/harvest_record/([^/]+)(?:/raw)?/?\Z")


@dataclass(frozen=True, slots=True)
class _Base:
    """One address of the API. The gateway drops the `/api` of the catalogue's own paths."""

    url: str
    reader: PageReader
    record_max_bytes: int

    @property
    def is_gateway(self) -> bool:
        return bool(_GATEWAY.search(urlsplit(self.url).path))

    @property
    def api(self) -> str:
        return self.url if self.is_gateway else f"{self.url}/api"

    def ask(self, path: str, read: Callable[[str, Answer], Result]) -> Result:
        """What `read` makes of the answer to a path of the catalogue's own."""
        url = self.api + path.removeprefix("/api") if path.startswith("/api/") else self.url + path
        return read(url, self.json(url))

    def json(self, url: str) -> Answer:
        """The answer at `url`, in which no hit that cannot be read costs the others."""
        parse = partial(parse_page, list_name="results", largest_bytes=self.record_max_bytes)
        return self.reader.json(url, parse)


class DatagovPortal:
    """data.gov on its own host, and through `gateway`, a URL that ends in `/v4` and a reader with the key.

    The portal's URL may itself be one of the gateway; then there is no sitemap to read.
    """

    kind = "datagov"
    reads_changes = True

    def __init__(
        self,
        url: str,
        reader: PageReader,
        *,
        gateway: tuple[str, PageReader] | None = None,
        record_max_bytes: int = 64 * 1024**2,
    ) -> None:
        self.url = url.rstrip("/")
        self._own = _Base(self.url, reader, record_max_bytes)
        self._gateway = (
            _Base(gateway[0].rstrip("/"), gateway[1], record_max_bytes) if gateway is not None else None
        )
        self._base = self._gateway or self._own
        self._refused = ""  # what the gateway said in the end
        self._slugs: list[str] | None = None
        self._per_page = PER_PAGE
        self._shows_datasets: bool | None = None  # whether it has pages of single datasets

    def witnesses(self) -> tuple[Witness, ...]:
        """The organizations with their counts, and the catalogue's own statistics.

        Raises the organizations' error when neither answers.
        """
        found: list[Witness] = []
        trouble: ShelterError | None = None
        for ask in (self._organizations, self._statistics):
            try:
                found.append(ask())
            except SetupError:
                raise
            except ShelterError as error:
                trouble = trouble or error
        if not found and trouble is not None:
            raise trouble
        return tuple(found)

    def pages(self, cursor: str | None = None, *, since: datetime | None = None) -> Iterator[Page]:
        """Every hit, organization by organization, 1,000 a page; with `since`, what was harvested from then on.

        Where organizations cannot be listed, or the server does not keep to the one it is
        asked for, the catalogue is read as a whole. A cursor of another kind of crawl, or one
        that the server rejects, begins anew. Raises ShelterError as the protocol says, for
        organizations that fail twice only when all others are read.
        """
        crawl = Crawl(f"{self.url}/search", self._search)
        place = Place.read(cursor)
        if since is not None:
            yield from crawl.changes(since, place.after if place and place.since else None)
            return
        if place is None or place.since:
            place = None
        elif place.organization is None:
            yield from crawl.whole(place.after)
            return
        slugs, requests = self._partition(is_resumed=place is not None)
        try:
            pages = crawl.by_organization(slugs, place or Place()) if slugs else crawl.whole()
            for page in pages:
                yield replace(page, requests=page.requests + requests)
                requests = 0
        except FilterIgnoredError:
            yield from crawl.whole()

    def identities(self) -> Iterator[Listing]:
        """The slugs of the sitemap, a file at a time; it is made daily, and not from the search index."""
        if not self._own.is_gateway:
            for source, slugs, requests in dataset_lists(f"{self.url}/sitemap.xml", self._own.reader):
                yield Listing(source, slugs, requests)

    def look_up(self, identifier: str) -> Page | None:
        """The dataset with this slug, from its own page of the API; None when the catalogue has none.

        Raises PermanentError for an identity that is no slug, and where the API has no such
        page for a dataset of its own search either: then its 404 says nothing of this one.
        """
        if not is_slug(identifier):
            url = self._url_of(identifier)
            raise PermanentError(f"{url} cannot be asked: the dataset has no slug", reason="not-found")
        try:
            hits = self._hits_of(identifier)
        except PermanentError as error:
            if error.reason not in _NOT_THERE or not self._has_pages_of_datasets():
                raise
            return None
        for hit in hits.hits:
            record = record_of(hit, 0, undecoded=hits.undecoded)
            own = hit.get("slug") if isinstance(hit, dict) else None
            if isinstance(hit, Unreadable) and record.identifier is None:
                record = replace(record, identifier=identifier)  # it came under this name
            if identifier in (own, record.identifier):
                return Page((record,), None, hits.requests, changed_at(hit))
        return None

    def source_record_url(self, raw: dict[str, Json]) -> str | None:
        """`/harvest_record/{id}/raw`, at the address that is in use now."""
        written = raw.get("harvest_record_raw") or raw.get("harvest_record")
        if not isinstance(written, str):
            return None
        try:
            match = _HARVEST_RECORD.search(urlsplit(written).path)
        except ValueError:
            return None
        hosts = [base.url for base in (self._own, self._gateway) if base is not None]
        if match is None or not any(same_host(written, host) for host in hosts):
            return None
        return f"{self._base.url}/harvest_record/{match[1]}/raw"

    def _ask(
        self,
        path: str,
        read: Callable[[str, Answer], Result],
        *,
        not_its_fault: Collection[str] = (),
    ) -> Result:
        """What `read` makes of the answer, from the gateway while it works, else from the own host.

        After an error whose reason is `not_its_fault` the gateway still counts as working.
        """
        if self._base is not self._own:
            try:
                return self._base.ask(path, read)
            except ShelterError as error:
                if error.reason in not_its_fault:
                    raise
                self._base, self._refused = self._own, str(error)
        try:
            return self._own.ask(path, read)
        except ShelterError as error:
            if not self._refused:
                raise
            raise _told(error, self._refused) from error

    def _search(self, query: Mapping[str, str]) -> Hits:
        """A page as large as the server allows, and as we can read."""
        per_page, is_the_rule = self._per_page, False
        while True:
            path = "/search?" + urlencode({**query, "per_page": per_page}, errors="replace")
            smaller = _OF_THE_SIZE if per_page > _FEWEST_PER_PAGE else frozenset()
            try:
                found = self._ask(path, _hits, not_its_fault=smaller)
            except ShelterError as error:
                if error.reason not in smaller:
                    raise
                per_page, is_the_rule = per_page // _FEWER, error.reason == _REFUSED
                continue
            if is_the_rule:
                self._per_page = per_page
            return found

    def _url_of(self, slug: str) -> str:
        return f"{self._own.api}/dataset/{quote(slug, safe='', errors='replace')}"

    def _hits_of(self, slug: str) -> Hits:
        """What the page of one dataset holds."""
        url = self._url_of(slug)
        return _hits(url, self._own.json(url))

    def _has_pages_of_datasets(self) -> bool:
        """Whether a dataset that the search shows now has a page; asked until that is known."""
        if self._shows_datasets is None:
            url = f"{self._own.url}/search?per_page=1"
            hits = _hits(url, self._own.json(url)).hits
            slugs = [hit.get("slug") for hit in hits if isinstance(hit, dict)]
            slug = next((slug for slug in slugs if isinstance(slug, str) and slug), None)
            if slug is None:
                return False
            try:
                self._shows_datasets = bool(self._hits_of(slug).hits)
            except PermanentError:
                self._shows_datasets = False
        return self._shows_datasets

    def _organizations(self) -> Witness:
        witness, self._slugs = self._ask("/api/organizations", _organizations)
        return witness

    def _statistics(self) -> Witness:
        url = f"{self._own.api}/stats"
        answer = self._own.reader.json(url)
        results = answer.value.get("results") if isinstance(answer.value, dict) else None
        total = results.get("datasets") if isinstance(results, dict) else None
        total = count(total, "datasets", Notes())
        if total is None:
            raise PermanentError(
                f"{url} could not be read: it has no number of datasets", reason="wrong-type"
            )
        return Witness(url, total, requests=answer.requests)

    def _partition(self, *, is_resumed: bool) -> tuple[list[str], int]:
        """The organizations to crawl one by one, in order; none where the catalogue must be read as a whole."""
        requests = 0
        if self._slugs is None:
            try:
                requests = self._organizations().requests
            except ShelterError as error:
                if is_resumed or isinstance(error, SetupError):
                    raise
        return self._slugs or [], requests


def _hits(url: str, answer: Answer) -> Hits:
    value = answer.value if isinstance(answer.value, dict) else {}
    hits, after, sort = value.get("results"), value.get("after"), value.get("sort")
    if not isinstance(hits, list):
        raise PermanentError(
            f"{url} could not be read: it is not a page of search results", reason="wrong-type"
        )
    return Hits(
        hits,
        _cursor(url, after),
        sort if isinstance(sort, str) else None,
        answer.undecoded,
        answer.requests,
    )


def _cursor(url: str, after: Json) -> str | None:
    """The cursor as text. Raises PermanentError for one that cannot be sent back: the list does not end with it."""
    if after is None or after == "":
        return None
    if isinstance(after, str | int) and not isinstance(after, bool):
        return str(after)
    raise PermanentError(f"{url} could not be read: its cursor is no text", reason="wrong-type")


def _organizations(url: str, answer: Answer) -> tuple[Witness, list[str]]:
    """The witness, and by which slugs to ask for all organizations; no slugs when one of them has none."""
    items = answer.value.get("organizations") if isinstance(answer.value, dict) else answer.value
    if not isinstance(items, list):
        raise PermanentError(f"{url} could not be read: it lists no organizations", reason="wrong-type")
    claims: dict[str, int] = {}
    organizations: list[OrganizationRecord] = []
    slugs: set[str] = set()
    is_whole = is_counted = True
    for item in (item for item in items if isinstance(item, dict)):
        notes = Notes()
        one = listed_organization(item, notes)
        claimed = count(item.get("dataset_count"), "dataset_count", notes)
        organizations.append(one)
        if claimed is None:
            is_counted = False
        else:
            claims[one.slug] = claims.get(one.slug, 0) + claimed
        slug = item.get("slug")
        is_whole = is_whole and isinstance(slug, str) and bool(slug)
        if isinstance(slug, str) and (claimed != 0 or len(items) <= MANY_ORGANIZATIONS):
            slugs.add(slug)
    total = sum(claims.values()) if is_counted else None
    witness = Witness(url, total, claims, tuple(organizations), answer.requests)
    return witness, sorted(slugs) if is_whole else []


def _told(error: ShelterError, refused: str) -> ShelterError:
    """The error, and what the gateway said before."""
    text = f"{error}; and before that, {refused}"
    if isinstance(error, TransientError):
        return TransientError(text, reason=error.reason, retry_after_seconds=error.retry_after_seconds)
    return type(error)(text, reason=error.reason)
